package pkcs11

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"filippo.io/mldsa"

	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

var errPublicKey = errors.New("the token gives a public key that cannot be read")

// publicKey reads the public half of a key.
func publicKey(o object) (crypto.PublicKey, error) {
	switch ulong(o.Values["key_type"]) {
	case 0x0:
		n, e := new(big.Int).SetBytes(o.Values["modulus"]), new(big.Int).SetBytes(o.Values["exponent"])
		if n.BitLen() < 1024 || n.BitLen() > 16384 || !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 {
			return nil, fmt.Errorf("%w: an RSA key of %d bits", errPublicKey, n.BitLen())
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
	case 0x3:
		curve := curveOf(o.Values["ec_params"])
		if curve == nil {
			return nil, fmt.Errorf("%w: an unknown curve (CKA_EC_PARAMS %x)", errPublicKey, cut(o.Values["ec_params"]))
		}
		width := (curve.Params().BitSize + 7) / 8
		point, ok := ecPoint(o.Values["ec_point"], 2*width+1)
		if !ok {
			return nil, fmt.Errorf("%w: CKA_EC_POINT %x", errPublicKey, cut(o.Values["ec_point"]))
		}
		key, err := ecdsa.ParseUncompressedPublicKey(curve, point)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errPublicKey, err)
		}
		return key, nil
	case 0x40:
		point, ok := ecPoint(o.Values["ec_point"], ed25519.PublicKeySize)
		if !ok || !isEd25519(o.Values["ec_params"]) {
			return nil, fmt.Errorf("%w: CKA_EC_POINT %x", errPublicKey, cut(o.Values["ec_point"]))
		}
		return ed25519.PublicKey(point), nil
	case ckkMLDSA:
		return latticeKey(ulong(o.Values["parameter_set"]), o.Values["value"])
	}
	return nil, fmt.Errorf("%w: key type %x", errPublicKey, cut(o.Values["key_type"]))
}

// ckkMLDSA is CKK_ML_DSA of PKCS#11 3.2.
const ckkMLDSA = 0x4A

// latticeKey reads a public key of ML-DSA, whose length must be that of its
// parameter set.
func latticeKey(set uint, value []byte) (crypto.PublicKey, error) {
	params, known := map[uint]mldsa.Parameters{1: mldsa.MLDSA44(), 2: mldsa.MLDSA65(), 3: mldsa.MLDSA87()}[set]
	if !known {
		return nil, fmt.Errorf("%w: CKA_PARAMETER_SET %d is none of ML-DSA", errPublicKey, set)
	}
	key, err := mldsa.NewPublicKey(params, value)
	if err != nil {
		return nil, fmt.Errorf("%w: %d bytes are no key of %s", errPublicKey, len(value), params)
	}
	return key, nil
}

// cut keeps what a module gave short enough for a message.
func cut(b []byte) []byte { return b[:min(len(b), 80)] }

func isEd25519(params []byte) bool {
	p, _ := keyPlanOf(spec.Ed25519)
	return len(params) == 0 || string(params) == p.oid || string(params) == p.printable
}

func curveOf(params []byte) elliptic.Curve {
	for _, c := range []struct {
		a     spec.Algorithm
		curve elliptic.Curve
	}{{spec.ECDSAP256, elliptic.P256()}, {spec.ECDSAP384, elliptic.P384()}, {spec.ECDSAP521, elliptic.P521()}} {
		if p, _ := keyPlanOf(c.a); string(params) == p.oid {
			return c.curve
		}
	}
	return nil
}

// ecPoint takes a point of n bytes out of CKA_EC_POINT, which the standard
// wants in an OCTET STRING and modules also give bare, in a BIT STRING, or in
// an OCTET STRING whose length is written in a form that DER does not know.
// The length decides first: thirty-two bytes of an Ed25519 key may look like
// anything.
func ecPoint(b []byte, n int) ([]byte, bool) {
	if n < 32 || n > 133 {
		return nil, false
	}
	heads := [][]byte{{}}
	length := []byte{byte(n)}
	bits := []byte{byte(n + 1)}
	if n > 127 {
		heads = append(heads, []byte{4, byte(n)}) // short form above its limit
		length = []byte{0x81, byte(n)}
		bits = []byte{0x81, byte(n + 1)}
	}
	heads = append(heads, append([]byte{4}, length...), append(append([]byte{3}, bits...), 0))
	for _, head := range heads {
		if len(b) == len(head)+n && bytes.HasPrefix(b, head) {
			return b[len(head):], true
		}
	}
	return nil, false
}

// algorithmOf tells what a public key is for.
func algorithmOf(public crypto.PublicKey) spec.Algorithm {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		return spec.Algorithm(fmt.Sprintf("ecdsa-p%d", k.Curve.Params().BitSize))
	case *rsa.PublicKey:
		return spec.Algorithm(fmt.Sprintf("rsa-%d", k.N.BitLen()))
	case ed25519.PublicKey:
		return spec.Ed25519
	case *mldsa.PublicKey:
		return spec.Algorithm(strings.ToLower(k.Parameters().String()))
	}
	return "another type"
}

// order is what a token is asked to sign, and how.
type order struct {
	mechanism uint
	parameter []byte
	data      []byte
}

// orderOf turns what a crypto.Signer takes into what a token takes: ECDSA
// signs the digest's leftmost bits (FIPS 186-5 §6.4.1), RSA a DigestInfo, and
// Ed25519 and ML-DSA the message.
func orderOf(public crypto.PublicKey, digest []byte, opts crypto.SignerOpts) (order, error) {
	hash := opts.HashFunc()
	if hash != 0 && len(digest) != hash.Size() {
		return order{}, fmt.Errorf("a digest of %d bytes is not one of %s", len(digest), hash)
	}
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		if hash == 0 {
			return order{}, errors.New("an ECDSA key signs a digest and not a message")
		}
		return order{mechanism: ckmECDSA, data: digest[:min(len(digest), (k.Curve.Params().BitSize+7)/8)]}, nil
	case *rsa.PublicKey:
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			return pssOrder(k, digest, pss)
		}
		prefix, ok := digestInfo(hash)
		if !ok {
			return order{}, fmt.Errorf("RSA signatures with the hash %s are not made", hash)
		}
		return order{mechanism: ckmRSA, data: append(prefix, digest...)}, nil
	case ed25519.PublicKey:
		if hash != 0 {
			return order{}, errors.New("an Ed25519 key signs a message and not a digest")
		}
		return order{mechanism: ckmEdDSA, data: digest}, nil
	case *mldsa.PublicKey:
		if hash != 0 {
			return order{}, errors.New("an ML-DSA key signs a message and not a digest")
		}
		// Without a parameter the token hedges as it prefers, and the context
		// is empty (PKCS#11 3.2, CKM_ML_DSA), as certificates want it.
		return order{mechanism: ckmMLDSA, data: digest}, nil
	}
	return order{}, fmt.Errorf("a key of type %T cannot sign here", public)
}

// digestInfo gives what stands before a digest in an RSA signature (RFC 8017
// §9.2, note 1).
func digestInfo(h crypto.Hash) ([]byte, bool) {
	last, size := byte(0), byte(h.Size())
	switch h {
	case crypto.SHA256:
		last = 1
	case crypto.SHA384:
		last = 2
	case crypto.SHA512:
		last = 3
	default:
		return nil, false
	}
	return []byte{0x30, 0x11 + size, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, last, 5, 0, 4, size}, true
}

// pssOrder fills CK_RSA_PKCS_PSS_PARAMS.
func pssOrder(k *rsa.PublicKey, digest []byte, o *rsa.PSSOptions) (order, error) {
	var mechanism, mgf uint
	switch o.HashFunc() {
	case crypto.SHA256:
		mechanism, mgf = ckmSHA256, 2
	case crypto.SHA384:
		mechanism, mgf = ckmSHA384, 3
	case crypto.SHA512:
		mechanism, mgf = ckmSHA512, 4
	default:
		return order{}, fmt.Errorf("RSA signatures with the hash %s are not made", o.HashFunc())
	}
	salt := o.SaltLength
	switch salt {
	case rsa.PSSSaltLengthEqualsHash:
		salt = len(digest)
	case rsa.PSSSaltLengthAuto:
		salt = (k.N.BitLen()-1+7)/8 - 2 - len(digest)
	}
	if salt < 0 {
		return order{}, errors.New("the key is too short for this salt")
	}
	parameter := append(append(ulongBytes(mechanism), ulongBytes(mgf)...), ulongBytes(uint(salt))...)
	return order{mechanism: ckmRSAPSS, parameter: parameter, data: digest}, nil
}

var errSignature = errors.New("the token gave a wrong signature")

// finish turns what the token gave into a signature as X.509 has it, and
// verifies it. Nothing leaves that does not verify.
func finish(public crypto.PublicKey, raw, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		width := (k.Curve.Params().BitSize + 7) / 8
		if len(raw) != 2*width {
			return nil, fmt.Errorf("%w: %d bytes instead of %d", errSignature, len(raw), 2*width)
		}
		der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:width]), new(big.Int).SetBytes(raw[width:])})
		if err != nil || !ecdsa.VerifyASN1(k, digest, der) {
			return nil, errSignature
		}
		return der, nil
	case *rsa.PublicKey:
		err := errSignature
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			err = rsa.VerifyPSS(k, pss.Hash, digest, raw, &rsa.PSSOptions{SaltLength: pss.SaltLength, Hash: pss.Hash})
		} else {
			err = rsa.VerifyPKCS1v15(k, opts.HashFunc(), digest, raw)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errSignature, err)
		}
		return raw, nil
	case ed25519.PublicKey:
		if !ed25519.Verify(k, digest, raw) {
			return nil, errSignature
		}
		return raw, nil
	case *mldsa.PublicKey:
		if err := mldsa.Verify(k, digest, raw, nil); err != nil {
			return nil, fmt.Errorf("%w: %w", errSignature, err)
		}
		return raw, nil
	}
	return nil, errSignature
}

// spkiOf encodes a public key as certificates have it.
func spkiOf(key crypto.PublicKey) ([]byte, error) { return public.Marshal(key) }

func parseSPKI(spki []byte) (crypto.PublicKey, error) {
	key, err := public.Parse(spki)
	if err != nil {
		return nil, fmt.Errorf("the recorded public key: %w", err)
	}
	return key, nil
}
