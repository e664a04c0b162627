package render

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"

	"pki.internal/plan"
	"pki.internal/spec"
)

// leafTemplate is the profile of leaves whose provisioner names no template:
// what step-ca issues without one, and beside it the URLs at which relying
// parties find the CRL and the issuer, which step-ca adds on no account.
//
//go:embed text/leaf.tpl
var leafTemplate []byte

// deviceTemplate is leafTemplate for keys that a device has attested: they
// serve as clients only, as with step-ca's own template.
//
//go:embed text/device.tpl
var deviceTemplate []byte

// builtin is a template of ours; its name no block may have.
type builtin struct {
	name string
	text []byte
}

// builtinFor chooses what a provisioner without a template issues. step-ca's own
// template gives admins of an OpenID provider whatever names they ask for; ours
// gives them theirs, as everybody.
func builtinFor(p *spec.Provisioner) builtin {
	attests := len(p.Challenges) > 0 && !slices.ContainsFunc(p.Challenges, func(c string) bool { return c != "device-attest-01" })
	if p.Kind == "acme" && attests {
		return builtin{"device", deviceTemplate}
	}
	return builtin{"leaf", leafTemplate}
}

func builtinNames() []string { return []string{"leaf", "device"} }

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

// options gives a provisioner's templates and webhooks, and makes sure that
// the templates' files are there.
func (t *templates) options(p *spec.Provisioner) (*options, error) {
	if p.Kind == "sshpop" {
		return nil, nil
	}
	x509, err := t.x509(p)
	if err != nil {
		return nil, err
	}
	given := &options{X509: x509, Webhooks: webhooksOf(p)}
	if p.SSHTemplate != nil {
		if given.SSH, err = t.written(p.SSHTemplate, nil); err != nil {
			return nil, err
		}
	}
	return given, nil
}

func (t *templates) x509(p *spec.Provisioner) (*templateOptions, error) {
	if p.Template != nil {
		return t.written(p.Template, t.urls)
	}
	own := builtinFor(p)
	return &templateOptions{TemplateFile: t.file("x509", own.name, own.text), TemplateData: t.urls}, nil
}

// written is a template of the estate. urls are what it is told beside its own
// data.
func (t *templates) written(from *spec.Template, urls map[string]json.RawMessage) (*templateOptions, error) {
	name := from.Address.FileName()
	switch {
	case slices.Contains(builtinNames(), name):
		return nil, refuse(from.Origin, "%q is the built-in template's name; rename the block", name)
	case !plainName.MatchString(name):
		return nil, refuse(from.Origin, "%q cannot be a file's name; use letters, digits, dots, dashes and underscores", name)
	}
	data, err := mergeData(from, urls)
	if err != nil {
		return nil, err
	}
	return &templateOptions{TemplateFile: t.file(from.Kind, name, from.Text), TemplateData: data}, nil
}

func (t *templates) file(kind, name string, text []byte) string {
	path := "templates/" + kind + "/" + name + ".tpl"
	if !slices.ContainsFunc(t.files, func(f plan.File) bool { return f.Path == path }) {
		t.files = append(t.files, plan.File{Path: path, Mode: 0o644, Data: text})
	}
	return path
}

// mergeData merges a template's own data with the URLs.
func mergeData(from *spec.Template, urls map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	merged := map[string]json.RawMessage{}
	if from.Data != nil {
		if err := json.Unmarshal(from.Data, &merged); err != nil || merged == nil {
			return nil, refuseAt(from.Origin, "data", "its data is not an object; write data = { key = value }")
		}
	}
	for _, key := range []string{"ca_issuers_urls", "crl_urls"} {
		if _, taken := merged[key]; taken {
			return nil, refuseAt(from.Origin, "data", "its data has the key %q, which comes from the authority's block; remove it, and use {{ toJson .%s }} in the template", key, key)
		}
		if told, have := urls[key]; have {
			merged[key] = told
		}
	}
	return merged, nil
}

// webhooksOf are step-ca's. The id is what its log calls a webhook.
func webhooksOf(p *spec.Provisioner) []webhook {
	var list []webhook
	for _, w := range p.Webhooks {
		certType := strings.ToUpper(w.CertType)
		if certType == "" {
			certType = "ALL"
		}
		list = append(list, webhook{
			ID: p.Address.FileName() + "/" + w.Name, Name: w.Name, URL: w.URL, Kind: strings.ToUpper(w.Kind),
			CertType: certType, DisableTLSClientAuth: w.DisableTLSClientAuth,
		})
	}
	return list
}
