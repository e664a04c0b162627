package hclspec

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pki.internal/spec"
)

// TestEveryProvisionerArgumentHasItsKinds keeps the table of spec and the
// arguments of the language together: an argument without a row would be
// taken by every kind, and dropped by most.
func TestEveryProvisionerArgumentHasItsKinds(t *testing.T) {
	shared := []string{"claims", "policy"} // of every kind; a policy is refused with its reason
	listed := spec.ProvisionerArguments()
	var have []string
	for _, f := range fieldsOf(reflect.TypeFor[rawProvisioner]()) {
		if f.role == "label" || slices.Contains(shared, f.name) {
			continue
		}
		have = append(have, f.name)
		if len(listed[f.name]) == 0 {
			t.Errorf("no kind takes %q", f.name)
		}
		for _, kind := range listed[f.name] {
			if !slices.Contains(spec.ProvisionerKinds(), kind) {
				t.Errorf("%q is for the kind %q, which there is not", f.name, kind)
			}
		}
	}
	for name := range listed {
		if !slices.Contains(have, name) {
			t.Errorf("%q is in the table and not in the language", name)
		}
	}
}

// TestEveryOnlineRuleIsBroken wants every summary of the rules about online
// CAs in some golden.
func TestEveryOnlineRuleIsBroken(t *testing.T) {
	var said strings.Builder
	for _, name := range errorCases(t) {
		text, err := os.ReadFile(filepath.Join(errorsDir, name, "want.txt"))
		if err != nil {
			t.Fatal(err)
		}
		said.Write(text)
	}
	rules := 0
	for _, name := range []string{"provisioner.go", "onlineca.go", "policy.go", "registration.go", "template.go", "claims.go", "sshauthority.go", "nodes.go", "database.go", "owncertificate.go", "oidc.go"} {
		for _, summary := range onlineSummaries(t, filepath.Join("..", name)) {
			rules++
			if !strings.Contains(said.String(), ": "+summary+"\n") {
				t.Errorf("%s: no golden shows the rule %q", name, summary)
			}
		}
	}
	if rules < 60 {
		t.Fatalf("only %d rules found", rules)
	}
}

func onlineSummaries(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 4 {
			return true
		}
		if s, ok := call.Fun.(*ast.SelectorExpr); !ok || s.Sel.Name != "Report" && s.Sel.Name != "Warn" {
			return true
		}
		text, err := strconv.Unquote(call.Args[2].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
		return true
	})
	return all
}
