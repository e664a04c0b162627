package hclspec

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"pki.internal/spec"
)

// rawCertificatePolicy is one policy under which an authority's certificate is issued.
type rawCertificatePolicy struct {
	spec.Origin

	OID    string   `hcl:"oid" doc:"the policy's object identifier, such as \"1.3.6.1.4.1.99999.1.2\", or \"any_policy\""`
	CPS    []string `hcl:"cps,optional" doc:"a list of URLs of practice statements, such as [\"https://pki.acme.example/cps\"]"`
	Notice string   `hcl:"notice,optional" doc:"a text of 200 characters at most for whoever relies on the certificate"`
}

// rawExtension is an extension that this program knows nothing of.
type rawExtension struct {
	spec.Origin

	OID      string `hcl:"oid" doc:"the extension's object identifier"`
	Critical bool   `hcl:"critical,optional" doc:"true when whoever does not know the extension must refuse the certificate"`
	DER      string `hcl:"der" doc:"its value in DER, as hexadecimal or base64"`
}

// fillProfile sets what a certificate says beside name, key and dates.
func (x *linker) fillProfile(a *spec.Authority, raw *rawAuthority) {
	for _, p := range raw.Policies {
		a.Policies = append(a.Policies, spec.CertificatePolicy{Origin: p.Origin, Identifier: p.OID, CPS: p.CPS, Notice: p.Notice})
	}
	for _, e := range raw.Extensions {
		der, err := hex.DecodeString(strings.Join(strings.Fields(strings.ReplaceAll(e.DER, ":", "")), ""))
		if err != nil {
			if der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(e.DER), "")); err != nil {
				x.diags.Report(e.Origin, "der", "Neither hexadecimal nor base64", "The value of an extension is written as hexadecimal or base64. Correct it, or read it from a file with filebase64(\"…\").")
				continue
			}
		}
		a.Extensions = append(a.Extensions, spec.Extension{Origin: e.Origin, Identifier: e.OID, Critical: e.Critical, DER: der})
	}
}

// name makes a subject from its words over the estate's, or from its RDNs.
func (x *linker) name(raw *rawSubject) spec.Name {
	if raw == nil || len(raw.RDNs) == 0 {
		return spec.NewName(raw.values(), x.defaults)
	}
	own := raw.values()
	for _, word := range keys(own) {
		if len(own[word]) > 0 {
			x.diags.Report(raw.Origin, word, "Name in two forms", "rdns is the whole name, in its order. Write %s among them, or remove rdns.", word)
		}
	}
	name, err := spec.ParseRDNs(raw.RDNs)
	if err != nil {
		x.diags.Report(raw.Origin, "rdns", "Name that cannot be read", "Among the RDNs, %s. Correct it.", err)
		return spec.Name{{Type: "common_name", Value: "?"}} // the one mistake is enough
	}
	return name
}
