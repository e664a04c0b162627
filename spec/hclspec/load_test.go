package hclspec

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pki.internal/spec"
)

// mustLoad loads main.pki.hcl on top of the sound base.
func mustLoad(t testing.TB, main string, vars map[string]string) *spec.Estate {
	t.Helper()
	loaded, diags := Load(folderOf(t, main), vars)
	if diags.HasErrors() || loaded.Estate == nil {
		t.Fatalf("the estate does not load:\n%s", diagnosticsText(diags))
	}
	return loaded.Estate
}

func folderOf(t testing.TB, main string) fstest.MapFS {
	t.Helper()
	base, err := os.ReadFile("testdata/base.pki.hcl")
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{"base.pki.hcl": {Data: base}, "main.pki.hcl": {Data: []byte(main)}}
}

func authority(t testing.TB, e *spec.Estate, name string) *spec.Authority {
	t.Helper()
	i := slices.IndexFunc(e.Authorities, func(a *spec.Authority) bool { return a.Address.Name == name })
	if i < 0 {
		t.Fatalf("there is no authority %q", name)
	}
	return e.Authorities[i]
}

// TestExamplesLoad holds every example to a clean bill, warnings included.
func TestExamplesLoad(t *testing.T) {
	examples, err := os.ReadDir("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range examples {
		if !e.IsDir() {
			continue
		}
		found++
		loaded, diags := Load(os.DirFS("../../examples/"+e.Name()), nil)
		if len(diags) > 0 || loaded.Estate == nil {
			t.Errorf("%s:\n%s", e.Name(), diagnosticsText(diags))
			continue
		}
		for _, in := range loaded.Estate.Inputs {
			if len(in.SHA256) != 64 || strings.HasPrefix(in.Path, "/") {
				t.Errorf("%s: input %+v", e.Name(), in)
			}
		}
		if !slices.IsSortedFunc(loaded.Estate.Inputs, func(a, b spec.Input) int { return strings.Compare(a.Path, b.Path) }) {
			t.Errorf("%s: inputs are not sorted: %v", e.Name(), loaded.Estate.Inputs)
		}
	}
	if found < 2 {
		t.Errorf("only %d examples found", found)
	}
}

// TestExampleSaysWhatItSays reads the two-tier example field by field.
func TestExampleSaysWhatItSays(t *testing.T) {
	loaded, diags := Load(os.DirFS("../../examples/two-tier"), map[string]string{"crl_host": "crl.example"})
	if diags.HasErrors() {
		t.Fatal(diagnosticsText(diags))
	}
	e := loaded.Estate
	root, issuing := authority(t, e, "root"), authority(t, e, "issuing")
	zero := 0
	for what, pair := range map[string][2]any{
		"name":          {e.Name, "acme"},
		"environment":   {e.Environment, spec.Lab},
		"subject":       {issuing.Subject.String(), "CN=ACME Issuing CA G1,O=ACME,C=US"},
		"issuer":        {issuing.Issuer, root},
		"root's issuer": {root.Issuer, (*spec.Authority)(nil)},
		"validity":      {root.Validity, spec.Duration{Years: 20}},
		"path length":   {issuing.PathLength, &zero},
		"usages":        {issuing.ExtendedKeyUsage, []spec.ExtKeyUsage{"server_auth", "client_auth"}},
		"urls":          {root.CRL.URLs, []string{"http://crl.example/root.crl"}},
		"issue every":   {issuing.CRL.IssueEvery, spec.Duration{Days: 1}},
		"key":           {root.Key.Algorithm, spec.ECDSAP384},
		"password":      {root.Key.Store.Password.Address, spec.Address{Kind: "secret", Name: "root"}},
		"online CA":     {e.OnlineCAs[0].Authority, issuing},
		"provisioners":  {len(e.OnlineCAs[0].Provisioners), 2},
		"claims":        {*e.Provisioners[0].Claims.MaxTLS, spec.Span(7 * 24 * time.Hour)},
		"template":      {string(e.Templates[0].Data), `{"organization":"ACME"}`},
		"place":         {root.At("validity").Start.Line, 9},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s = %v, want %v", what, pair[0], pair[1])
		}
	}
}

// TestNaturalCircles loads what refers to itself the way PKIs do.
func TestNaturalCircles(t *testing.T) {
	e := mustLoad(t, `
authority "a" {
  issuer = authority.root
  subject {
    common_name         = "CA of ${authority.a.subject.organizational_unit[0]} under ${authority.root.subject.common_name}"
    organizational_unit = ["Unit ${authority.root.validity}"]
  }
  key {
    store     = key_store.lab
    algorithm = authority.root.key.algorithm
  }
  validity        = authority.b.validity
  ca_issuers_urls = [replace(authority.root.crl.urls[0], ".crl", ".cer"), replace(authority.a.crl.urls[0], ".crl", ".cer")]
  crl {
    urls      = ["http://pki.acme.example/a.crl"]
    valid_for = authority.a.validity
  }
}

authority "b" {
  issuer = authority.a
  subject { common_name = "B" }
  key {
    store     = key_store.lab
    algorithm = lookup(authority.root.key, "algorithm", "ed25519")
  }
  validity = "5y"
  crl {
    urls        = [replace(authority.a.crl.urls[0], "/a.", "/b.")]
    valid_for   = "7d"
    issue_every = authority.b.crl.valid_for == "7d" ? "1d" : "2d"
  }
}
`, nil)
	a, b := authority(t, e, "a"), authority(t, e, "b")
	if got := a.Subject.Value("common_name"); got != "CA of Unit 20y under ACME Root CA" {
		t.Errorf("common_name = %q", got)
	}
	if a.Validity.String() != "5y" || a.CRL.ValidFor.String() != "5y" || b.CRL.IssueEvery.String() != "1d" || b.Key.Algorithm != spec.ECDSAP384 {
		t.Errorf("a = %+v, b = %+v", a, b)
	}
	if want := []string{"http://pki.acme.example/root.cer", "http://pki.acme.example/a.cer"}; !slices.Equal(a.CAIssuersURLs, want) {
		t.Errorf("ca_issuers_urls = %v", a.CAIssuersURLs)
	}
}

// TestNullIsAsIfNotWritten lets a variable leave an argument out.
func TestNullIsAsIfNotWritten(t *testing.T) {
	e := mustLoad(t, `
variable "depth" {
  type    = number
  default = null
}

authority "a" {
  issuer = null
  subject {
    common_name  = "A"
    organization = null
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  csr              = null
  validity         = "5y"
  path_length      = var.depth
  name_constraints {
    permitted_dns = ["acme.internal"]
    critical      = null
  }
}
`, nil)
	a := authority(t, e, "a")
	if a.Issuer != nil || a.CSR != nil || a.PathLength != nil || len(a.Subject) != 1 || !a.NameConstraints.Critical {
		t.Errorf("a = %+v", a)
	}
}

// TestOrderDoesNotMatter splits an estate over files in both orders.
func TestOrderDoesNotMatter(t *testing.T) {
	base, err := os.ReadFile("testdata/base.pki.hcl")
	if err != nil {
		t.Fatal(err)
	}
	child := []byte("authority \"a\" {\n  issuer = authority.root\n  subject { common_name = local.name }\n  key {\n    store = key_store.lab\n    algorithm = \"ed25519\"\n  }\n  validity = \"5y\"\n}\nlocals { name = \"A\" }\n")
	for _, names := range [][2]string{{"a.pki.hcl", "b.pki.hcl"}, {"b.pki.hcl", "a.pki.hcl"}} {
		loaded, diags := Load(fstest.MapFS{names[0]: {Data: base}, names[1]: {Data: child}}, nil)
		if diags.HasErrors() {
			t.Fatal(diagnosticsText(diags))
		}
		if a := authority(t, loaded.Estate, "a"); a.Issuer != authority(t, loaded.Estate, "root") || a.Subject.Value("common_name") != "A" {
			t.Errorf("%v: a = %+v", names, a)
		}
		if len(loaded.Sources) != 2 || string(loaded.Sources[names[1]]) != string(child) {
			t.Errorf("sources = %d", len(loaded.Sources))
		}
	}
}

// TestLoadTwice keeps what is loaded free of map order.
func TestLoadTwice(t *testing.T) {
	for _, name := range errorCases(t) {
		folder, vars := errorCase(t, name)
		_, first := Load(folder, vars)
		for range 5 {
			if _, again := Load(folder, vars); !reflect.DeepEqual(first, again) {
				t.Fatalf("%s: two loads differ:\n%s\n%s", name, diagnosticsText(first), diagnosticsText(again))
			}
		}
	}
}

// TestInputsAreEveryFileRead keeps the digest of an estate honest.
func TestInputsAreEveryFileRead(t *testing.T) {
	folder := folderOf(t, "locals {\n  a = file(\"people/ada.pub\")\n}\n")
	folder["people/ada.pub"] = &fstest.MapFile{Data: []byte("ssh-ed25519 AAAA")}
	folder["people/bob.pub"] = &fstest.MapFile{Data: []byte("never read")}
	loaded, diags := Load(folder, nil)
	if diags.HasErrors() {
		t.Fatal(diagnosticsText(diags))
	}
	var names []string
	for _, in := range loaded.Estate.Inputs {
		names = append(names, in.Path)
	}
	if want := []string{"base.pki.hcl", "main.pki.hcl", "people/ada.pub"}; !slices.Equal(names, want) {
		t.Errorf("inputs = %v, want %v", names, want)
	}
}

func BenchmarkLoad(b *testing.B) {
	folder := os.DirFS("../../examples/two-tier")
	b.ReportAllocs()
	for b.Loop() {
		if loaded, diags := Load(folder, nil); loaded.Estate == nil {
			b.Fatal(diagnosticsText(diags))
		}
	}
}
