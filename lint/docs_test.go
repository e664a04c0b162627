package lint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocs keeps the table of docs/lint.md equal to the rules. With -update it
// is written again; what people wrote around it stays.
func TestDocs(t *testing.T) {
	const from, to = "<!-- rules: written by go test ./lint -update -->\n", "<!-- end of rules -->\n"
	file := filepath.Join("..", "docs", "lint.md")
	text, err := os.ReadFile(file)
	noError(t, err)
	before, rest, found := strings.Cut(string(text), from)
	_, after, closed := strings.Cut(rest, to)
	if !found || !closed {
		t.Fatalf("%s has no marks %q and %q", file, from, to)
	}
	golden(t, file, []byte(before+from+ruleTable(mustNew(t, "private").Rules())+to+after))
}

// ruleTable is the rules by object, in their order.
func ruleTable(rules []Rule) string {
	var b strings.Builder
	object := ""
	for _, r := range rules {
		if r.Object != object {
			object = r.Object
			fmt.Fprintf(&b, "\n### %s\n\n| id | severity | what it asks for | written in |\n|---|---|---|---|\n", heading(object))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.ID, r.Severity, cell(r.Title), cell(r.Citation))
	}
	return fmt.Sprintf("\n%d rules of our own.\n%s\n", len(rules), b.String())
}

func heading(object string) string {
	return map[string]string{
		ObjectAny: "Any object", ObjectCertificate: "Certificates", ObjectCRL: "CRLs", ObjectCSR: "Certificate requests",
		ObjectStepCA: "step-ca trees: ca.json, templates, units, files", ObjectOCSP: "OCSP responses", ObjectSSH: "SSH certificates", ObjectEstate: "Estate, ceremony and ledger",
	}[object]
}

func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
