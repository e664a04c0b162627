package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"pki.internal/hsm"
	"pki.internal/hsm/filestore"
	"pki.internal/hsm/pkcs11"
	"pki.internal/plan/tbs/public"
)

// openKey opens the key that signs: on a token, or in a file. It is the
// certificate's, or nothing is signed.
func (s *crlSigner) openKey(ctx context.Context) error {
	if strings.HasPrefix(s.o.key, "pkcs11:") {
		return s.openTokenKey(ctx)
	}
	if t := s.o.token; t.module != "" || t.pinFile != "" || t.pinPad {
		return &usageError{errors.New("--module, --pin-file and --pin-pad belong to a key on a token, and --key names a file; a file's password is given with --password-file")}
	}
	text, err := os.ReadFile(s.o.key)
	if err != nil {
		return err
	}
	defer clear(text)
	key, _, err := filestore.Load(text, func() ([]byte, error) {
		if s.o.passwordFile == "" {
			return nil, &personError{"the key " + s.o.key + " is encrypted", "give its password with --password-file"}
		}
		return readPassword(s.o.passwordFile)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", s.o.key, err)
	}
	spki, err := public.Marshal(key.Public())
	if err != nil {
		return err
	}
	if !bytes.Equal(spki, s.issuer.RawSubjectPublicKeyInfo) {
		return fmt.Errorf("%s is not the key of the certificate %s: %w", s.o.key, s.o.issuer, hsm.ErrMismatch)
	}
	s.key = key
	return nil
}

func readPassword(file string) ([]byte, error) {
	password, err := os.ReadFile(file)
	return bytes.TrimRight(password, "\r\n"), err
}

// openTokenKey opens a key that a URI of RFC 7512 names.
func (s *crlSigner) openTokenKey(ctx context.Context) error {
	u, err := pkcs11.ParseKeyURI(s.o.key)
	if err != nil {
		return &usageError{fmt.Errorf("--key: %w", err)}
	}
	t := s.o.token
	switch {
	case s.o.passwordFile != "":
		return &usageError{errors.New("--password-file belongs to a key in a file; give a token's PIN with --pin-file")}
	case t.module != "" && u.Module != "" && t.module != u.Module:
		return &usageError{fmt.Errorf("--module %s and module-path=%s in --key name two modules; give one", t.module, u.Module)}
	case t.pinPad && (t.pinFile != "" || u.PINSource != ""):
		return &usageError{errors.New("--pin-pad says that the PIN is entered on the device, and a file with it is named too; give one")}
	}
	if t.module == "" {
		t.module = u.Module
	}
	if t.module == "" {
		return &usageError{errors.New("--key names a token, and nothing says which module reaches it; give --module FILE, or add ?module-path=FILE to the URI")}
	}
	if t.pinFile == "" {
		t.pinFile = u.PINSource
	}
	options := t.options()
	options.Token = u.Token
	var pin []byte
	if !t.pinPad {
		if pin, err = readPIN(ctx, t.pinFile, "User PIN"); err != nil {
			return err
		}
		defer clear(pin)
	}
	store, err := pkcs11.Open(ctx, options, pin)
	if err != nil {
		return err
	}
	s.store = store
	s.key, err = store.Lookup(ctx, u, s.issuer.RawSubjectPublicKeyInfo)
	return err
}

// closeKey logs out of the token, if there is one.
func (s *crlSigner) closeKey() {
	if s.store != nil {
		// The CRL is published or not; a failing logout changes neither.
		_ = s.store.Close()
	}
}
