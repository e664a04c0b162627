package hclspec

import "pki.internal/spec"

type rawOCSP struct {
	spec.Origin

	URLs       []string      `hcl:"urls,optional" doc:"where clients ask, for the AIA of what this authority signs, such as [\"http://ocsp.pki.example.com\"]"`
	ValidFor   spec.Duration `hcl:"valid_for,optional" doc:"how long each answer counts, such as \"100d\""`
	IssueEvery spec.Duration `hcl:"issue_every,optional" doc:"how soon the next one is due, such as \"90d\""`
}

func (o *rawOCSP) link() *spec.OCSP {
	if o == nil {
		return nil
	}
	return &spec.OCSP{Origin: o.Origin, URLs: o.URLs, ValidFor: o.ValidFor, IssueEvery: o.IssueEvery}
}
