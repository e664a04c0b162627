package ceremony_test

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
	"pki.internal/spec"
)

// newStackScene is an estate whose first ceremony has signed two CRLs of the
// root ahead, and that then revokes the authority below.
func newStackScene(t *testing.T) (*scene, *plan.Plan) {
	t.Helper()
	s := newScene(t, "offline-root-crl")
	s.estate.Authorities[0].CRL.Presign = 2
	s.estate.Authorities[1].Key.Algorithm = spec.ECDSAP384 // what the scene makes
	if err := s.run(s.makePlan(planTime), false); err != nil {
		t.Fatal(err)
	}
	s.again()
	root := s.estate.Authorities[0]
	issuing, _ := s.book().State().Authority(s.estate.Authorities[1].Address)
	s.estate.Revocations = append(s.estate.Revocations, &spec.Revocation{
		Origin: spec.Origin{Address: spec.Address{Kind: "revocation", Name: "issuing"}},
		Path:   "certs/issuing.crt", DER: issuing.Certificate, Reason: "ca_compromise", Date: "2026-12-20T08:00:00Z",
	})
	at := root.CRL.IssueEvery.From(planTime).Add(time.Hour) // the first of the stack has begun
	s.now = at.Add(time.Minute)
	return s, s.makePlan(at)
}

// stackEnd checks the end of the ceremony that makes a stack void: the rest is
// gone, and every number is above every one before.
func stackEnd(t *testing.T, s *scene, p *plan.Plan) {
	t.Helper()
	state := s.book().State()
	root, _ := state.Authority(s.estate.Authorities[0].Address)
	if root.CRLNumber != "4" || root.HighestCRL != "6" || len(root.Stack) != 2 || !slices.Equal(root.Retired, []string{"2", "3"}) {
		t.Errorf("number %s, highest %s, %d in the stack, retired %v", root.CRLNumber, root.HighestCRL, len(root.Stack), root.Retired)
	}
	for _, f := range state.Files() {
		if string(s.files[f.Path].Data) != string(f.Data) {
			t.Errorf("%s is not what the ledger gives", f.Path)
		}
	}
	for name := range s.files {
		if strings.HasPrefix(name, "crls/stack/root.2") || strings.HasPrefix(name, "crls/stack/root.3") {
			t.Errorf("%s is void and still there", name)
		}
	}
	last := "3"
	for _, a := range p.Actions {
		if a.SignCRL.Number <= last {
			t.Errorf("number %s after %s", a.SignCRL.Number, last)
		}
		last = a.SignCRL.Number
		if len(a.SignCRL.Template.Entries) != 1 {
			t.Errorf("CRL %s has %d entries", a.SignCRL.Number, len(a.SignCRL.Template.Entries))
		}
	}
	for hours := range 24 * 200 {
		at := s.now.Add(time.Duration(hours) * time.Hour)
		der, number := root.Due(at)
		list, err := x509.ParseRevocationList(der)
		if err != nil || list.ThisUpdate.After(at) || list.Number.String() != number || len(list.RevokedCertificateEntries) != 1 {
			t.Fatalf("%s: CRL %s (%v), of %s", at, number, err, list.ThisUpdate)
		}
	}
}

// TestPowerCutVoidsStack cuts the power before and after every effect of an
// emergency, and goes on.
func TestPowerCutVoidsStack(t *testing.T) {
	probe, p := newStackScene(t)
	first := p.Actions[0].SignCRL
	if !slices.Equal(first.Voids, []string{"3"}) || len(p.Actions) != 3 {
		t.Fatalf("%d actions, void %v", len(p.Actions), first.Voids)
	}
	if err := probe.run(p, false); err != nil {
		t.Fatal(err)
	}
	stackEnd(t, probe, p)
	for at := 1; at <= len(probe.effects); at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%02d after=%v %s", at, after, probe.effects[at-1]), func(t *testing.T) {
				t.Parallel()
				s, p := newStackScene(t)
				s.cutAt, s.after = at, after
				if err := s.run(p, false); !errors.Is(err, errCut) {
					t.Fatalf("got %v, want the power cut", err)
				}
				s.again()
				if err := s.run(p, true); err != nil {
					t.Fatalf("going on: %v", err)
				}
				stackEnd(t, s, p)
			})
		}
	}
}

// TestReleasedCRLStays releases a CRL between two ceremonies: the next one
// neither puts it back nor stumbles over it, and replaces it.
func TestReleasedCRLStays(t *testing.T) {
	s, p := newStackScene(t)
	root, _ := s.book().State().Authority(s.estate.Authorities[0].Address)
	files, err := root.Release(s.now)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		s.files[f.Path] = f
	}
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
	stackEnd(t, s, p)

	s, p = newStackScene(t)
	s.files["crls/root.crl"] = plan.File{Path: "crls/root.crl", Data: []byte("a stranger's")}
	if err := s.run(p, false); err == nil || !strings.Contains(err.Error(), "does not come from this ledger") {
		t.Errorf("a stranger's file: %v", err)
	}
}

// TestStackInTheLedger keeps State from believing a stack that the plan does
// not make.
func TestStackInTheLedger(t *testing.T) {
	s, p := newStackScene(t)
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
	other := s.files["crls/stack/root.6.crl"].Data
	crl := func(number string, change func(*plan.Signed)) func(*plan.Event) {
		return func(e *plan.Event) {
			if e.CRL != nil && e.CRL.Number == number {
				signed := *e.CRL
				change(&signed)
				e.CRL = &signed
			}
		}
	}
	sealed := func(change func(*plan.Signed)) func(*plan.Event) {
		return func(e *plan.Event) {
			if e.Sealed != nil && e.Sealed.Number == "5" {
				signed := *e.Sealed
				change(&signed)
				e.Sealed = &signed
			}
		}
	}
	for name, change := range map[string]func(*plan.Event){
		"void ones left out":    crl("4", func(c *plan.Signed) { c.Voids = nil }),
		"another one void":      crl("4", func(c *plan.Signed) { c.Voids = []string{"2"} }),
		"another number":        crl("4", func(c *plan.Signed) { c.Number = "5" }),
		"a CRL from the stack":  crl("4", func(c *plan.Signed) { c.DER = other }),
		"a hash for the CRL":    crl("4", func(c *plan.Signed) { c.SHA256 = strings.Repeat("0", 64) }),
		"no hash":               crl("5", func(c *plan.Signed) { c.SHA256 = "" }),
		"another hash":          crl("5", func(c *plan.Signed) { c.SHA256 = strings.Repeat("0", 64) }),
		"the CRL in public":     crl("5", func(c *plan.Signed) { c.DER = other }),
		"another sealed":        sealed(func(c *plan.Signed) { c.DER = other }),
		"another sealed number": sealed(func(c *plan.Signed) { c.Number = "6" }),
		"sealed, with voids":    sealed(func(c *plan.Signed) { c.Voids = []string{"2"} }),
		"nothing, for contrast": func(*plan.Event) {},
	} {
		state := plan.State{}
		refused := false
		for _, entry := range s.book().Entries {
			e := *entry.Fact
			change(&e)
			next, err := state.Apply(e, plan.Head{Entries: state.Head.Entries + 1, Hash: entry.Head})
			if refused = err != nil; refused {
				break
			}
			state = next
		}
		if refused != (name != "nothing, for contrast") {
			t.Errorf("%s: refused is %v", name, refused)
		}
	}
}

// TestPublicCopyHidesStack gives strangers a copy of the ledger: it has the
// numbers and days of what was signed ahead, and none of its bytes.
func TestPublicCopyHidesStack(t *testing.T) {
	s, p := newStackScene(t)
	if err := s.run(p, false); err != nil {
		t.Fatal(err)
	}
	text, err := s.book().Copy(plan.Public)
	if err != nil {
		t.Fatal(err)
	}
	public, _, err := ledger.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := s.book().State().Authority(s.estate.Authorities[0].Address)
	root, _ := public.State().Authority(s.estate.Authorities[0].Address)
	if len(root.Stack) != 2 || root.HighestCRL != whole.HighestCRL || string(root.CRL) != string(whole.CRL) {
		t.Errorf("%d in the stack, highest %s", len(root.Stack), root.HighestCRL)
	}
	for i, waits := range whole.Stack {
		if root.Stack[i].DER != nil || strings.Contains(string(text), base64.StdEncoding.EncodeToString(waits.DER)) {
			t.Errorf("CRL %s is in the public copy", waits.Number)
		}
		if _, err := root.Release(waits.ThisUpdate); !errors.Is(err, plan.ErrCRLWithheld) {
			t.Errorf("releasing from the public copy: %v", err)
		}
	}
}
