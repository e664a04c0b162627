package lint

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"
)

// TestPrivateIsQuiet holds against profile private what good private hierarchies
// have and the WebPKI forbids. Profile webpki says something of each, so the test
// notices when a case is no longer one.
func TestPrivateIsQuiet(t *testing.T) {
	private, webpki := mustNew(t, "private"), mustNew(t, "webpki")
	client := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	for name, change := range map[string]func(*x509.Certificate){
		"groups of a Kubernetes user": func(c *x509.Certificate) {
			c.Subject = pkix.Name{CommonName: "kubernetes-admin", Organization: []string{"system:masters", "dev"}}
			c.ExtKeyUsage, c.DNSNames = client, nil
		},
		"a kubelet's common name": func(c *x509.Certificate) {
			c.Subject = pkix.Name{CommonName: "system:node:worker1", Organization: []string{"system:nodes"}}
		},
		"nonRepudiation of XCA": func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageContentCommitment },
		"several attributes in one RDN": func(c *x509.Certificate) {
			der, err := asn1.Marshal(pkix.RDNSequence{{
				{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "host.acme.internal"},
				{Type: asn1.ObjectIdentifier{2, 5, 4, 5}, Value: "SN123"},
			}})
			noError(t, err)
			c.RawSubject = der
		},
		"a device that was born with it": func(c *x509.Certificate) {
			c.Subject = pkix.Name{Organization: []string{"ACME"}, SerialNumber: "PID:AB-12 SN:00042"}
			c.ExtKeyUsage, c.DNSNames = nil, nil
			c.NotAfter = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
		},
		"an address of a person who logs in": func(c *x509.Certificate) {
			c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "ada@acme.example"}}
			c.ExtKeyUsage, c.DNSNames = client, nil
		},
	} {
		s := leafCase(name, change)(t)
		text := s.encode(nil)
		for _, f := range judge(t, private, text) {
			if f.Severity >= Warn {
				t.Errorf("%s: private says %s %s: %s", name, f.Severity, f.Lint, f.Detail)
			}
		}
		loud := false
		for _, f := range judge(t, webpki, text) {
			loud = loud || f.Severity >= Warn
		}
		if !loud {
			t.Errorf("%s: webpki says nothing either, so this shows nothing", name)
		}
	}
}

// TestSoftenKeepsWhatHurts sees that a name which no client matches stays an
// error, whatever the common name is.
func TestSoftenKeepsWhatHurts(t *testing.T) {
	l := mustNew(t, "private")
	for name, change := range map[string]func(*x509.Certificate){
		"e_dnsname_bad_character_in_label": func(c *x509.Certificate) {
			c.Subject.CommonName, c.DNSNames = "system:node:worker1", []string{"host.acme.internal:8443"}
		},
		"e_subj_email_not_in_san": func(c *x509.Certificate) {
			c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "ada@acme.example"}}
			c.ExtKeyUsage, c.EmailAddresses = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, []string{"eve@acme.example"}
		},
	} {
		s := leafCase(name, change)(t)
		found := false
		for _, f := range judge(t, l, s.encode(nil)) {
			found = found || f.Lint == name && f.Severity == Error
		}
		if !found {
			t.Errorf("%s is not an error any more", name)
		}
	}
}
