package ledger_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
)

var headTime = time.Date(2027, 1, 2, 3, 4, 5, 678e6, time.UTC)

func headKey(t *testing.T) (crypto.Signer, func([]byte) ([]byte, error)) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key, func(digest []byte) ([]byte, error) { return key.Sign(rand.Reader, digest, crypto.SHA256) }
}

// TestTreeHeadSignature holds the signed bytes against RFC 6962 §3.5, written
// down once more: version, type, milliseconds, size, root.
func TestTreeHeadSignature(t *testing.T) {
	head, err := withSerials(t).TreeHead(headTime)
	if err != nil {
		t.Fatal(err)
	}
	key, sign := headKey(t)
	var digest []byte
	signed, err := head.Sign(key.Public(), func(d []byte) ([]byte, error) { digest = d; return sign(d) })
	if err != nil {
		t.Fatal(err)
	}
	message := binary.BigEndian.AppendUint64([]byte{0, 1}, uint64(headTime.UnixMilli()))
	message = append(binary.BigEndian.AppendUint64(message, head.Size), head.Root...)
	if want := sha256.Sum256(message); !bytes.Equal(digest, want[:]) {
		t.Errorf("the digest %x was signed, want %x", digest, want)
	}
	// DigitallySigned of RFC 5246 §4.7: hash 4 (SHA-256), signature 3 (ECDSA), length.
	if s := signed.Signature; s[0] != 4 || s[1] != 3 || int(binary.BigEndian.Uint16(s[2:])) != len(s)-4 {
		t.Errorf("signature %x", s)
	}
	text, err := signed.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ledger.ReadTreeHead(text)
	if err != nil || back.Verify(key.Public()) != nil || !back.Time().Equal(headTime) {
		t.Errorf("%v, %v, %s", err, back.Verify(key.Public()), back.Time())
	}
	other, _ := headKey(t)
	if back.Verify(other.Public()) == nil {
		t.Error("the signature verifies under another key")
	}
	if head.Verify(key.Public()) == nil {
		t.Error("a head without a signature verifies")
	}
	for name, change := range map[string]func(*ledger.TreeHead){
		"size": func(h *ledger.TreeHead) { h.Size++ },
		"time": func(h *ledger.TreeHead) { h.Timestamp++ },
		"root": func(h *ledger.TreeHead) { h.Root = bytes.Clone(h.Root); h.Root[31] ^= 1 },
		"hash": func(h *ledger.TreeHead) { h.Signature = bytes.Clone(h.Signature); h.Signature[0] = 5 },
		"cut":  func(h *ledger.TreeHead) { h.Signature = h.Signature[:len(h.Signature)-1] },
		"long": func(h *ledger.TreeHead) { h.Signature = append(bytes.Clone(h.Signature), 0) },
	} {
		changed := signed
		if change(&changed); changed.Verify(key.Public()) == nil {
			t.Errorf("%s changed: it still verifies", name)
		}
	}
}

// TestTreeHeadKeys takes the keys of RFC 6962 §2.1.4 and no others.
func TestTreeHeadKeys(t *testing.T) {
	head, err := withSerials(t).TreeHead(headTime)
	if err != nil {
		t.Fatal(err)
	}
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := head.Sign(big.Public(), func(d []byte) ([]byte, error) { return rsa.SignPKCS1v15(nil, big, crypto.SHA256, d) }); err != nil {
		t.Error(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := head.Sign(p384.Public(), nil); !errors.Is(err, ledger.ErrHeadKey) {
		t.Errorf("P-384: %v", err)
	}
	key, _ := headKey(t)
	if _, err := head.Sign(key.Public(), func(d []byte) ([]byte, error) { return d, nil }); err == nil {
		t.Error("a signature that does not verify was taken")
	}
}

// TestHeadSince proves, for every pair of lengths, that the longer ledger
// extends the shorter, and refuses every other claim.
func TestHeadSince(t *testing.T) {
	whole := withSerials(t)
	other := withSerials(t)
	for n := range len(whole.Entries) + 1 {
		short := &ledger.Book{Entries: whole.Entries[:n]}
		kept, err := short.TreeHead(headTime)
		if err != nil {
			t.Fatal(err)
		}
		head, err := whole.HeadSince(kept, headTime)
		if err != nil || head.ExtendsSince() != nil {
			t.Fatalf("since %d: %v", n, err)
		}
		text, err := head.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ledger.ReadTreeHead(text); err != nil || back.ExtendsSince() != nil {
			t.Errorf("since %d, read back: %v", n, err)
		}
		if _, err := other.HeadSince(kept, headTime); (err == nil) != (n == 0) {
			t.Errorf("another ledger extends %d entries: %v", n, err)
		}
		for i := range head.Consistency {
			changed := head
			changed.Consistency = slices.Clone(head.Consistency)
			changed.Consistency[i] = bytes.Repeat([]byte{7}, 32)
			if changed.ExtendsSince() == nil {
				t.Errorf("since %d: hash %d of the proof does not matter", n, i)
			}
		}
		if n == 0 {
			continue
		}
		for name, hash := range map[string]string{"chain": whole.Entries[n-1].Head, "tree": fmt.Sprintf("%x", kept.Root)} {
			if found, err := whole.Find(hash); err != nil || found.Size != uint64(n) || !bytes.Equal(found.Root, kept.Root) {
				t.Errorf("found by %s hash: %+v, %v", name, found, err)
			}
			if _, err := other.Find(hash); err == nil {
				t.Errorf("the %s hash of %d entries is found in another ledger", name, n)
			}
		}
	}
	longer, err := whole.TreeHead(headTime)
	if err != nil {
		t.Fatal(err)
	}
	short := &ledger.Book{Entries: whole.Entries[:3]}
	if _, err := short.HeadSince(longer, headTime); err == nil || !strings.Contains(err.Error(), "this ledger has 3 entries") {
		t.Error(err)
	}
	if found, err := short.Find(plan.EmptyHead().Hash); err != nil || found.Size != 0 {
		t.Errorf("the empty ledger: %+v, %v", found, err)
	}
	if _, err := short.Find("abc"); err == nil {
		t.Error("abc is a hash")
	}
}

// TestReadTreeHeadRefuses reads what is no head.
func TestReadTreeHeadRefuses(t *testing.T) {
	root := `"` + strings.Repeat("A", 43) + `="`
	good := `{"format":"pki-head/1","sha256_root_hash":` + root + `,"timestamp":1,"tree_size":2}`
	if _, err := ledger.ReadTreeHead([]byte(good + "\n")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing":          "",
		"another form":     strings.Replace(good, "head/1", "head/2", 1),
		"unknown key":      strings.Replace(good, `"timestamp"`, `"time":1,"timestamp"`, 1),
		"white space":      strings.Replace(good, ":1", ": 1", 1),
		"short root":       strings.Replace(good, root, `"AAAA"`, 1),
		"far future":       strings.Replace(good, ":1", ":9007199254740991", 1),
		"negative":         strings.Replace(good, ":2", ":-2", 1),
		"larger before":    strings.Replace(good, `"timestamp"`, `"since":{"sha256_root_hash":`+root+`,"tree_size":3},"timestamp"`, 1),
		"proof of nothing": strings.Replace(good, `"format"`, `"consistency":[`+root+`],"format"`, 1),
		"two":              good + good,
	} {
		if _, err := ledger.ReadTreeHead([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzReadTreeHead(f *testing.F) {
	f.Add([]byte(`{"format":"pki-head/1","sha256_root_hash":"` + strings.Repeat("A", 43) + `=","timestamp":1,"tree_size":2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := ledger.ReadTreeHead(text)
		if err != nil {
			return
		}
		if again, err := h.Encode(); err != nil || !bytes.Equal(bytes.TrimSuffix(text, []byte("\n")), bytes.TrimSuffix(again, []byte("\n"))) {
			t.Errorf("%q is read and written as %q (%v)", text, again, err)
		}
		_ = h.ExtendsSince() // it must not panic
	})
}
