package ledger_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
)

func newRoot(t *testing.T) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func open(t *testing.T, root *os.Root) *ledger.File {
	t.Helper()
	l, err := ledger.Open(root, "ledger.jsonl", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func clock() time.Time { return date.Add(time.Minute) }

// TestLostMedium pulls one of two media before every single entry, the leading
// one and the copy: every entry is on the other, which says what happened.
func TestLostMedium(t *testing.T) {
	whole, _, err := ledger.Read(text(t, writeLedger(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, lost := range []int{0, 1} {
		for at := range whole.Entries {
			roots := []*os.Root{newRoot(t), newRoot(t)}
			media := []*ledger.Medium{{Name: "estate", File: open(t, roots[0])}, {Name: "/media/copy", File: open(t, roots[1])}}
			m, err := ledger.NewMirror(clock, media[0], media[1])
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range whole.Entries {
				if i == at {
					media[lost].File.Close() // what follows fails as on a disk that is gone
					if err := roots[lost].Remove("ledger.jsonl"); i > 0 && err != nil {
						t.Fatal(err)
					}
				}
				if err := m.Append(*e.Fact); err != nil {
					t.Fatalf("medium %d lost at entry %d: %v", lost, at+1, err)
				}
			}
			if media[lost].Lost == nil || media[1-lost].Lost != nil || m.Left() != 1 {
				t.Fatalf("lost %v and %v", media[0].Lost, media[1].Lost)
			}
			survivor, torn, err := ledger.Read(text(t, roots[1-lost]))
			if err != nil || len(torn) > 0 {
				t.Fatal(err)
			}
			said := survivor.Entries[at+1].Fact.Medium
			if survivor.Head() != m.Head() || len(survivor.Entries) != len(whole.Entries)+1 || said == nil || said.Medium != media[lost].Name || said.Entries != at {
				t.Fatalf("medium %d lost at entry %d: %d entries, %+v", lost, at+1, len(survivor.Entries), said)
			}
			if state := survivor.State(); state.Open != nil || len(state.Authorities()) != 2 {
				t.Errorf("the ceremony did not end")
			}
		}
	}
}

// TestLastMedium keeps the ledger as it was when nothing takes an entry.
func TestLastMedium(t *testing.T) {
	root := writeLedger(t)
	file := open(t, root)
	m, err := ledger.NewMirror(clock, &ledger.Medium{Name: "estate", File: file})
	if err != nil {
		t.Fatal(err)
	}
	before := m.Head()
	if err := root.Rename("ledger.jsonl", "elsewhere"); err != nil {
		t.Fatal(err)
	}
	fact := plan.Event{Kind: plan.MediumLost, Time: clock(), Audience: plan.Restricted, Medium: &plan.LostMedium{Medium: "x", Error: "y"}}
	if err := m.Append(fact); err == nil || !strings.Contains(err.Error(), "ledger.jsonl is gone, or is another file by now") {
		t.Error(err)
	}
	cause := errors.New("pulled")
	if err := m.Lose(m.Media()[0], cause); !errors.Is(err, cause) || m.Left() != 1 || m.Head() != before {
		t.Errorf("%v, %d left, head %+v", err, m.Left(), m.Head())
	}
	if err := root.Rename("elsewhere", "ledger.jsonl"); err != nil {
		t.Fatal(err)
	}
	if err := m.Append(fact); err != nil {
		t.Errorf("with the medium back: %v", err)
	}
}

// TestCatchUp brings copies of every length up to the ledger, torn ones too,
// and leaves those alone that are ahead or another's.
func TestCatchUp(t *testing.T) {
	root := writeLedger(t)
	whole := text(t, root)
	book, _, err := ledger.Read(whole)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut <= len(whole); cut += 401 {
		copied := newRoot(t)
		if err := copied.WriteFile("ledger.jsonl", whole[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		if err := open(t, copied).CatchUp(book); err != nil {
			t.Fatalf("%d bytes: %v", cut, err)
		}
		if !bytes.Equal(text(t, copied), whole) {
			t.Errorf("%d bytes are brought up to something else", cut)
		}
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	short, _, err := ledger.Read(bytes.Join(lines[:4], nil))
	if err != nil {
		t.Fatal(err)
	}
	var ahead *ledger.AheadError
	if err := open(t, root).CatchUp(short); !errors.As(err, &ahead) || ahead.Have != len(book.Entries) || ahead.Want != 4 {
		t.Error(err)
	}
	other := writeLedger(t)
	before := text(t, other)
	if err := open(t, other).CatchUp(book); err == nil || !bytes.Equal(text(t, other), before) {
		t.Errorf("another ledger: %v", err)
	}
	file := open(t, writeLedger(t))
	if _, err := ledger.NewMirror(clock, &ledger.Medium{File: file}, &ledger.Medium{File: open(t, newRoot(t))}); err == nil {
		t.Error("two media with different entries are one ledger")
	}
}
