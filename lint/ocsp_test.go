package lint

import (
	"crypto"
	"encoding/pem"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// answer is a response by a responder of the root, which signs until next.
func answer(t testing.TB, this, next time.Time) (response, responder []byte) {
	t.Helper()
	s := responderScene("", nil)(t)
	responder = s.blocks[0].Bytes
	template := ocsp.Response{Status: ocsp.Good, SerialNumber: serial("issuing"), ThisUpdate: this, NextUpdate: next, IssuerHash: crypto.SHA256}
	response, err := ocsp.CreateResponse(parse(t, s.blocks[1].Bytes), parse(t, responder), template, testKey(t, "ecdsa-p256", "issuing"))
	noError(t, err)
	return response, responder
}

func TestOCSPFixtures(t *testing.T) {
	l := mustNew(t, "private")
	for verdict, next := range map[string]time.Time{"pass": testNow.AddDate(0, 0, 7), "fail": {}} {
		response, responder := answer(t, testNow.Add(-time.Hour), next)
		file := filepath.Join("testdata", ObjectOCSP, "e_ocsp_response_window."+verdict+".pem")
		if *update {
			golden(t, file, slices.Concat([]byte("A response, "+verdict+".\n\n"), pem.EncodeToMemory(&pem.Block{Type: "OCSP RESPONSE", Bytes: response}),
				pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: responder})))
		}
		text := readFixture(t, file) // a response says when it was made, so it is not made again
		block, rest := pem.Decode(text)
		signer, _ := pem.Decode(rest)
		var want []string
		if verdict == "fail" {
			want = []string{"error e_ocsp_response_window"}
		}
		if got := words(l.OCSP(OCSPResponse{DER: block.Bytes, Responder: signer.Bytes}, testNow)); !slices.Equal(got, want) {
			t.Errorf("%s: findings are %v, want %v", verdict, got, want)
		}
	}
}

func TestOCSPWindows(t *testing.T) {
	l := mustNew(t, "private")
	for name, c := range map[string]struct {
		next    time.Time
		longest time.Duration
		want    string
	}{
		"a week":               {testNow.AddDate(0, 0, 7), 0, ""},
		"over":                 {testNow.Add(-time.Second), 0, "ended on"},
		"backwards":            {testNow.AddDate(0, 0, -9), 0, "and begins on"},
		"more than is allowed": {testNow.AddDate(0, 0, 7), 24 * time.Hour, "and 1 days is allowed"},
		"two years":            {testNow.AddDate(2, 0, 0), 0, "and 372 days is allowed"},
		"after its signer":     {testNow.AddDate(0, 6, 0), 0, "the responder's certificate on"},
	} {
		response, responder := answer(t, testNow.AddDate(0, 0, -1), c.next)
		got := l.OCSP(OCSPResponse{DER: response, Responder: responder, Longest: c.longest}, testNow)
		said := ""
		if len(got) > 0 {
			said = got[0].Detail
		}
		if (c.want == "") != (said == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: %q, want %q", name, said, c.want)
		}
	}
	if got := l.OCSP(OCSPResponse{DER: []byte{0x30, 0x03, 0x0a, 0x01, 0x06}}, testNow); len(got) != 1 || got[0].Severity != Fatal || !strings.Contains(got[0].Detail, "status 6") {
		t.Errorf("a refusal: findings are %+v", got)
	}
}

func FuzzOCSP(f *testing.F) {
	for _, next := range []time.Time{testNow, {}} {
		response, _ := answer(f, testNow.Add(-time.Hour), next)
		f.Add(response)
	}
	l := mustNew(f, "private")
	f.Fuzz(func(t *testing.T, der []byte) {
		sound(t, l.OCSP(OCSPResponse{DER: der}, testNow))
		// The library skips what stands behind the answers, and ours does not.
		theirs, err := ocsp.ParseResponse(der, nil)
		own, ownErr := readOCSP(der)
		if err != nil || ownErr != nil {
			return
		}
		same := func(a ocspAnswer) bool { return a.this.Equal(theirs.ThisUpdate) && a.next.Equal(theirs.NextUpdate) }
		if !slices.ContainsFunc(own.answers, same) {
			t.Errorf("ours is %+v, the library's %s to %s", own, theirs.ThisUpdate, theirs.NextUpdate)
		}
	})
}
