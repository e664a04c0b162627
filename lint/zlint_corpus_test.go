package lint

import (
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// expectation is one case of zlint's own tests: a fixture, a lint, a result.
type expectation struct{ file, lint, result string }

// expectations reads zlint's own tests, as far as they are of the plain shape:
// a fixture, a result, and a call of TestLint or TestRevocationListLint.
func expectations(t testing.TB) []expectation {
	t.Helper()
	functions := regexp.MustCompile(`(?s)\nfunc Test\w*\(t \*testing\.T\) \{\n(.*?)\n\}`)
	input := regexp.MustCompile(`"([\w.+-]+\.(?:pem|crl|crt|cer))"`)
	result := regexp.MustCompile(`expected :?= lint\.(\w+)`)
	name := regexp.MustCompile(`Test(?:RevocationList)?Lint\((?:t, )?"(\w+)"`)
	var all []expectation
	lints := filepath.Join(filepath.Dir(zlintFolder(t)), "lints")
	noError(t, filepath.WalkDir(lints, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, f := range functions.FindAllSubmatch(text, -1) {
			i, r, n := input.FindAllSubmatch(f[1], -1), result.FindAllSubmatch(f[1], -1), name.FindAllSubmatch(f[1], -1)
			if len(i) == 1 && len(r) == 1 && len(n) == 1 {
				all = append(all, expectation{string(i[0][1]), string(n[0][1]), string(r[0][1])})
			}
		}
		return err
	}))
	return all
}

// TestCorpusOfZLint judges zlint's fixtures with the results that its own tests
// expect, through everything that we put around zlint.
func TestCorpusOfZLint(t *testing.T) {
	l := mustNew(t, "webpki")
	on := l.ZLints()
	all, asked, loud := expectations(t), 0, 0
	for _, e := range all {
		text, err := os.ReadFile(filepath.Join(zlintFolder(t), e.file))
		if err != nil || !slices.Contains(on, e.lint) {
			continue
		}
		block, _ := pem.Decode(text)
		if block == nil {
			continue
		}
		asked++
		var findings []Finding
		if strings.Contains(block.Type, "CRL") {
			findings = l.CRL(CRL{DER: block.Bytes}, time.Time{})
		} else {
			findings = l.Certificate(Certificate{DER: block.Bytes}, time.Time{})
		}
		want := e.result == "Error" || e.result == "Warn" || e.result == "Notice" || e.result == "Fatal"
		if want {
			loud++
		}
		heard := slices.ContainsFunc(findings, func(f Finding) bool { return f.Lint == e.lint })
		if heard != want {
			t.Errorf("%s on %s: heard %t, and zlint expects %s", e.lint, e.file, heard, e.result)
		}
	}
	if asked < 500 || loud < 150 {
		t.Errorf("only %d of %d cases were asked, %d of them loud", asked, len(all), loud)
	}
	t.Logf("%d cases of zlint's own tests, %d of them loud", asked, loud)
}
