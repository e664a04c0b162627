package hclspec

import "pki.internal/spec"

type rawResponder struct {
	spec.Origin

	Name       string        `hcl:"name,label"`
	Issuer     ref           `hcl:"issuer" doc:"the authority for whose certificates it answers, such as authority.root" ref:"authority"`
	Subject    *rawSubject   `hcl:"subject,block"`
	CSR        string        `hcl:"csr" doc:"a PKCS#10 request of the responder's key, below the estate's folder, such as \"csr/ocsp.csr\""`
	Validity   spec.Duration `hcl:"validity" doc:"how long the certificate counts, such as \"100d\"; nobody can revoke it"`
	IssueEvery spec.Duration `hcl:"issue_every,optional" doc:"how soon the next one is due, such as \"90d\"; the middle of its life when not written"`
}

func (x *linker) responder(raw *rawResponder) *spec.Responder {
	return &spec.Responder{
		Origin: raw.Origin, Issuer: x.authorities[raw.Issuer.address], Subject: x.name(raw.Subject),
		CSR: x.readCSR(raw.Origin, raw.CSR), Validity: raw.Validity, IssueEvery: raw.IssueEvery,
	}
}
