package lint

import (
	"bytes"
	"crypto"
	"crypto/x509"
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
	return answerBy(t, s, responder, nil, this, next), responder
}

// answerBy is a response about the root's certificates, signed by the key of
// the responder, that encloses a certificate.
func answerBy(t testing.TB, s scene, responder []byte, enclosed *x509.Certificate, this, next time.Time) []byte {
	t.Helper()
	template := ocsp.Response{Status: ocsp.Good, SerialNumber: serial("issuing"), ThisUpdate: this, NextUpdate: next, IssuerHash: crypto.SHA256, Certificate: enclosed}
	response, err := ocsp.CreateResponse(parse(t, s.blocks[1].Bytes), parse(t, responder), template, testKey(t, "ecdsa-p256", "issuing"))
	noError(t, err)
	return response
}

// ocspFixtures makes the pass and the fail of every rule about responses: the
// response, and the certificates of responder and issuer. An issuer is left out
// where only the window is judged.
func ocspFixtures(t testing.TB) map[string][2][][]byte {
	s := responderScene("", nil)(t)
	responder, root := s.blocks[0].Bytes, s.blocks[1].Bytes
	other := rootScene(t, "", func(g *stage) { g.subject.Subject.CommonName = "Another Root" }).blocks[0].Bytes
	leaf := responderScene("", func(g *stage) {
		g.subject.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})(t).blocks[0].Bytes
	hourAgo, soon := testNow.Add(-time.Hour), testNow.AddDate(0, 0, 7)
	by := func(signer []byte, this, next time.Time) []byte {
		return answerBy(t, s, signer, parse(t, signer), this, next)
	}
	good := [][]byte{by(responder, hourAgo, soon), responder, root}
	broken := slices.Clone(good[0])
	// The signature stands before the certificate that is enclosed.
	i := bytes.LastIndex(broken, responder)
	broken[i-12] ^= 1
	return map[string][2][][]byte{
		"e_ocsp_response_window":            {{by(responder, hourAgo, soon), responder}, {by(responder, hourAgo, time.Time{}), responder}},
		"e_ocsp_signature_not_by_responder": {good, {broken, responder, root}},
		"e_ocsp_responder_not_authorized":   {good, {by(leaf, hourAgo, soon), leaf, root}},
		"e_ocsp_not_about_issuer":           {good, {answerBy(t, scene{blocks: []*pem.Block{nil, {Bytes: other}}}, responder, parse(t, responder), hourAgo, soon), responder, root}},
		"w_ocsp_this_update_future":         {good, {by(responder, testNow.Add(time.Hour), soon), responder, root}},
	}
}

// judgeOCSP judges a fixture as it lies on disk.
func judgeOCSP(l *Linter, text []byte) []Finding {
	var ders [3][]byte
	for i, rest := 0, text; i < len(ders); i++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block != nil {
			ders[i] = block.Bytes
		}
	}
	return l.OCSP(OCSPResponse{DER: ders[0], Responder: ders[1], Issuer: ders[2]}, testNow)
}

func TestOCSPFixtures(t *testing.T) {
	l := mustNew(t, "private")
	made := ocspFixtures(t)
	for _, r := range l.Rules() {
		if r.Object != ObjectOCSP {
			continue
		}
		for i, verdict := range []string{"pass", "fail"} {
			file := filepath.Join("testdata", ObjectOCSP, r.ID+"."+verdict+".pem")
			if *update {
				text := []byte(r.ID + ", " + verdict + ".\n")
				for k, der := range made[r.ID][i] {
					text = append(text, "\n"...)
					text = append(text, pem.EncodeToMemory(&pem.Block{Type: []string{"OCSP RESPONSE", "CERTIFICATE", "CERTIFICATE"}[k], Bytes: der})...)
				}
				golden(t, file, text)
			}
			var want []string
			if verdict == "fail" {
				want = []string{r.Severity.String() + " " + r.ID}
			}
			// A response says when it was made, so it is not made again. Of a
			// future one zlint says so, too.
			got := slices.DeleteFunc(words(judgeOCSP(l, readFixture(t, file))), func(w string) bool {
				return r.ID == "w_ocsp_this_update_future" && w == "error e_this_update_not_after_produced_at"
			})
			if !slices.Equal(got, want) {
				t.Errorf("%s.%s: findings are %v, want %v", r.ID, verdict, got, want)
			}
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
