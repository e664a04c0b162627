package filestore

import (
	"crypto/aes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"pki.internal/hsm"
)

// Limits of a key file. Whoever can write the file must not be able to stall
// the program or to exhaust its memory.
const (
	maxFile         = 16 << 10        // an RSA-4096 key needs 3,500 bytes
	maxRounds       = 10_000_000      // sixteen times what we write, about two seconds
	maxScryptMemory = 256 << 20       // eight times what openssl 3.0 accepts
	maxScryptWork   = maxScryptMemory // memory times parallelization
	minRounds       = 1               // PKCS#5 allows no fewer (RFC 8018 §5.2)
	desBlock        = 8               // of des-EDE3-CBC, which older tools wrote
	oidPBES2        = "1.2.840.113549.1.5.13"
	oidPBKDF2       = "1.2.840.113549.1.5.12"
	oidScrypt       = "1.3.6.1.4.1.11591.4.11"
	oidDESEDE3CBC   = "1.2.840.113549.3.7"
	oidAES128CBC    = "2.16.840.1.101.3.4.1.2"
	oidAES192CBC    = "2.16.840.1.101.3.4.1.22"
	oidAES256CBC    = "2.16.840.1.101.3.4.1.42"
	oidHMACSHA1     = "1.2.840.113549.2.7"
	oidHMACSHA256   = "1.2.840.113549.2.9"
	oidHMACUnstated = "" // the default, which is HMAC-SHA1 (RFC 8018 appendix A.2)
)

var errMalformed = errors.New("not an encrypted PKCS#8 key: its ASN.1 is damaged; restore the file from its backup")

// encryptedKey is EncryptedPrivateKeyInfo (RFC 5958 §3).
type encryptedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type pbes2Params struct {
	KDF    pkix.AlgorithmIdentifier
	Cipher pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt   []byte
	Rounds int
	PRF    pkix.AlgorithmIdentifier `asn1:"optional"`
}

type scryptParams struct {
	Salt      []byte
	N, R, P   int
	KeyLength int `asn1:"optional"`
}

// checkParameters holds an encrypted key against what decryption can do in
// reasonable time and memory. Decryption itself checks none of it, and
// panics on a cut ciphertext.
func checkParameters(der []byte) error {
	var info encryptedKey
	if !whole(der, &info) {
		return errMalformed
	}
	if oid := info.Algorithm.Algorithm.String(); oid != oidPBES2 {
		return fmt.Errorf("encryption %s: %w; write the key anew with PBES2, as openssl pkcs8 -topk8 does", oid, hsm.ErrUnsupported)
	}
	var params pbes2Params
	if !whole(info.Algorithm.Parameters.FullBytes, &params) {
		return errMalformed
	}
	if err := checkCipher(params.Cipher, len(info.Data)); err != nil {
		return err
	}
	switch oid := params.KDF.Algorithm.String(); oid {
	case oidPBKDF2:
		return checkPBKDF2(params.KDF.Parameters.FullBytes)
	case oidScrypt:
		return checkScrypt(params.KDF.Parameters.FullBytes)
	default:
		return fmt.Errorf("key derivation %s: %w; write the key anew with PBKDF2", oid, hsm.ErrUnsupported)
	}
}

func checkCipher(id pkix.AlgorithmIdentifier, size int) error {
	block := aes.BlockSize
	switch oid := id.Algorithm.String(); oid {
	case oidAES128CBC, oidAES192CBC, oidAES256CBC:
	case oidDESEDE3CBC:
		block = desBlock
	default:
		return fmt.Errorf("cipher %s: %w; write the key anew with AES-256-CBC", oid, hsm.ErrUnsupported)
	}
	var iv []byte
	if !whole(id.Parameters.FullBytes, &iv) || len(iv) != block || size == 0 || size%block != 0 {
		return errMalformed
	}
	return nil
}

func checkPBKDF2(der []byte) error {
	var p pbkdf2Params
	if !whole(der, &p) || p.Rounds < minRounds {
		return errMalformed
	}
	if p.Rounds > maxRounds {
		return fmt.Errorf("the file asks for %d rounds of PBKDF2, and more than %d only stall the program; restore the file from its backup", p.Rounds, maxRounds)
	}
	known := []string{oidHMACUnstated, oidHMACSHA1, oidHMACSHA256}
	if oid := p.PRF.Algorithm.String(); !slices.Contains(known, oid) {
		return fmt.Errorf("PBKDF2 with %s: %w; write the key anew with HMAC-SHA256", oid, hsm.ErrUnsupported)
	}
	return nil
}

func checkScrypt(der []byte) error {
	var p scryptParams
	if !whole(der, &p) || p.N < 2 || p.N&(p.N-1) != 0 || p.R < 1 || p.P < 1 {
		return errMalformed
	}
	// scrypt fills 128·N·r bytes p times (RFC 7914 §2). Each bound before the
	// products keeps them from overflowing.
	const most = maxScryptMemory / 128
	if p.N > most || p.R > most || p.P > most || p.N*p.R > most || p.N*p.R*p.P > maxScryptWork/128 {
		return fmt.Errorf("the file asks for scrypt with N=%d r=%d p=%d, which needs more than %d MiB; restore the file from its backup", p.N, p.R, p.P, maxScryptMemory>>20)
	}
	return nil
}

// whole reads DER that holds one value and nothing behind it.
func whole(der []byte, value any) bool {
	rest, err := asn1.Unmarshal(der, value)
	return err == nil && len(rest) == 0
}
