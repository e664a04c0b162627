package pkcs11

import (
	"bytes"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"pki.internal/spec"
)

func TestECPoint(t *testing.T) {
	for _, n := range []int{32, 65, 97, 133} {
		for name, wrap := range map[string]func([]byte) []byte{
			"bare": func(p []byte) []byte { return p },
			"octet string": func(p []byte) []byte {
				der, _ := asn1.Marshal(p)
				return der
			},
			"bit string": func(p []byte) []byte {
				der, _ := asn1.Marshal(asn1.BitString{Bytes: p, BitLength: 8 * len(p)})
				return der
			},
			"short form": func(p []byte) []byte { return append([]byte{4, byte(len(p))}, p...) },
		} {
			// A key that begins like an encoding of itself must come out whole.
			for _, first := range []byte{4, 3, 0} {
				point := bytes.Repeat([]byte{first}, n)
				got, ok := ecPoint(wrap(point), n)
				if !ok || !bytes.Equal(got, point) {
					t.Errorf("%d bytes, %s: %x, %t", n, name, got, ok)
				}
			}
			long := append(wrap(make([]byte, n)), 0)
			if _, ok := ecPoint(long, n); ok {
				t.Errorf("%d bytes, %s: a byte too many was taken", n, name)
			}
		}
	}
}

func TestPublicKeyRefuses(t *testing.T) {
	p256, _ := keyPlanOf(spec.ECDSAP256)
	ed, _ := keyPlanOf(spec.Ed25519)
	x, y := elliptic.P256().Params().Gx.FillBytes(make([]byte, 32)), elliptic.P256().Params().Gy.FillBytes(make([]byte, 32))
	good := append(append([]byte{4}, x...), y...)
	off := bytes.Clone(good)
	off[64] ^= 1
	for name, c := range map[string]struct {
		values map[string][]byte
		good   bool
	}{
		"P-256":         {map[string][]byte{"key_type": ulongBytes(3), "ec_params": []byte(p256.oid), "ec_point": good}, true},
		"off the curve": {map[string][]byte{"key_type": ulongBytes(3), "ec_params": []byte(p256.oid), "ec_point": off}, false},
		"unknown curve": {map[string][]byte{"key_type": ulongBytes(3), "ec_params": []byte(ed.oid), "ec_point": good}, false},
		"Ed25519":       {map[string][]byte{"key_type": ulongBytes(0x40), "ec_params": []byte(ed.printable), "ec_point": make([]byte, 32)}, true},
		"Ed448":         {map[string][]byte{"key_type": ulongBytes(0x40), "ec_params": []byte("\x06\x03\x2b\x65\x71"), "ec_point": make([]byte, 57)}, false},
		"tiny RSA":      {map[string][]byte{"key_type": ulongBytes(0), "modulus": {1}, "exponent": {1, 0, 1}}, false},
		"e = 1":         {map[string][]byte{"key_type": ulongBytes(0), "modulus": bytes.Repeat([]byte{255}, 256), "exponent": {1}}, false},
		"ML-DSA-65":     {map[string][]byte{"key_type": ulongBytes(0x4A), "parameter_set": ulongBytes(2), "value": make([]byte, 1952)}, true},
		"ML-DSA, cut":   {map[string][]byte{"key_type": ulongBytes(0x4A), "parameter_set": ulongBytes(2), "value": make([]byte, 1951)}, false},
		"ML-DSA, set 4": {map[string][]byte{"key_type": ulongBytes(0x4A), "parameter_set": ulongBytes(4), "value": make([]byte, 1952)}, false},
		"ML-DSA, bare":  {map[string][]byte{"key_type": ulongBytes(0x4A)}, false},
		"nothing":       {nil, false},
	} {
		key, err := publicKey(object{Values: c.values})
		if (err == nil) != c.good || (key == nil) == c.good {
			t.Errorf("%s: %v, %v", name, key, err)
		}
		if err != nil && !errors.Is(err, errPublicKey) {
			t.Errorf("%s: %v is no errPublicKey", name, err)
		}
	}
}

func FuzzPublicKey(f *testing.F) {
	for _, a := range spec.KeyTypes() {
		p, _ := keyPlanOf(a)
		f.Add(ulongBytes(3), []byte(p.oid), []byte{4, 0x81, 0x85, 4}, []byte{1, 0, 1})
		f.Add(ulongBytes(0x40), []byte(p.printable), make([]byte, 34), []byte{})
		f.Add(ulongBytes(0x4A), ulongBytes(p.parameters), make([]byte, 1952), []byte{})
	}
	f.Fuzz(func(t *testing.T, kind, params, point, exponent []byte) {
		key, err := publicKey(object{Values: map[string][]byte{"key_type": kind, "ec_params": params, "ec_point": point, "modulus": point, "exponent": exponent, "parameter_set": params, "value": point}})
		if (key == nil) == (err == nil) {
			t.Fatalf("%v, %v", key, err)
		}
		if err != nil {
			return
		}
		if _, err := spkiOf(key); err != nil {
			t.Errorf("a key that cannot be encoded: %v", err)
		}
		if ed, ok := key.(ed25519.PublicKey); ok && len(ed) != ed25519.PublicKeySize {
			t.Errorf("an Ed25519 key of %d bytes", len(ed))
		}
	})
}

func TestFrames(t *testing.T) {
	var wire bytes.Buffer
	sent := request{Op: "login", User: 1, ByID: []byte{1, 2}}
	if err := writeFrame(&wire, sent, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(wire.Bytes(), []byte("secret")); n != 1 {
		t.Errorf("the secret is on the wire %d times", n)
	}
	text := wire.Bytes()
	var got request
	room := make([]byte, 16)
	secret, err := readFrame(bytes.NewReader(text), &got, room)
	if err != nil || string(secret) != "secret" || &secret[0] != &room[0] || got.Op != "login" || got.User != 1 {
		t.Errorf("%v %q %v", got, secret, err)
	}
	for n := range text {
		if _, err := readFrame(bytes.NewReader(text[:n]), &got, room); err == nil {
			t.Errorf("a frame cut after %d bytes was read", n)
		}
	}
	if _, err := readFrame(bytes.NewReader(text), &got, room[:5]); !errors.Is(err, errFrame) {
		t.Errorf("a secret larger than its room: %v", err)
	}
	if err := writeFrame(io.Discard, sent, make([]byte, maxSecret+1)); !errors.Is(err, errFrame) {
		t.Errorf("a secret that is too long: %v", err)
	}
	if err := writeFrame(io.Discard, strings.Repeat("x", maxHeader+1), nil); !errors.Is(err, errFrame) {
		t.Errorf("a header that is too long: %v", err)
	}
}

func FuzzFrame(f *testing.F) {
	var wire bytes.Buffer
	if err := writeFrame(&wire, reply{Data: []byte{1}, Fault: &fault{Code: 5}}, []byte("pin")); err != nil {
		f.Fatal(err)
	}
	f.Add(wire.Bytes())
	f.Add(binary.BigEndian.AppendUint64(nil, 0xFFFFFFFFFFFFFFFF))
	f.Add(binary.BigEndian.AppendUint64(nil, maxHeader<<32))
	f.Fuzz(func(t *testing.T, text []byte) {
		var r reply
		room := make([]byte, 64)
		secret, err := readFrame(bytes.NewReader(text), &r, room)
		if err != nil {
			return
		}
		if len(secret) > len(room) {
			t.Fatal("more secret than room")
		}
		var again bytes.Buffer
		if err := writeFrame(&again, r, secret); err != nil {
			t.Fatal(err)
		}
		var r2 reply
		if _, err := readFrame(&again, &r2, room); err != nil {
			t.Fatal(err)
		}
	})
}

// TestCodes keeps the two tables of return codes together.
func TestCodes(t *testing.T) {
	seen := map[uint]bool{}
	for _, n := range codeNames() {
		if seen[n.code] || !strings.HasPrefix(n.name, "CKR_") {
			t.Errorf("%v", n)
		}
		seen[n.code] = true
	}
	for _, m := range meanings() {
		e := explain(fault{Function: "C_X", Code: m.code}, "/m.so")
		if !seen[m.code] || e.Fact == "" || e.Next == "" || !errors.Is(e, m.kind) {
			t.Errorf("0x%X has no name, no words or no kind: %v", m.code, e)
		}
		if !strings.HasSuffix(e.Error(), "(C_X: "+codeName(m.code)+", /m.so)") {
			t.Errorf("%v does not end in the module's words", e)
		}
	}
	if text := explain(fault{Function: "C_X", Code: 0x80000001}, "/m").Error(); !strings.Contains(text, "vendor's code 0x80000001") {
		t.Error(text)
	}
}
