package ledger_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
)

func level(t *testing.T, a plan.Audience) int {
	t.Helper()
	n, err := a.Level()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const serial = "DEADBEEF-0042"

// withSerials writes the ledger of writeLedger with the device of each key.
func withSerials(t *testing.T) *ledger.Book {
	t.Helper()
	from, _, err := ledger.Read(text(t, writeLedger(t)))
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	l, err := ledger.Open(root, "ledger.jsonl", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, e := range from.Entries {
		if made := e.Fact.KeyMade; made != nil {
			seen := plan.Event{Kind: plan.TokenIdentified, Time: e.Fact.Time, Audience: plan.Restricted, Token: &plan.TokenSeen{Action: made.Action, Address: made.Address, Serial: serial}}
			if err := l.Append(seen); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Append(*e.Fact); err != nil {
			t.Fatal(err)
		}
	}
	return l.Book
}

// TestPublicCopyKeepsHeadTreeAndState is the law of audiences: what is withheld
// changes neither the head, nor the tree, nor the certificates and CRLs.
func TestPublicCopyKeepsHeadTreeAndState(t *testing.T) {
	whole := withSerials(t)
	for _, to := range plan.Audiences() {
		copied, err := whole.Copy(to)
		if err != nil {
			t.Fatal(err)
		}
		book, torn, err := ledger.Read(copied)
		if err != nil || len(torn) > 0 {
			t.Fatalf("%s: %v", to, err)
		}
		withheld := 2
		if to != plan.Public {
			withheld = 0
		}
		if book.Head() != whole.Head() || book.Withheld() != withheld || book.WithheldFrom(plan.Restricted) != withheld {
			t.Errorf("%s: head %+v, %d withheld; want %+v, %d", to, book.Head(), book.Withheld(), whole.Head(), withheld)
		}
		for n := range len(whole.Entries) + 1 {
			a, errA := whole.TreeHash(n)
			b, errB := book.TreeHash(n)
			if a != b || errA != nil || errB != nil {
				t.Errorf("%s: tree of %d entries: %s (%v) and %s (%v)", to, n, a, errA, b, errB)
			}
		}
		if has := strings.Contains(string(copied), serial); has != (to != plan.Public) {
			t.Errorf("%s: serial number in the copy: %t", to, has)
		}
		same(t, book.State(), whole.State())
		again, err := book.Copy(to)
		if err != nil || !bytes.Equal(again, copied) {
			t.Errorf("%s: a copy of the copy is another (%v)", to, err)
		}
	}
	if _, err := whole.Copy("friends"); err == nil {
		t.Error("a copy for an audience that there is not")
	}
}

func same(t *testing.T, a, b plan.State) {
	t.Helper()
	x, errX := plan.Canonical(a.Files())
	y, errY := plan.Canonical(b.Files())
	if !bytes.Equal(x, y) || errX != nil || errY != nil || a.Head != b.Head || a.LastPlan != b.LastPlan || a.Open != nil || b.Open != nil {
		t.Errorf("states differ: heads %+v and %+v, %d and %d bytes of files", a.Head, b.Head, len(x), len(y))
	}
}

// TestCopiesThatLie withholds a public fact, changes the audience of a withheld
// one, and brings a fact back that was never in the ledger.
func TestCopiesThatLie(t *testing.T) {
	whole := withSerials(t)
	public, err := whole.Copy(plan.Public)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(public), "\n")
	withheld := -1
	for i, line := range lines {
		if strings.Contains(line, `"withheld"`) {
			withheld = i
			break
		}
	}
	cases := map[string]string{
		"other audience": strings.Replace(lines[withheld], `"restricted"`, `"confidential"`, 1),
		"public":         strings.Replace(lines[withheld], `"restricted"`, `"public"`, 1),
		"unknown":        strings.Replace(lines[withheld], `"restricted"`, `"friends"`, 1),
		"no audience":    strings.Replace(lines[withheld], `"audience":"restricted",`, ``, 1),
		"other hash":     strings.Replace(lines[withheld], `"withheld":"`, `"withheld":"0`, 1),
		"capitals":       strings.ToUpper(lines[withheld]),
	}
	for name, line := range cases {
		if line == lines[withheld] {
			t.Fatalf("%s changes nothing", name)
		}
		changed := strings.Join(lines[:withheld], "") + line + strings.Join(lines[withheld+1:], "")
		if _, _, err := ledger.Read([]byte(changed)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestAudienceIsThatOfTheKind refuses a fact that says another audience than
// its kind has, so that nobody's serial becomes public by a slip.
func TestAudienceIsThatOfTheKind(t *testing.T) {
	whole := withSerials(t)
	for _, e := range whole.Entries {
		state := whole.StateAt(e.Number - 1)
		for _, a := range append(plan.Audiences(), "", "friends") {
			fact := *e.Fact
			fact.Audience = a
			if _, err := state.Apply(fact, plan.Head{}); (err == nil) != (a == plan.AudienceOf(*e.Fact)) {
				t.Errorf("%s as %q: %v", fact.Kind, a, err)
			}
		}
	}
}

// TestCopyIsNotContinued keeps a copy from growing apart from its ledger.
func TestCopyIsNotContinued(t *testing.T) {
	public, err := withSerials(t).Copy(plan.Public)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := root.WriteFile("ledger.jsonl", public, 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(root, "ledger.jsonl", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Append(plan.Event{}); err == nil || !strings.Contains(err.Error(), "2 facts of this copy are withheld") {
		t.Error(err)
	}
}

// TestPublicCopyIsVerified forges what a public copy says, hashes and all, and
// wants it refused without the plan.
func TestPublicCopyIsVerified(t *testing.T) {
	whole := withSerials(t)
	foreign := withSerials(t)
	find := func(kind plan.EventKind, from *ledger.Book, name string) plan.Event {
		for _, e := range from.Entries {
			f := e.Fact
			if f.Kind == kind && (f.KeyMade == nil || f.KeyMade.Address.Name == name) && (f.Certificate == nil || f.Certificate.Address.Name == name) {
				return *f
			}
		}
		t.Fatalf("no %s of %s", kind, name)
		return plan.Event{}
	}
	state := plan.State{}
	observe := func(e plan.Event) error {
		next, err := state.Observe(e, plan.Head{})
		if err == nil {
			state = next
		}
		return err
	}
	if err := observe(find(plan.KeyWasMade, whole, "root")); err != nil {
		t.Fatal(err)
	}
	if err := observe(find(plan.KeyWasMade, whole, "root")); err == nil || !strings.Contains(err.Error(), "is that of authority.root") {
		t.Errorf("one key twice: %v", err)
	}
	if err := observe(find(plan.CertificateSigned, whole, "issuing")); err != nil {
		t.Errorf("signed by the root: %v", err)
	}
	cross := find(plan.CertificateSigned, whole, "issuing")
	signed := *cross.Certificate
	signed.Address.Name = "root"
	cross.Certificate = &signed
	if err := observe(cross); err == nil || !strings.Contains(err.Error(), "is not for the key of authority.root") {
		t.Errorf("another's certificate: %v", err)
	}
	crl := find(plan.CRLSigned, whole, "")
	for name, change := range map[string]func(*plan.Signed){
		"other number": func(s *plan.Signed) { s.Number = "2" },
		"flipped":      func(s *plan.Signed) { s.DER = bytes.Clone(s.DER); s.DER[len(s.DER)-1] ^= 1 },
		"other issuer": func(s *plan.Signed) { s.Address.Name = "nobody" },
	} {
		list := *crl.CRL
		change(&list)
		changed := crl
		changed.CRL = &list
		if err := observe(changed); err == nil {
			t.Errorf("CRL, %s: accepted", name)
		}
	}
	if err := observe(crl); err != nil {
		t.Errorf("the CRL itself: %v", err)
	}
	if err := observe(crl); err == nil || !strings.Contains(err.Error(), "after number 1") {
		t.Errorf("the CRL again: %v", err)
	}
	late := crl
	late.Time = late.Time.AddDate(-1, 0, 0)
	if err := observe(late); err == nil {
		t.Error("the past")
	}
	state = plan.State{}
	if err := observe(find(plan.CertificateSigned, foreign, "issuing")); err == nil || !strings.Contains(err.Error(), "signed by no key of this ledger") {
		t.Errorf("nobody's certificate: %v", err)
	}
}
