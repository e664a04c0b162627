package ceremony_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/ceremony"
	"pki.internal/hsm"
	"pki.internal/plan"
	"pki.internal/spec"
)

// wholeEnd checks what a finished ceremony of a plan must leave, whatever
// happened on the way.
func (s *scene) wholeEnd(p *plan.Plan) {
	s.t.Helper()
	state := s.book().State()
	if state.Open != nil {
		s.t.Fatalf("the ceremony is still open after %d actions", state.Open.Done)
	}
	var keys []string
	for _, a := range p.Actions {
		if a.Kind == plan.GenerateKey {
			keys = append(keys, a.GenerateKey.Location)
		}
	}
	slices.Sort(keys)
	if made := slices.Sorted(slices.Values(s.keys.made)); !slices.Equal(made, keys) {
		s.t.Errorf("keys made: %q, want exactly %q", made, keys)
	}
	for _, f := range state.Files() {
		if have, ok := s.files[f.Path]; !ok || !bytes.Equal(have.Data, f.Data) {
			s.t.Errorf("%s is not what the ledger gives", f.Path)
		}
	}
	if len(s.files) != len(state.Files()) {
		s.t.Errorf("files: %q", slices.Sorted(maps.Keys(s.files)))
	}
	for _, a := range p.Actions {
		if a.Kind == plan.SignCertificate {
			have, _ := state.Authority(a.Address)
			c, err := x509.ParseCertificate(have.Certificate)
			if err != nil {
				s.t.Fatal(err)
			}
			if got := fmt.Sprintf("%x", c.SerialNumber); got != strings.TrimLeft(a.SignCertificate.Template.Serial, "0") {
				s.t.Errorf("%s has serial %s, want the planned %s", a.Address, got, a.SignCertificate.Template.Serial)
			}
		}
	}
}

func TestCeremony(t *testing.T) {
	for _, example := range []string{"two-tier", "csr-from-kms"} {
		t.Run(example, func(t *testing.T) {
			s := newScene(t, example)
			p := s.makePlan(planTime)
			if err := s.run(p, false); err != nil {
				t.Fatal(err)
			}
			s.wholeEnd(p)
			if again := s.makePlan(planTime.Add(24 * time.Hour)); len(again.Actions) != 0 {
				t.Errorf("a second plan has %d actions, want none", len(again.Actions))
			}
		})
	}
}

// TestPowerCutAnywhere cuts the power before and after every effect of a
// ceremony, goes on, and wants the same end: promise 1.
func TestPowerCutAnywhere(t *testing.T) {
	probe := newScene(t, "two-tier")
	if err := probe.run(probe.makePlan(planTime), false); err != nil {
		t.Fatal(err)
	}
	if len(probe.effects) < 25 {
		t.Fatalf("only %d effects: %q", len(probe.effects), probe.effects)
	}
	for at := 1; at <= len(probe.effects); at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%02d after=%v %s", at, after, probe.effects[at-1]), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, "two-tier")
				p := s.makePlan(planTime)
				s.cutAt, s.after = at, after
				if err := s.run(p, false); !errors.Is(err, errCut) {
					t.Fatalf("got %v, want the power cut", err)
				}
				s.again()
				if err := s.run(p, true); err != nil {
					t.Fatalf("going on: %v", err)
				}
				s.wholeEnd(p)
			})
		}
	}
}

// TestSecondPowerCut cuts again while going on.
func TestSecondPowerCut(t *testing.T) {
	for at := 3; at <= 24; at += 3 { // TestPowerCutAnywhere finds 25 effects at the least
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			s := newScene(t, "two-tier")
			p := s.makePlan(planTime)
			s.cutAt, s.after = at, at%2 == 0
			if err := s.run(p, false); !errors.Is(err, errCut) {
				t.Fatalf("got %v, want the power cut", err)
			}
			for second := 2; ; second += 2 {
				s.again()
				s.cutAt, s.after = second, second%4 == 0
				err := s.run(p, true)
				if err == nil {
					break
				}
				if !errors.Is(err, errCut) {
					t.Fatalf("going on: %v", err)
				}
			}
			s.wholeEnd(p)
		})
	}
}

func TestInterruptedNeedsResume(t *testing.T) {
	s := newScene(t, "two-tier")
	p := s.makePlan(planTime)
	s.cutAt = 6
	if err := s.run(p, false); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	s.again()
	wantRefusal(t, s.run(p, false), "was interrupted")
	if len(s.effects) != 0 {
		t.Errorf("a refused ceremony had effects: %q", s.effects)
	}
	if err := s.run(p, true); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, s.run(p, false), "has been held already")
	delete(s.files, "certs/root.crt")
	if err := s.run(p, true); err != nil {
		t.Fatal(err)
	}
	s.wholeEnd(p)
}

func wantRefusal(t *testing.T, err error, fact string) {
	t.Helper()
	var refusal *ceremony.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal", err)
	}
	if !strings.Contains(refusal.Fact, fact) || refusal.Next == "" {
		t.Errorf("refusal %q, next %q; want the fact to say %q", refusal.Fact, refusal.Next, fact)
	}
}

func TestWrongSignatureIsNeverUsed(t *testing.T) {
	s := newScene(t, "two-tier")
	p := s.makePlan(planTime)
	s.keys.wrong = true
	err := s.run(p, false)
	if err == nil || !strings.Contains(err.Error(), "wrong signature") {
		t.Fatalf("got %v", err)
	}
	if len(s.files) != 0 {
		t.Errorf("files were written: %v", slices.Collect(maps.Keys(s.files)))
	}
	if a, _ := s.book().State().Authority(spec.Address{Kind: "authority", Name: "root"}); a.Certificate != nil {
		t.Error("the ledger has a certificate")
	}
	s.keys.wrong = false
	s.again()
	if err := s.run(p, true); err != nil {
		t.Fatal(err)
	}
	s.wholeEnd(p)
}

func TestNothingHappensWithoutConfirmation(t *testing.T) {
	s := newScene(t, "two-tier")
	p := s.makePlan(planTime)
	s.desk = func(*plan.Plan) error { return errors.New("no") }
	if err := s.run(p, false); err == nil {
		t.Fatal("it ran")
	}
	if len(s.effects) != 0 || len(s.book().Entries) != 0 {
		t.Errorf("effects %q, %d entries", s.effects, len(s.book().Entries))
	}
}

func TestClockSetBackDuringCeremony(t *testing.T) {
	s := newScene(t, "two-tier")
	p := s.makePlan(planTime)
	s.cutAt = 6
	if err := s.run(p, false); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	s.again()
	s.now = s.now.Add(-time.Minute)
	wantRefusal(t, s.run(p, true), "before the newest entry")
}

// TestKeyInTheWay finds a stranger's key where the plan wants to make one.
// TestStoreThatCannotMakeTheKey finds it before the ledger has a line.
func TestStoreThatCannotMakeTheKey(t *testing.T) {
	s := newScene(t, "two-tier")
	p := s.makePlan(planTime)
	s.keys.lacks = spec.ECDSAP384
	if err := s.run(p, false); !errors.Is(err, hsm.ErrUnsupported) {
		t.Errorf("Run = %v, want ErrUnsupported", err)
	}
	if len(s.effects) != 0 {
		t.Errorf("effects: %q", s.effects)
	}
}

func TestKeyInTheWay(t *testing.T) {
	s := newScene(t, "two-tier")
	p := s.makePlan(planTime)
	s.keys.keys["keys/online/issuing.key"] = nil
	s.files["keys/online/issuing.key"] = plan.File{Data: []byte("someone's key")}
	wantRefusal(t, s.run(p, false), "already there")
	if len(s.effects) != 0 {
		t.Errorf("effects: %q", s.effects)
	}
}
