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
		for _, f := range judgeTemplate(linter, t) {
			at := "file"
			if t.File == "" {
				at = "inline"
			}
			d.Report(t.Origin, at, "Template that lint refuses", "In %s: %s. Advice: %s (%s).", t.Where(), f.Detail, f.Advice, f.Lint)
		}
	}
	return d
}

// judgeTemplate has lint try one template as a provisioner's of a step-ca.
func judgeTemplate(linter *lint.Linter, t *spec.Template) []lint.Finding {
	const file = "templates/it.tpl"
	data := map[string]any{}
	if t.Data != nil && json.Unmarshal(t.Data, &data) != nil {
		return nil // reported where it is read
	}
	if t.Kind == "x509" { // what rendering adds
		for _, urls := range []string{"crl_urls", "ca_issuers_urls"} {
			data[urls] = []string{"http://pki.invalid/" + urls}
		}
	}
	config, err := json.Marshal(map[string]any{"authority": map[string]any{"provisioners": []any{map[string]any{
		"type": "JWK", "name": t.Address.FileName(),
		"options": map[string]any{t.Kind: map[string]any{"templateFile": file, "templateData": data}},
	}}}})
	if err != nil {
		return nil
	}
	findings := linter.StepCA([]lint.File{{Path: "config/ca.json", Data: config}, {Path: file, Data: t.Text}})
	return slices.DeleteFunc(findings, func(f lint.Finding) bool {
		return f.Severity < lint.Error || !strings.HasPrefix(f.Lint, "e_tmpl_") && f.Lint != "e_caj_ssh_template_any_principal"
	})
}
