package filestore

import (
	"bytes"
	"crypto"
	"crypto/sha3"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"filippo.io/mldsa"
	mldsax509 "filippo.io/mldsa/x509"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
)

// Keys of ML-DSA have three forms in PKCS#8 (RFC 9881 §6): the seed of 32
// octets, the expanded key of FIPS 204, or both. What this program writes is
// the seed, which is the whole key and says nothing twice. It reads all three,
// because others write them.

// unusable is for a key that was read, and cannot be used as it is. No password
// mends it.
type unusable struct{ fact string }

func (u *unusable) Error() string { return u.fact }

func unusablef(format string, args ...any) error { return &unusable{fmt.Sprintf(format, args...)} }

// contradiction says that the parts of a key do not belong together.
func contradiction(format string, args ...any) error {
	return unusablef(format+"; the file was damaged or tampered with, so restore it from its backup", args...)
}

// marshalPKCS8 gives a key as a PrivateKeyInfo in DER, one of ML-DSA as its
// seed.
func marshalPKCS8(private crypto.Signer) ([]byte, error) {
	return mldsax509.MarshalPKCS8PrivateKey(private)
}

// parsePKCS8 reads a PrivateKeyInfo in DER. The error is an *unusable where
// that is what the bytes are, and nobody can sign with it.
func parsePKCS8(der []byte) (crypto.Signer, error) {
	var info struct {
		Version    int
		Algorithm  pkix.AlgorithmIdentifier
		PrivateKey []byte
		Attributes asn1.RawValue `asn1:"optional,tag:0"`
		PublicKey  asn1.RawValue `asn1:"optional,tag:1"`
	}
	var set latticeSet
	if whole(der, &info) {
		set = latticeSetOf(info.Algorithm.Algorithm.String())
	}
	if set.name == "" {
		private, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, err
		}
		signer, ok := private.(crypto.Signer)
		if !ok {
			return nil, unusablef("a key of type %T cannot sign", private)
		}
		return signer, nil
	}
	if len(info.Algorithm.Parameters.FullBytes) > 0 {
		return nil, unusablef("the %s key has parameters in its algorithm, and must have none (RFC 9881 §2)", set.name)
	}
	key, err := set.parse(info.PrivateKey)
	if err != nil {
		return nil, err
	}
	// The public half may stand beside it (RFC 5958 §2), as a BIT STRING.
	if beside := info.PublicKey.Bytes; len(beside) > 0 {
		have, ok := key.Public().(*mldsa.PublicKey)
		if !ok || !bytes.Equal(beside[1:], have.Bytes()) {
			return nil, contradiction("the public key beside the %s key is another one's", set.name)
		}
	}
	return key, nil
}

// latticeSet is one parameter set of FIPS 204.
type latticeSet struct {
	name   string
	params mldsa.Parameters
	// expand makes the expanded key of a seed.
	expand func(seed *[mldsa.PrivateKeySize]byte) []byte
	// read reads an expanded key. Its Public is computed from its secret parts.
	read func(expanded []byte) (crypto.Signer, error)
}

func latticeSetOf(oid string) latticeSet {
	switch oid {
	case "2.16.840.1.101.3.4.3.17":
		return latticeSet{"ML-DSA-44", mldsa.MLDSA44(),
			func(seed *[32]byte) []byte { _, k := mldsa44.NewKeyFromSeed(seed); return k.Bytes() },
			func(b []byte) (crypto.Signer, error) { k := new(mldsa44.PrivateKey); return k, k.UnmarshalBinary(b) }}
	case "2.16.840.1.101.3.4.3.18":
		return latticeSet{"ML-DSA-65", mldsa.MLDSA65(),
			func(seed *[32]byte) []byte { _, k := mldsa65.NewKeyFromSeed(seed); return k.Bytes() },
			func(b []byte) (crypto.Signer, error) { k := new(mldsa65.PrivateKey); return k, k.UnmarshalBinary(b) }}
	case "2.16.840.1.101.3.4.3.19":
		return latticeSet{"ML-DSA-87", mldsa.MLDSA87(),
			func(seed *[32]byte) []byte { _, k := mldsa87.NewKeyFromSeed(seed); return k.Bytes() },
			func(b []byte) (crypto.Signer, error) { k := new(mldsa87.PrivateKey); return k, k.UnmarshalBinary(b) }}
	}
	return latticeSet{}
}

// parse reads the CHOICE of RFC 9881 §6.
func (s latticeSet) parse(der []byte) (crypto.Signer, error) {
	var choice asn1.RawValue
	if !whole(der, &choice) {
		return nil, unusablef("the %s key is in none of the forms of RFC 9881 §6", s.name)
	}
	switch {
	case choice.Class == asn1.ClassContextSpecific && choice.Tag == 0 && !choice.IsCompound:
		return s.fromSeed(choice.Bytes)
	case choice.Class == asn1.ClassUniversal && choice.Tag == asn1.TagOctetString && !choice.IsCompound:
		return s.fromExpanded(choice.Bytes)
	case choice.Class == asn1.ClassUniversal && choice.Tag == asn1.TagSequence && choice.IsCompound:
		return s.fromBoth(der)
	}
	return nil, unusablef("the %s key is in none of the forms of RFC 9881 §6", s.name)
}

func (s latticeSet) fromSeed(seed []byte) (crypto.Signer, error) {
	key, err := mldsa.NewPrivateKey(s.params, seed)
	if err != nil {
		return nil, unusablef("the seed of the %s key has %d octets instead of %d", s.name, len(seed), mldsa.PrivateKeySize)
	}
	return key, nil
}

// fromBoth takes the seed, and wants the expanded key to be that of the seed:
// else one program would sign with another key than the next (RFC 9881 §6,
// §8.2).
func (s latticeSet) fromBoth(der []byte) (crypto.Signer, error) {
	var both struct{ Seed, Expanded []byte }
	if !whole(der, &both) || len(both.Seed) != mldsa.PrivateKeySize {
		return nil, unusablef("the %s key is in none of the forms of RFC 9881 §6", s.name)
	}
	if !bytes.Equal(s.expand((*[mldsa.PrivateKeySize]byte)(both.Seed)), both.Expanded) {
		return nil, contradiction("the expanded %s key is not that of the seed beside it", s.name)
	}
	return s.fromSeed(both.Seed)
}

// Where the digest of the public key stands in an expanded key: behind ρ and K
// (FIPS 204, algorithm 24).
const (
	digestFrom = 32 + 32
	digestSize = 64
)

// fromExpanded reads a key without its seed. Its public key is computed from
// the secret, and must have the digest that the key names. What that does not
// show, a wrong t0, shows in every signature, and none leaves unverified.
func (s latticeSet) fromExpanded(expanded []byte) (crypto.Signer, error) {
	inner, err := s.read(expanded)
	if err != nil {
		return nil, unusablef("the expanded %s key cannot be read: %v", s.name, err)
	}
	raw, ok := inner.Public().(interface{ Bytes() []byte })
	if !ok {
		return nil, errors.New("an expanded key without a public half")
	}
	digest := sha3.SumSHAKE256(raw.Bytes(), digestSize)
	if !bytes.Equal(digest, expanded[digestFrom:digestFrom+digestSize]) {
		return nil, contradiction("the expanded %s key names another public key than its own", s.name)
	}
	public, err := mldsa.NewPublicKey(s.params, raw.Bytes())
	if err != nil {
		return nil, err
	}
	return &expandedKey{inner, public}, nil
}

// expandedKey signs with a key whose seed nobody has any more.
type expandedKey struct {
	inner  crypto.Signer
	public *mldsa.PublicKey
}

// Public gives the key in the type of every other ML-DSA key here.
func (k *expandedKey) Public() crypto.PublicKey { return k.public }

// Sign signs a message without a context string.
func (k *expandedKey) Sign(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != 0 {
		return nil, errors.New("an ML-DSA key signs a message and not a digest")
	}
	return k.inner.Sign(random, message, opts)
}
