package lint

import (
	"crypto/x509"
	"net"
	"strings"
	"testing"
	"time"
)

// TestWithin walks names and constraints, from RFC 5280 §4.2.1.10.
func TestWithin(t *testing.T) {
	for _, c := range []struct {
		judge            func(string, string) bool
		name, constraint string
		want             bool
	}{
		{withinDomain, "acme.internal", "acme.internal", true}, {withinDomain, "a.b.ACME.internal", "acme.internal", true},
		{withinDomain, "notacme.internal", "acme.internal", false}, {withinDomain, "acme.internal", ".acme.internal", false},
		{withinDomain, "a.acme.internal", ".acme.internal", true}, {withinDomain, "anything", "", true},
		{withinMailbox, "ada@acme.example", "ada@acme.example", true}, {withinMailbox, "bob@acme.example", "ada@acme.example", false},
		{withinMailbox, "ada@acme.example", "acme.example", true}, {withinMailbox, "ada@mail.acme.example", "acme.example", false},
		{withinMailbox, "ada@mail.acme.example", ".acme.example", true}, {withinMailbox, "acme.example", "acme.example", true},
		{withinHost, "acme.example", "acme.example", true}, {withinHost, "www.acme.example", "acme.example", false},
		{withinHost, "www.acme.example", ".acme.example", true},
	} {
		if got := c.judge(c.name, c.constraint); got != c.want {
			t.Errorf("%q within %q is %t", c.name, c.constraint, got)
		}
	}
}

// TestInsideParent walks the forms of names that an issuer's constraints cover.
func TestInsideParent(t *testing.T) {
	network := func(s string) *net.IPNet { _, n, err := net.ParseCIDR(s); noError(t, err); return n }
	parent := func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical = true
		c.PermittedDNSDomains, c.ExcludedDNSDomains = []string{"acme.internal"}, []string{"secret.acme.internal"}
		c.PermittedIPRanges = []*net.IPNet{network("10.0.0.0/8")}
		c.PermittedEmailAddresses, c.PermittedURIDomains = []string{"acme.example"}, []string{".acme.internal"}
	}
	for name, c := range map[string]struct {
		change func(*x509.Certificate)
		want   string
	}{
		"inside":          {func(c *x509.Certificate) { c.DNSNames = []string{"*.eu.acme.internal"} }, ""},
		"outside":         {func(c *x509.Certificate) { c.DNSNames = []string{"acme.example"} }, `DNS name "acme.example" is outside`},
		"excluded":        {func(c *x509.Certificate) { c.DNSNames = []string{"a.secret.acme.internal"} }, `is excluded`},
		"address":         {func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("192.0.2.1")} }, "IP address 192.0.2.1 is outside"},
		"address inside":  {func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("10.1.2.3")} }, ""},
		"mailbox":         {func(c *x509.Certificate) { c.EmailAddresses = []string{"ada@other.example"} }, `mailbox "ada@other.example" is outside`},
		"wider range":     {func(c *x509.Certificate) { c.PermittedIPRanges = []*net.IPNet{network("10.0.0.0/7")} }, "the permitted range 10.0.0.0/7 is outside"},
		"narrower range":  {func(c *x509.Certificate) { c.PermittedIPRanges = []*net.IPNet{network("10.1.0.0/16")} }, ""},
		"wider domain":    {func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"internal"} }, `the permitted DNS name "internal" is outside`},
		"no names at all": {func(*x509.Certificate) {}, ""},
	} {
		s := belowPolicyAuthority(t, "", parent, c.change)
		got := details(t, s, "e_ica_nc_child_violates_parent")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestKeyIdentifierMethods walks the ways to derive an identifier.
func TestKeyIdentifierMethods(t *testing.T) {
	key := testKey(t, "ecdsa-p256", "issuing")
	good := keyID(t, key)
	for name, c := range map[string]struct {
		id   []byte
		want bool
	}{
		"RFC 7093": {good, true}, "cut to eight octets": {good[:8], true}, "too short": {good[:7], false}, "another key's": {keyID(t, testKey(t, "ecdsa-p256", "x")), false},
	} {
		s := certificateScene(t, "", func(g *stage) { g.subject.SubjectKeyId = c.id })
		if got := details(t, s, "e_ca_ski_not_rfc_method"); (got == "") != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestROCAFalseAlarms shows that honest keys do not have the fingerprint.
func TestROCAFalseAlarms(t *testing.T) {
	for _, algorithm := range []string{"rsa-2048", "rsa-4096"} {
		key := parse(t, func() []byte {
			k := testKey(t, algorithm, "root")
			template := rootTemplate(t, k)
			return signCertificate(t, template, template, k, k)
		}())
		if got := checkROCA(&object{cert: &certificate{Certificate: key}}); got != nil {
			t.Errorf("%s: %q", algorithm, got)
		}
	}
}

// TestMLDSAPrehash shows that a key of HashML-DSA is told.
func TestMLDSAPrehash(t *testing.T) {
	s := latticeScene("", hashMLDSA44, 1312, false, nil)(t)
	if got := details(t, s, "e_ca_mldsa_params_or_prehash"); !strings.Contains(got, "HashML-DSA") {
		t.Errorf("detail is %q", got)
	}
}

// TestMLDSALists shows that HashML-DSA and a signature cut short are told of a
// list, whose issuer nobody has.
func TestMLDSALists(t *testing.T) {
	for word, s := range map[string]scene{
		"HashML-DSA (2.16.840.1.101.3.4.3.33)":                         latticeList("", hashMLDSA44+1, 3309, false)(t),
		"the signature of ML-DSA-87 has 4626 octets":                   latticeList("", mldsa87, 4626, false)(t),
		"2.16.840.1.101.3.4.3.17 of the signature has parameters 0500": latticeList("", mldsa44, 2420, true)(t),
	} {
		if got := details(t, s, "e_crlx_mldsa_signature"); !strings.Contains(got, word) {
			t.Errorf("detail is %q, want %q", got, word)
		}
	}
}

// TestUnlikelyStarts walks the days at which clocks begin.
func TestUnlikelyStarts(t *testing.T) {
	for start, want := range map[string]bool{
		"1970-01-01T00:03:00Z": true, "1980-01-01T12:00:00Z": true, "2000-01-01T00:00:00Z": true, "2000-01-02T00:00:00Z": false, "2026-01-01T00:00:00Z": false,
	} {
		s := rootScene(t, "", func(g *stage) { g.subject.NotBefore = instant(t, start) })
		if got := details(t, s, "e_ca_not_before_unlikely"); (got != "") != want {
			t.Errorf("%s: %q", start, got)
		}
	}
}

// TestWidened walks what a cross-certificate may leave out.
func TestWidened(t *testing.T) {
	limited := func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"acme.internal"}
	}
	for name, c := range map[string]struct {
		change func(*x509.Certificate)
		want   []string
	}{
		"the same":       {limited, nil},
		"nothing":        {nil, []string{"limited to the purposes 1.3.6.1.5.5.7.3.1", "the name constraints are not the twin's"}},
		"no path length": {func(c *x509.Certificate) { limited(c); c.MaxPathLen = -1 }, []string{"the path length is missing, the twin's is 1"}},
		"a purpose more": {func(c *x509.Certificate) {
			limited(c)
			c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
		}, []string{"limited to the purposes"}},
	} {
		got := details(t, crossScene("", limited, c.change, nil)(t), "e_xsign_widens_constraints")
		if (got == "") != (c.want == nil) {
			t.Errorf("%s: %q", name, got)
		}
		for _, part := range c.want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %q, want %q", name, got, part)
			}
		}
	}
}

// TestBrokenSurroundings shows that what cannot be read is not passed over.
func TestBrokenSurroundings(t *testing.T) {
	s := certificateScene(t, "", nil)
	bad := []byte{0x30, 0x00}
	l := mustNew(t, "private")
	for name, c := range map[string]Certificate{
		"another certificate": {Others: []KnownCertificate{{Owner: "authority.x", DER: bad}}}, "twin": {Twin: bad}, "authority": {AnswersFor: bad}, "request": {Request: bad},
	} {
		c.DER = s.blocks[0].Bytes
		got := l.Certificate(c, testNow)
		if len(got) == 0 || got[0].Lint != idUnparsable || !strings.Contains(got[0].Detail, "nothing was compared with it") {
			t.Errorf("%s: findings are %+v", name, got)
		}
	}
	crl := l.CRL(CRL{DER: listScene(t, "", nil, nil).blocks[0].Bytes, Covers: [][]byte{bad}}, testNow)
	if len(crl) == 0 || crl[0].Lint != idUnparsable {
		t.Errorf("a certificate that a list covers: findings are %+v", crl)
	}
}

// TestBackdatedDraft shows that a draft does not get out of a lint of zlint by
// an old date: the ceremony's date counts.
func TestBackdatedDraft(t *testing.T) {
	s := rootScene(t, "", func(g *stage) {
		g.subject.NotBefore = time.Date(1998, 1, 2, 0, 0, 0, 0, time.UTC)
		g.subject.KeyUsage = 0
	})
	l := mustNew(t, "private")
	const id = "e_ca_key_usage_missing" // counts from 2002
	signed := l.Certificate(Certificate{DER: s.blocks[0].Bytes}, testNow)
	draft := l.Certificate(Certificate{DER: s.blocks[0].Bytes, Draft: true}, testNow)
	if has(signed, id) || !has(draft, id) {
		t.Errorf("signed: %v, draft: %v", words(signed), words(draft))
	}
}

// TestComingLint shows that a lint of zlint that does not count yet is a notice
// that says when it will.
func TestComingLint(t *testing.T) {
	s := rootScene(t, "", func(g *stage) { g.subject.KeyUsage = 0 })
	got := mustNew(t, "private").Certificate(Certificate{DER: s.blocks[0].Bytes}, time.Date(1998, 6, 1, 0, 0, 0, 0, time.UTC))
	for _, f := range got {
		if f.Lint == "e_ca_key_usage_missing" && f.Severity == Notice && strings.Contains(f.Detail, "(error from 2002") && strings.HasSuffix(f.Detail, " days)") {
			return
		}
	}
	t.Errorf("findings are %+v", got)
}
