package hclspec

import "pki.internal/spec"

type rawCross struct {
	spec.Origin

	Name              string        `hcl:"name,label"`
	Subject           ref           `hcl:"subject" doc:"the authority that is certified, such as authority.root_g2" ref:"authority"`
	SubjectGeneration int           `hcl:"subject_generation,optional" doc:"which of its keys; the newest when not written"`
	Issuer            ref           `hcl:"issuer" doc:"the authority that signs, such as authority.root" ref:"authority"`
	IssuerGeneration  int           `hcl:"issuer_generation,optional" doc:"which of its keys; the newest when not written"`
	Validity          spec.Duration `hcl:"validity" doc:"how long it counts, such as \"5y\""`
	ExtendedKeyUsage  []string      `hcl:"extended_key_usage,optional" doc:"a list that narrows the subject's own, such as [\"server_auth\"]"`
}

func (x *linker) cross(raw *rawCross) *spec.CrossCertificate {
	c := &spec.CrossCertificate{
		Origin: raw.Origin, Subject: x.authorities[raw.Subject.address], SubjectGeneration: raw.SubjectGeneration,
		Issuer: x.authorities[raw.Issuer.address], IssuerGeneration: raw.IssuerGeneration, Validity: raw.Validity,
	}
	for _, usage := range raw.ExtendedKeyUsage {
		c.ExtendedKeyUsage = append(c.ExtendedKeyUsage, spec.ExtKeyUsage(usage))
	}
	return c
}
