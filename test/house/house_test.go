// Package house holds the walls of the code base: which package may import
// which, and where the clock, files, randomness and the CA signature may be.
// A new package means a new row.
package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "pki.internal"

// room is what one package may use.
type room struct {
	ours    []string // packages of this module
	outside []string // modules of others, by prefix
	effects []string // of the standard library: os, net, rand, clock
}

// house is the table. Packages that are not in it do not belong here.
var house = map[string]room{
	"spec":          {},
	"spec/identity": {outside: []string{"github.com/go-jose/go-jose/v4", "github.com/hiddeco/sshsig", "golang.org/x/crypto/ssh"}},
	"spec/hclspec":  {ours: []string{"spec", "spec/identity"}, outside: []string{"github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty", "github.com/agext/levenshtein"}},
	"hsm":           {ours: []string{"spec"}},
	"hsm/hsmtest":   {ours: []string{"spec", "hsm", "plan/tbs/public"}},
	"hsm/filestore": {
		ours:    []string{"spec", "hsm", "plan/tbs/public"},
		outside: []string{"github.com/youmark/pkcs8", "filippo.io/mldsa", "github.com/cloudflare/circl/sign/mldsa"},
		effects: []string{"os", "syscall", "crypto/rand"},
	},
	"shamir": {outside: []string{"github.com/hashicorp/vault/shamir", "filippo.io/age"}},
	"hsm/pkcs11": {
		ours: []string{"spec", "hsm", "plan/tbs/public"}, outside: []string{"github.com/miekg/pkcs11", "filippo.io/mldsa"},
		effects: []string{"os", "os/exec", "os/signal", "syscall", "crypto/rand", "C"},
	},
	"plan/tbs/public": {outside: []string{"filippo.io/mldsa"}},
	"plan/tbs":        {ours: []string{"spec", "plan/tbs/public"}, outside: []string{"filippo.io/mldsa"}},
	"lint":            {ours: []string{"lint/crlwalk", "plan/tbs/public"}, outside: []string{"github.com/zmap/zlint/v3", "github.com/zmap/zcrypto", "golang.org/x/crypto/ocsp", "github.com/google/certificate-transparency-go"}},
	"lint/crlwalk":    {ours: []string{"plan/tbs/public"}},
	"plan/revocation": {ours: []string{"spec", "plan/tbs", "plan/tbs/public", "lint/crlwalk"}},
	"plan":            {ours: []string{"spec", "spec/identity", "plan/tbs", "plan/tbs/public", "lint"}, outside: []string{"github.com/gowebpki/jcs"}},
	"ceremony/ledger": {
		ours: []string{"spec", "plan"}, outside: []string{"github.com/transparency-dev/merkle", "github.com/google/certificate-transparency-go"}, effects: []string{"os", "syscall"},
	},
	"ceremony/bundle": {
		ours: []string{"spec", "plan"},
	},
	"ceremony/script": {ours: []string{"spec", "plan"}},
	"ceremony":        {ours: []string{"ceremony/script", "spec", "hsm", "plan", "plan/tbs", "plan/tbs/public", "lint", "shamir"}, outside: []string{"github.com/go-jose/go-jose/v4"}},
	"render":          {ours: []string{"spec", "plan", "plan/tbs/public"}},
	"examples":        {ours: []string{"plan"}},
	"cmd/pki": {
		ours: []string{"spec", "spec/identity", "spec/hclspec", "hsm", "hsm/filestore", "hsm/pkcs11", "plan", "plan/tbs", "plan/tbs/public", "plan/revocation", "lint", "lint/crlwalk", "ceremony", "ceremony/ledger", "ceremony/bundle", "ceremony/script", "render", "examples", "shamir"},
		outside: []string{
			"github.com/spf13/cobra", "golang.org/x/term", "rsc.io/qr", "github.com/aymanbagabas/go-udiff", "github.com/hashicorp/hcl/v2",
			"github.com/agext/levenshtein", "github.com/spf13/pflag", "golang.org/x/sys/unix",
		},
		effects: []string{"os", "os/signal", "syscall", "crypto/rand", "clock"},
	},
}

// effects are packages of the standard library that touch the world.
var effects = []string{"os", "os/exec", "os/signal", "os/user", "net/http", "syscall", "crypto/rand", "math/rand", "math/rand/v2", "log", "io/ioutil", "C"}

// source is one parsed file.
type source struct {
	name string // below the module, slashes
	file *ast.File
	set  *token.FileSet
}

// sources parses every file of the module that is built into the program.
func sources(t *testing.T) map[string][]source {
	t.Helper()
	root := filepath.Join("..", "..")
	packages := map[string][]source{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, relErr := filepath.Rel(root, p)
		if relErr != nil {
			return relErr
		}
		name = filepath.ToSlash(name)
		if d.IsDir() && (name == "test" || name == "demo" || d.Name() == "testdata" || (strings.HasPrefix(d.Name(), ".") && name != ".")) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, p, nil, parser.ParseComments)
		packages[path.Dir(name)] = append(packages[path.Dir(name)], source{name, file, set})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 10 {
		t.Fatalf("only %d packages found; is this the module's root?", len(packages))
	}
	return packages
}

func TestWalls(t *testing.T) {
	for name, files := range sources(t) {
		r, known := house[name]
		if !known {
			t.Errorf("%s has no row in the table of the house", name)
			continue
		}
		for _, f := range files {
			for _, spec := range f.file.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				if problem := r.forbids(imported); problem != "" {
					t.Errorf("%s imports %s: %s", f.name, imported, problem)
				}
			}
		}
	}
	for name := range maps.Keys(house) {
		if _, err := os.Stat(filepath.Join("..", "..", name)); err != nil {
			t.Errorf("the table has a row for %s, which is not there", name)
		}
	}
}

// forbids says why a package must not import another, or nothing.
func (r room) forbids(imported string) string {
	if ours, found := strings.CutPrefix(imported, module+"/"); found {
		if !slices.Contains(r.ours, ours) {
			return "there is a wall between them"
		}
		return ""
	}
	if !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
		if slices.Contains(effects, imported) && !slices.Contains(r.effects, imported) {
			return "effects come in from cmd"
		}
		return ""
	}
	if !slices.ContainsFunc(r.outside, func(prefix string) bool { return imported == prefix || strings.HasPrefix(imported, prefix+"/") }) {
		return "this dependency belongs to another package"
	}
	return ""
}

// TestHabits finds what imports cannot show.
func TestHabits(t *testing.T) {
	for name, files := range sources(t) {
		documented := false
		for _, f := range files {
			documented = documented || f.file.Doc != nil
			ast.Inspect(f.file, func(n ast.Node) bool {
				if problem := habit(n, house[name]); problem != "" {
					t.Errorf("%s: %s", f.set.Position(n.Pos()), problem)
				}
				return true
			})
		}
		if !documented {
			t.Errorf("%s has no package comment", name)
		}
	}
}

func habit(n ast.Node, r room) string {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if n.Recv == nil && n.Name.Name == "init" {
			return "init() hides what runs when"
		}
	case *ast.SelectorExpr:
		if p, ok := n.X.(*ast.Ident); ok && p.Name == "time" && (n.Sel.Name == "Now" || n.Sel.Name == "Since") && !slices.Contains(r.effects, "clock") {
			return "the clock is handed in"
		}
		if p, ok := n.X.(*ast.Ident); ok && p.Name == "net" && reachesNetwork(n.Sel.Name) {
			return "nothing here talks to a network"
		}
	case *ast.BasicLit:
		text := strings.ToLower(n.Value)
		for _, phrase := range []string{`"failed to `, `"unable to `, `"could not `, `"cannot open `} {
			if strings.HasPrefix(text, phrase) {
				return "say the fact, not the failing"
			}
		}
	}
	return ""
}

// reachesNetwork tells the functions of package net that open or ask
// something from those that only take addresses apart.
func reachesNetwork(name string) bool {
	for _, prefix := range []string{"Dial", "Listen", "Lookup", "Interface", "Resolve", "File"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// TestOneSeal keeps the CA signature in one function: nothing but seal calls
// Sign on a key of a key store, and nothing but lint makes its argument.
func TestOneSeal(t *testing.T) {
	allowed := map[string]string{
		"ceremony/seal.go":           "seal",
		"ceremony/backup.go":         "challenge", // a statement that is neither certificate nor CRL
		"hsm/filestore/filestore.go": "Sign",      // the driver that seal calls
		"hsm/filestore/mldsa.go":     "Sign",      // the same, for a key without its seed
		"hsm/pkcs11/module.go":       "sign",      // the same, in the helper process
		"hsm/pkcs11/pkcs11.go":       "prove",
		"hsm/hsmtest/hsmtest.go":     "signs", // of tests, with their own keys
		"plan/tbs/preview.go":        "Sign",  // preview keys, which everyone has
		"plan/certificate.go":        "complete",
		"plan/examples.go":           "sign", // throw-away keys, to ask a verifier about names
		"cmd/pki/verifyhead.go":      "sign", // tree heads, with a key that is no CA's
	}
	seals := 0
	for _, files := range sources(t) {
		for _, f := range files {
			for _, d := range f.file.Decls {
				function, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				for range signCalls(function) {
					if allowed[f.name] != function.Name.Name {
						t.Errorf("%s: %s signs; only seal may", f.set.Position(function.Pos()), function.Name.Name)
					}
					if function.Name.Name == "seal" {
						seals++
					}
				}
			}
		}
	}
	if seals != 1 {
		t.Errorf("seal signs %d times, want once", seals)
	}
}

func signCalls(function *ast.FuncDecl) []*ast.CallExpr {
	var calls []*ast.CallExpr
	ast.Inspect(function, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if s, ok := call.Fun.(*ast.SelectorExpr); ok && len(call.Args) > 1 && (s.Sel.Name == "Sign" || s.Sel.Name == "SignASN1" || s.Sel.Name == "SignPKCS1v15") {
			calls = append(calls, call)
		}
		return true
	})
	return calls
}

// TestOneVerifier keeps public keys and signatures with the package that knows
// every algorithm: crypto/x509 of Go 1.26 leaves those of ML-DSA unknown, so
// whoever asks it refuses good certificates.
func TestOneVerifier(t *testing.T) {
	instead := map[string]string{
		"ParsePKIXPublicKey":   "public.Parse",
		"MarshalPKIXPublicKey": "public.Marshal",
		"CheckSignatureFrom":   "public.CheckIssued",
		"CheckSignature":       "public.CheckCertificate, CheckList or CheckRequest",
	}
	for name, files := range sources(t) {
		if name == "plan/tbs/public" {
			continue
		}
		for _, f := range files {
			ast.Inspect(f.file, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok || instead[s.Sel.Name] == "" {
					return true
				}
				if name == "lint/crlwalk" && s.Sel.Name == "CheckSignature" {
					return true // its own, which asks package public
				}
				if f.name == "spec/provisioner.go" && s.Sel.Name == "ParsePKIXPublicKey" {
					return true // a key that step-ca has to read, as Go does
				}
				t.Errorf("%s: %s does not know every algorithm; ask %s", f.set.Position(n.Pos()), s.Sel.Name, instead[s.Sel.Name])
				return true
			})
		}
	}
}
