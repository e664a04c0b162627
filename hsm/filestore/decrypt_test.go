package filestore

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/youmark/pkcs8"

	"pki.internal/hsm"
)

func TestDecryptWhatOthersWrite(t *testing.T) {
	pbkdf2 := pkcs8.PBKDF2Opts{SaltSize: 8, IterationCount: 2, HMACHash: crypto.SHA256}
	for name, opts := range map[string]*pkcs8.Opts{
		"aes-128":     {Cipher: pkcs8.AES128CBC, KDFOpts: pbkdf2},
		"aes-192":     {Cipher: pkcs8.AES192CBC, KDFOpts: pbkdf2},
		"aes-256":     {Cipher: pkcs8.AES256CBC, KDFOpts: pbkdf2},
		"3des":        {Cipher: pkcs8.TripleDESCBC, KDFOpts: pbkdf2},
		"hmac-sha1":   {Cipher: pkcs8.AES256CBC, KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 8, IterationCount: 2, HMACHash: crypto.SHA1}},
		"scrypt":      {Cipher: pkcs8.AES256CBC, KDFOpts: pkcs8.ScryptOpts{SaltSize: 8, CostParameter: 16, BlockSize: 8, ParallelizationParameter: 1}},
		"our setting": {Cipher: pkcs8.AES256CBC, KDFOpts: pkcs8.PBKDF2Opts{SaltSize: saltSize, IterationCount: kdfRounds, HMACHash: crypto.SHA256}},
	} {
		t.Run(name, func(t *testing.T) {
			text := quickFile(t, testKey(1), opts)
			private, err := Decrypt(text, []byte(testPassword))
			if err != nil {
				t.Fatal(err)
			}
			if !testKey(1).Equal(private) {
				t.Error("another key came out")
			}
			if name == "our setting" {
				return
			}
			if _, err := Decrypt(text, []byte("wrong")); !errors.Is(err, hsm.ErrWrongPIN) {
				t.Errorf("wrong password: %v", err)
			}
			if _, err := Decrypt(text, nil); !errors.Is(err, hsm.ErrWrongPIN) {
				t.Errorf("empty password: %v", err)
			}
		})
	}
}

// TestDecryptRefusesPlainKeys keeps a key in the clear from passing for an
// encrypted one.
func TestDecryptRefusesPlainKeys(t *testing.T) {
	der, err := pkcs8.MarshalPrivateKey(testKey(1), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{pemType, "PRIVATE KEY"} {
		text := pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
		for _, password := range []string{"", testPassword} {
			if k, err := Decrypt(text, []byte(password)); err == nil || k != nil {
				t.Errorf("%s with password %q was read", label, password)
			}
		}
	}
}

func TestDecryptRefusesKeysThatCannotSign(t *testing.T) {
	private, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Decrypt(quickFile(t, private, nil), []byte(testPassword))
	if err == nil || errors.Is(err, hsm.ErrWrongPIN) || !strings.Contains(err.Error(), "cannot sign") {
		t.Errorf("Decrypt = %v", err)
	}
}

// algorithm makes an AlgorithmIdentifier.
func algorithm(t testing.TB, oid string, params any) pkix.AlgorithmIdentifier {
	t.Helper()
	var id asn1.ObjectIdentifier
	for part := range strings.SplitSeq(oid, ".") {
		n := 0
		for _, digit := range part {
			n = 10*n + int(digit-'0')
		}
		id = append(id, n)
	}
	if params == nil {
		return pkix.AlgorithmIdentifier{Algorithm: id}
	}
	return pkix.AlgorithmIdentifier{Algorithm: id, Parameters: asn1.RawValue{FullBytes: encode(t, params)}}
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// hostile makes a file with chosen parameters.
func hostile(t testing.TB, kdf, cipher pkix.AlgorithmIdentifier, data []byte) []byte {
	t.Helper()
	der := encode(t, encryptedKey{algorithm(t, oidPBES2, pbes2Params{kdf, cipher}), data})
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})
}

func rounds(t testing.TB, n int) pkix.AlgorithmIdentifier {
	return algorithm(t, oidPBKDF2, pbkdf2Params{[]byte("salt"), n, algorithm(t, oidHMACSHA256, asn1.NullRawValue)})
}

func scrypt(t testing.TB, n, r, p int) pkix.AlgorithmIdentifier {
	return algorithm(t, oidScrypt, struct {
		Salt    []byte
		N, R, P int
	}{[]byte("salt"), n, r, p})
}

// TestDecryptHostileParameters must end at once: each file would otherwise
// cost minutes, gigabytes or a panic.
func TestDecryptHostileParameters(t *testing.T) {
	aes := algorithm(t, oidAES256CBC, make([]byte, 16))
	data := make([]byte, 64)
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"rounds 2^31":      {hostile(t, rounds(t, 1<<31), aes, data), "2147483648 rounds"},
		"one round more":   {hostile(t, rounds(t, maxRounds+1), aes, data), "10000001 rounds"},
		"no rounds":        {hostile(t, rounds(t, 0), aes, data), "damaged"},
		"negative rounds":  {hostile(t, rounds(t, -5), aes, data), "damaged"},
		"scrypt N":         {hostile(t, scrypt(t, 1<<30, 8, 1), aes, data), "more than 256 MiB"},
		"scrypt r":         {hostile(t, scrypt(t, 16, 1<<40, 1), aes, data), "more than 256 MiB"},
		"scrypt p":         {hostile(t, scrypt(t, 1<<18, 8, 2), aes, data), "more than 256 MiB"},
		"scrypt product":   {hostile(t, scrypt(t, 1<<62, 1<<62, 1<<62), aes, data), "more than 256 MiB"},
		"scrypt odd N":     {hostile(t, scrypt(t, 17, 8, 1), aes, data), "damaged"},
		"cut ciphertext":   {hostile(t, rounds(t, 2), aes, data[:63]), "damaged"},
		"no ciphertext":    {hostile(t, rounds(t, 2), aes, nil), "damaged"},
		"short IV":         {hostile(t, rounds(t, 2), algorithm(t, oidAES256CBC, make([]byte, 15)), data), "damaged"},
		"GCM":              {hostile(t, rounds(t, 2), algorithm(t, "2.16.840.1.101.3.4.1.46", make([]byte, 16)), data), "AES-256-CBC"},
		"HMAC-SHA512":      {hostile(t, algorithm(t, oidPBKDF2, pbkdf2Params{[]byte("s"), 2, algorithm(t, "1.2.840.113549.2.11", asn1.NullRawValue)}), aes, data), "HMAC-SHA256"},
		"unknown KDF":      {hostile(t, algorithm(t, "1.2.3.4", []byte{1}), aes, data), "PBKDF2"},
		"no parameters":    {hostile(t, algorithm(t, oidPBKDF2, nil), aes, data), "damaged"},
		"PBES1":            {pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: encode(t, encryptedKey{algorithm(t, "1.2.840.113549.1.5.10", []byte{1}), data})}), "PBES2"},
		"not ASN.1":        {pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: data}), "damaged"},
		"another PEM type": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: data}), "BEGIN ENCRYPTED PRIVATE KEY"},
		"not PEM":          {[]byte("hello"), "BEGIN ENCRYPTED PRIVATE KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			private, err := Decrypt(c.text, []byte(testPassword))
			if private != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Decrypt = %v, want an error with %q", err, c.want)
			}
			if errors.Is(err, hsm.ErrWrongPIN) {
				t.Error("the password is blamed for a bad file")
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// TestLimitsHoldTheBest keeps the limits above what careful people use.
func TestLimitsHoldTheBest(t *testing.T) {
	if err := checkScrypt(scrypt(t, 1<<18, 8, 1).Parameters.FullBytes); err != nil {
		t.Errorf("scrypt of 256 MiB: %v", err)
	}
	if err := checkPBKDF2(rounds(t, maxRounds).Parameters.FullBytes); err != nil {
		t.Errorf("%d rounds: %v", maxRounds, err)
	}
	if kdfRounds*2 > maxRounds {
		t.Error("our own files come near the limit")
	}
}

// FuzzDecrypt bounds what one hostile file may cost. Files that ask for more
// than a few rounds are sound, only slow, and are left out.
func FuzzDecrypt(f *testing.F) {
	for _, text := range [][]byte{
		quickFile(f, testKey(1), nil),
		hostile(f, rounds(f, 1<<31), algorithm(f, oidAES256CBC, make([]byte, 16)), make([]byte, 64)),
		hostile(f, scrypt(f, 16, 8, 1), algorithm(f, oidDESEDE3CBC, make([]byte, 8)), make([]byte, 64)),
	} {
		block, _ := pem.Decode(text)
		f.Add(block.Bytes)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if costly(der) {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		private, err := Decrypt(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), []byte(testPassword))
		runtime.ReadMemStats(&after)
		if (private == nil) == (err == nil) {
			t.Errorf("Decrypt = %v, %v", private, err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
			t.Errorf("%d bytes of file cost %d bytes of memory", len(der), grown)
		}
	})
}

// costly reports a file that passes the limits and asks for much work.
func costly(der []byte) bool {
	var info encryptedKey
	var params pbes2Params
	if !whole(der, &info) || !whole(info.Algorithm.Parameters.FullBytes, &params) {
		return false
	}
	var p pbkdf2Params
	if whole(params.KDF.Parameters.FullBytes, &p) && p.Rounds > 1000 && p.Rounds <= maxRounds {
		return true
	}
	var s scryptParams
	return whole(params.KDF.Parameters.FullBytes, &s) && checkScrypt(params.KDF.Parameters.FullBytes) == nil && s.N*s.R*s.P > 1<<10
}
