package lint

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the fixtures of testdata again")

// fixture is the pass and the fail of one rule.
type fixture struct {
	rule       string
	pass, fail func(testing.TB) scene
}

// allFixtures is in the order of the rules that are not about a step-ca tree.
func allFixtures() []fixture {
	return slices.Concat(readingFixtures(), authorityFixtures(), keyFixtures(), identityFixtures(), familyFixtures(), latticeFixtures(), weakKeyFixtures(), timestampFixtures(), dateFixtures(),
		rootFixtures(), rootShapeFixtures(), intermediateFixtures(), purposeFixtures(), placeFixtures(), urlFixtures(), nameFixtures(), usageFixtures(), lifeFixtures(), constraintFixtures(),
		crossFixtures(), responderFixtures(), revocationFixtures(), entryFixtures(), revocationScopeFixtures(), revocationIssuerFixtures(), reachFixtures(),
		requestFixtures(), requestContentFixtures(), requestNameFixtures())
}

func fixturePath(kind, rule, verdict string) string {
	return filepath.Join("testdata", kind, rule+"."+verdict+".pem")
}

// TestFixtures judges every fixture as it lies on disk: a pass has nothing that
// anybody would have to act upon, a fail has the rule's finding and no other
// than those that are declared. It also keeps the files from drifting away from
// what makes them.
func TestFixtures(t *testing.T) {
	l := mustNew(t, "private")
	severities := map[string]Severity{}
	for _, r := range l.Rules() {
		severities[r.ID] = r.Severity
	}
	for _, f := range allFixtures() {
		for verdict, build := range map[string]func(testing.TB) scene{"pass": f.pass, "fail": f.fail} {
			t.Run(f.rule+"."+verdict, func(t *testing.T) {
				s := build(t)
				want := slices.Clone(s.also)
				if verdict == "fail" {
					want = append(want, fmt.Sprintf("%s %s", severities[f.rule], f.rule))
				}
				slices.Sort(want)
				file := fixturePath(s.kind, f.rule, verdict)
				text := golden(t, file, s.encode(want))
				// A rule may find its fault in several places; notices of other
				// rules ask for nothing.
				heard := slices.DeleteFunc(judge(t, l, text), func(found Finding) bool { return found.Severity < Warn && found.Lint != f.rule })
				if got := slices.Compact(words(heard)); !slices.Equal(got, want) {
					t.Errorf("findings are\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
				}
			})
		}
	}
}

// words is the findings as "severity id", sorted.
func words(findings []Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s %s", f.Severity, f.Lint))
	}
	slices.Sort(out)
	return out
}

// golden compares the file with what made it, or writes it, and returns what
// is on disk.
func golden(t testing.TB, file string, made []byte) []byte {
	t.Helper()
	if *update {
		noError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		noError(t, os.WriteFile(file, made, 0o644))
	}
	text := readFixture(t, file)
	if !bytes.Equal(text, made) {
		t.Errorf("%s is not what the generator makes: run go test -update and review the difference", file)
	}
	return text
}

// TestStepCAFixtures judges the step-ca trees. They are written by hand, but for
// certificates and keys.
func TestStepCAFixtures(t *testing.T) {
	l := mustNew(t, "private")
	stepCAKeys(t)
	for _, r := range l.Rules() {
		if r.Object != ObjectStepCA {
			continue
		}
		for _, verdict := range []string{"pass", "fail"} {
			t.Run(r.ID+"."+verdict, func(t *testing.T) {
				got := words(l.StepCAAt(readTree(t, filepath.Join("testdata", "step-ca", r.ID+"."+verdict)), testNow))
				var want []string
				if verdict == "fail" {
					want = []string{fmt.Sprintf("%s %s", r.Severity, r.ID)}
				}
				// A fail may show several variants of its rule's fault.
				if got = slices.Compact(got); !slices.Equal(got, want) {
					t.Errorf("findings are %q, want %q", got, want)
				}
			})
		}
	}
}

// readTree is every file below a directory. Git does not keep permissions, so
// a file MODES gives those that are not 0600.
func readTree(t testing.TB, dir string) []File {
	t.Helper()
	var tree []File
	root := os.DirFS(dir)
	modes := map[string]fs.FileMode{}
	listed, err := fs.ReadFile(root, "MODES")
	if err == nil {
		for line := range strings.Lines(string(listed)) {
			var mode fs.FileMode
			var name string
			_, err := fmt.Sscanf(line, "%o %s", &mode, &name)
			noError(t, err)
			modes[name] = mode
		}
	}
	noError(t, fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == "MODES" {
			return err
		}
		mode, given := modes[path]
		if !given {
			mode = 0o600
		}
		data, err := fs.ReadFile(root, path)
		tree = append(tree, File{Path: path, Mode: mode, Data: data})
		return err
	}))
	return tree
}

// stepCAKeys makes the certificates and keys of the trees about the root's key:
// in the fail it lies under a name that does not give it away.
func stepCAKeys(t *testing.T) {
	rootKey, issuingKey := testKey(t, "ecdsa-p384", "root"), testKey(t, "ecdsa-p256", "issuing")
	s := certificateScene(t, "", nil)
	file := func(verdict, name string, block *pem.Block) {
		path := filepath.Join("testdata", "step-ca", "e_caj_root_key_on_issuing_host."+verdict, name)
		golden(t, path, pem.EncodeToMemory(block))
	}
	private := func(key crypto.Signer) *pem.Block {
		der, err := x509.MarshalPKCS8PrivateKey(key.(steady).Signer)
		noError(t, err)
		return &pem.Block{Type: "PRIVATE KEY", Headers: map[string]string{"Comment": "throw-away test key"}, Bytes: der}
	}
	for _, verdict := range []string{"pass", "fail"} {
		file(verdict, "certs/intermediate_ca.crt", s.blocks[0])
		file(verdict, "certs/root_ca.crt", s.blocks[1])
		file(verdict, "secrets/intermediate_ca_key", private(issuingKey))
	}
	file("fail", "secrets/signing_key", private(rootKey))
	golden(t, filepath.Join("testdata", "step-ca", "w_caj_key_not_encrypted.fail", "secrets", "intermediate_ca_key"), pem.EncodeToMemory(private(issuingKey)))

	another := rootTemplate(t, rootKey)
	another.SerialNumber, another.Subject.CommonName = serial("another root"), "ACME Root CA G0"
	anotherKey := testKey(t, "ecdsa-p384", "another root")
	another.SubjectKeyId = keyID(t, anotherKey)
	other := &pem.Block{Type: "CERTIFICATE", Bytes: signCertificate(t, another, another, anotherKey, anotherKey)}
	old := certificateScene(t, "", func(g *stage) { g.subject.NotAfter = testNow.AddDate(0, 0, -1) }).blocks[0]
	tree := func(rule, verdict string, issuing, root *pem.Block) {
		for name, block := range map[string]*pem.Block{"intermediate_ca.crt": issuing, "root_ca.crt": root} {
			golden(t, filepath.Join("testdata", "step-ca", rule+"."+verdict, "certs", name), pem.EncodeToMemory(block))
		}
	}
	tree("e_caj_chain_does_not_build", "pass", s.blocks[0], s.blocks[1])
	tree("e_caj_chain_does_not_build", "fail", s.blocks[0], other)
	tree("e_caj_issuer_expired", "pass", s.blocks[0], s.blocks[1])
	tree("e_caj_issuer_expired", "fail", old, s.blocks[1])
	for verdict, root := range map[string]*pem.Block{"pass": s.blocks[1], "fail": other} {
		tree("e_caj_fingerprint_not_of_root", verdict, s.blocks[0], s.blocks[1])
		defaults := fmt.Sprintf("{\n  \"ca-url\": \"https://ca.acme.internal\",\n  \"fingerprint\": \"%x\"\n}\n", sha256.Sum256(root.Bytes))
		golden(t, filepath.Join("testdata", "step-ca", "e_caj_fingerprint_not_of_root."+verdict, "config", "defaults.json"), []byte(defaults))
	}
}

func readFixture(t testing.TB, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	noError(t, err)
	return text
}
