package lint

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// hasTemplate applies to a tree in which a provisioner has a template.
func hasTemplate(o *object) bool { return len(o.tree.templates) > 0 }

// templateRules are about the templates that decide what a leaf says.
func templateRules() []Rule {
	return []Rule{{
		ID: "e_tmpl_insecure_cr_used", Severity: Error, Object: ObjectStepCA,
		Title:     "what the requester wrote decides nothing that is signed, unless it was compared with a list",
		Harm:      "the requester chose the names in the certificate",
		Citation:  "step-ca templates, Insecure; step-ca production guide, use templates with care",
		Effective: stepCA,
		Advice:    "use .Subject, .SANs and .Token, which the provisioner has checked, or compare with an if and has or eq first",
		applies:   hasTemplate,
		check:     eachTemplate(checkInsecure),
	}, {
		ID: "e_tmpl_is_ca_reachable", Severity: Error, Object: ObjectStepCA,
		Title:     "no requester gets an authority's certificate from a leaf's template",
		Harm:      "a leaf that signs leaves: the fence around the authority is gone",
		Citation:  "RFC 5280 §4.2.1.9; step-ca templates, basicConstraints",
		Effective: stepCA,
		Advice:    "take basicConstraints and keyUsage out of the requester's hands, and put every value through toJson",
		applies:   hasTemplate,
		check:     eachTemplate(checkReachesCA),
	}, {
		ID: "e_tmpl_not_json_or_missing_var", Severity: Error, Object: ObjectStepCA,
		Title:     "the template is there, comes to an end, gives JSON with keys that step-ca reads, and names only variables that somebody sets",
		Harm:      "step-ca parses templates when it issues: HTTP 500 for the first request after the change",
		Citation:  "step-ca templates, X.509 templates, SSH templates",
		Effective: stepCA,
		Advice:    "correct the template, or set the variable in templateData: step-ca notices at the first certificate, not at the start",
		applies:   hasTemplate,
		check:     eachTemplate(checkRenders),
	}, {
		ID: "e_tmpl_unescaped_value", Severity: Error, Object: ObjectStepCA,
		Title:     "every value is written by toJson",
		Harm:      "a quotation mark in a name adds an extension to the certificate",
		Citation:  "step-ca production guide, use templates with care; step-ca templates, toJson",
		Effective: stepCA,
		Advice:    "write {{ toJson .X }} without quotation marks around it: a quotation mark in the value would end the text and begin a new key",
		applies:   hasTemplate,
		check:     eachTemplate(checkEscaped),
	}, {
		ID: "w_tmpl_subject_from_token_only", Severity: Warn, Object: ObjectStepCA,
		Title:     "alternative names are critical where the subject is empty",
		Harm:      "Java refuses leaves without a subject whose names are not critical",
		Citation:  "RFC 5280 §4.2.1.6",
		Effective: stepCA,
		Advice:    "use sans, which step-ca marks as it must be, in place of an extension of your own",
		applies:   hasTemplate,
		check:     eachTemplate(checkEmptySubject),
	}, {
		ID: "e_tmpl_validity_conflicts_claims", Severity: Error, Object: ObjectStepCA,
		Title:     "the dates that a template sets lie within the claims and within the issuer's life",
		Harm:      "every request is answered with 403",
		Citation:  "step-ca configuration, claims; RFC 5280 §6.1.3 (a)(2)",
		Effective: stepCA,
		Advice:    "leave notBefore and notAfter to the claims, or raise maxTLSCertDuration: step-ca refuses every request otherwise",
		applies:   hasTemplate,
		check:     checkTemplateDates,
	}}
}

// eachTemplate judges every template, and names it.
func eachTemplate(judge func(stepTemplate) []string) func(*object) []string {
	return func(o *object) []string {
		var details []string
		for _, t := range o.tree.templates {
			for _, detail := range judge(t) {
				details = append(details, t.where+": "+detail)
			}
		}
		return slices.Compact(details)
	}
}

// checkInsecure looks for what is written from the request or from the
// requester's own data. The key is needed to choose a key usage. That SSH
// principals come from there is another rule's business.
func checkInsecure(t stepTemplate) []string {
	var details []string
	for _, u := range t.uses {
		key := u.under("Insecure", "CR", "PublicKey") || u.under("Insecure", "CR", "PublicKeyAlgorithm")
		principals := t.ssh && u.under("Insecure", "CR", "Principals")
		if u.under("Insecure") && u.written && !u.guarded && !key && !principals {
			details = append(details, fmt.Sprintf("%s comes from the requester: %s", u.name(), u.text))
		}
	}
	return details
}

// checkReachesCA looks at what came out for every requester.
func checkReachesCA(t stepTemplate) []string {
	if t.ssh {
		return nil
	}
	for _, d := range t.rendered {
		if constraints, ok := d.get("basicConstraints").(map[string]any); ok {
			if is, _ := document(constraints).get("isCA").(bool); is {
				return []string{"a requester gets isCA"}
			}
		}
		for _, usage := range d.texts("keyUsage") {
			if strings.EqualFold(usage, "certSign") || strings.EqualFold(usage, "crlSign") {
				return []string{"a requester gets the key usage " + usage}
			}
		}
	}
	return nil
}

// given is the names that step-ca sets at the top.
func given(ssh bool) []string {
	names := []string{"Token", "Insecure", "AuthorizationCrt", "AuthorizationChain", "Webhooks"}
	if ssh {
		return append(names, "Type", "KeyID", "Principals", "Extensions", "CriticalOptions")
	}
	return append(names, "Subject", "SANs")
}

// checkRenders says why a template gives nothing, and which variables nobody
// sets. One that the template asks for first may be missing.
func checkRenders(t stepTemplate) []string {
	var details []string
	for _, fault := range []string{t.missing, t.broken} {
		if fault != "" {
			details = append(details, fault)
		}
	}
	for _, key := range t.unread {
		details = append(details, fmt.Sprintf("step-ca reads no key %q, and drops it without a word", key))
	}
	for _, u := range t.uses {
		if len(u.chain) == 0 || !u.written || u.optional || slices.Contains(given(t.ssh), u.chain[0]) {
			continue
		}
		if _, set := t.data[u.chain[0]]; !set {
			details = append(details, fmt.Sprintf(".%s is set by nobody: %s", u.chain[0], u.text))
		}
	}
	return details
}

// escaping says whether a function's result is safe in JSON: it is JSON, or a
// number, or an alphabet without quotation marks.
func escaping(function string) bool {
	switch function {
	case "toJson", "mustToJson", "toRawJson", "mustToRawJson", "toPrettyJson", "mustToPrettyJson", "quote", "js",
		"len", "int", "int64", "float64", "atoi", "add", "sub", "mul", "div", "b64enc", "b32enc", "sha1sum", "sha256sum", "sha512sum",
		"asn1Enc", "asn1Marshal", "asn1Seq", "asn1Set", "formatTime", "uuidv4", "eq", "ne", "not", "and", "or", "has", "hasKey", "empty", "fail":
		return true
	}
	return false
}

// checkEscaped looks at what every action ends with.
func checkEscaped(t stepTemplate) []string {
	var details []string
	for _, u := range t.uses {
		if !u.written || u.binds || u.literal || escaping(u.last) || strings.HasPrefix(u.text, "{{template") {
			continue
		}
		if len(u.chain) == 1 {
			switch t.data[u.chain[0]].(type) {
			case float64, bool:
				continue // whoever set it wrote no quotation mark
			}
		}
		details = append(details, u.text+" is written as it is")
	}
	return details
}

// checkEmptySubject looks for alternative names in an extension of the
// template's own.
func checkEmptySubject(t stepTemplate) []string {
	const subjectAltName = "2.5.29.17"
	for _, d := range t.rendered {
		if subject := d.get("subject"); t.ssh || !emptySubject(subject) {
			continue
		}
		extensions, _ := d.get("extensions").([]any)
		for _, e := range extensions {
			fields, _ := e.(map[string]any)
			critical, _ := document(fields).get("critical").(bool)
			if document(fields).get("id") == subjectAltName && !critical {
				return []string{"the subject is empty, and the alternative names are in an extension that is not critical"}
			}
		}
	}
	return nil
}

// emptySubject says whether a subject in a document names nobody.
func emptySubject(subject any) bool {
	fields, ok := subject.(map[string]any)
	return subject == nil || subject == "" || ok && len(fields) == 0
}

// checkTemplateDates compares dates that a template sets itself.
func checkTemplateDates(o *object) []string {
	t := o.tree
	authority, _ := claimFamilies()[0].merge(t.config.Authority.Claims, "authority")
	var details []string
	for i, p := range t.config.Authority.Provisioners {
		family, _ := authority.merge(p.Claims, p.where(i))
		at := slices.IndexFunc(t.templates, func(s stepTemplate) bool { return s.where == p.where(i)+", x509" })
		if at < 0 || len(t.templates[at].rendered) == 0 {
			continue
		}
		d, where := t.templates[at].rendered[0], t.templates[at].where
		from, _ := instantOf(d.get("notBefore"), t.moment())
		until, untilSet := instantOf(d.get("notAfter"), from)
		if !untilSet {
			continue
		}
		if life := until.Sub(from); life > family.longest || life < family.shortest {
			details = append(details, fmt.Sprintf("%s: the template makes leaves of %s, and the claims allow %s to %s", where, life, family.shortest, family.longest))
		}
		if t.issuing != nil && until.After(t.issuing.NotAfter) {
			details = append(details, fmt.Sprintf("%s: the template ends leaves on %s, and the issuing certificate ends on %s", where, date(until), date(t.issuing.NotAfter)))
		}
	}
	return details
}

// instantOf reads a date of a document; otherwise it is the fallback.
func instantOf(value any, fallback time.Time) (time.Time, bool) {
	text, ok := value.(string)
	if !ok {
		return fallback, false
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fallback, false
	}
	return at, true
}
