package ceremony_test

import (
	"crypto/x509"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/plan"
	"pki.internal/spec"
)

// held is a scene after the first ceremony of an example.
func held(t *testing.T) *scene {
	t.Helper()
	s := newScene(t, "two-tier")
	s.hold(planTime)
	return s
}

// hold plans what is to be done at a date and does it; then nothing is left.
func (s *scene) hold(at time.Time) *plan.Plan {
	s.t.Helper()
	p := s.makePlan(at)
	s.now = at.Add(time.Hour)
	if err := s.run(p, false); err != nil {
		s.t.Fatal(err)
	}
	if left := s.makePlan(s.now); len(left.Actions)+len(left.Changes) > 0 {
		s.t.Errorf("after the ceremony the plan still has %v and %v", left.Actions, left.Changes)
	}
	return p
}

// refused makes a plan that must not come about and gives what is said.
func (s *scene) refused(at time.Time) string {
	s.t.Helper()
	p, diags := plan.Make(s.estate, s.book().State(), plan.Inputs{At: at, Window: spec.Duration{Days: 7}, Seed: [32]byte{7}, Tool: s.tool})
	if p != nil {
		s.t.Errorf("a plan was made: %v", p.Changes)
	}
	return diags.Error()
}

func (s *scene) wantRefused(at time.Time, words ...string) {
	s.t.Helper()
	said := s.refused(at)
	for _, w := range words {
		if !strings.Contains(said, w) {
			s.t.Errorf("it does not say %q:\n%s", w, said)
		}
	}
}

func kinds(p *plan.Plan) string {
	var words []string
	for _, a := range p.Actions {
		words = append(words, string(a.Kind)+" "+a.Address.Name)
	}
	return strings.Join(words, ", ")
}

var nextYear = planTime.AddDate(0, 6, 0)

func TestNewCertificateForTheSameKey(t *testing.T) {
	s := held(t)
	before, _ := s.book().State().Authority(s.estate.Authorities[1].Address)
	issuing := s.estate.Authorities[1]
	issuing.ExtendedKeyUsage = issuing.ExtendedKeyUsage[:1]
	s.wantRefused(nextYear, `extended_key_usage of authority.issuing was "server_auth client_auth"`, "key_reuse = true", "generation = 2")
	issuing.KeyReuse = true
	p := s.hold(nextYear)
	if kinds(p) != "sign_certificate issuing" || len(p.Changes) != 1 || p.Changes[0].Class != plan.NewCertificate {
		t.Errorf("%s, changes %+v", kinds(p), p.Changes)
	}
	want := plan.Difference{Name: "extended_key_usage", Before: "server_auth client_auth", After: "server_auth"}
	if !slices.Contains(p.Changes[0].Attributes, want) || p.Changes[0].Blast.String() != "1 online CA" {
		t.Errorf("changes %+v, blast %s", p.Changes[0].Attributes, p.Changes[0].Blast)
	}
	after, _ := s.book().State().Authority(issuing.Address)
	old, new := parse(t, before.Certificate), parse(t, after.Certificate)
	if !slices.Equal(old.RawSubjectPublicKeyInfo, new.RawSubjectPublicKeyInfo) || !slices.Equal(old.SubjectKeyId, new.SubjectKeyId) ||
		old.SerialNumber.Cmp(new.SerialNumber) == 0 || len(after.Generations) != 1 {
		t.Error("the new certificate is not one of the same key with a number of its own")
	}
	for name, der := range map[string][]byte{"certs/issuing.cer": after.Certificate, "certs/issuing.g1-1.cer": before.Certificate} {
		if !slices.Equal(s.files[name].Data, der) {
			t.Errorf("%s is not the certificate that it should be", name)
		}
	}
}

func parse(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRenewalWhenItIsTime(t *testing.T) {
	s := held(t)
	issuing := s.estate.Authorities[1]
	issuing.RenewBefore, issuing.KeyReuse = spec.Duration{Years: 1}, true
	end := planTime.AddDate(5, 0, 0).Add(-time.Second)
	s.estate.Authorities[0].CRL.IssueEvery, s.estate.Authorities[0].CRL.ValidFor = spec.Duration{Years: 9}, spec.Duration{Years: 10}
	if p := s.makePlan(end.AddDate(-1, 0, 0).Add(-time.Second)); len(p.Changes) > 0 {
		t.Errorf("a second early: %+v", p.Changes)
	}
	p := s.makePlan(end.AddDate(-1, 0, 0))
	if kinds(p) != "sign_certificate issuing" && kinds(p) != "sign_certificate issuing, sign_crl root" {
		t.Errorf("when it is time: %s", kinds(p))
	}
	if len(p.Changes) == 0 || p.Changes[0].Why == "" || p.Changes[0].Class != plan.NewCertificate {
		t.Errorf("changes %+v", p.Changes)
	}
	s.hold(end.AddDate(-1, 0, 0))
	have, _ := s.book().State().Authority(issuing.Address)
	if want := end.AddDate(4, 0, 0).Add(-time.Second); !parse(t, have.Certificate).NotAfter.Equal(want) {
		t.Errorf("it ends on %s, want %s", parse(t, have.Certificate).NotAfter, want)
	}
}

func TestNewKeyOfAnIntermediate(t *testing.T) {
	s := held(t)
	issuing := s.estate.Authorities[1]
	issuing.Key.Algorithm = spec.ECDSAP521
	s.wantRefused(nextYear, `key of authority.issuing was "ecdsa-p384 in key_store.online"`, "That needs a new key.", "generation = 2")
	issuing.Key.Algorithm, issuing.Generation = spec.ECDSAP384, 2
	s.wantRefused(nextYear, "Two keys at one URL", "http://pki.acme.example/issuing.crl")
	issuing.CRL.URLs = []string{"http://pki.acme.example/issuing-g2.crl"}
	issuing.Subject = called("ACME Issuing CA G2")
	issuing.PreventReplace = true
	s.wantRefused(nextYear, "Replacement prevented", "prevent_replace = true")
	issuing.PreventReplace = false
	issuing.Generation = 3
	s.wantRefused(nextYear, "Generation left out", "generation = 2")
	issuing.Generation = 2
	p := s.hold(nextYear)
	if got := kinds(p); got != "generate_key issuing, sign_certificate issuing, sign_crl issuing" {
		t.Error(got)
	}
	if c := p.Changes[0]; c.Class != plan.NewKey || c.Blast.String() != "1 online CA and every leaf below" || !slices.Equal(c.Actions, []int{1, 2, 3}) {
		t.Errorf("change %+v, blast %s", c, c.Blast)
	}
	if p.Actions[2].SignCRL.Number != "2" {
		t.Errorf("the list of the new key has number %s", p.Actions[2].SignCRL.Number)
	}
	have, _ := s.book().State().Authority(issuing.Address)
	if len(have.Generations) != 2 || have.Generation != 2 || len(s.keys.made) != 3 || s.keys.made[2] != "keys/online/issuing.g2.key" {
		t.Errorf("%d generations, newest %d, keys %q", len(have.Generations), have.Generation, s.keys.made)
	}
	for _, name := range []string{"certs/issuing.crt", "certs/issuing.g1-1.crt", "certs/issuing.g1-1.chain.pem", "crls/issuing.crl", "crls/issuing.g2.crl"} {
		if _, there := s.files[name]; !there {
			t.Errorf("%s is missing", name)
		}
	}
	issuing.Generation = 1
	s.wantRefused(s.now, "Generation that is over")
}

// TestNewRoot replaces everything, and keeps the lists of the old root going.
func TestNewRoot(t *testing.T) {
	s := held(t)
	root, issuing := s.estate.Authorities[0], s.estate.Authorities[1]
	root.PathLength = new(2)
	s.wantRefused(nextYear, "That replaces the root: 1 authority, 1 online CA and every leaf below.", "generation = 2")
	root.Generation = 2
	root.Subject = called("ACME Root CA G2")
	s.wantRefused(nextYear, "Two keys at one URL", "http://pki.acme.example/root.crl", "http://pki.acme.example/root.cer")
	root.CRL.URLs, root.CAIssuersURLs = []string{"http://pki.acme.example/root-g2.crl"}, []string{"http://pki.acme.example/root-g2.cer"}
	s.wantRefused(nextYear, "Second certificate for one key", `issuer's generation of authority.issuing was "1"`)
	issuing.KeyReuse = true
	p := s.hold(nextYear)
	if got := kinds(p); got != "generate_key root, sign_certificate root, sign_certificate issuing, sign_crl root" {
		t.Error(got)
	}
	if p.Changes[0].Class != plan.NewRoot || p.Changes[1].Class != plan.NewCertificate {
		t.Errorf("changes %+v", p.Changes)
	}
	state := s.book().State()
	top, _ := state.Root(issuing.Address)
	if parse(t, top.Certificate).Subject.CommonName != "ACME Root CA G2" {
		t.Error("the issuing authority does not chain to the new root")
	}
	// A year after the first list of the old root: its certificate for the
	// issuing authority still counts, so its key still owes lists.
	late := planTime.AddDate(1, 0, 0)
	q := s.hold(late)
	if got := kinds(q); got != "sign_crl root, sign_crl root" && got != "sign_crl root" {
		t.Fatal(got)
	}
	list := q.Actions[0].SignCRL
	if list.Issuer.Generation != 1 || !slices.Equal(list.Outputs, []string{"crls/root.crl", "crls/root.crl.pem"}) || list.Number != "3" {
		t.Errorf("generation %d, %q, number %s", list.Issuer.Generation, list.Outputs, list.Number)
	}
	signer := parse(t, state.Files()[slices.IndexFunc(state.Files(), func(f plan.File) bool { return f.Path == "certs/root.g1-1.cer" })].Data)
	crl, err := x509.ParseRevocationList(s.files["crls/root.crl"].Data)
	if err != nil || crl.CheckSignatureFrom(signer) != nil {
		t.Errorf("the list of the old root is not signed by its key (%v)", err)
	}
}

// TestPowerCutWhileReplacing cuts the power around every effect of a ceremony
// that replaces the root, and resumes.
func TestPowerCutWhileReplacing(t *testing.T) {
	change := func(s *scene) {
		root, issuing := s.estate.Authorities[0], s.estate.Authorities[1]
		root.Generation, issuing.KeyReuse = 2, true
		root.Subject = called("ACME Root CA G2")
		root.CRL.URLs, root.CAIssuersURLs = []string{"http://pki.acme.example/root-g2.crl"}, []string{"http://pki.acme.example/root-g2.cer"}
	}
	first := held(t)
	count := first.copied()
	change(count)
	whole := count.hold(nextYear)
	for _, after := range []bool{false, true} {
		for at := 1; at <= len(count.effects); at++ {
			s := first.copied()
			change(s)
			s.cutAt, s.after, s.now = at, after, nextYear.Add(time.Hour)
			if err := s.run(whole, false); err == nil {
				t.Fatalf("effect %d: no power cut", at)
			}
			s.again()
			if err := s.run(whole, s.book().State().Head.Entries > whole.Ledger.Entries); err != nil {
				t.Fatalf("effect %d (after %v): %v", at, after, err)
			}
			have, _ := s.book().State().Authority(s.estate.Authorities[0].Address)
			if len(s.keys.made) != 1 || s.book().State().Open != nil || have.Generation != 2 || s.files["certs/root.g1-1.crt"].Data == nil {
				t.Errorf("effect %d: keys %q, generation %d", at, s.keys.made, have.Generation)
			}
		}
	}
	if kinds(whole) == "" {
		t.Error("nothing was done")
	}
}

func called(name string) spec.Name {
	return spec.NewName(map[string][]string{"common_name": {name}, "organization": {"ACME"}, "country": {"US"}}, nil)
}

// copied gives a scene of its own in the same state, with the same estate as
// it was written.
func (s *scene) copied() *scene {
	s.t.Helper()
	c := newScene(s.t, "two-tier")
	text, err := s.dir.ReadFile("ledger.jsonl")
	if err == nil {
		err = c.dir.WriteFile("ledger.jsonl", text, 0o644)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	c.now, c.files, c.keys.keys = s.now, maps.Clone(s.files), maps.Clone(s.keys.keys)
	return c
}
