package hclspec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"pki.internal/spec"
)

// FuzzLoad reads any text as an estate. It must never panic, and an estate
// comes out exactly when there is no error.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*.pki.hcl", "testdata/errors/*/main.pki.hcl", "../../examples/*/*.pki.hcl"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatalf("%s: no seeds (%v)", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if !strings.Contains(name, "expression-too-") {
				f.Add(string(text), "lab")
			}
		}
	}
	f.Add("variable \"v\" {\n  type = list(string)\n}\nlocals {\n  a = var.v[0]\n  b = null\n  c = [for x in var.v : x if x != null]\n}\n", "[null, 1e300]")
	f.Add("locals {\n  a = try(authority.root.crl.urls[9], null)\n  b = { for k, v in { x = 1 } : upper(k) => v... }\n}\n", "")
	base, err := os.ReadFile("testdata/base.pki.hcl")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		for _, folder := range []fstest.MapFS{
			{"main.pki.hcl": {Data: []byte(text)}},
			{"main.pki.hcl": {Data: []byte(text)}, "base.pki.hcl": {Data: base}, "templates/server.tpl": {Data: []byte("{}")}, "csr/a.csr": {Data: []byte("0")}},
		} {
			loaded, diags := Load(folder, map[string]string{"v": value})
			if (loaded.Estate == nil) != diags.HasErrors() {
				t.Fatalf("estate = %v with:\n%s", loaded.Estate, diagnosticsText(diags))
			}
			if strings.Contains(diagnosticsText(diags), "mistake of the program") {
				t.Fatalf("something was wrong and nobody said what")
			}
			if strings.Contains(diagnosticsText(diags), "goroutine ") {
				t.Fatalf("a stack trace:\n%s", diagnosticsText(diags))
			}
			usable(loaded.Estate)
		}
	})
}

// usable asks an estate what plan and render ask it.
func usable(e *spec.Estate) {
	if e == nil {
		return
	}
	for _, a := range e.IssuanceOrder() {
		e.PathLen(a)
		_ = a.Subject.String()
		if a.Key != nil {
			_ = a.Key.Store.Address.String()
		}
	}
	for _, o := range e.OnlineCAs {
		o.KeyPath()
	}
}
