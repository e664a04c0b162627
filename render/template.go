package render

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"slices"
	"text/template/parse"

	"pki.internal/plan"
	"pki.internal/spec"
)

// leafTemplate is the profile of leaves whose provisioner names no template:
// what step-ca issues without one, and beside it the URLs at which relying
// parties find the CRL and the issuer, which step-ca adds on no account.
//
//go:embed text/leaf.tpl
var leafTemplate []byte

// leafName is the built-in template's name, which a block may not have.
const leafName = "leaf"

// templates collects the template files of one online CA, each once.
type templates struct {
	urls  map[string]json.RawMessage // what every template is told
	files []plan.File
}

func newTemplates(o *spec.OnlineCA) *templates {
	t := &templates{urls: map[string]json.RawMessage{}}
	if o.Authority.CRL != nil {
		t.tell("crl_urls", o.Authority.CRL.URLs)
	}
	t.tell("ca_issuers_urls", o.Authority.CAIssuersURLs)
	return t
}

func (t *templates) tell(key string, urls []string) {
	if text, err := encode(urls); err == nil && len(urls) > 0 { // strings always encode
		t.urls[key] = text
	}
}

// use gives a provisioner's options and makes sure that its template's file
// is there.
func (t *templates) use(p *spec.Provisioner) (x509Options, error) {
	if p.Template == nil {
		return x509Options{TemplateFile: t.file(leafName, leafTemplate), TemplateData: t.urls}, nil
	}
	name := p.Template.Address.FileName()
	switch {
	case name == leafName:
		return x509Options{}, refuse(p.Template.Origin, "%q is the built-in template's name; rename the block", leafName)
	case !plainName.MatchString(name):
		return x509Options{}, refuse(p.Template.Origin, "%q cannot be a file's name; use letters, digits, dots, dashes and underscores", name)
	}
	if err := checkTemplate(p.Template); err != nil {
		return x509Options{}, err
	}
	data, err := t.data(p.Template)
	return x509Options{TemplateFile: t.file(name, p.Template.Text), TemplateData: data}, err
}

func (t *templates) file(name string, text []byte) string {
	path := templateFolder + name + ".tpl"
	if !slices.ContainsFunc(t.files, func(f plan.File) bool { return f.Path == path }) {
		t.files = append(t.files, plan.File{Path: path, Mode: 0o644, Data: text})
	}
	return path
}

// checkTemplate refuses what step-ca would find out at the first request, and
// answer with an internal error. Which functions exist is step-ca's to know.
func checkTemplate(t *spec.Template) error {
	if len(bytes.TrimSpace(t.Text)) == 0 {
		return refuse(t.Origin, "%s is empty, so step-ca would refuse every request; write the template or remove the block", t.File)
	}
	tree := parse.New(t.Address.FileName())
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(string(t.Text), "", "", map[string]*parse.Tree{}); err != nil {
		return refuse(t.Origin, "%s does not parse (%v), so step-ca would refuse every request; correct it", t.File, err)
	}
	return nil
}

// givenByStepCA is what step-ca tells a template itself. Template data of the
// same name would take its place: with SANs, everybody would be issued names
// that nobody proved.
func givenByStepCA() []string {
	return []string{"Subject", "SANs", "Token", "Insecure", "User", "CR", "AuthorizationCrt", "AuthorizationChain", "Webhooks"}
}

// data merges a template's own data with the URLs.
func (t *templates) data(from *spec.Template) (map[string]json.RawMessage, error) {
	merged := map[string]json.RawMessage{}
	if from.Data != nil {
		if err := json.Unmarshal(from.Data, &merged); err != nil || merged == nil {
			return nil, refuse(from.Origin, "its data is not an object; write data = { key = value }")
		}
	}
	for _, reserved := range givenByStepCA() {
		if _, taken := merged[reserved]; taken {
			return nil, refuse(from.Origin, "its data has the key %q, which would replace what step-ca has checked; rename it", reserved)
		}
	}
	for _, key := range []string{"ca_issuers_urls", "crl_urls"} {
		if _, taken := merged[key]; taken {
			return nil, refuse(from.Origin, "its data has the key %q, which comes from the authority's block; remove it, and use {{ toJson .%s }} in the template", key, key)
		}
		if urls, have := t.urls[key]; have {
			merged[key] = urls
		}
	}
	return merged, nil
}
