package plan

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"pki.internal/plan/tbs/public"
)

// Observe gives the state after one more event of a ledger from which facts are
// withheld, the plans among them. It cannot say whether the bytes are those of
// a plan; it holds every certificate and CRL against the keys that came before,
// and CRL numbers against each other. Facts that say nothing about keys and
// what they signed are passed over.
func (s State) Observe(e Event, head Head) (State, error) {
	if err := e.wellFormed(); err != nil {
		return s, err
	}
	if e.Time.Before(s.LastTime) {
		return s, fmt.Errorf("it is dated %s, before the entry above it (%s)", stamp(e.Time), stamp(s.LastTime))
	}
	next := s.clone()
	var err error
	switch e.Kind {
	case KeyWasMade:
		err = next.observeKey(e.KeyMade)
	case CertificateSigned:
		err = next.observeCertificate(e.Certificate)
	case CRLSigned:
		err = next.observeCRL(e.CRL)
	case ProvisionerKeyMade:
		next.provisioners[e.Provisioner.Address] = *e.Provisioner
	case CeremonyFinished:
		next.LastPlan = e.Finished.PlanDigest
	}
	if err != nil {
		return s, err
	}
	next.Head, next.LastTime = head, e.Time
	return next, nil
}

func (s *State) observeKey(k *KeyMade) error {
	if _, err := public.Parse(k.SPKI); err != nil {
		return fmt.Errorf("its public key: %w", err)
	}
	if other, taken := s.ownerOf(k.SPKI); taken {
		return fmt.Errorf("its public key is that of %s", other)
	}
	s.authorities[k.Address] = Authority{Address: k.Address, Generation: k.Key.Generation, Key: k}
	s.observed = append(slices.Clip(s.observed), s.authorities[k.Address])
	return nil
}

func (s *State) observeCertificate(signed *Signed) error {
	c, err := x509.ParseCertificate(signed.DER)
	if err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	authority := s.authorities[signed.Address]
	if key := authority.SPKI(); authority.Key != nil && !bytes.Equal(key, c.RawSubjectPublicKeyInfo) {
		return fmt.Errorf("its certificate is not for the key of %s", signed.Address)
	}
	authority.Address, authority.Generation, authority.Certificate = signed.Address, signed.Generation, signed.DER
	s.observed = append(slices.Clip(s.observed), authority)
	issuer, found := s.signer(c)
	if !found {
		return errors.New("its certificate is signed by no key of this ledger")
	}
	authority.Issuer = issuer.Address
	s.authorities[signed.Address] = authority
	return nil
}

func (s *State) observeCRL(signed *Signed) error {
	authority, known := s.authorities[signed.Address]
	if !known {
		return fmt.Errorf("its CRL is of %s, of which nothing is known", signed.Address)
	}
	if decimal(signed.Number).Cmp(decimal(authority.HighestCRL)) <= 0 {
		return fmt.Errorf("its CRL has number %s, after number %s", signed.Number, authority.HighestCRL)
	}
	if signed.DER == nil && signed.SHA256 != "" { // signed ahead; the bytes are for later
		authority.HighestCRL = signed.Number
		s.authorities[signed.Address] = authority
		return nil
	}
	list, err := x509.ParseRevocationList(signed.DER)
	if err != nil {
		return fmt.Errorf("its CRL: %w", err)
	}
	if issuer, err := keyHolder(authority.SPKI()); err != nil || public.CheckList(list, issuer) != nil {
		return fmt.Errorf("its CRL is not signed by %s", signed.Address)
	}
	if list.Number == nil || list.Number.String() != signed.Number {
		return fmt.Errorf("its CRL does not have the number %s", signed.Number)
	}
	authority.replaceCRL(signed)
	s.authorities[signed.Address] = authority
	return nil
}

// signer finds the authority whose key signed a certificate.
func (s *State) signer(c *x509.Certificate) (Authority, bool) {
	for _, authority := range slices.Backward(s.observed) {
		if issuer, err := keyHolder(authority.SPKI()); err == nil && public.CheckCertificate(c, issuer) == nil {
			return authority, true
		}
	}
	return Authority{}, false
}

// keyHolder gives as much of a certificate as checking a signature takes.
func keyHolder(spki []byte) (*x509.Certificate, error) {
	key, err := public.Parse(spki)
	return &x509.Certificate{PublicKey: key, RawSubjectPublicKeyInfo: spki}, err
}
