package main

import (
	"bytes"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pki.internal/shamir"
)

// shareSet splits a known secret with the program, and gives the folder and
// each share's lines of words.
func shareSet(t *testing.T, secret string, threshold string, holders ...string) (dir string, lines [][]string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "set")
	args := []string{"share", "split", "--threshold", threshold, "--purpose", "door", "--form", "words", "--out", dir}
	for _, h := range holders {
		args = append(args, "--holder", h)
	}
	c := exec.Command("pki", args...)
	c.Stdin = strings.NewReader(secret)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, h := range holders {
		text, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("share-%d-%s.txt", i+1, h)))
		if err != nil {
			t.Fatal(err)
		}
		r, err := shamir.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, r.Share.Words())
	}
	return dir, lines
}

// otherWord gives a word of a share that is not this one.
func otherWord(line string, not string) string {
	for _, w := range strings.Fields(line) {
		if w != not {
			return w
		}
	}
	return "zoo"
}

// TestTypedSharesAreNotShown types two shares, one with a wrong word and one
// with a line that must be typed again. Neither the screen nor the process
// shows a share or the secret.
func TestTypedSharesAreNotShown(t *testing.T) {
	t.Parallel()
	const secret = "canary-share-Tw4%tide"
	dir, lines := shareSet(t, secret, "2", "alice", "bob", "carol")
	out := filepath.Join(t.TempDir(), "secret")
	p := sit(t, nil, "share", "combine", "--type", "--purpose", "door", "--set", filepath.Join(dir, "set.json"), "--out", out)
	corrected, process := "", ""
	for n, share := range [][]string{lines[2], lines[0]} {
		p.expect(fmt.Sprintf("Share %d: type its words", n+1))
		for i, line := range share {
			switch {
			case n == 0 && i == 4:
				p.secret("line 5 of ", "zoo zoo")
				p.expect("it has 2 words, and a line has 8")
			case n == 1 && i == 6:
				w := strings.Fields(line)
				corrected = w[3]
				w[3] = otherWord(line, w[3])
				line = strings.Join(w, " ")
			}
			p.secret(fmt.Sprintf("line %d", i+1), line)
			if i == 2 {
				process = p.process()
			}
		}
		if n == 1 {
			p.expect("Correct the sheet, then press Enter")
			p.types("\n")
			p.expect(wipeScreen)
		}
		p.expect("of set ")
	}
	p.leaves(exitDone)
	text, err := os.ReadFile(out)
	if err != nil || string(text) != secret {
		t.Fatalf("%q, %v", text, err)
	}
	screen := p.shown()
	if !strings.Contains(screen, "word 4 was read as \""+corrected+"\"") {
		t.Errorf("the correction of %q was not shown:\n%s", corrected, screen)
	}
	screen = strings.ReplaceAll(screen, "\""+corrected+"\"", "")
	if strings.Contains(screen, secret) {
		t.Error("the secret is on the screen")
	}
	for _, share := range [][]string{lines[2], lines[0]} {
		for _, line := range share {
			if strings.Contains(process, line) || !strings.Contains(process, "combine") {
				t.Error("a typed line is in the command line or the environment")
			}
			if strings.Contains(screen, line[:strings.IndexByte(line, ' ')+4]) {
				t.Errorf("a typed line is on the screen: %s", line)
			}
		}
	}
}

// TestScannedShare has a scanner type the code, the first time with a letter
// missing.
func TestScannedShare(t *testing.T) {
	t.Parallel()
	dir, _ := shareSet(t, "secret", "2", "alice", "bob")
	held, err := readShare(filepath.Join(dir, "share-2-bob.txt"), nil)
	if err != nil {
		t.Fatal(err)
	}
	code := held.QR()
	p := sit(t, nil, "share", "verify", "--type", "--set", filepath.Join(dir, "set.json"))
	p.secret("line 1", code[:40]+code[41:])
	p.expect("scan it again")
	p.secret("line 1", code)
	p.expect("share 2 (bob)")
	p.expect("the one that was handed out")
	p.leaves(exitDone)
	if strings.Contains(p.shown(), code[11:30]) {
		t.Error("the code is on the screen")
	}
}

// TestShareIsGivenUp holds that an empty line ends the command and names what
// is missing.
func TestShareIsGivenUp(t *testing.T) {
	t.Parallel()
	dir, lines := shareSet(t, "secret", "2", "alice", "bob")
	p := sit(t, nil, "share", "verify", "--type", "--set", filepath.Join(dir, "set.json"))
	p.secret("line 1", lines[0][0])
	p.secret("line 2", "")
	p.expect("share 1 was not typed to its end")
	p.leaves(exitPerson)
}

// TestScreenIsWiped shows two shares to their holders and holds that each is
// gone before the next one's turn.
func TestScreenIsWiped(t *testing.T) {
	t.Parallel()
	dir, lines := shareSet(t, "secret", "2", "alice", "bob")
	p := sit(t, nil, "share", "print", "--screen", filepath.Join(dir, "share-1-alice.txt"), filepath.Join(dir, "share-2-bob.txt"))
	for i, holder := range []string{"alice", "bob"} {
		p.expect("Only " + holder + " may see the screen now")
		if strings.Contains(p.shown(), lines[i][len(lines[i])-2]) {
			t.Errorf("the share of %s came before Enter", holder)
		}
		p.types("\n")
		p.expect(lines[i][0])
		p.expect(lines[i][len(lines[i])-1])
		p.types("\n")
		p.expect(wipeScreen)
	}
	p.leaves(exitDone)
	if last := p.shown()[strings.LastIndex(p.shown(), wipeScreen):]; strings.Contains(last, lines[1][0]) {
		t.Errorf("after the last wipe: %q", last)
	}
}

// cell finds the words of a sheet.
var cell = regexp.MustCompile(`<td(?: class="parity")?>([a-z]+)</td>`)

// TestSheetIsAShare reads the words of a page back.
func TestSheetIsAShare(t *testing.T) {
	t.Parallel()
	dir, lines := shareSet(t, "secret", "2", "alice", "bob")
	page := filepath.Join(t.TempDir(), "page.html")
	must(t, nil, "share", "print", filepath.Join(dir, "share-2-bob.txt"), "--out", page)
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	_, table, _ := strings.Cut(string(text), `<table class="words">`)
	for _, m := range cell.FindAllStringSubmatch(table, -1) {
		words = append(words, m[1])
	}
	if want := strings.Fields(strings.Join(lines[1], " ")); !slices.Equal(words, want) {
		t.Errorf("the page has %v, want %v", words, want)
	}
	if !strings.Contains(html.UnescapeString(string(text)), shamir.Decoder) {
		t.Error("the decoder on the page is not the one that tests run")
	}
}

// TestSheetInABrowser renders sheets as a printer would get them, on both
// papers, and reads the code from the picture.
func TestSheetInABrowser(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"chromium", "pdftoppm", "pdfinfo", "zbarimg"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	long := strings.Repeat("x", 64)
	dir, _ := shareSet(t, strings.Repeat("s", 128), "2", "alice", "bob")
	widest := filepath.Join(t.TempDir(), "widest")
	c := exec.Command("pki", "share", "split", "--threshold", "2", "--holder", long, "--holder", "b", "--purpose", strings.Repeat("w", 64), "--form", "qr", "--out", widest)
	c.Stdin = strings.NewReader(strings.Repeat("s", 128))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, file := range []string{filepath.Join(dir, "share-2-bob.txt"), filepath.Join(widest, "share-1-"+long+".qr.txt")} {
		held, err := readShare(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, paper := range []string{"A4", "Letter"} {
			work := t.TempDir()
			page := filepath.Join(work, "page.html")
			must(t, nil, "share", "print", file, "--out", page)
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(page, bytes.Replace(text, []byte("@page { "), []byte("@page { size: "+paper+"; "), 1), 0o600); err != nil {
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
			tool("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+filepath.Join(work, "profile"), "--no-pdf-header-footer", "--print-to-pdf=page.pdf", "file://"+page)
			if info := tool("pdfinfo", "page.pdf"); !regexp.MustCompile(`Pages: +2\n`).MatchString(info) {
				t.Errorf("%s on %s: a sheet has two sides:\n%s", file, paper, info)
			}
			tool("pdftoppm", "-r", "150", "-png", "-f", "1", "-l", "1", "-singlefile", "page.pdf", "page")
			worksheet := filepath.Join(work, "worksheet.html")
			must(t, nil, "share", "print", "--worksheet", "--set", filepath.Join(filepath.Dir(file), "set.json"), "--out", worksheet)
			if text, err = os.ReadFile(worksheet); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(worksheet, bytes.Replace(text, []byte("@page { "), []byte("@page { size: "+paper+"; "), 1), 0o600); err != nil {
				t.Fatal(err)
			}
			tool("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+filepath.Join(work, "profile"), "--no-pdf-header-footer", "--print-to-pdf=worksheet.pdf", "file://"+worksheet)
			if info := tool("pdfinfo", "worksheet.pdf"); !regexp.MustCompile(`Pages: +4\n`).MatchString(info) {
				t.Errorf("%s on %s: two worksheets have four sides:\n%s", file, paper, info)
			}
			if code := strings.TrimSpace(tool("zbarimg", "-q", "--raw", "page.png")); code != held.QR() {
				t.Errorf("%s on %s: the code says %q", file, paper, code)
			}
		}
	}
}

// TestPrintedTextAlone has two people with sheets of paper, a list of words and
// Python: they type what stands on the first sides, and run the program that
// stands on the second.
func TestPrintedTextAlone(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"chromium", "pdftotext", "python3"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	const secret = "a secret that outlives the program"
	dir, _ := shareSet(t, secret, "2", "alice", "bob", "carol")
	work := t.TempDir()
	page := filepath.Join(work, "page.html")
	must(t, nil, "share", "print", filepath.Join(dir, "share-3-carol.txt"), filepath.Join(dir, "share-1-alice.txt"), "--out", page)
	tool := func(name string, args ...string) string {
		t.Helper()
		c := exec.Command(name, args...)
		c.Dir = work
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		return string(out)
	}
	tool("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+filepath.Join(work, "profile"), "--no-pdf-header-footer", "--print-to-pdf=page.pdf", "file://"+page)
	sides := strings.Split(tool("pdftotext", "-layout", "page.pdf", "-"), "\f")
	if len(sides) != 5 || sides[4] != "" {
		t.Fatalf("two sheets have %d sides", len(sides)-1)
	}
	words := regexp.MustCompile(`(?m)^ *[0-9]+(?: +[a-z]+){8} *$`)
	var names []string
	for i, side := range []string{sides[0], sides[2]} {
		names = append(names, fmt.Sprintf("share-%d.txt", i))
		lines := words.FindAllString(side, -1)
		if err := os.WriteFile(filepath.Join(work, names[i]), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, program, found := strings.Cut(sides[1], "#!/usr/bin/env python3\n")
	if !found {
		t.Fatalf("there is no program on the second side:\n%s", sides[1])
	}
	if err := os.WriteFile(filepath.Join(work, "recover.py"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := filepath.Abs("../../shamir/words.txt")
	if err != nil {
		t.Fatal(err)
	}
	if have := tool("python3", append([]string{"recover.py", list}, names...)...); have != secret {
		t.Errorf("the sheets give %q", have)
	}
}
