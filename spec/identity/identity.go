// Package identity answers one question: did this person sign these bytes?
//
// A person is known by a public key: an SSH key, as ssh-keygen writes it, or a
// JWK (RFC 7517). Signatures are those that other tools make and check: an
// OpenSSH signature file (PROTOCOL.sshsig, ssh-keygen -Y) or a compact JWS
// (RFC 7515). Keys of CAs never come here.
package identity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// minRSA is the shortest RSA key that a signature of today may be made with
// (NIST SP 800-57 part 1, table 2).
const minRSA = 2048

// Key is a person's public key. The zero Key verifies nothing.
type Key struct {
	ssh ssh.PublicKey
	jwk *jose.JSONWebKey
}

// Parse reads a public key: one line of SSH ("ssh-ed25519 AAAA… comment") or a
// JWK. A private key is refused, so that none gets into an estate.
func Parse(text string) (Key, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return Key{}, errors.New("it is empty")
	case strings.Contains(text, "PRIVATE KEY"):
		return Key{}, errors.New("it is a private key; an estate holds public keys alone")
	case strings.HasPrefix(text, "{"):
		return parseJWK(text)
	}
	return parseSSH(text)
}

func parseSSH(text string) (Key, error) {
	public, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil {
		return Key{}, errors.New("it is neither an SSH public key (\"ssh-ed25519 AAAA…\") nor a JWK (\"{…}\")")
	}
	if len(options) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return Key{}, errors.New("it is more than one SSH public key on one line")
	}
	switch public.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKECDSA256:
	case ssh.KeyAlgoRSA:
		if c, ok := public.(ssh.CryptoPublicKey); !ok || rsaBits(c.CryptoPublicKey()) < minRSA {
			return Key{}, fmt.Errorf("an RSA key needs %d bits", minRSA)
		}
	default:
		return Key{}, fmt.Errorf("an SSH key of type %s signs nothing here; use ssh-ed25519", public.Type())
	}
	return Key{ssh: public}, nil
}

func rsaBits(public crypto.PublicKey) int {
	if k, ok := public.(*rsa.PublicKey); ok {
		return k.N.BitLen()
	}
	return 0
}

func parseJWK(text string) (Key, error) {
	k := &jose.JSONWebKey{}
	if err := json.Unmarshal([]byte(text), k); err != nil {
		return Key{}, fmt.Errorf("its JWK: %w", err)
	}
	if !k.Valid() || !k.IsPublic() {
		return Key{}, errors.New("its JWK is not a public key alone")
	}
	if _, err := jwsAlgorithm(k.Key); err != nil {
		return Key{}, err
	}
	return Key{jwk: &jose.JSONWebKey{Key: k.Key}}, nil
}

// jwsAlgorithm gives the one algorithm that a kind of key signs with here, so
// that no signature says for itself how it is to be checked (RFC 8725 §3.1).
func jwsAlgorithm(key any) (jose.SignatureAlgorithm, error) {
	switch k := key.(type) {
	case ed25519.PublicKey, ed25519.PrivateKey:
		return jose.EdDSA, nil
	case *ecdsa.PrivateKey:
		return jwsAlgorithm(&k.PublicKey)
	case *ecdsa.PublicKey:
		switch k.Curve.Params().BitSize {
		case 256:
			return jose.ES256, nil
		case 384:
			return jose.ES384, nil
		case 521:
			return jose.ES512, nil
		}
	case *rsa.PrivateKey:
		return jwsAlgorithm(&k.PublicKey)
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSA {
			return "", fmt.Errorf("an RSA key needs %d bits", minRSA)
		}
		return jose.PS256, nil
	}
	return "", errors.New("a JWK of this type signs nothing here; use OKP Ed25519, EC P-256, P-384 or P-521, or RSA")
}

// Text gives the key in the one form that is recorded: without comment, or as
// a JWK with its required members in order (RFC 7638 §3).
func (k Key) Text() string {
	if k.ssh != nil {
		return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k.ssh)))
	}
	if k.jwk == nil {
		return ""
	}
	// A key that was parsed can be written: nothing in it can fail to encode.
	text, err := json.Marshal(k.jwk)
	if err != nil {
		return ""
	}
	return string(text)
}

// Fingerprint gives SHA256:… as ssh-keygen -l shows it, or the RFC 7638
// thumbprint of a JWK in the same form.
func (k Key) Fingerprint() string {
	if k.ssh != nil {
		return ssh.FingerprintSHA256(k.ssh)
	}
	if k.jwk == nil {
		return ""
	}
	sum, err := k.jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return ""
	}
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum)
}

// Material gives what is the same for every spelling of a key, so that one key
// pair as SSH key and as JWK is known as one.
func (k Key) Material() string {
	public := k.ssh
	if k.jwk != nil {
		var err error
		if public, err = ssh.NewPublicKey(k.jwk.Key); err != nil {
			return k.Fingerprint()
		}
	}
	if public == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(public.Marshal())
}

// ErrSignature means that a signature is not by this key over these bytes.
var ErrSignature = errors.New("the signature is not by this key over these bytes")

// Verify holds a signature against a message. The namespace keeps a signature
// for one purpose from counting for another; in a JWS it is the type.
func (k Key) Verify(namespace string, message []byte, signature string) error {
	switch {
	case k.ssh != nil:
		s, err := sshsig.Unarmor([]byte(signature))
		if err != nil {
			return fmt.Errorf("not an OpenSSH signature: %w", err)
		}
		if err := sshsig.Verify(bytes.NewReader(message), s, k.ssh, s.HashAlgorithm, namespace); err != nil {
			return fmt.Errorf("%w (%w)", ErrSignature, err)
		}
		return nil
	case k.jwk != nil:
		return k.verifyJWS(namespace, message, signature)
	}
	return ErrSignature
}

func (k Key) verifyJWS(namespace string, message []byte, signature string) error {
	algorithm, err := jwsAlgorithm(k.jwk.Key)
	if err != nil {
		return err
	}
	s, err := jose.ParseSignedCompact(strings.TrimSpace(signature), []jose.SignatureAlgorithm{algorithm})
	if err != nil {
		return fmt.Errorf("not a compact JWS by %s: %w", algorithm, err)
	}
	payload, err := s.Verify(k.jwk.Key)
	if err != nil || !bytes.Equal(payload, message) {
		return ErrSignature
	}
	if kind := s.Signatures[0].Protected.ExtraHeaders[jose.HeaderType]; kind != namespace {
		return fmt.Errorf("%w (its type is %v)", ErrSignature, kind)
	}
	return nil
}

// Private is a person's private key, open.
type Private struct {
	ssh ssh.Signer
	jwk *jose.JSONWebKey
}

// ErrPassphrase means that a private key is encrypted and the passphrase is
// missing or wrong.
var ErrPassphrase = errors.New("the passphrase was refused")

// Encrypted reports whether a private key asks for a passphrase.
func Encrypted(text []byte) bool {
	var missing *ssh.PassphraseMissingError
	_, err := ssh.ParseRawPrivateKey(text)
	return errors.As(err, &missing)
}

// ParsePrivate opens a private key: what ssh-keygen writes, or a private JWK.
func ParsePrivate(text, passphrase []byte) (*Private, error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		k := &jose.JSONWebKey{}
		if err := json.Unmarshal(text, k); err != nil || !k.Valid() || k.IsPublic() {
			return nil, errors.New("the file is not a private JWK")
		}
		_, err := jwsAlgorithm(k.Key)
		return &Private{jwk: k}, err
	}
	var signer ssh.Signer
	var err error
	if len(passphrase) > 0 {
		if signer, err = ssh.ParsePrivateKeyWithPassphrase(text, passphrase); err != nil {
			return nil, ErrPassphrase
		}
	} else if signer, err = ssh.ParsePrivateKey(text); err != nil {
		return nil, fmt.Errorf("the file is neither an SSH private key nor a private JWK: %w", err)
	}
	return &Private{ssh: signer}, nil
}

// Public gives the public half.
func (p *Private) Public() Key {
	if p.ssh != nil {
		return Key{ssh: p.ssh.PublicKey()}
	}
	public := p.jwk.Public()
	return Key{jwk: &jose.JSONWebKey{Key: public.Key}}
}

// SignStatement signs a message for a purpose, so that Verify with the public
// half, ssh-keygen -Y verify or any JOSE library says yes.
func (p *Private) SignStatement(rand io.Reader, namespace string, message []byte) (string, error) {
	if p.ssh != nil {
		s, err := sshsig.SignWithRand(bytes.NewReader(message), rand, p.ssh, sshsig.HashSHA512, namespace)
		if err != nil {
			return "", err
		}
		return string(sshsig.Armor(s)), nil
	}
	algorithm, err := jwsAlgorithm(p.jwk.Key)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: p.jwk.Key}, (&jose.SignerOptions{}).WithType(jose.ContentType(namespace)))
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(slices.Clone(message))
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}
