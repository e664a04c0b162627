package tbs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	_ "embed"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"

	"filippo.io/mldsa"

	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// MaxPreviewKeys is how many preview keys there are of every algorithm. It is
// the number of pairs that twelve primes make. Elliptic curves have more; see
// MaxPreviews.
const MaxPreviewKeys = 66

// previewPrimes holds twelve primes for each RSA size. Making RSA keys takes
// seconds; putting two known primes together takes none. They are public on
// purpose.
//
//go:embed previewprimes.txt
var previewPrimes string

// PreviewKey gives throw-away key number index of an algorithm. Preview keys
// stand in for keys that a ceremony has yet to make, so that whole previews
// can be built and linted before any key exists. They are the same in every
// copy of this program and therefore worth nothing: IsPreviewKey recognises
// them wherever they turn up.
func PreviewKey(a spec.Algorithm, index int) (crypto.Signer, error) {
	a = a.KeyType()
	if index < 0 || index >= MaxPreviews(a) {
		return nil, fmt.Errorf("a plan previews at most %d keys of %s; split the ceremony in two", MaxPreviews(a), a.Title())
	}
	if index >= MaxPreviewKeys {
		return runKey(a, index-MaxPreviewKeys+1)
	}
	switch a {
	case spec.RSA3072:
		return previewRSA(1536, index)
	case spec.RSA4096:
		return previewRSA(2048, index)
	case spec.ECDSAP256:
		return previewEC(elliptic.P256(), a, index)
	case spec.ECDSAP384:
		return previewEC(elliptic.P384(), a, index)
	case spec.ECDSAP521:
		return previewEC(elliptic.P521(), a, index)
	case spec.Ed25519:
		seed, err := previewBytes(a, index, ed25519.SeedSize)
		if err != nil {
			return nil, err
		}
		return ed25519.NewKeyFromSeed(seed), nil
	case spec.MLDSA44, spec.MLDSA65, spec.MLDSA87:
		return previewMLDSA(a, index)
	}
	return nil, fmt.Errorf("%q is not an algorithm that this version signs with", a)
}

func previewMLDSA(a spec.Algorithm, index int) (crypto.Signer, error) {
	seed, err := previewBytes(a, index, mldsa.PrivateKeySize)
	if err != nil {
		return nil, err
	}
	key, err := mldsa.NewPrivateKey(parameters(a), seed)
	if err != nil {
		return nil, err
	}
	return key, nil
}

func parameters(a spec.Algorithm) mldsa.Parameters {
	switch a {
	case spec.MLDSA44:
		return mldsa.MLDSA44()
	case spec.MLDSA65:
		return mldsa.MLDSA65()
	}
	return mldsa.MLDSA87()
}

func previewBytes(a spec.Algorithm, index, n int) ([]byte, error) {
	return hkdf.Key(sha256.New, []byte("public by design"), nil, fmt.Sprintf("pki preview key v1 %s %d", a, index), n)
}

// previewEC reduces more bytes than the order has, so that the key is in
// range for every index.
func previewEC(curve elliptic.Curve, a spec.Algorithm, index int) (crypto.Signer, error) {
	order := curve.Params().N
	size := (order.BitLen() + 7) / 8
	wide, err := previewBytes(a, index, size+16)
	if err != nil {
		return nil, err
	}
	d := new(big.Int).Mod(new(big.Int).SetBytes(wide), new(big.Int).Sub(order, big.NewInt(1)))
	d.Add(d, big.NewInt(1))
	return ecdsa.ParseRawPrivateKey(curve, d.FillBytes(make([]byte, size)))
}

// previewPrimesOf gives the preview primes of a size, in their order.
func previewPrimesOf(bits int) []*big.Int {
	var primes []*big.Int
	for line := range strings.Lines(previewPrimes) {
		var size int
		p := new(big.Int)
		if _, err := fmt.Sscanf(line, "%d %x", &size, p); err == nil && size == bits {
			primes = append(primes, p)
		}
	}
	return primes
}

func previewRSA(bits, index int) (crypto.Signer, error) {
	primes := previewPrimesOf(bits)
	i, j := pair(index)
	one, e := big.NewInt(1), big.NewInt(65537)
	p, q := primes[i], primes[j]
	totient := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: int(e.Int64())},
		D:         new(big.Int).ModInverse(e, totient),
		Primes:    []*big.Int{p, q},
	}
	key.Precompute()
	return key, nil
}

// pair counts (1,0) (2,0) (2,1) (3,0) … up to (11,10).
func pair(index int) (i, j int) {
	for i = 1; index >= i; i++ {
		index -= i
	}
	return i, index
}

// IsPreviewKey reports whether a SubjectPublicKeyInfo belongs to a preview
// key, whose private half everyone has.
func IsPreviewKey(spki []byte) bool {
	given, err := public.Parse(spki)
	if err != nil {
		return false
	}
	if key, ok := given.(*rsa.PublicKey); ok {
		return slices.ContainsFunc(previewPrimesOf(key.N.BitLen()/2), func(p *big.Int) bool {
			return new(big.Int).Mod(key.N, p).Sign() == 0
		})
	}
	a, err := AlgorithmOf(given)
	if err != nil {
		return false
	}
	if firstPreviews(a)[string(spki)] {
		return true
	}
	curve, is := given.(*ecdsa.PublicKey)
	return is && runOf(a).holds(curve)
}

// previews keeps what firstPreviews gives.
var previews sync.Map // of spec.Algorithm to map[string]bool

// firstPreviews is the public halves of the first preview keys of an
// algorithm, which take a while to make.
func firstPreviews(a spec.Algorithm) map[string]bool {
	if known, ok := previews.Load(a); ok {
		return known.(map[string]bool)
	}
	known := map[string]bool{}
	for index := range MaxPreviewKeys {
		key, err := PreviewKey(a, index)
		if err != nil {
			break // an algorithm without previews
		}
		if spki, err := public.Marshal(key.Public()); err == nil {
			known[string(spki)] = true
		}
	}
	previews.Store(a, known)
	return known
}

// Sign makes a preview key's signature. It needs no randomness: ECDSA runs as
// in RFC 6979, ML-DSA in its deterministic form (FIPS 204 §3.4), the salt of
// RSASSA-PSS comes from the message, and the others are deterministic by
// nature.
func Sign(key crypto.Signer, a spec.Algorithm, message []byte) ([]byte, error) {
	digest, opts, err := Digest(a, message)
	if err != nil {
		return nil, err
	}
	if lattice, ok := key.(*mldsa.PrivateKey); ok {
		return lattice.SignDeterministic(digest, opts)
	}
	if _, pss := opts.(*rsa.PSSOptions); pss {
		salt := sha512.Sum512(message)
		return key.Sign(bytes.NewReader(salt[:]), digest, opts)
	}
	return key.Sign(nil, digest, opts)
}
