package lint

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"

	"pki.internal/plan/tbs/public"
)

// sshKey is a key in wire format, or nil for a key of a kind that X.509 does
// not have, or that Go does not take.
func sshKey(wire []byte) crypto.PublicKey {
	r := &sshReader{rest: wire}
	var key crypto.PublicKey
	switch kind := string(r.text()); kind {
	case "ssh-ed25519":
		if raw := r.text(); len(raw) == ed25519.PublicKeySize {
			key = ed25519.PublicKey(raw)
		}
	case "ssh-rsa":
		e, n := new(big.Int).SetBytes(r.text()), new(big.Int).SetBytes(r.text())
		if e.IsInt64() && e.BitLen() < 32 && n.Sign() > 0 {
			key = &rsa.PublicKey{N: n, E: int(e.Int64())}
		}
	case "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
		curve := map[string]elliptic.Curve{"256": elliptic.P256(), "384": elliptic.P384(), "521": elliptic.P521()}[kind[len(kind)-3:]]
		r.text() // the curve's name again
		if k, err := ecdsa.ParseUncompressedPublicKey(curve, r.text()); err == nil {
			key = k
		}
	}
	if r.err != nil {
		return nil
	}
	return key
}

// sshSPKI is the SubjectPublicKeyInfo of a key in wire format, or nil where
// there is none.
func sshSPKI(wire []byte) []byte {
	key := sshKey(wire)
	if key == nil {
		return nil
	}
	spki, err := public.Marshal(key)
	if err != nil {
		return nil
	}
	return spki
}

// sshVerified says whether the authority's key made the signature; known is
// false for keys and formats that are not verified here, such as those of
// security keys.
func (c *sshCertificate) sshVerified() (good, known bool) {
	hash, takesHash := map[string]crypto.Hash{
		"ssh-rsa": crypto.SHA1, "rsa-sha2-256": crypto.SHA256, "rsa-sha2-512": crypto.SHA512,
		"ecdsa-sha2-nistp256": crypto.SHA256, "ecdsa-sha2-nistp384": crypto.SHA384, "ecdsa-sha2-nistp521": crypto.SHA512,
	}[c.signatureFormat]
	digest := func() []byte {
		h := hash.New()
		h.Write(c.signed)
		return h.Sum(nil)
	}
	switch key := sshKey(c.authority).(type) {
	case ed25519.PublicKey:
		return c.signatureFormat == "ssh-ed25519" && ed25519.Verify(key, c.signed, c.signature), true
	case *rsa.PublicKey:
		return takesHash && rsa.VerifyPKCS1v15(key, hash, digest(), c.signature) == nil, true
	case *ecdsa.PublicKey:
		r := &sshReader{rest: c.signature} // RFC 5656 §3.1.2
		first, second := r.text(), r.text()
		der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(first), new(big.Int).SetBytes(second)})
		return takesHash && r.err == nil && err == nil && ecdsa.VerifyASN1(key, digest(), der), true
	}
	return false, false
}
