package lint

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
	ctx509 "github.com/google/certificate-transparency-go/x509"

	"pki.internal/plan/tbs/public"
)

// logKey is the public key of the log of the fixtures.
func logKey(t testing.TB) []byte {
	t.Helper()
	spki, err := public.Marshal(testKey(t, "ecdsa-p256", "a log").Public())
	noError(t, err)
	return spki
}

// timestamp signs what a log signs of a certificate that will carry the
// timestamp.
func timestamp(t testing.TB, der, issuer []byte, at time.Time) []byte {
	t.Helper()
	leaf, err := ctx509.ParseCertificate(der)
	noError(t, err)
	above, err := ctx509.ParseCertificate(issuer)
	noError(t, err)
	sct := ct.SignedCertificateTimestamp{SCTVersion: ct.V1, LogID: ct.LogID{KeyID: sha256.Sum256(logKey(t))}, Timestamp: uint64(at.UnixMilli())}
	signed, err := tls.Marshal(ct.CertificateTimestamp{
		SCTVersion: ct.V1, SignatureType: ct.CertificateTimestampSignatureType, Timestamp: sct.Timestamp, EntryType: ct.PrecertLogEntryType,
		PrecertEntry: &ct.PreCert{IssuerKeyHash: sha256.Sum256(above.RawSubjectPublicKeyInfo), TBSCertificate: leaf.RawTBSCertificate},
	})
	noError(t, err)
	digest := sha256.Sum256(signed)
	signature, err := testKey(t, "ecdsa-p256", "a log").Sign(nil, digest[:], crypto.SHA256)
	noError(t, err)
	sct.Signature = ct.DigitallySigned{Algorithm: tls.SignatureAndHashAlgorithm{Hash: tls.SHA256, Signature: tls.ECDSA}, Signature: signature}
	raw, err := tls.Marshal(sct)
	noError(t, err)
	return raw
}

// loggedScene is an issuing authority with a timestamp, which may be changed.
func loggedScene(about string, at time.Time, change func(sct []byte)) func(testing.TB) scene {
	return func(t testing.TB) scene {
		bare := certificateScene(t, about, nil)
		sct := timestamp(t, bare.blocks[0].Bytes, bare.blocks[1].Bytes, at)
		if change != nil {
			change(sct)
		}
		list, err := tls.Marshal(ctx509.SignedCertificateTimestampList{SCTList: []ctx509.SerializedSCT{{Val: sct}}})
		noError(t, err)
		value, err := asn1.Marshal(list)
		noError(t, err)
		return certificateScene(t, about, func(g *stage) {
			g.subject.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: value}}
			g.fact("log", base64.StdEncoding.EncodeToString(logKey(t)))
		})
	}
}

func timestampFixtures() []fixture {
	return []fixture{{
		rule: "e_ca_sct_invalid",
		pass: loggedScene("An issuing authority with a timestamp of a log that is trusted.", testNow.Add(-time.Hour), nil),
		fail: loggedScene("An issuing authority whose timestamp was moved by a second after the log had signed it.", testNow.Add(-time.Hour), func(sct []byte) {
			sct[1+32+6] ^= 4 // version, log id, then the timestamp in milliseconds
		}),
	}}
}

// TestTimestampsTellWhatIsWrong changes one thing of a timestamp at a time.
func TestTimestampsTellWhatIsWrong(t *testing.T) {
	for want, build := range map[string]func(testing.TB) scene{
		"is not on the list":   loggedScene("", testNow.Add(-time.Hour), func(sct []byte) { sct[5] ^= 1 }),
		"will give it on":      loggedScene("", testNow.Add(time.Hour), nil),
		"not over this":        loggedScene("", testNow.Add(-time.Hour), func(sct []byte) { sct[len(sct)-1] ^= 1 }),
		"unknown SCT version":  loggedScene("", testNow.Add(-time.Hour), func(sct []byte) { sct[0] = 9 }),
		"timestamp 1 of 1: it": loggedScene("", testNow.Add(-time.Hour), func(sct []byte) { sct[41] = 0xff }), // extensions longer than the rest
	} {
		if got := details(t, build(t), "e_ca_sct_invalid"); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestReadLogs(t *testing.T) {
	list := func(field string, key []byte) []byte {
		text, err := json.Marshal(map[string]any{"operators": []any{map[string]any{field: []any{map[string]any{"description": "a log", "key": key}}}}})
		noError(t, err)
		return text
	}
	for _, field := range []string{"logs", "tiled_logs"} {
		logs, err := ReadLogs(list(field, logKey(t)))
		noError(t, err)
		if len(logs.known) != 1 {
			t.Errorf("%s: %d logs", field, len(logs.known))
		}
	}
	for name, text := range map[string][]byte{"no JSON": []byte("x"), "no logs": []byte("{}"), "a bad key": list("logs", []byte{1})} {
		if _, err := ReadLogs(text); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
