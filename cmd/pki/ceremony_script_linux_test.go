package main

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pki.internal/ceremony/script"
)

// staffed gives a production estate with officers its people: an
// administrator, an operator and a witness.
func staffed(t *testing.T) string {
	t.Helper()
	dir := production(t)
	people := "officer \"ada\" { role = \"administrator\" }\nofficer \"alan\" { role = \"operator\" }\nofficer \"grace\" { role = \"witness\" }\n"
	if err := os.WriteFile(filepath.Join(dir, "officers.pki.hcl"), []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(planOf(dir)); err != nil {
		t.Fatal(err)
	}
	must(t, nil, "-C", dir, "plan", "--out", planOf(dir))
	return dir
}

// TestPeopleAtATerminal holds a ceremony with three people, of whom one leaves
// and comes back, after a rehearsal.
func TestPeopleAtATerminal(t *testing.T) {
	t.Parallel()
	dir := staffed(t)
	file := planOf(dir)
	must(t, nil, "-C", dir, "ceremony", "rehearse", file, "--yes")

	p := sit(t, nil, "-C", dir, "apply", file)
	p.expect("administrator: Open the ceremony")
	p.walk(file, "Who is here? Type the names, with spaces between them: ")
	p.types("ada alan\n")
	p.expect("Missing: 1 witness. Type all the names again.")
	p.walk(file, "witness: Look at the computer")
	p.expect("Type done, or press Enter: ")
	p.types("leave grace\n")
	p.expect("Noted. Here are ada and alan.")
	p.expect("The ceremony waits. Missing: 1 witness. Type arrive NAME, or stop: ")
	p.types("arrive grace\n")
	p.expect("Noted. Here are ada, alan and grace.")
	p.expect("Type done, or press Enter: ")
	p.types("exception\n")
	p.expect("What happened? ")
	p.types("a printer is connected\n")
	p.expect("or abort (for good)? ")
	p.types("continue\n")
	p.expect("Who decided? ")
	p.types("ada\n")
	for _, password := range []string{rootPassword, onlinePassword, adminPassword} {
		p.walk(file, "Password for ")
		p.secret("", password)
		p.secret("The same again: ", password)
	}
	p.walk(file, "This plan was rehearsed on ")
	p.walk(file, "The ceremony is finished")
	p.leaves(exitDone)
	must(t, nil, "-C", dir, "verify")
	report := must(t, nil, "-C", dir, "ceremony", "report")
	for _, want := range []string{"ada (administrator), alan (operator), grace (witness)", "grace left; present: ada, alan", "a printer is connected", "read by ada and grace", "typed: sign root"} {
		if !strings.Contains(strings.Join(strings.Fields(report), " "), want) {
			t.Errorf("the report does not say %q:\n%s", want, report)
		}
	}
}

// TestScriptInABrowser prints the script on both papers and reads it back:
// every step is on it with its number, and the code gives the digest.
func TestScriptInABrowser(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"chromium", "pdftotext", "pdftoppm", "zbarimg"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	dir := staffed(t)
	p, digest, err := readPlan(planOf(dir))
	if err != nil {
		t.Fatal(err)
	}
	s, err := script.Of(p)
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	page := filepath.Join(work, "page.html")
	must(t, nil, "-C", dir, "ceremony", "script", planOf(dir), "--html", page)
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	tool := func(name string, args ...string) string {
		c := exec.Command(name, args...)
		c.Dir = work
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		return string(out)
	}
	browser := []string{"--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=" + filepath.Join(work, "profile")}
	for _, paper := range []string{"A4", "Letter"} {
		if err := os.WriteFile(page, bytes.Replace(text, []byte("@page { "), []byte("@page { size: "+paper+"; "), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		tool("chromium", append(browser, "--no-pdf-header-footer", "--print-to-pdf=page.pdf", "file://"+page)...)
		printed := strings.Join(strings.Fields(tool("pdftotext", "-layout", "page.pdf", "-")), " ")
		for _, step := range s.Steps {
			title := strings.Fields(step.Title)
			if !strings.Contains(printed, strings.Join(title[:min(2, len(title))], " ")) {
				t.Errorf("%s: step %d (%s) is not on the paper", paper, step.Number, step.Title)
			}
		}
		if n := strings.Count(printed, "Exception number"); n != 3 {
			t.Errorf("%s: %d sheets for exceptions", paper, n)
		}
		tool("pdftoppm", "-r", "150", "-png", "-f", "1", "-l", "1", "-singlefile", "page.pdf", "first")
		if code := tool("zbarimg", "--quiet", "--raw", "first.png"); !strings.EqualFold(strings.TrimSpace(code), hex.EncodeToString(digest)) {
			t.Errorf("%s: the code says %q", paper, code)
		}
	}
}
