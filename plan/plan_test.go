package plan_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pki.internal/lint"
	"pki.internal/plan"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

var update = flag.Bool("update", false, "rewrite golden files")

func mustMake(t *testing.T, e *spec.Estate, s plan.State, in plan.Inputs) *plan.Plan {
	t.Helper()
	p, diags := plan.Make(e, s, in)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return p
}

// TestGoldenPlans keeps the exact content of a plan: whatever changes here
// changes what ceremonies sign. The goldens are indented for review; the
// digest is of the canonical bytes.
func TestGoldenPlans(t *testing.T) {
	for _, name := range []string{"two-tier", "csr-from-kms", "custodians"} {
		t.Run(name, func(t *testing.T) {
			p := mustMake(t, loadExample(t, name), plan.State{}, someInputs)
			p.Lint.Set, p.Lint.Rules = "", nil // changes with every zlint; its own test pins it
			if err := p.Seal(); err != nil {
				t.Fatal(err)
			}
			text, err := p.Encode()
			if err != nil {
				t.Fatal(err)
			}
			var indented bytes.Buffer
			if err := json.Indent(&indented, text, "", "  "); err != nil {
				t.Fatal(err)
			}
			indented.WriteByte('\n')
			golden := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(golden, indented.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), indented.String()); d != "" {
				t.Errorf("%s differs; with -update it is rewritten:\n%s", golden, d)
			}
		})
	}
}

func TestSameInputsSameBytes(t *testing.T) {
	var first []byte
	for range 3 {
		text, err := mustMake(t, loadExample(t, "two-tier"), plan.State{}, someInputs).Encode()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = text
		}
		if !bytes.Equal(first, text) {
			t.Fatal("two plans from the same inputs differ")
		}
	}
	other := someInputs
	other.Seed[31]++
	text, err := mustMake(t, loadExample(t, "two-tier"), plan.State{}, other).Encode()
	if err != nil || bytes.Equal(first, text) {
		t.Errorf("another seed gives the same plan (%v)", err)
	}
}

func TestRemakeGivesTheInputsBack(t *testing.T) {
	p := mustMake(t, loadExample(t, "two-tier"), plan.State{}, someInputs)
	in, err := p.Remake()
	if err != nil {
		t.Fatal(err)
	}
	again, err := mustMake(t, loadExample(t, "two-tier"), plan.State{}, in).Encode()
	if err != nil {
		t.Fatal(err)
	}
	text, err := p.Encode()
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("the plan made again differs (%v)", err)
	}
}

// TestFlippedBytesOfAPlan is promise 5 for plans: whichever byte changes, the
// plan is refused.
func TestFlippedBytesOfAPlan(t *testing.T) {
	p := mustMake(t, loadExample(t, "two-tier"), plan.State{}, someInputs)
	text, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		changed := bytes.Clone(text)
		changed[i] ^= 1
		if _, err := plan.Decode(changed); err == nil {
			t.Fatalf("byte %d changed from %q to %q goes unseen", i, text[i], changed[i])
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	text, err := mustMake(t, loadExample(t, "two-tier"), plan.State{}, someInputs).Encode()
	if err != nil {
		t.Fatal(err)
	}
	edits := map[string]func(string) string{
		"white space": func(s string) string { return strings.Replace(s, ",", ", ", 1) },
		"newline":     func(s string) string { return s + "\n" },
		"unknown key": func(s string) string { return strings.Replace(s, `{"actions"`, `{"aaa":1,"actions"`, 1) },
		"doubled key": func(s string) string { return strings.Replace(s, `"format":`, `"format":"pki-plan/1","format":`, 1) },
		"other order": func(s string) string {
			return strings.Replace(s, `{"actions":[`, `{"at":"2026-12-01T09:00:00Z","actions":[`, 1)
		},
		"new format":   func(s string) string { return strings.Replace(s, "pki-plan/1", "pki-plan/2", 1) },
		"escaped text": func(s string) string { return strings.Replace(s, `"acme"`, `"\u0061cme"`, 1) },
		"local time": func(s string) string {
			return strings.Replace(s, "2026-12-01T09:00:00Z", "2026-12-01T10:00:00+01:00", 1)
		},
		"wrong kind": func(s string) string { return strings.Replace(s, `"kind":"sign_crl"`, `"kind":"sign_xyz"`, 1) },
		"no number":  func(s string) string { return strings.Replace(s, `"number":2,`, `"number":3,`, 1) },
		"empty":      func(string) string { return "" },
		"null":       func(string) string { return "null" },
	}
	for name, edit := range edits {
		changed := edit(string(text))
		if changed == string(text) {
			t.Errorf("%s: the edit changes nothing", name)
		}
		if _, err := plan.Decode([]byte(changed)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"two-tier", "csr-from-kms"} {
		p, diags := plan.Make(loadExample(f, name), plan.State{}, someInputs)
		if diags.HasErrors() {
			f.Fatal(diags)
		}
		text, err := p.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := plan.Decode(text)
		if err != nil {
			return
		}
		again, err := p.Encode()
		if err != nil || !bytes.Equal(again, text) {
			t.Errorf("a plan that decodes does not encode to itself: %v", err)
		}
	})
}

// TestEveryAlgorithm plans a hierarchy of each algorithm over each other.
func TestEveryAlgorithm(t *testing.T) {
	for _, root := range spec.Algorithms() {
		for _, issuing := range spec.Algorithms() {
			e := loadExample(t, "two-tier")
			e.Authorities[0].Key.Algorithm, e.Authorities[1].Key.Algorithm = root, issuing
			p := mustMake(t, e, plan.State{}, someInputs)
			for _, a := range p.Actions {
				if a.SignCertificate == nil {
					continue
				}
				c, err := x509.ParseCertificate(a.SignCertificate.Preview)
				if err != nil {
					t.Fatalf("%s over %s: %v", root, issuing, err)
				}
				if !tbs.IsPreviewKey(c.RawSubjectPublicKeyInfo) {
					t.Errorf("%s over %s: the preview of %s does not hold a preview key", root, issuing, a.Address)
				}
				for _, f := range a.SignCertificate.Findings {
					if f.Severity >= lint.Warn {
						t.Errorf("%s over %s: %s: %s", root, issuing, f.Lint, f.Detail)
					}
				}
			}
		}
	}
}

func TestSerials(t *testing.T) {
	seen := map[string]bool{}
	for i := range 50 {
		in := someInputs
		in.Seed[0] = byte(i)
		for _, a := range mustMake(t, loadExample(t, "csr-from-kms"), plan.State{}, in).Actions {
			if a.SignCertificate == nil {
				continue
			}
			serial := a.SignCertificate.Template.Serial
			if len(serial) != 32 || serial[0] < '4' || serial[0] > '7' || seen[serial] {
				t.Errorf("serial %s: 16 octets, positive, high bit of the value set, never twice", serial)
			}
			seen[serial] = true
		}
	}
}

// TestPlanHoldsNoSecretAndNoFloat looks at the raw bytes.
func TestPlanHoldsNoSecretAndNoFloat(t *testing.T) {
	text, err := mustMake(t, loadExample(t, "two-tier"), plan.State{}, someInputs).Encode()
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		if n, ok := token.(json.Number); ok {
			if v, err := n.Int64(); err != nil || v > 1<<31 || v < 0 {
				t.Errorf("number %s", n)
			}
		}
	}
}

func TestLongCeremonyDate(t *testing.T) {
	in := someInputs
	in.At = time.Date(2026, 12, 1, 9, 0, 0, 123456789, time.FixedZone("", 3600))
	p := mustMake(t, loadExample(t, "two-tier"), plan.State{}, in)
	if want := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC); !p.At.Equal(want) || p.At.Location() != time.UTC {
		t.Errorf("at %s, want %s", p.At, want)
	}
	c := p.Actions[1].SignCertificate.Template
	if want := time.Date(2046, 12, 1, 7, 59, 59, 0, time.UTC); !c.NotAfter.Equal(want) {
		t.Errorf("20y ends %s, want %s", c.NotAfter, want)
	}
}

func TestNeedsAndOrder(t *testing.T) {
	p := mustMake(t, loadExample(t, "two-tier"), plan.State{}, someInputs)
	var kinds []string
	for _, a := range p.Actions {
		kinds = append(kinds, string(a.Kind)+" "+a.Address.String())
	}
	want := []string{
		"generate_key authority.root", "sign_certificate authority.root",
		"generate_key authority.issuing", "sign_certificate authority.issuing",
		"sign_crl authority.root", "sign_crl authority.issuing", "generate_provisioner_key provisioner.admin",
	}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Error(d)
	}
	if got := len(p.Needs.Secrets); got != 3 || !slices.Equal(p.Needs.Roles, []string{"operator"}) {
		t.Errorf("needs %+v", p.Needs)
	}
}

// TestEncodedInParts holds the encoding of a plan against that of its value as
// a whole.
func TestEncodedInParts(t *testing.T) {
	p := mustMake(t, loadExample(t, "two-tier"), plan.State{}, someInputs)
	have, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want, err := plan.Canonical(p)
	if err != nil || !bytes.Equal(have, want) {
		t.Errorf("a plan is not encoded as canonical JSON (%v)", err)
	}
}
