package plan

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"pki.internal/plan/tbs"
)

// issuerKey gives the public key that signs, which must be one that the ledger
// knows.
func (s *State) issuerKey(k KeyRef) ([]byte, error) {
	authority, _ := s.Authority(k.Address)
	g, known := authority.At(k.Generation)
	switch {
	case !known:
		return nil, fmt.Errorf("the key of %s (generation %d) does not exist yet", k.Address, k.Generation)
	case len(k.SPKI) > 0 && !bytes.Equal(k.SPKI, g.spki):
		return nil, fmt.Errorf("the plan's key of %s is not the ledger's", k.Address)
	case g.open():
		return nil, fmt.Errorf("the key of %s can still leave its token; it signs nothing before it is sealed", k.Address)
	}
	return g.spki, nil
}

// subjectKey gives the public key that a certificate binds: the request's, or
// one that the ledger knows.
func (s *State) subjectKey(c *CertificateAction) ([]byte, error) {
	if c.CSR != nil {
		return c.Subject.SPKI, nil
	}
	return s.issuerKey(c.Subject)
}

// CertificateTBS gives the exact bytes that a planned certificate consists
// of, from its template and the keys that exist by now.
func (s *State) CertificateTBS(c *CertificateAction) ([]byte, error) {
	subject, err := s.subjectKey(c)
	if err != nil {
		return nil, err
	}
	issuerID, err := s.issuerID(c.Issuer)
	if err != nil {
		return nil, err
	}
	built, err := c.Template.Build(tbs.Keys{Subject: subject, IssuerID: issuerID})
	if err != nil {
		return nil, err
	}
	return built, c.allows(built, tbs.FieldPublicKey, tbs.FieldSubjectKeyID, tbs.FieldAuthorityKeyID)
}

// CRLTBS gives the exact bytes that a planned CRL consists of.
func (s *State) CRLTBS(c *CRLAction) ([]byte, error) {
	issuerID, err := s.issuerID(c.Issuer)
	if err != nil {
		return nil, err
	}
	built, err := c.Template.Build(tbs.Keys{IssuerID: issuerID})
	if err != nil {
		return nil, err
	}
	return built, c.allows(built, tbs.FieldAuthorityKeyID)
}

func (s *State) issuerID(k KeyRef) ([]byte, error) {
	authority, _ := s.Authority(k.Address)
	if g, _ := authority.At(k.Generation); g.certificate() != nil {
		return g.certificate().SubjectKeyId, nil
	}
	spki, err := s.issuerKey(k)
	if err != nil {
		return nil, err
	}
	return tbs.KeyID(spki)
}

// allows holds bytes against what the plan showed: equal to its TBS, or
// different from its preview in the open fields and nothing else.
func (d *Draft) allows(built []byte, open ...string) error {
	if d.TBS != nil {
		if !bytes.Equal(d.TBS, built) {
			return errors.New("the bytes to sign are not the plan's")
		}
		return nil
	}
	differ, err := d.Differs(built)
	if err != nil {
		return err
	}
	for _, field := range differ {
		if !slices.Contains(open, field) {
			return fmt.Errorf("the bytes to sign differ from the plan's preview in %s", field)
		}
	}
	return nil
}

// Differs names the fields in which bytes differ from what the plan shows;
// none when the plan holds the bytes themselves.
func (d *Draft) Differs(built []byte) ([]string, error) {
	if d.TBS != nil {
		return tbs.Differences(d.TBS, built)
	}
	shown, err := previewTBS(d.Preview)
	if err != nil {
		return nil, err
	}
	return tbs.Differences(shown, built)
}

// previewTBS gives the signed part of a certificate or CRL.
func previewTBS(der []byte) ([]byte, error) {
	if c, err := x509.ParseCertificate(der); err == nil {
		return c.RawTBSCertificate, nil
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("the plan's preview is neither a certificate nor a CRL: %w", err)
	}
	return list.RawTBSRevocationList, nil
}
