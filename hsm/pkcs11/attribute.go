package pkcs11

import (
	"encoding/binary"

	"pki.internal/spec"
)

// Attributes that this package reads or sets.
const (
	ckaClass       = 0x0
	ckaToken       = 0x1
	ckaPrivate     = 0x2
	ckaLabel       = 0x3
	ckaValue       = 0x11
	ckaKeyType     = 0x100
	ckaID          = 0x102
	ckaSensitive   = 0x103
	ckaEncrypt     = 0x104
	ckaDecrypt     = 0x105
	ckaWrap        = 0x106
	ckaUnwrap      = 0x107
	ckaSign        = 0x108
	ckaSignRecover = 0x109
	ckaVerify      = 0x10A
	ckaDerive      = 0x10C
	ckaModulus     = 0x120
	ckaBits        = 0x121
	ckaExponent    = 0x122
	ckaSecretExp   = 0x123
	ckaValueLen    = 0x161
	ckaExtract     = 0x162
	ckaECParams    = 0x180
	ckaECPoint     = 0x181
	ckaAlways      = 0x202 // CKA_ALWAYS_AUTHENTICATE
	ckaParameters  = 0x61D // CKA_PARAMETER_SET
	ckaSeed        = 0x637
	ckaNSSDB       = 0xD5A0DB00 // CKA_NSS_DB, of NSS alone
)

// ckkAES is the type of AES keys.
const ckkAES = 0x1F

// flagsOf lists the boolean attributes that say what a key may do.
func flagsOf(class uint) []namedCode {
	if class != ckoPublic && class != ckoPrivate && class != ckoSecret {
		return nil
	}
	return []namedCode{
		{ckaToken, "token"}, {ckaPrivate, "private"}, {ckaSensitive, "sensitive"}, {ckaEncrypt, "encrypt"}, {ckaDecrypt, "decrypt"},
		{ckaWrap, "wrap"}, {ckaUnwrap, "unwrap"}, {ckaSign, "sign"}, {ckaSignRecover, "sign_recover"}, {ckaVerify, "verify"}, {ckaDerive, "derive"},
		{ckaExtract, "extractable"}, {0x163, "local"}, {0x164, "never_extractable"}, {0x165, "always_sensitive"},
		{0x170, "modifiable"}, {ckaAlways, "always_authenticate"}, {0x86, "trusted"}, {0x210, "wrap_with_trusted"},
	}
}

// valuesOf lists what makes up a public key, in whichever half it stands.
func valuesOf(class uint) []namedCode {
	if class != ckoPublic && class != ckoPrivate {
		return nil
	}
	values := []namedCode{{ckaKeyType, "key_type"}, {ckaModulus, "modulus"}, {ckaExponent, "exponent"}, {ckaECParams, "ec_params"}, {ckaParameters, "parameter_set"}}
	if class == ckoPublic {
		// CKA_VALUE of a private key is never asked for here: it is the key.
		values = append(values, namedCode{ckaECPoint, "ec_point"}, namedCode{ckaValue, "value"})
	}
	return values
}

// ulong reads a CK_ULONG, which is as wide as a word of this machine.
func ulong(b []byte) uint {
	switch len(b) {
	case 8:
		return uint(binary.NativeEndian.Uint64(b))
	case 4:
		return uint(binary.NativeEndian.Uint32(b))
	}
	return ^uint(0)
}

func ulongBytes(n uint) []byte {
	if ^uint(0)>>32 == 0 {
		return binary.NativeEndian.AppendUint32(nil, uint32(n))
	}
	return binary.NativeEndian.AppendUint64(nil, uint64(n))
}

// templateRefused tells an objection to a template, after which the next one
// may be tried, from every other error.
func templateRefused(code uint) bool {
	switch code {
	case ckrAttributeReadOnly, ckrAttributeType, ckrAttributeValue, ckrTemplateIncomplete, ckrTemplateInconsistent, ckrDomainParams, ckrMechanismParam:
		return true
	}
	return false
}

// keyPlan is how a key of an algorithm is made and used.
type keyPlan struct {
	generate, sign uint // mechanisms
	bits           uint // as mechanism information counts them
	oid            string
	printable      string // the curve's name where a token wants that
	parameters     uint   // CKA_PARAMETER_SET; 0 where there is none
}

func keyPlanOf(a spec.Algorithm) (keyPlan, bool) {
	switch a {
	case spec.ECDSAP256:
		return keyPlan{generate: ckmECKeyGen, sign: ckmECDSA, bits: 256, oid: "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"}, true
	case spec.ECDSAP384:
		return keyPlan{generate: ckmECKeyGen, sign: ckmECDSA, bits: 384, oid: "\x06\x05\x2b\x81\x04\x00\x22"}, true
	case spec.ECDSAP521:
		return keyPlan{generate: ckmECKeyGen, sign: ckmECDSA, bits: 521, oid: "\x06\x05\x2b\x81\x04\x00\x23"}, true
	case spec.RSA3072:
		return keyPlan{generate: ckmRSAKeyGen, sign: ckmRSA, bits: 3072}, true
	case spec.RSA4096:
		return keyPlan{generate: ckmRSAKeyGen, sign: ckmRSA, bits: 4096}, true
	case spec.RSA3072PSS:
		return keyPlan{generate: ckmRSAKeyGen, sign: ckmRSAPSS, bits: 3072}, true
	case spec.RSA4096PSS:
		return keyPlan{generate: ckmRSAKeyGen, sign: ckmRSAPSS, bits: 4096}, true
	case spec.Ed25519:
		// Its bits are 255 to some modules and 256 to others, so they are not compared.
		return keyPlan{generate: ckmEdKeyGen, sign: ckmEdDSA, oid: "\x06\x03\x2b\x65\x70", printable: "\x13\x0cedwards25519"}, true
	case spec.MLDSA44, spec.MLDSA65, spec.MLDSA87:
		return keyPlan{generate: ckmMLDSAKeyGen, sign: ckmMLDSA, parameters: parameterSet(a)}, true
	}
	return keyPlan{}, false
}

// parameterSet gives CKP_ML_DSA_44, _65 or _87 (PKCS#11 3.2, CK_ML_DSA_PARAMETER_SET_TYPE).
func parameterSet(a spec.Algorithm) uint {
	return map[spec.Algorithm]uint{spec.MLDSA44: 1, spec.MLDSA65: 2, spec.MLDSA87: 3}[a]
}

// templates lists what is asked for, in the order in which it is tried: first
// a key that may sign and in so many words nothing else, because some tokens
// allow what is not forbidden; then the minimum, because others refuse to read
// of things that they do not know. For Ed25519 the curve's OID comes before
// its name.
//
// A key that leaves may be wrapped until it is sealed; it is sensitive all the
// same, so that it never leaves in the clear.
func (p keyPlan) templates(id []byte, label string, onToken, leaves bool) (public, private []template) {
	yes, no := []byte{1}, []byte{0}
	truth := map[bool][]byte{true: yes, false: no}
	stay := truth[onToken]
	name := func(t template) template {
		if label != "" {
			t = append(t, attribute{ckaLabel, []byte(label)})
		}
		if len(id) > 0 {
			t = append(t, attribute{ckaID, id})
		}
		return t
	}
	kinds := []template{{{ckaBits, ulongBytes(p.bits)}, {ckaExponent, []byte{1, 0, 1}}}}
	if p.oid != "" {
		kinds = []template{{{ckaECParams, []byte(p.oid)}}}
	}
	if p.parameters != 0 {
		kinds = []template{{{ckaParameters, ulongBytes(p.parameters)}}}
	}
	if p.printable != "" {
		kinds = append(kinds, template{{ckaECParams, []byte(p.printable)}})
	}
	least := template{{ckaToken, stay}, {ckaPrivate, yes}, {ckaSensitive, yes}, {ckaExtract, truth[leaves]}, {ckaSign, yes}}
	strict := append(append(template{}, least...), attribute{ckaDecrypt, no}, attribute{ckaUnwrap, no},
		attribute{ckaSignRecover, no}, attribute{ckaDerive, no})
	for _, half := range []template{strict, least} {
		for _, kind := range kinds {
			public = append(public, name(append(template{{ckaToken, stay}, {ckaVerify, yes}}, kind...)))
			private = append(private, name(append(template{}, half...)))
		}
	}
	return public, private
}
