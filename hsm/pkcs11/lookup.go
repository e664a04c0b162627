package pkcs11

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"

	"filippo.io/mldsa"

	"pki.internal/hsm"
)

// Lookup gives the one private key that a URI names and whose public key is
// spki. It is for keys that others made: the halves of a pair may be labelled
// differently, and the public half may be missing, because the certificate
// says what it must be and a signature proves it. Find is for keys that a
// ledger knows.
func (s *Store) Lookup(ctx context.Context, u KeyURI, spki []byte) (hsm.Key, error) {
	found, err := s.objects(ctx, request{ByID: u.ID, ByLabel: u.Label, Full: true})
	if err != nil {
		return nil, err
	}
	var private []object
	for _, o := range found {
		if o.Class == ckoPrivate && (u.ID == nil || string(o.ID) == string(u.ID)) && (u.Label == "" || o.Label == u.Label) {
			private = append(private, o)
		}
	}
	switch {
	case len(private) == 0:
		return nil, s.fail(hsm.ErrNotFound, "see with pki token inspect --login what it holds, and that this is the right token", "it has no private key with %s", u.key())
	case len(private) > 1:
		return nil, s.fail(hsm.ErrAmbiguous, "name one of them by its id; pki token inspect --login shows them", "%d private keys have %s", len(private), u.key())
	}
	public, err := parseSPKI(spki)
	if err != nil {
		return nil, err
	}
	if kind := ulong(private[0].Values["key_type"]); kind != keyTypeOf(public) {
		// Some modules answer a mechanism of another kind of key with an error
		// that looks like a dead token.
		return nil, s.notTheCertificates(u, "it is of another kind")
	}
	k := hsm.KeySpec{ID: private[0].ID, Label: private[0].Label, Algorithm: algorithmOf(public)}
	made, err := s.use(ctx, keyPair{private: private[0]}, k, spki)
	if errors.Is(err, hsm.ErrMismatch) {
		return nil, s.notTheCertificates(u, "what it signs does not verify")
	}
	if err != nil {
		return nil, err
	}
	return made, nil
}

// key says by what a URI names a key.
func (u KeyURI) key() string {
	switch {
	case u.ID == nil:
		return fmt.Sprintf("the label %q", u.Label)
	case u.Label == "":
		return fmt.Sprintf("the id %x", u.ID)
	}
	return fmt.Sprintf("the id %x and the label %q", u.ID, u.Label)
}

func (s *Store) notTheCertificates(u KeyURI, why string) error {
	return s.fail(hsm.ErrMismatch, "see that token and key are the certificate's", "the private key with %s is not the certificate's: %s", u.key(), why)
}

// keyTypeOf gives the CKK_… of a public key (PKCS#11 3.0 §4.1); a kind that
// cannot sign here has none that a token would give.
func keyTypeOf(public crypto.PublicKey) uint {
	switch public.(type) {
	case *rsa.PublicKey:
		return 0
	case *ecdsa.PublicKey:
		return 3
	case ed25519.PublicKey:
		return 0x40
	case *mldsa.PublicKey:
		return ckkMLDSA
	}
	return ^uint(0)
}
