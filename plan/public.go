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
		next.delta.provisioners[e.Provisioner.Address] = e.Provisioner
	case KeyWasProven:
		err = next.observeProof(e.Proven)
	case AuthorityAdopted:
		err = next.observeAdopted(e.Adopted)
	case RequestSigned:
		err = next.observeRequest(e.Request)
	case AddressMoved:
		next.move(e.Moved.From, e.Moved.Address)
	case CeremonyFinished:
		next.LastPlan = e.Finished.PlanDigest
	}
	if err != nil {
		return s, err
	}
	return next.settled(e, head), nil
}

func (s *State) observeKey(k *KeyMade) error {
	if _, err := public.Parse(k.SPKI); err != nil {
		return fmt.Errorf("its public key: %w", err)
	}
	if other, taken := s.ownerOf(k.SPKI); taken {
		return fmt.Errorf("its public key is that of %s", other)
	}
	authority, _ := s.Authority(k.Address)
	authority.Address = k.Address
	s.observe(authority, Generation{Number: k.Key.Generation, Key: k, spki: k.SPKI})
	return nil
}

// observe notes a key, and whose it is.
func (s *State) observe(authority Authority, g Generation) {
	s.put(authority.with(g))
	s.observed = append(slices.Clip(s.observed), authority.as(g))
}

func (s *State) observeCertificate(signed *Signed) error {
	c, err := x509.ParseCertificate(signed.DER)
	if err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	switch signed.Address.Kind {
	case CrossKind:
		return s.observeCross(signed, c)
	case ResponderKind:
		return s.observeResponder(signed, c)
	}
	authority, _ := s.Authority(signed.Address)
	authority.Address = signed.Address
	g, known := authority.At(signed.Generation)
	if known && !bytes.Equal(g.spki, c.RawSubjectPublicKeyInfo) {
		return fmt.Errorf("its certificate is not for the key of %s", signed.Address)
	}
	if !known {
		g = Generation{Number: signed.Generation, spki: c.RawSubjectPublicKeyInfo}
		s.observed = append(slices.Clip(s.observed), authority.as(g))
	}
	issuer, found := s.signer(c)
	if !found {
		return errors.New("its certificate is signed by no key of this ledger")
	}
	g.Certificates = append(slices.Clone(g.Certificates), Issued{DER: signed.DER, Issuer: issuer.Address, IssuerGeneration: issuer.Generation, parsed: c})
	s.put(authority.with(g))
	return nil
}

// observeCross finds the key that a cross-certificate is for.
func (s *State) observeCross(signed *Signed, c *x509.Certificate) error {
	i := slices.IndexFunc(s.observed, func(a Authority) bool { return bytes.Equal(a.SPKI(), c.RawSubjectPublicKeyInfo) })
	issuer, found := s.signer(c)
	if i < 0 || !found {
		return errors.New("its certificate is for no key of this ledger, or signed by none")
	}
	x, _ := s.Cross(signed.Address)
	x.Address, x.Subject, x.SubjectGeneration = signed.Address, s.observed[i].Address, s.observed[i].Generation
	x.Certificates = append(slices.Clone(x.Certificates), Issued{DER: signed.DER, Issuer: issuer.Address, IssuerGeneration: issuer.Generation, parsed: c})
	s.delta.crosses[x.Address] = &x
	return nil
}

func (s *State) observeCRL(signed *Signed) error {
	whole, known := s.Authority(signed.Address)
	if !known {
		return fmt.Errorf("its CRL is of %s, of which nothing is known", signed.Address)
	}
	if decimal(signed.Number).Cmp(decimal(whole.HighestCRL)) <= 0 {
		return fmt.Errorf("its CRL has number %s, after number %s", signed.Number, whole.HighestCRL)
	}
	if signed.DER == nil && signed.SHA256 != "" { // signed ahead; the bytes are for later
		whole.HighestCRL = signed.Number
		s.put(whole)
		return nil
	}
	list, err := x509.ParseRevocationList(signed.DER)
	if err != nil {
		return fmt.Errorf("its CRL: %w", err)
	}
	if list.Number == nil || list.Number.String() != signed.Number {
		return fmt.Errorf("its CRL does not have the number %s", signed.Number)
	}
	for _, g := range slices.Backward(whole.Generations) {
		if issuer, err := keyHolder(g.spki); err != nil || public.CheckList(list, issuer) != nil {
			continue
		}
		view := whole.as(g)
		view.replaceCRL(signed)
		s.put(whole.listed(g, view))
		return nil
	}
	return fmt.Errorf("its CRL is not signed by %s", signed.Address)
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
