package lint

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSecondReadingIsTheFirst lets our rules judge every certificate of ours
// and of zlint's that Go reads twice: as Go reads it, and as the second parser
// does. They must find the same.
func TestSecondReadingIsTheFirst(t *testing.T) {
	l := mustNew(t, "private")
	ours, err := filepath.Glob(filepath.Join("testdata", ObjectCertificate, "*.pem"))
	noError(t, err)
	theirs, err := filepath.Glob(filepath.Join(zlintFolder(t), "*.pem"))
	noError(t, err)
	compared := 0
	for _, file := range slices.Concat(ours, theirs) {
		text, err := os.ReadFile(file)
		noError(t, err)
		block, _ := pem.Decode(text)
		if block == nil || block.Type != "CERTIFICATE" {
			continue
		}
		first, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue
		}
		second := secondReading(block.Bytes)
		if second == nil {
			continue // what it does not read, nobody asks it about: Go did
		}
		compared++
		judge := func(c *x509.Certificate) []Finding {
			found := l.run(ObjectCertificate, &object{now: testNow, cert: &certificate{Certificate: c}})
			sortFindings(found)
			return found
		}
		if diff := cmp.Diff(judge(first), judge(second)); diff != "" {
			t.Errorf("%s: the readings differ (- Go, + the other)\n%s", file, diff)
		}
	}
	if compared < 800 {
		t.Errorf("only %d certificates were compared", compared)
	}
}

// TestBrokenCertificateIsStillLinted shows that our rules see what Go refuses.
func TestBrokenCertificateIsStillLinted(t *testing.T) {
	s := rootScene(t, "", func(g *stage) { g.subject.NotAfter = g.subject.NotBefore.AddDate(1, 0, 0) })
	der := s.blocks[0].Bytes
	for i := range der {
		if der[i] == 0x02 && der[i+1] == 0x10 { // the serial number gets a sign
			der[i+2] |= 0x80
			break
		}
	}
	var heard []string
	for _, f := range mustNew(t, "private").Certificate(Certificate{DER: der}, testNow) {
		heard = append(heard, f.Lint)
	}
	for _, want := range []string{idGoRefuses, "w_root_validity_out_of_range", "e_root_not_self_signed"} {
		if !slices.Contains(heard, want) {
			t.Errorf("%s is not heard in %s", want, strings.Join(heard, " "))
		}
	}
}

// TestListWithMore shows that octets behind a list are said, which Go passes
// over.
func TestListWithMore(t *testing.T) {
	der := append(listScene(t, "", nil, nil).blocks[0].Bytes, 0)
	if got := mustNew(t, "private").CRL(CRL{DER: der}, testNow); len(got) == 0 || got[0].Lint != idUnparsable {
		t.Errorf("findings are %v", words(got))
	}
}
