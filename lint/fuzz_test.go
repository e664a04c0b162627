package lint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// seed adds the DER of every fixture of a kind.
func seed(f *testing.F, kind string) {
	for _, fixture := range allFixtures() {
		for _, s := range []scene{fixture.pass(f), fixture.fail(f)} {
			if s.kind == kind {
				f.Add(s.blocks[0].Bytes)
			}
		}
	}
}

// sound is what every list of findings keeps, whatever the object: it is
// sorted, complete, can be written, and says nothing of a panic in our own
// rules.
func sound(t *testing.T, findings []Finding) {
	for i, f := range findings {
		if f.Lint == "" || f.Severity < Notice || f.Severity > Fatal || f.Detail == "" || f.Source == "" {
			t.Errorf("finding %+v is not complete", f)
		}
		if f.Source == SourcePKI && f.Advice == "" || f.Severity == Fatal && f.Source == SourcePKI && f.Lint != idUnparsable {
			t.Errorf("our own finding %+v has no advice or is a panic", f)
		}
		if i > 0 && findings[i-1].Severity < f.Severity {
			t.Errorf("%s stands behind %s", f.Severity, findings[i-1].Severity)
		}
	}
	if _, err := json.Marshal(findings); err != nil {
		t.Error(err)
	}
}

func FuzzCertificate(f *testing.F) {
	seed(f, ObjectCertificate)
	l := mustNew(f, "webpki")
	s := certificateScene(f, "", nil)
	f.Fuzz(func(t *testing.T, der []byte) {
		sound(t, l.Certificate(Certificate{DER: der}, time.Time{}))
		c := Certificate{DER: der, Draft: true, Issuer: s.blocks[1].Bytes, Role: RoleIssuing}
		cleared, findings, err := l.ClearCertificate(c, "x", Policy{}, testNow)
		sound(t, findings)
		if (err == nil) != (cleared.TBS() != nil) {
			t.Errorf("cleared %x with error %v", cleared.TBS(), err)
		}
		sound(t, l.Certificate(Certificate{DER: s.blocks[0].Bytes, Issuer: der}, testNow))
	})
}

func FuzzCRL(f *testing.F) {
	seed(f, ObjectCRL)
	l := mustNew(f, "webpki")
	s := listScene(f, "", nil, nil)
	f.Fuzz(func(t *testing.T, der []byte) {
		sound(t, l.CRL(CRL{DER: der}, time.Time{}))
		sound(t, l.CRL(CRL{DER: der, Draft: true, Issuer: s.blocks[2].Bytes, Previous: s.blocks[1].Bytes, NextSigning: testNow}, testNow))
		sound(t, l.CRL(CRL{DER: s.blocks[0].Bytes, Previous: der}, testNow))
	})
}

func FuzzCSR(f *testing.F) {
	seed(f, ObjectCSR)
	l := mustNew(f, "private")
	f.Fuzz(func(t *testing.T, der []byte) { sound(t, l.CSR(der)) })
}

func FuzzStepCA(f *testing.F) {
	configs, err := filepath.Glob(filepath.Join("testdata", "step-ca", "*", "config", "ca.json"))
	noError(f, err)
	for _, path := range configs {
		data, err := os.ReadFile(path)
		noError(f, err)
		f.Add("secrets/root_ca_key", data, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	}
	l := mustNew(f, "private")
	f.Fuzz(func(t *testing.T, path string, config, file []byte) {
		sound(t, l.StepCA([]File{{Path: "config/ca.json", Data: config}, {Path: path, Data: file}}))
	})
}
