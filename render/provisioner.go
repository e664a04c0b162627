package render

import (
	"encoding/json"
	"errors"

	"pki.internal/plan"
	"pki.internal/spec"
)

// provisioner is one entry of authority.provisioners: the keys that all kinds
// share, then those of a JWK, then those of ACME.
type provisioner struct {
	Type string `json:"type"`
	Name string `json:"name"`

	Key          json.RawMessage `json:"key,omitempty"`
	EncryptedKey string          `json:"encryptedKey,omitempty"`

	Challenges []string `json:"challenges,omitempty"`
	ForceCN    bool     `json:"forceCN,omitempty"`

	Claims  *claims `json:"claims,omitempty"`
	Options options `json:"options"`
}

type options struct {
	X509 x509Options `json:"x509"`
}

type x509Options struct {
	TemplateFile string                     `json:"templateFile"`
	TemplateData map[string]json.RawMessage `json:"templateData,omitempty"`
}

// provisionersOf gives the provisioners of an online CA, in the estate's
// order, and the template files that they name.
func provisionersOf(s plan.State, o *spec.OnlineCA) ([]provisioner, []plan.File, error) {
	list := []provisioner{}
	var refused []error
	files := newTemplates(o)
	taken := map[string]spec.Address{}
	for _, p := range o.Provisioners {
		name := p.Address.FileName()
		if first, again := taken[name]; again {
			refused = append(refused, refuse(p.Origin, "step-ca would call it %q like %s, and refuses to start with two of one name; rename one of them", name, first))
			continue
		}
		taken[name] = p.Address
		one, err := provisionerOf(s, p)
		refused = append(refused, err)
		one.Options.X509, err = files.use(p)
		refused = append(refused, err)
		list = append(list, one)
	}
	return list, files.files, errors.Join(refused...)
}

func provisionerOf(s plan.State, p *spec.Provisioner) (provisioner, error) {
	rendered := provisioner{Name: p.Address.FileName(), Claims: claimsOf(p.Claims)}
	if !plainName.MatchString(rendered.Name) {
		return rendered, refuse(p.Origin, "step-ca would call it %q, which cannot stand in a URL; use letters, digits, dots, dashes and underscores", rendered.Name)
	}
	switch p.Kind {
	case "jwk":
		recorded, _ := s.Provisioner(p.Address) // Waiting has found it, and the ledger holds public keys only
		rendered.Type, rendered.EncryptedKey = "JWK", recorded.JWE
		rendered.Key = json.RawMessage(recorded.JWK)
		return rendered, nil
	case "acme":
		rendered.Type = "ACME"
		rendered.Challenges, rendered.ForceCN = p.Challenges, p.ForceCN
		return rendered, nil
	}
	return rendered, refuse(p.Origin, "%q is not a type of provisioner that this version renders; use jwk or acme", p.Kind)
}
