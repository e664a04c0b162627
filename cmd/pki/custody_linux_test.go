package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pki.internal/ceremony/script"
	"pki.internal/shamir"
)

// paperEstate is the example with two holders on paper in place of five files,
// of whom both are needed.
func paperEstate(t *testing.T) string {
	t.Helper()
	dir := estate(t, "custodians", false)
	name := filepath.Join(dir, "estate.pki.hcl")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?s)custodians "root" \{.*?\n\}\n`)
	if !block.Match(text) {
		t.Fatal("the example has no custodians")
	}
	text = block.ReplaceAll(text, []byte("custodians \"root\" {\n  threshold = 2\n  holder \"alice\" {}\n  holder \"bob\" {}\n  holder \"carol\" {}\n}\n"))
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(planOf(dir)); err != nil {
		t.Fatal(err)
	}
	must(t, nil, "-C", dir, "plan", "--out", planOf(dir))
	return dir
}

var numbered = regexp.MustCompile(`(?m)^ ?[0-9]+  ([a-z]+(?: [a-z]+){7})\r?$`)

// writesDown sits down as a holder, copies the words from the screen, and
// proves them.
func (p *person) writesDown(holder string, prove func(lines []string)) []string {
	p.t.Helper()
	p.expect("Only " + holder + " may see the screen now.")
	p.expect("Press Enter to show the words. ")
	p.types("\n")
	p.expect(wipeScreen)
	from := p.read
	p.expect("When all is written down, press Enter; the screen is wiped. ")
	var lines []string
	for _, m := range numbered.FindAllStringSubmatch(p.shown()[from:p.read], -1) {
		lines = append(lines, m[1])
	}
	p.types("\n")
	p.expect(wipeScreen)
	p.expect(holder + ", prove the share from what you keep.")
	prove(lines)
	p.expect("It is the one that was handed out. Press Enter, and call the next custodian. ")
	p.types("\n")
	p.expect(wipeScreen)
	return lines
}

// proves types a share, which the terminal does not show.
func (p *person) proves(lines []string) {
	p.t.Helper()
	for i, line := range lines {
		p.secret(fmt.Sprintf("line %d", i+1), line)
	}
	p.expect("is read.")
}

// TestCustodiansAtTheTerminal holds a ceremony with three people and paper,
// and a second one. Typed words are never on the screen, written ones only
// between two wipes, and the secret is nowhere at all.
func TestCustodiansAtTheTerminal(t *testing.T) {
	t.Parallel()
	dir := paperEstate(t)
	p := sit(t, nil, "-C", dir, "apply", planOf(dir))
	p.expect(decision)
	p.types(script.GoWords + "\n")
	// Alice has copied something wrong, gives up, and sees the words once more.
	alice := p.writesDown("alice", func(lines []string) {
		p.secret("line 1", lines[0])
		p.secret("line 2", "")
		p.expect("Type \"again\" to compare your copy")
		p.types("again\n")
		p.expect("Press Enter to show the words. ")
		p.types("\n")
		p.expect("When all is written down")
		p.types("\n")
		p.expect(wipeScreen)
		p.proves(lines)
	})
	process := p.process()
	// Bob types the words of Alice's paper first.
	bob := p.writesDown("bob", func(lines []string) {
		p.proves(alice)
		p.expect("share 1 (alice): it is not share 2 (bob); bring that one.")
		p.proves(lines)
	})
	lines := p.writesDown("carol", func(lines []string) {
		r, err := shamir.Read([]byte(strings.Join(lines, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		p.secret("line 1", r.Share.QR())
	})
	p.leaves(exitDone)
	must(t, nil, "-C", dir, "verify")

	later := []string{envNow + "=2027-12-10T09:00:00Z"}
	second := filepath.Join(dir, "second.json")
	must(t, later, "-C", dir, "plan", "--out", second)
	q := sit(t, later, "-C", dir, "apply", second)
	q.expect("secret.root needs shares of 2 of alice, bob, carol; set ")
	q.proves(bob)
	q.proves(bob)
	q.expect("share 2 (bob): it is here already; bring another one.")
	paper := filepath.Join(t.TempDir(), "carol.txt")
	if err := os.WriteFile(paper, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	q.secret("line 1", "@"+paper)
	q.expect(decision)
	q.types(script.GoWords + "\n")
	q.leaves(exitDone)

	secret := rebuilt(t, alice, bob)
	searchFor(t, dir, secret, p.shown()+q.shown(), process)
	shown := map[string]int{} // lines that hold the set id alone are the same on every sheet
	for _, line := range slices.Concat(alice, bob, lines) {
		shown[line]++
	}
	for _, line := range alice { // who saw hers twice
		shown[line]++
	}
	for line, times := range shown {
		if strings.Contains(q.shown(), line) {
			t.Errorf("a typed line is on the screen: %s", line)
		}
		if n := strings.Count(p.shown(), line); n != times {
			t.Errorf("a line of %s was shown %d times", count(times, "sheet"), n)
		}
		if strings.Contains(process, line) {
			t.Error("a line is in the command line or the environment")
		}
	}
}

// rebuilt gives the secret that shares of the ledger's set give.
func rebuilt(t *testing.T, shares ...[]string) string {
	t.Helper()
	var all []*shamir.Share
	for _, lines := range shares {
		r, err := shamir.Read([]byte(strings.Join(lines, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Share)
	}
	secret, err := shamir.Combine(all, shamir.Use{})
	if err != nil {
		t.Fatal(err)
	}
	return string(secret)
}

// searchFor looks for a secret, in any disguise, in every file of an estate, in
// what was said, and in the process's arguments and environment.
func searchFor(t *testing.T, dir, secret, said, process string) {
	t.Helper()
	if len(secret) < 26 || !strings.Contains(process, "apply") {
		t.Fatalf("nothing to search for: %d letters, process %q", len(secret), process)
	}
	where := map[string]string{"what was said": said, "the process": process}
	names, err := exec.Command("find", dir, "-type", "f").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(names)) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		where[name] = string(text)
	}
	for _, name := range []string{ledgerName, "plan.json", "keys/root/root.key"} {
		if where[filepath.Join(dir, name)] == "" {
			t.Errorf("%s was not there to be searched", name)
		}
	}
	for how, text := range disguises(secret) {
		for name, have := range where {
			if strings.Contains(have, text) {
				t.Errorf("the secret stands %s in %s", how, name)
			}
		}
	}
}

// TestNoCoreOfACeremony kills a ceremony that holds a secret in a way that
// makes a core, where the system makes any.
func TestNoCoreOfACeremony(t *testing.T) {
	t.Parallel()
	dir := paperEstate(t)
	p := sit(t, []string{"GOTRACEBACK=crash"}, "-C", dir, "apply", planOf(dir))
	p.expect(decision)
	p.types(script.GoWords + "\n")
	p.expect("Only alice may see the screen now.")
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.command.Process.Pid))
	if err != nil || !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("a core could be written (%v):\n%s", err, limits)
	}
}
