package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReportInABrowser prints the page on both papers and reads it back: every
// digest is on it whole, on as many pages as people expect, and on a narrow
// screen nothing stands outside.
func TestReportInABrowser(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"chromium", "pdftotext", "pdfinfo"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	dir := estate(t, "two-tier", true)
	work := t.TempDir()
	page := filepath.Join(work, "page.html")
	must(t, nil, "-C", dir, "ceremony", "report", "--html", page)
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
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
		if info := tool("pdfinfo", "page.pdf"); !regexp.MustCompile(`Pages: +[34]\n`).MatchString(info) {
			t.Errorf("%s: not three or four pages:\n%s", paper, info)
		}
		printed := tool("pdftotext", "-layout", "page.pdf", "-")
		for line := range strings.Lines(string(sums)) {
			if sum, _, _ := strings.Cut(line, " "); !strings.Contains(printed, sum) {
				t.Errorf("%s: %q is not on the page whole", paper, line)
			}
		}
		if !strings.Contains(printed, "Signature") || strings.Count(printed, "Name, role") != 3 {
			t.Errorf("%s: no place to sign", paper)
		}
	}
	// A page of its own measures itself; the report has no scripts.
	probe := bytes.Replace(text, []byte("default-src 'none'"), []byte("default-src 'unsafe-inline'"), 1)
	probe = bytes.Replace(probe, []byte("</body>"), []byte("<script>document.title = 'too wide by ' + (document.documentElement.scrollWidth - innerWidth)</script></body>"), 1)
	if err := os.WriteFile(page, probe, 0o600); err != nil {
		t.Fatal(err)
	}
	dom := tool("chromium", append(browser, "--window-size=600,900", "--dump-dom", "file://"+page)...)
	if !regexp.MustCompile(`<title>too wide by (0|-[0-9]+)</title>`).MatchString(dom) {
		t.Errorf("on a narrow screen: %s", regexp.MustCompile(`<title>.*</title>`).FindString(dom))
	}
}
