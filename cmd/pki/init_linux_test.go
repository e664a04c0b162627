package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInitAsks answers the questions, some wrongly at first, and expects an
// estate that validates and plans.
func TestInitAsks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "estate")
	p := sit(t, nil, "init", dir)
	p.expect("Which example")
	p.types("three-tier\n")
	p.expect("none of them")
	p.types("\n")
	p.expect("Organization [ACME]")
	p.types("Bad \"Quotes\"\n")
	p.expect("write it into the files afterwards")
	p.types("Zürich & Söhne\n")
	p.expect("Country")
	p.types("ch\n")
	p.expect("ISO 3166")
	p.types("CH\n")
	p.expect("Host")
	p.types("pki.zs.example\n")
	p.expect("Kind of keys")
	p.types("ecdsa-p256\n")
	p.expect(`The lab estate "zrich-shne" is in`)
	p.leaves(0)
	for _, args := range [][]string{{"validate"}, {"plan"}} {
		out, err := exec.Command("pki", append([]string{"-C", dir}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("pki %v: %v\n%s", args, err, out)
		}
		if args[0] == "plan" && (!strings.Contains(string(out), "CN=Zürich & Söhne Root CA G1,O=Zürich & Söhne,C=CH") || !strings.Contains(string(out), "http://pki.zs.example/")) {
			t.Errorf("the plan does not hold the answers:\n%s", out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ".gitignore")); err != nil {
		t.Error(err)
	}
}
