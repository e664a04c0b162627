package lint

import (
	"fmt"
	"slices"
	"strings"
)

// grantRules are about what a template gives to whoever asks.
func grantRules() []Rule {
	return []Rule{{
		ID: "e_tmpl_grants_responder", Severity: Error, Object: ObjectStepCA,
		Title:     "no requester becomes an OCSP responder of the authority, or anything at all",
		Harm:      "whoever gets one such leaf answers for every certificate of the authority: good",
		Citation:  "RFC 6960 §4.2.2.2; RFC 5280 §4.2.1.12; step-ca templates, extKeyUsage",
		Effective: stepCA,
		Advice:    "name serverAuth and clientAuth; sign a responder's certificate in a ceremony",
		applies:   hasTemplate,
		check: eachTemplate(func(t stepTemplate) []string {
			var details []string
			for _, d := range t.rendered {
				for _, purpose := range d.texts("extKeyUsage") {
					if strings.EqualFold(purpose, "OCSPSigning") || strings.EqualFold(purpose, "any") {
						details = append(details, "a requester gets the purpose "+purpose)
					}
				}
			}
			return details
		}),
	}, {
		ID: "e_tmpl_value_unknown", Severity: Error, Object: ObjectStepCA,
		Title:     "step-ca knows every usage and purpose of a template",
		Harm:      "step-ca parses templates when it issues: every request is answered with 500",
		Citation:  "step-ca templates, keyUsage, extKeyUsage; go.step.sm/crypto x509util, KeyUsage, ExtKeyUsage",
		Effective: stepCA,
		Advice:    "use the words of step-ca, such as digitalSignature, keyEncipherment, serverAuth and clientAuth, or unknownExtKeyUsage for others",
		applies:   hasTemplate,
		check:     eachTemplate(checkKnownUsages),
	}, {
		ID: "w_tmpl_names_nobody", Severity: Warn, Object: ObjectStepCA,
		Title:     "a server's template writes the alternative names",
		Harm:      "the certificate is issued, and no client accepts it for any host",
		Citation:  "RFC 9525 §2; step-ca templates, sans",
		Effective: stepCA,
		Advice:    "add \"sans\": {{ toJson .SANs }}",
		applies:   hasTemplate,
		check: eachTemplate(func(t stepTemplate) []string {
			for _, d := range t.rendered {
				serves := slices.ContainsFunc(d.texts("extKeyUsage"), func(p string) bool { return strings.EqualFold(p, "serverAuth") })
				if serves && !t.ssh && d.get("sans") == nil && d.get("dnsNames") == nil && d.get("ipAddresses") == nil && !d.hasExtension(sanOID) {
					return []string{"serverAuth, and no alternative names"}
				}
			}
			return nil
		}),
	}, {
		ID: "w_tmpl_names_fixed", Severity: Warn, Object: ObjectStepCA,
		Title:     "the alternative names are those that the requester has proved",
		Harm:      "whoever proves any name at all gets a certificate for this one",
		Citation:  "step-ca templates, sans; step-ca production guide, use templates with care",
		Effective: stepCA,
		Advice:    "write \"sans\": {{ toJson .SANs }}, and fail the template where the names are not the expected ones",
		applies:   hasTemplate,
		check:     eachTemplate(checkFixedNames),
	}, {
		ID: "w_tmpl_file_ignored", Severity: Warn, Object: ObjectStepCA,
		Title:     "a provisioner has one template of a kind",
		Harm:      "the file was reviewed and changed, and step-ca went on with the text in ca.json",
		Citation:  "step-ca templates, configuring step-ca to use templates; smallstep/certificates authority/provisioner, CustomTemplateOptions",
		Effective: stepCA,
		Advice:    "drop template or templateFile: where both are set, step-ca reads no file",
		applies:   hasTemplate,
		check: eachTemplate(func(t stepTemplate) []string {
			if t.twice == "" {
				return nil
			}
			return []string{"template is set, so " + t.twice + " is not read"}
		}),
	}, {
		ID: "e_tmpl_ssh_any_user", Severity: Error, Object: ObjectStepCA,
		Title:     "an SSH template names its principals, and root is not for everybody",
		Harm:      "an empty list is every user of every host, and root is root",
		Citation:  "OpenSSH PROTOCOL.certkeys, valid principals; step-ca templates, SSH templates",
		Effective: stepCA,
		Advice:    "use .Principals, which the provisioner has checked",
		applies:   hasTemplate,
		check:     eachTemplate(checkPrincipals),
	}}
}

// hasExtension says whether the document writes an extension of its own.
func (d document) hasExtension(oid string) bool {
	extensions, _ := d.get("extensions").([]any)
	return slices.ContainsFunc(extensions, func(e any) bool {
		fields, _ := e.(map[string]any)
		return document(fields).get("id") == oid
	})
}

// checkFixedNames looks for names that are the same whoever asks. What comes
// from a token, a webhook or another certificate may differ where it seems not
// to here.
func checkFixedNames(t stepTemplate) []string {
	asks := slices.ContainsFunc(t.uses, func(u use) bool {
		return len(u.chain) > 0 && slices.Contains([]string{"SANs", "Token", "Webhooks", "AuthorizationCrt", "AuthorizationChain"}, u.chain[0]) ||
			u.under("Insecure", "User") || u.under("Insecure", "CR", "DNSNames") || u.under("Insecure", "CR", "SANs")
	})
	const requesters = 3 // so many that two names were tried
	if t.ssh || asks || len(t.rendered) < requesters {
		return nil
	}
	fixed := ""
	for i, d := range t.rendered {
		names := fmt.Sprint(d.get("sans"), d.get("dnsNames"), d.get("ipAddresses"), d.get("uris"), d.get("emailAddresses"))
		if i > 0 && names != fixed {
			return nil
		}
		fixed = names
	}
	d := t.rendered[0]
	for _, key := range []string{"sans", "dnsNames", "ipAddresses", "uris", "emailAddresses"} {
		if value := d.get(key); value != nil {
			return []string{fmt.Sprintf("%s is %v, whatever was proved", key, value)}
		}
	}
	return nil
}

// checkKnownUsages holds the words of a document against those of step-ca,
// which compares them without regard to case, dashes and underscores.
func checkKnownUsages(t stepTemplate) []string {
	if t.ssh {
		return nil
	}
	plain := strings.NewReplacer("-", "", "_", "", " ", "")
	usages := strings.Fields("digitalsignature contentcommitment nonrepudiation keyencipherment dataencipherment keyagreement certsign crlsign encipheronly decipheronly")
	purposes := strings.Fields("any serverauth clientauth codesigning emailprotection ipsecendsystem ipsectunnel ipsecuser timestamping ocspsigning microsoftservergatedcrypto netscapeservergatedcrypto microsoftcommercialcodesigning microsoftkernelcodesigning")
	var details []string
	for _, d := range t.rendered {
		for _, word := range d.texts("keyUsage") {
			if !slices.Contains(usages, strings.ToLower(plain.Replace(word))) {
				details = append(details, fmt.Sprintf("keyUsage has %q", word))
			}
		}
		for _, word := range d.texts("extKeyUsage") {
			if !slices.Contains(purposes, strings.ToLower(plain.Replace(word))) {
				details = append(details, fmt.Sprintf("extKeyUsage has %q", word))
			}
		}
	}
	return details
}

// checkPrincipals looks for a list of principals that a template writes itself.
func checkPrincipals(t stepTemplate) []string {
	if !t.ssh {
		return nil
	}
	var details []string
	for _, d := range t.rendered {
		principals := d.texts("principals")
		switch written := d.get("principals"); {
		case written == nil || len(principals) == 0:
			details = append(details, "the certificate has no principals")
		case slices.Contains(principals, "root") && !t.usesPrincipals():
			details = append(details, "every requester gets the principal root")
		}
	}
	return details
}

// usesPrincipals says whether the principals come from step-ca or from the
// request, and not from the template.
func (s stepTemplate) usesPrincipals() bool {
	return slices.ContainsFunc(s.uses, func(u use) bool { return slices.Contains(u.chain, "Principals") })
}
