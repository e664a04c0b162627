package main

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"pki.internal/lint"
	"pki.internal/render"
	"pki.internal/spec"
)

// checkOnline holds what online CAs will be told against what step-ca can be
// told, and templates against lint, so that a mistake is found where it is
// written and before any ceremony.
func checkOnline(e *spec.Estate) spec.Diagnostics {
	d := render.Check(e)
	if len(e.Templates) == 0 {
		return d
	}
	linter, err := lint.New(cmp.Or(e.Lint.Profile, "private"))
	if err != nil {
		return d // the profile is reported elsewhere
	}
	for _, t := range e.Templates {
		at := "file"
		if t.File == "" {
			at = "inline"
		}
		marker := "http://pki.invalid/crl_urls"
		for _, f := range judgeTemplate(linter, t, marker) {
			if f.Lint == listElsewhere {
				checkListURLs(linter, e, t, at, &d)
				continue
			}
			d.Report(t.Origin, at, "Template that lint refuses", "In %s: %s. Advice: %s (%s).", t.Where(), f.Detail, f.Advice, f.Lint)
		}
	}
	return d
}

// listElsewhere is the rule that holds a template's distribution point against
// the list of the step-ca.
const listElsewhere = "e_caj_idp_url_not_in_certs"

// checkListURLs is for a template that does not take the list's URL from
// crl_urls: what it writes must be the URL of every online CA that uses it.
func checkListURLs(linter *lint.Linter, e *spec.Estate, t *spec.Template, at string, d *spec.Diagnostics) {
	for _, o := range e.OnlineCAs {
		if o.CRL == nil || !o.CRL.Enabled || o.Authority.CRL == nil || len(o.Authority.CRL.URLs) == 0 ||
			!slices.ContainsFunc(o.Provisioners, func(p *spec.Provisioner) bool { return p.Template == t }) {
			continue
		}
		url := o.Authority.CRL.URLs[0]
		if slices.ContainsFunc(judgeTemplate(linter, t, url), func(f lint.Finding) bool { return f.Lint == listElsewhere }) {
			d.Report(t.Origin, at, "CRL under another URL",
				"In %s: the certificates would look for the CRL where it is not. %s signs it for %q, and openssl and Windows refuse a list for another place (RFC 5280 §6.3.3 (b)(2)(i)). Write \"crlDistributionPoints\": {{ toJson .crl_urls }}.",
				t.Where(), o.Address, url)
		}
	}
}

// judgeTemplate has lint try one template as a provisioner's of a step-ca that
// signs its list for a URL.
func judgeTemplate(linter *lint.Linter, t *spec.Template, list string) []lint.Finding {
	const file = "templates/it.tpl"
	data := map[string]any{}
	if t.Data != nil && json.Unmarshal(t.Data, &data) != nil {
		return nil // reported where it is read
	}
	if t.Kind == "x509" { // what rendering adds
		data["crl_urls"], data["ca_issuers_urls"] = []string{list}, []string{"http://pki.invalid/ca_issuers_urls"}
	}
	config, err := json.Marshal(map[string]any{"crl": map[string]any{"enabled": true, "idpURL": list}, "authority": map[string]any{"provisioners": []any{map[string]any{
		"type": "JWK", "name": t.Address.FileName(),
		"options": map[string]any{t.Kind: map[string]any{"templateFile": file, "templateData": data}},
	}}}})
	if err != nil {
		return nil
	}
	findings := linter.StepCA([]lint.File{{Path: "config/ca.json", Data: config}, {Path: file, Data: t.Text}})
	return slices.DeleteFunc(findings, func(f lint.Finding) bool {
		return f.Severity < lint.Error || !strings.HasPrefix(f.Lint, "e_tmpl_") && f.Lint != "e_caj_ssh_template_any_principal" && f.Lint != listElsewhere
	})
}
