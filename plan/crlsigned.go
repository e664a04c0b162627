package plan

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// checkCRL holds a signed CRL against the action that plans it.
func (s *State) checkCRL(signed *Signed, planned *CRLAction) error {
	list, err := x509.ParseRevocationList(signed.DER)
	if err != nil {
		return fmt.Errorf("its CRL: %w", err)
	}
	want, err := s.CRLTBS(planned)
	if err != nil {
		return err
	}
	if !bytes.Equal(want, list.RawTBSRevocationList) {
		return errors.New("its CRL does not have the bytes that the plan says")
	}
	issuer, err := s.issuerKey(planned.Issuer)
	if err != nil {
		return err
	}
	issuer, _ = s.Verifying(issuer)
	if err := s.verify(planned.Issuer.Algorithm, issuer, list.RawTBSRevocationList, list.Signature); err != nil {
		return fmt.Errorf("its CRL: %w", err)
	}
	return nil
}

// sealCRL takes a CRL that was signed ahead of its time. It changes nothing
// that others see: the fact that follows does.
func (s *State) sealCRL(signed *Signed) error {
	action, err := s.expect(signed.Action, SignCRL, signed.Address)
	if err != nil {
		return err
	}
	planned := action.SignCRL
	if planned.Slot == 0 || s.Open.Sealed != nil || signed.Number != planned.Number || signed.SHA256 != "" || signed.Voids != nil {
		return errors.New("it holds a CRL that the plan does not sign ahead")
	}
	if err := s.checkCRL(signed, planned); err != nil {
		return err
	}
	s.Open.Sealed = signed
	return nil
}

func (s *State) signCRL(signed *Signed) error {
	action, err := s.expect(signed.Action, SignCRL, signed.Address)
	if err != nil {
		return err
	}
	planned := action.SignCRL
	whole, _ := s.Authority(signed.Address)
	g, known := whole.At(planned.Issuer.Generation)
	if !known || planned.Issuer.Address != signed.Address {
		return errors.New("its CRL is signed by the key of another authority")
	}
	authority := whole.as(g)
	if signed.Number != planned.Number || !slices.Equal(signed.Voids, planned.Voids) {
		return errors.New("its CRL does not have the number that the plan says, or makes others void")
	}
	if err := checkVoids(authority, planned); err != nil {
		return err
	}
	if planned.Slot == 0 {
		if signed.SHA256 != "" {
			return errors.New("it names its CRL by a hash, and the plan does not sign it ahead")
		}
		if err := s.checkCRL(signed, planned); err != nil {
			return err
		}
		authority.replaceCRL(signed)
	} else if authority, err = s.takeAhead(authority, signed, planned); err != nil {
		return err
	}
	s.put(whole.listed(g, authority))
	s.Open.Done++
	return nil
}

// takeAhead adds a CRL to an authority's stack. In a copy of the ledger that
// withholds the CRL itself, only its hash is known.
func (s *State) takeAhead(a Authority, signed *Signed, planned *CRLAction) (Authority, error) {
	if hash, err := hex.DecodeString(signed.SHA256); err != nil || len(hash) != sha256.Size || signed.DER != nil {
		return a, errors.New("a CRL that is signed ahead is named by its SHA-256, and it is not")
	}
	waits := PresignedCRL{Number: signed.Number, SHA256: signed.SHA256, ThisUpdate: planned.Template.ThisUpdate, NextUpdate: planned.Template.NextUpdate}
	if sealed := s.Open.Sealed; sealed != nil {
		if sum := sha256.Sum256(sealed.DER); hex.EncodeToString(sum[:]) != signed.SHA256 {
			return a, errors.New("its hash is not that of the CRL in the fact before")
		}
		waits.DER = sealed.DER
	}
	a.Stack = append(slices.Clone(a.Stack), waits)
	a.HighestCRL = signed.Number
	s.Open.Sealed = nil
	return a, nil
}
