package ledger_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
)

func TestReadBack(t *testing.T) {
	whole := text(t, writeLedger(t))
	book, torn, err := ledger.Read(whole)
	if err != nil || torn != nil && len(torn) > 0 {
		t.Fatalf("%v, %d torn bytes", err, len(torn))
	}
	if got := len(book.State().Authorities()); got != 2 {
		t.Errorf("%d authorities, want 2", got)
	}
	if book.State().Open != nil || book.Head().Entries != len(book.Entries) {
		t.Errorf("open %v, head %+v", book.State().Open, book.Head())
	}
	if early := book.StateAt(0); early.Head != plan.EmptyHead() {
		t.Errorf("the state before everything has head %+v", early.Head)
	}
}

// TestFlippedBytesAreFound is promise 5 for ledgers: whichever byte changes,
// reading fails and names the line. Every seventh byte is tried; with
// PKI_EVERY_BYTE=1 in the environment every single one is (20 s).
func TestFlippedBytesAreFound(t *testing.T) {
	whole := text(t, writeLedger(t))
	step := 7
	if os.Getenv("PKI_EVERY_BYTE") != "" {
		step = 1
	}
	for i := 0; i < len(whole); i += step {
		changed := bytes.Clone(whole)
		changed[i] ^= 1
		_, torn, err := ledger.Read(changed)
		if err == nil && i == len(whole)-1 && len(torn) > 0 {
			continue // the last newline: the entry counts as cut short
		}
		var line *ledger.EntryError
		if !errors.As(err, &line) {
			t.Fatalf("byte %d changed from %q to %q: %v", i, whole[i], changed[i], err)
		}
		if want := 1 + bytes.Count(whole[:i], []byte("\n")); line.Line != want && line.Line != want+1 {
			t.Errorf("byte %d is in line %d, and line %d is blamed", i, want, line.Line)
		}
	}
}

func TestLinesMissingSwappedOrForeign(t *testing.T) {
	lines := bytes.SplitAfter(text(t, writeLedger(t)), []byte("\n"))
	lines = lines[:len(lines)-1]
	other := bytes.SplitAfter(text(t, writeLedger(t)), []byte("\n"))
	edits := map[string]func([][]byte) [][]byte{
		"first gone":  func(l [][]byte) [][]byte { return l[1:] },
		"middle gone": func(l [][]byte) [][]byte { return slices.Delete(l, 4, 5) },
		"doubled":     func(l [][]byte) [][]byte { return slices.Insert(l, 4, l[4]) },
		"swapped":     func(l [][]byte) [][]byte { l[3], l[4] = l[4], l[3]; return l },
		"foreign":     func(l [][]byte) [][]byte { l[5] = other[5]; return l },
		"blank line":  func(l [][]byte) [][]byte { return slices.Insert(l, 2, []byte("\n")) },
	}
	for name, change := range edits {
		if _, _, err := ledger.Read(bytes.Join(change(slices.Clone(lines)), nil)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, _, err := ledger.Read(bytes.Join(lines[:len(lines)-1], nil)); err != nil {
		t.Errorf("a ledger without its last line is an older ledger, not a broken one: %v", err)
	}
}

// merkle is RFC 6962 §2.1, written down once more.
func merkle(leaves [][]byte) []byte {
	switch len(leaves) {
	case 0:
		sum := sha256.Sum256(nil)
		return sum[:]
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	sum := sha256.Sum256(slices.Concat([]byte{1}, merkle(leaves[:k]), merkle(leaves[k:])))
	return sum[:]
}

func TestTreeHash(t *testing.T) {
	book, _, err := ledger.Read(text(t, writeLedger(t)))
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(book.Entries) + 1 {
		var leaves [][]byte
		for _, e := range book.Entries[:n] {
			leaf, err := hex.DecodeString(e.Leaf)
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leaf)
		}
		if got, err := book.TreeHash(n); err != nil || got != hex.EncodeToString(merkle(leaves)) {
			t.Errorf("tree of %d: %s, %v", n, got, err)
		}
	}
}

// TestLeafAndHead computes the hashes of docs/formats.md by hand.
func TestLeafAndHead(t *testing.T) {
	book, _, err := ledger.Read(text(t, writeLedger(t)))
	if err != nil {
		t.Fatal(err)
	}
	before := make([]byte, 32)
	for _, e := range book.Entries {
		fact, err := plan.Canonical(e.Fact)
		if err != nil {
			t.Fatal(err)
		}
		commitment := sha256.Sum256(slices.Concat(e.Salt, fact))
		leaf := sha256.Sum256(slices.Concat([]byte{0, byte(level(t, e.Fact.Audience))}, commitment[:]))
		head := sha256.Sum256(slices.Concat([]byte{2}, before, leaf[:]))
		if hex.EncodeToString(leaf[:]) != e.Leaf || hex.EncodeToString(head[:]) != e.Head {
			t.Fatalf("entry %d: leaf %x head %x, want %s %s", e.Number, leaf, head, e.Leaf, e.Head)
		}
		before = head[:]
	}
}

func TestTornEntry(t *testing.T) {
	root := writeLedger(t)
	whole := text(t, root)
	cut := whole[:len(whole)-40]
	if err := root.WriteFile("ledger.jsonl", cut, 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(root, "ledger.jsonl", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Append(plan.Event{}); !errors.Is(err, ledger.ErrTorn) {
		t.Errorf("appending after a torn entry: %v", err)
	}
	n, digest, err := l.Mend()
	last := cut[bytes.LastIndexByte(cut, '\n')+1:]
	sum := sha256.Sum256(last)
	if err != nil || n != len(last) || digest != hex.EncodeToString(sum[:]) {
		t.Errorf("mended %d bytes, %s, %v; want %d and %x", n, digest, err, len(last), sum)
	}
	if got := text(t, root); !bytes.Equal(got, cut[:len(cut)-len(last)]) {
		t.Error("mending left something else than the whole entries")
	}
	if n, _, err := l.Mend(); n != 0 || err != nil {
		t.Errorf("mending a whole ledger: %d bytes, %v", n, err)
	}
}

func TestOneWriter(t *testing.T) {
	root := writeLedger(t)
	first, err := ledger.Open(root, "ledger.jsonl", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Open(root, "ledger.jsonl", rand.Reader); !errors.Is(err, ledger.ErrBusy) {
		t.Errorf("a second writer got %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := ledger.Open(root, "ledger.jsonl", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// TestRefusedEntryLeavesNoTrace appends what the plan does not allow.
func TestRefusedEntryLeavesNoTrace(t *testing.T) {
	root := writeLedger(t)
	before := text(t, root)
	l, err := ledger.Open(root, "ledger.jsonl", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	late := date.AddDate(1, 0, 0)
	for name, e := range map[string]plan.Event{
		"nothing":          {},
		"unknown kind":     {Kind: "coffee", Time: late, Audience: plan.Public},
		"outside ceremony": {Kind: plan.CRLSigned, Time: late, Audience: plan.Public, CRL: &plan.Signed{}},
		"two facts":        {Kind: plan.CRLSigned, Time: late, Audience: plan.Public, CRL: &plan.Signed{}, Certificate: &plan.Signed{}},
		"the past":         {Kind: plan.CeremonyFinished, Time: date.AddDate(-1, 0, 0), Audience: plan.Public, Finished: &plan.Finished{}},
		"no audience":      {Kind: plan.CeremonyFinished, Time: late, Finished: &plan.Finished{}},
	} {
		if err := l.Append(e); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if !bytes.Equal(before, text(t, root)) {
		t.Error("a refused entry changed the file")
	}
}

func TestUnknownKindIsRefusedOnReading(t *testing.T) {
	whole := string(text(t, writeLedger(t)))
	changed := strings.Replace(whole, `"kind":"ceremony_finished"`, `"kind":"ceremony_fancy"`, 1)
	if _, _, err := ledger.Read([]byte(changed)); err == nil {
		t.Error("accepted")
	}
}

func FuzzRead(f *testing.F) {
	whole := text(f, writeLedger(f))
	f.Add(whole)
	f.Add(whole[:300])
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		book, _, err := ledger.Read(b)
		if err == nil && book.State().Head.Entries != len(book.Entries) && book.Withheld() == 0 {
			t.Errorf("state of %d entries, %d read", book.State().Head.Entries, len(book.Entries))
		}
	})
}

func BenchmarkRead(b *testing.B) {
	whole := text(b, writeLedger(b))
	for b.Loop() {
		if _, _, err := ledger.Read(whole); err != nil {
			b.Fatal(err)
		}
	}
}
