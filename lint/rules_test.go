package lint

import (
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestConstraints walks the forms of names that a fence may leave open.
func TestConstraints(t *testing.T) {
	network := func(s string) *net.IPNet { _, n, err := net.ParseCIDR(s); noError(t, err); return n }
	servers := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for name, c := range map[string]struct {
		change func(*x509.Certificate)
		want   string // the forms that stay open; empty for none
	}{
		"no constraints":  {func(c *x509.Certificate) {}, ""},
		"only exceptions": {func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"example.com"} }, ""},
		"dns, any purpose": {func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"a"} },
			"IP addresses, mailboxes, URIs"},
		"dns, any extended key usage": {func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.ExtKeyUsage = []string{"a"}, []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
		}, "IP addresses, mailboxes, URIs"},
		"addresses, servers": {func(c *x509.Certificate) {
			c.PermittedIPRanges, c.ExtKeyUsage = []*net.IPNet{network("10.0.0.0/8")}, servers
		}, "DNS names"},
		"dns, every address excluded": {func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.ExtKeyUsage = []string{"a"}, servers
			c.ExcludedIPRanges = []*net.IPNet{network("0.0.0.0/0"), network("::/0")}
		}, ""},
		"dns, every IPv4 address excluded": {func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.ExtKeyUsage = []string{"a"}, servers
			c.ExcludedIPRanges = []*net.IPNet{network("0.0.0.0/0")}
		}, "IP addresses"},
		"dns, some IPv4 and every IPv6 address excluded": {func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.ExtKeyUsage = []string{"a"}, servers
			c.ExcludedIPRanges = []*net.IPNet{network("10.0.0.0/8"), network("::/0")}
		}, "IP addresses"},
		"dns, senders of mail": {func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.ExtKeyUsage = []string{"a"}, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
		}, "mailboxes"},
		"mailboxes, senders of mail": {func(c *x509.Certificate) {
			c.PermittedEmailAddresses, c.ExtKeyUsage = []string{"a"}, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
		}, ""},
		"dns, clients": {func(c *x509.Certificate) {
			c.PermittedDNSDomains, c.ExtKeyUsage = []string{"a"}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}, ""},
	} {
		s := certificateScene(t, "", func(g *stage) {
			g.subject.PermittedDNSDomainsCritical = true
			c.change(g.subject)
		})
		want := ""
		if c.want != "" {
			want = "names are constrained, but " + c.want + " stay open: the authority may issue any of them"
		}
		if got := details(t, s, "e_ica_nc_type_hole"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// details is what the rule says of the scene, joined by a bar.
func details(t testing.TB, s scene, id string) string {
	t.Helper()
	var out []string
	for _, f := range judge(t, mustNew(t, "private"), s.encode(nil)) {
		if f.Lint == id {
			out = append(out, f.Detail)
		}
	}
	return strings.Join(out, "|")
}

// TestPathLength walks the roles: what the estate says decides what is asked.
func TestPathLength(t *testing.T) {
	const id = "e_ica_pathlen_missing_or_nonzero"
	for _, c := range []struct {
		role   Role
		length int
		want   string
	}{
		{RoleIssuing, 0, ""}, {RoleIssuing, 1, "the path length is 1, and the authority signs leaves only"},
		{RolePolicy, 1, ""}, {RolePolicy, -1, "basicConstraints has no path length"},
		{RoleUnknown, 1, ""}, {RoleUnknown, -1, "basicConstraints has no path length"},
	} {
		s := subordinateScene(t, "", func(root *x509.Certificate) { root.MaxPathLen = 3 }, func(g *stage) {
			g.role, g.subject.MaxPathLen, g.subject.MaxPathLenZero = c.role, c.length, c.length == 0
		})
		if got := details(t, s, id); (c.want == "") != (got == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s with path length %d: %q, want %q", c.role, c.length, got, c.want)
		}
	}
}

// TestParentPathLength: an issuer with path length zero may issue no authority
// at all, and one without a path length any.
func TestParentPathLength(t *testing.T) {
	for _, c := range []struct {
		parent, child int
		want          string
	}{
		{0, 0, "may issue no authority"}, {1, 0, ""}, {1, 1, "no verifier grants that depth"}, {2, 1, ""}, {-1, 7, ""}, {2, -1, ""},
	} {
		s := subordinateScene(t, "",
			func(root *x509.Certificate) { root.MaxPathLen, root.MaxPathLenZero = c.parent, c.parent == 0 },
			func(g *stage) { g.subject.MaxPathLen, g.subject.MaxPathLenZero = c.child, c.child == 0 })
		if got := details(t, s, "e_ica_pathlen_exceeds_parent"); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("issuer %d, certificate %d: %q, want %q", c.parent, c.child, got, c.want)
		}
	}
}

// TestKeyRollover shows that a self-issued certificate by an older key is no
// root: its issuer's key judges it.
func TestKeyRollover(t *testing.T) {
	old, young := testKey(t, "ecdsa-p384", "root"), testKey(t, "ecdsa-p384", "root 2")
	template := rootTemplate(t, old)
	root := signCertificate(t, template, template, old, old)
	template = rootTemplate(t, young)
	template.AuthorityKeyId, template.CRLDistributionPoints = keyID(t, old), []string{rootCRLURL}
	parent := parse(t, root)
	link := signCertificate(t, template, parent, young, old)
	if z, err := zCertificate(Certificate{DER: link, Issuer: root}, parent); err != nil || z.SelfSigned {
		t.Errorf("zlint takes a key rollover certificate for a root, error %v", err)
	}
	l := mustNew(t, "private")
	if got := loud(l.Certificate(Certificate{DER: link, Issuer: root}, testNow)); len(got) > 0 {
		t.Errorf("a key rollover certificate with its issuer has findings %v", words(got))
	}
	if got := l.Certificate(Certificate{DER: link}, testNow); !has(got, "e_root_not_self_signed") {
		t.Errorf("a key rollover certificate without its issuer has findings %v", words(got))
	}
}

// TestNamesakes: a new key under the old name is an accident, until a link
// certificate says that it is none.
func TestNamesakes(t *testing.T) {
	old, young := testKey(t, "ecdsa-p384", "root"), testKey(t, "ecdsa-p384", "root 2")
	template := rootTemplate(t, old)
	first := signCertificate(t, template, template, old, old)
	template = rootTemplate(t, young)
	second := signCertificate(t, template, template, young, young)
	template.SerialNumber, template.AuthorityKeyId, template.CRLDistributionPoints = serial("link"), keyID(t, old), []string{rootCRLURL}
	link := signCertificate(t, template, parse(t, first), young, old)
	among := func(others ...[]byte) bool {
		f := &family{}
		f.add("first", first)
		f.add("second", second)
		for _, der := range others {
			f.add("link", der)
		}
		return slices.ContainsFunc(f.judge(t, "first"), func(found string) bool { return strings.Contains(found, "w_ca_subject_reused_new_key") })
	}
	if !among() {
		t.Error("two roots of one name are quiet")
	}
	if among(link) {
		t.Error("two roots of one name and their link certificate are loud")
	}
}

// TestRootsOwnIdentifier shows that a root is its own issuer, also when it is
// handed in as such.
func TestRootsOwnIdentifier(t *testing.T) {
	wrong := rootScene(t, "", func(g *stage) { g.subject.AuthorityKeyId = []byte("an old root's key id") })
	if got := details(t, wrong, "e_ca_aki_issuer_ski_mismatch"); !strings.HasPrefix(got, "the authority key identifier is 616e") {
		t.Errorf("detail is %q", got)
	}
	der := rootScene(t, "", nil).blocks[0].Bytes
	if got := loud(mustNew(t, "private").Certificate(Certificate{DER: der, Issuer: der, Role: RoleRoot}, testNow)); len(got) > 0 {
		t.Errorf("a root with itself as issuer has findings %v", words(got))
	}
}

// TestIssuerWithoutIdentifier shows that an identifier which the issuer does
// not have is told from a wrong one.
func TestIssuerWithoutIdentifier(t *testing.T) {
	s := certificateScene(t, "", nil)
	o := &object{cert: &certificate{Certificate: parse(t, s.blocks[0].Bytes), issuer: &x509.Certificate{}}}
	if got := checkAuthorityKeyID(o); len(got) != 1 || !strings.HasSuffix(got[0], "the issuer has no subject key identifier") {
		t.Errorf("details are %q", got)
	}
}

// TestIssuersKey shows that an authority with its own issuer's key is found.
func TestIssuersKey(t *testing.T) {
	s := certificateScene(t, "", func(g *stage) { g.key = g.rootKey; g.subject.SubjectKeyId = nil })
	if got := details(t, s, "e_ca_key_reused_in_hierarchy"); !strings.HasPrefix(got, "the key is that of its own issuer") {
		t.Errorf("detail is %q", got)
	}
}

// TestRoles walks what contradicts a role.
func TestRoles(t *testing.T) {
	root, issuing := rootScene(t, "", nil), certificateScene(t, "", nil)
	for _, c := range []struct {
		s    scene
		role Role
		want string
	}{
		{root, RoleRoot, ""}, {root, RoleUnknown, ""},
		{root, RolePolicy, `is its own issuer`},
		{root, RoleLeaf, "is its own issuer|the role is leaf, and the CA flag"},
		{issuing, RolePolicy, ""},
		{issuing, RoleRoot, "is not the subject"},
		{issuing, RoleLeaf, "the role is leaf, and the CA flag of basicConstraints is true"},
	} {
		c.s.role = c.role
		if got := details(t, c.s, "e_ca_contradicts_role"); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("role %s: %q, want %q", c.role, got, c.want)
		}
	}
}

// TestBrokenContext shows that an issuer or a previous list that cannot be read
// does not pass in silence.
func TestBrokenContext(t *testing.T) {
	l := mustNew(t, "private")
	s, list := certificateScene(t, "", nil), listScene(t, "", nil, nil)
	for name, got := range map[string][]Finding{
		"issuer of a certificate": l.Certificate(Certificate{DER: s.blocks[0].Bytes, Issuer: []byte("x")}, testNow),
		"issuer of a list":        l.CRL(CRL{DER: list.blocks[0].Bytes, Issuer: []byte{}}, testNow),
		"previous list":           l.CRL(CRL{DER: list.blocks[0].Bytes, Previous: s.blocks[0].Bytes}, testNow),
	} {
		if len(got) == 0 || got[0].Lint != idUnparsable || got[0].Severity != Fatal || !strings.Contains(got[0].Detail, "nothing was compared with it") {
			t.Errorf("%s: findings are %+v", name, got)
		}
	}
}

// TestExpiry walks the clock over a list's life.
func TestExpiry(t *testing.T) {
	s := listScene(t, "", nil, nil)
	end := crlFrom.AddDate(0, 0, 400)
	l := mustNew(t, "private")
	for name, c := range map[string]struct {
		now  time.Time
		want string
	}{
		"before it ends": {end.Add(-time.Second), ""},
		"when it ends":   {end, "the next update was due on 2027-04-05T00:00:00Z, and it is 2027-04-05T00:00:00Z"},
		"no clock":       {time.Time{}, ""},
	} {
		got := l.CRL(CRL{DER: s.blocks[0].Bytes, Issuer: s.blocks[2].Bytes}, c.now)
		i := slices.IndexFunc(got, func(f Finding) bool { return f.Lint == "e_crlx_expired_or_soon" })
		if (i >= 0) != (c.want != "") || i >= 0 && !strings.HasPrefix(got[i].Detail, c.want) {
			t.Errorf("%s: findings are %+v", name, got)
		}
	}
}

// TestSameListAgain shows that a list is not its own successor.
func TestSameListAgain(t *testing.T) {
	der := listScene(t, "", nil, nil).blocks[0].Bytes
	if got := loud(mustNew(t, "private").CRL(CRL{DER: der, Previous: der}, testNow)); len(got) > 0 {
		t.Errorf("findings are %v", words(got))
	}
}

// TestPreviousOfAnother shows that a stranger's list is not taken for the one
// before.
func TestPreviousOfAnother(t *testing.T) {
	ours := listScene(t, "", nil, nil)
	theirs := listScene(t, "", func(root *x509.Certificate) { root.Subject.CommonName = "Another Root" }, nil)
	ours.blocks[1] = theirs.blocks[1]
	if got := details(t, ours, "e_crlx_number_not_increasing"); !strings.Contains(got, "they cannot be compared") {
		t.Errorf("detail is %q", got)
	}
}

// TestVanishedAreCounted shows that a detail names a few and counts the rest.
func TestVanishedAreCounted(t *testing.T) {
	s := listScene(t, "", nil, func(g *listStage) {
		g.list.RevokedCertificateEntries, g.previous.RevokedCertificateEntries = nil, nil
		for i := range 7 {
			g.previous.RevokedCertificateEntries = append(g.previous.RevokedCertificateEntries,
				x509.RevocationListEntry{SerialNumber: big.NewInt(int64(i + 16)), RevocationTime: crlFrom.AddDate(-1, 0, 0)})
		}
	})
	want := "serial number 10, 11, 12, 13, 14 and 2 more: in the list before and not in this one: revoked certificates would be good again"
	if got := details(t, s, "e_crlx_entry_vanished"); got != want {
		t.Errorf("detail is %q, want %q", got, want)
	}
}

// TestOldRequest shows that a request signed with SHA-1 is old, and proves
// possession all the same, unless it was edited.
func TestOldRequest(t *testing.T) {
	l := mustNew(t, "private")
	for _, algorithm := range []string{"rsa-4096", "ecdsa-p256"} {
		der := sha1Request(t, testKey(t, algorithm, "issuing"), algorithm)
		if got := words(l.CSR(der)); !slices.Equal(got, []string{"warn w_csr_weak_or_old"}) {
			t.Errorf("%s: findings are %v", algorithm, got)
		}
		replaceOnce(t, der, "Issuing CA G1", "Issuing CA G2")
		if got := words(l.CSR(der)); !slices.Equal(got, []string{"error e_csr_signature_invalid", "warn w_csr_weak_or_old"}) {
			t.Errorf("%s, edited: findings are %v", algorithm, got)
		}
	}
}

// sha1Request is a request that is signed as in the old days, which Go does
// not do any more.
func sha1Request(t testing.TB, key crypto.Signer, algorithm string) []byte {
	t.Helper()
	good := requestScene(t, "", key, 0, nil).blocks[0].Bytes
	var request struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	_, err := asn1.Unmarshal(good, &request)
	noError(t, err)
	request.Algorithm.FullBytes = []byte{0x30, 0x09, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01} // ecdsa-with-SHA1
	if strings.HasPrefix(algorithm, "rsa") {
		request.Algorithm.FullBytes = []byte{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00} // sha1WithRSAEncryption
	}
	sum := sha1.Sum(request.TBS.FullBytes)
	signature, err := key.Sign(nil, sum[:], crypto.SHA1)
	noError(t, err)
	request.Signature = asn1.BitString{Bytes: signature, BitLength: len(signature) * 8}
	der, err := asn1.Marshal(request)
	noError(t, err)
	return der
}

// TestRequestKeys walks the keys that a request may bring.
func TestRequestKeys(t *testing.T) {
	l := mustNew(t, "private")
	for algorithm, want := range map[string]string{
		"ecdsa-p256": "", "ecdsa-p384": "", "ed25519": "", "rsa-4096": "",
		"rsa-2048":   "the RSA key has 2048 bits, fewer than 3072",
		"ecdsa-p224": "the key is on curve P-224",
	} {
		got := l.CSR(requestScene(t, "", testKey(t, algorithm, "issuing"), 0, nil).blocks[0].Bytes)
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || got[0].Detail != want) {
			t.Errorf("%s: findings are %+v, want %q", algorithm, got, want)
		}
	}
	if got := l.CSR([]byte("-----BEGIN")); len(got) != 1 || got[0].Severity != Fatal {
		t.Errorf("text: findings are %+v", got)
	}
}
