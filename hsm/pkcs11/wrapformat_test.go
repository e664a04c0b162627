package pkcs11

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"
)

// TestUnwrap3394 holds the unwrapping against the vectors of RFC 3394 §4.6 and
// RFC 5649 §6.
func TestUnwrap3394(t *testing.T) {
	for _, v := range []struct{ kek, wrapped, head, plain string }{
		{"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
			"28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
			"A6A6A6A6A6A6A6A6", "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F"},
		{"5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8", "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
			"a65959a600000014", "c37b7e6492584340bed12207808941155068f738" + "00000000"},
	} {
		raw := func(text string) []byte {
			b, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		block, err := aes.NewCipher(raw(v.kek))
		if err != nil {
			t.Fatal(err)
		}
		head, plain := unwrap3394(block, raw(v.wrapped))
		if !bytes.Equal(head, raw(v.head)) || !bytes.Equal(plain, raw(v.plain)) {
			t.Errorf("%x %x, want %s %s", head, plain, v.head, v.plain)
		}
	}
}

// wrapped3394 wraps as RFC 3394 §2.2.1 says.
func wrapped3394(block cipher.Block, head, plain []byte) []byte {
	n := len(plain) / 8
	out := slices.Concat(head, plain)
	buffer := make([]byte, 16)
	for t := 1; t <= 6*n; t++ {
		part := out[8*(1+(t-1)%n):][:8]
		copy(buffer, out[:8])
		copy(buffer[8:], part)
		block.Encrypt(buffer, buffer)
		binary.BigEndian.PutUint64(out, binary.BigEndian.Uint64(buffer)^uint64(t))
		copy(part, buffer[8:])
	}
	return out
}

func somePKCS8(t testing.TB) []byte {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestFormOf tells every form in which tokens were seen to wrap a key.
func TestFormOf(t *testing.T) {
	kek := make([]byte, 32)
	rand.Read(kek)
	block, err := aes.NewCipher(kek)
	if err != nil {
		t.Fatal(err)
	}
	key := somePKCS8(t) // of 138 bytes
	fill := func(n int) []byte { return make([]byte, (n-len(key)%n)%n) }
	padding := func(n int) []byte { return bytes.Repeat([]byte{byte(n - len(key)%n)}, n-len(key)%n) }
	plainHead := bytes.Repeat([]byte{0xA6}, 8)
	long := func(n int) []byte { return binary.BigEndian.AppendUint32([]byte{0xA6, 0x59, 0x59, 0xA6}, uint32(n)) }
	iv := make([]byte, 16)
	cbc := slices.Concat(key, padding(16))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(cbc, cbc)
	whole := slices.Concat(key, fill(8))
	for form, wrapped := range map[string][]byte{
		formRFC5649:    wrapped3394(block, long(len(key)), whole),
		formZeros5649:  wrapped3394(block, long(len(whole)), whole),
		formZeros:      wrapped3394(block, plainHead, whole),
		formPadded3394: wrapped3394(block, plainHead, slices.Concat(key, padding(8))),
		formUnknown:    wrapped3394(block, long(len(whole)+1), whole),
	} {
		if got := formOf(kek, nil, wrapped); got != form {
			t.Errorf("%q is told as %q", form, got)
		}
		wrapped[len(wrapped)-1] ^= 1
		if got := formOf(kek, nil, wrapped); got != formUnknown {
			t.Errorf("%q with a flipped bit is told as %q", form, got)
		}
	}
	if got := formOf(kek, iv, cbc); got != formCBC {
		t.Errorf("CBC is told as %q", got)
	}
	if got := formOf(kek, iv, cbc[:len(cbc)-1]); got != formUnknown {
		t.Errorf("half a block is told as %q", got)
	}
}

func FuzzFormOf(f *testing.F) {
	kek := make([]byte, 32)
	block, err := aes.NewCipher(kek)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wrapped3394(block, bytes.Repeat([]byte{0xA6}, 8), make([]byte, 16)), false)
	f.Add(make([]byte, 32), true)
	f.Fuzz(func(t *testing.T, wrapped []byte, cbc bool) {
		var iv []byte
		if cbc {
			iv = make([]byte, 16)
		}
		if form := formOf(kek, iv, bytes.Clone(wrapped)); form == "" {
			t.Error("no form at all")
		}
	})
}
