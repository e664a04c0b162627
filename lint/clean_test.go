package lint

import (
	"crypto/x509"
	"testing"
)

// loud is the findings that somebody would have to act upon.
func loud(findings []Finding) []Finding {
	var out []Finding
	for _, f := range findings {
		if f.Severity >= Warn {
			out = append(out, f)
		}
	}
	return out
}

// TestCleanHierarchy keeps the promise that a private hierarchy as it should be
// is left in peace, signed or as a draft, whatever its keys.
func TestCleanHierarchy(t *testing.T) {
	l := mustNew(t, "private") // shared: a linter holds no state
	for _, algorithm := range []string{"ecdsa-p256", "ecdsa-p384", "rsa-4096", "ed25519"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			cleanHierarchy(t, l, algorithm)
		})
	}
}

func cleanHierarchy(t *testing.T, l *Linter, algorithm string) {
	rootKey, issuingKey := testKey(t, algorithm, "root"), testKey(t, algorithm, "issuing")
	if algorithm == "rsa-4096" {
		issuingKey = testKey(t, "rsa-2048", "issuing")
	}
	template := rootTemplate(t, rootKey)
	root := signCertificate(t, template, template, rootKey, rootKey)
	template = issuingTemplate(t, issuingKey)
	bare := signCertificate(t, template, parse(t, root), issuingKey, rootKey)
	template.IssuingCertificateURL = []string{"http://pki.acme.example/root.cer"}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	full := signCertificate(t, template, parse(t, root), issuingKey, rootKey)
	rootCRL := crlTemplate(t, rootCRLURL, true)
	issuingCRL := crlTemplate(t, issuingCRLURL, false)
	empty := crlTemplate(t, rootCRLURL, false)
	empty.RevokedCertificateEntries = nil

	others := []KnownKey{{Owner: "authority.other", SPKI: spki(t, testKey(t, "ecdsa-p256", "other"))}}
	for _, draft := range []bool{false, true} {
		for name, c := range map[string]Certificate{
			"root":          {DER: root, Role: RoleRoot},
			"root unknown":  {DER: root},
			"issuing":       {DER: bare, Issuer: root, Role: RoleIssuing},
			"issuing full":  {DER: full, Issuer: root, Role: RoleIssuing},
			"issuing alone": {DER: full},
		} {
			c.Draft, c.OtherKeys = draft, others
			if draft {
				c.DER = withStandIn(t, c.DER)
			}
			for _, f := range loud(l.Certificate(c, testNow)) {
				t.Errorf("%s, draft %t: %+v", name, draft, f)
			}
		}
		for name, c := range map[string]CRL{
			"root":    {DER: signCRL(t, rootCRL, root, rootKey), Issuer: root},
			"empty":   {DER: signCRL(t, empty, root, rootKey), Issuer: root},
			"alone":   {DER: signCRL(t, rootCRL, root, rootKey)},
			"issuing": {DER: signCRL(t, issuingCRL, full, issuingKey), Issuer: full},
		} {
			c.Draft = draft
			if draft {
				c.DER = withStandIn(t, c.DER)
			}
			c.NextSigning = crlFrom.AddDate(1, 0, 0)
			for _, f := range loud(l.CRL(c, testNow)) {
				t.Errorf("crl %s, draft %t: %+v", name, draft, f)
			}
		}
	}
}
