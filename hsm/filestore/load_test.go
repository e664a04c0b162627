package filestore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/youmark/pkcs8"

	"pki.internal/hsm"
)

// TestLoad reads every form in which step-ca and openssl write keys.
func TestLoad(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	must := func(der []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	sec1 := text("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(ec)))
	encrypted := text("ENCRYPTED PRIVATE KEY", must(pkcs8.MarshalPrivateKey(ec, []byte("right password"), nil)))
	for name, c := range map[string]struct {
		text      string
		public    crypto.PublicKey
		encrypted bool
	}{
		"PKCS#8":           {text("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ec))), &ec.PublicKey, false},
		"SEC 1":            {sec1, &ec.PublicKey, false},
		"SEC 1, openssl":   {text("EC PARAMETERS", []byte{6, 1, 1}) + sec1, &ec.PublicKey, false},
		"PKCS#1":           {text("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(large)), &large.PublicKey, false},
		"encrypted PKCS#8": {encrypted, &ec.PublicKey, true},
	} {
		asked := false
		k, locked, err := Load([]byte(c.text), func() ([]byte, error) { asked = true; return []byte("right password"), nil })
		if err != nil || locked != c.encrypted || asked != c.encrypted {
			t.Errorf("%s: encrypted %v, asked %v, %v", name, locked, asked, err)
			continue
		}
		if !k.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(c.public) {
			t.Errorf("%s: another key", name)
		}
		digest := sha256.Sum256([]byte("message"))
		if _, err := k.Sign(t.Context(), digest[:], crypto.SHA256); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := Load([]byte(encrypted), func() ([]byte, error) { return []byte("wrong password"), nil }); !errors.Is(err, hsm.ErrWrongPIN) {
		t.Errorf("wrong password: %v", err)
	}
	old := "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMA==\n-----END RSA PRIVATE KEY-----\n"
	for says, text := range map[string]string{
		"not a private key in PEM": "hello", "is no private key": text("CERTIFICATE", nil), "old form": old,
		"the private key": text("PRIVATE KEY", []byte{1}), "so it holds no key": strings.Repeat("x", maxFile+1),
	} {
		if _, _, err := Load([]byte(text), nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}
