package filestore

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"github.com/youmark/pkcs8"

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

// errPassword is for a key that the password does not open.
var errPassword = errors.New("incorrect password")

// unlock decrypts a key whose parameters checkParameters has passed, and gives
// the PrivateKeyInfo inside. A wrong password mostly shows in the padding; what
// gets past that is no PrivateKeyInfo.
func unlock(der, password []byte) ([]byte, error) {
	var info encryptedKey
	var params pbes2Params
	if !whole(der, &info) || !whole(info.Algorithm.Parameters.FullBytes, &params) {
		return nil, errMalformed
	}
	var cipher pkcs8.Cipher
	switch params.Cipher.Algorithm.String() {
	case oidAES128CBC:
		cipher = pkcs8.AES128CBC
	case oidAES192CBC:
		cipher = pkcs8.AES192CBC
	case oidAES256CBC:
		cipher = pkcs8.AES256CBC
	case oidDESEDE3CBC:
		cipher = pkcs8.TripleDESCBC
	default:
		return nil, errMalformed
	}
	var iv []byte
	if !whole(params.Cipher.Parameters.FullBytes, &iv) || len(iv) != cipher.IVSize() {
		return nil, errMalformed
	}
	secret, err := derive(params.KDF, password, cipher.KeySize())
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	plain, err := cipher.Decrypt(secret, iv, info.Data)
	if err != nil {
		return nil, err
	}
	padding := int(plain[len(plain)-1]) // RFC 8018 §6.1.1; checkCipher wants whole blocks
	if padding == 0 || padding > len(iv) || !bytes.Equal(plain[len(plain)-padding:], bytes.Repeat([]byte{byte(padding)}, padding)) {
		clear(plain)
		return nil, errPassword
	}
	return plain[:len(plain)-padding], nil
}

// derive makes the cipher's key of the password.
func derive(kdf pkix.AlgorithmIdentifier, password []byte, size int) ([]byte, error) {
	if kdf.Algorithm.String() == oidScrypt {
		var p scryptParams
		if !whole(kdf.Parameters.FullBytes, &p) {
			return nil, errMalformed
		}
		secret, _, err := pkcs8.ScryptOpts{CostParameter: p.N, BlockSize: p.R, ParallelizationParameter: p.P}.DeriveKey(password, p.Salt, size)
		return secret, err
	}
	var p pbkdf2Params
	if !whole(kdf.Parameters.FullBytes, &p) {
		return nil, errMalformed
	}
	hash := crypto.SHA1
	if p.PRF.Algorithm.String() == oidHMACSHA256 {
		hash = crypto.SHA256
	}
	secret, _, err := pkcs8.PBKDF2Opts{IterationCount: p.Rounds, HMACHash: hash}.DeriveKey(password, p.Salt, size)
	return secret, err
}

// lock encrypts a PrivateKeyInfo with PBES2. It takes salt and iv, which are
// drawn for each key.
func lock(plain, password, salt, iv []byte) ([]byte, error) {
	cipher, kdf := pkcs8.AES256CBC, pkcs8.PBKDF2Opts{IterationCount: kdfRounds, HMACHash: crypto.SHA256}
	secret, params, err := kdf.DeriveKey(password, salt, cipher.KeySize())
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	data, err := cipher.Encrypt(secret, iv, plain)
	if err != nil {
		return nil, err
	}
	id := func(oid asn1.ObjectIdentifier, params any) (pkix.AlgorithmIdentifier, error) {
		der, err := asn1.Marshal(params)
		return pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.RawValue{FullBytes: der}}, err
	}
	var both pbes2Params
	if both.KDF, err = id(kdf.OID(), params); err != nil {
		return nil, err
	}
	if both.Cipher, err = id(cipher.OID(), iv); err != nil {
		return nil, err
	}
	how, err := id(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, both)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(encryptedKey{how, data})
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
