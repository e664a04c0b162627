package tbs

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pki.internal/spec"
)

// TestCertificateReadsBack holds random certificates against crypto/x509 as a
// reader: every field comes back, and the signature verifies.
func TestCertificateReadsBack(t *testing.T) {
	all := wishes(t)
	rapid.Check(t, func(r *rapid.T) {
		w := all.Draw(r, "wish")
		built := w.build(t)
		c, err := x509.ParseCertificate(w.issuerKey.seal(t, built))
		if err != nil {
			r.Fatal(err)
		}
		if !bytes.Equal(c.RawTBSCertificate, built) {
			r.Fatal("Assemble changed the bytes that were signed")
		}
		if err := Verify(w.issuerKey.algorithm, w.issuerKey.spki, c.RawTBSCertificate, c.Signature); err != nil {
			r.Fatal(err)
		}
		w.holds(r, c)
		w.holdsConstraints(r, c)
	})
}

// holds compares a parsed certificate with what was wished for.
func (w wish) holds(r *rapid.T, c *x509.Certificate) {
	same := func(what string, ok bool) {
		if !ok {
			r.Errorf("%s does not read back", what)
		}
	}
	same("version", c.Version == 3)
	same("serial", c.SerialNumber.Cmp(new(big.Int).SetBytes(w.serial)) == 0)
	same("signature algorithm", c.SignatureAlgorithm == goSignature(w.issuerKey.algorithm))
	same("not before", c.NotBefore.Equal(w.from))
	same("not after", c.NotAfter.Equal(w.to))
	same("subject", nameReadsBack(w.subject, c.RawSubject))
	same("issuer", nameReadsBack(w.issuer, c.RawIssuer))
	same("public key", bytes.Equal(c.RawSubjectPublicKeyInfo, w.key.spki))
	same("CA", c.IsCA && c.BasicConstraintsValid)
	same("path length", c.MaxPathLen == w.pathLen && c.MaxPathLenZero == (w.pathLen == 0))
	same("key usage", c.KeyUsage == x509.KeyUsageCertSign|x509.KeyUsageCRLSign)
	same("extended key usage", slices.Equal(c.ExtKeyUsage, goUsages(w.usages)) && len(c.UnknownExtKeyUsage) == 0)
	same("subject key identifier", bytes.Equal(c.SubjectKeyId, w.key.id))
	same("authority key identifier", bytes.Equal(c.AuthorityKeyId, w.issuerKey.id))
	same("caIssuers", slices.Equal(c.IssuingCertificateURL, w.aia) && len(c.OCSPServer) == 0)
	same("distribution points", slices.Equal(c.CRLDistributionPoints, w.cdp))
	for _, e := range c.Extensions {
		want := slices.Contains([]string{oidKeyUsage, oidBasicConstraints}, e.Id.String()) || e.Id.String() == oidNameConstraints && w.constraints.Critical
		same("criticality of "+e.Id.String(), e.Critical == want)
	}
	same("set of critical extensions", len(c.UnhandledCriticalExtensions) == 0)
}

func (w wish) holdsConstraints(r *rapid.T, c *x509.Certificate) {
	n := w.constraints
	if n == nil {
		n = &spec.NameConstraints{}
	}
	for _, kind := range []struct {
		word       string
		have, want []string
	}{
		{"permitted DNS", c.PermittedDNSDomains, n.PermittedDNS}, {"excluded DNS", c.ExcludedDNSDomains, n.ExcludedDNS},
		{"permitted IP", prefixes(c.PermittedIPRanges), n.PermittedIP}, {"excluded IP", prefixes(c.ExcludedIPRanges), n.ExcludedIP},
		{"permitted email", c.PermittedEmailAddresses, n.PermittedEmail}, {"excluded email", c.ExcludedEmailAddresses, n.ExcludedEmail},
		{"permitted URI", c.PermittedURIDomains, n.PermittedURI}, {"excluded URI", c.ExcludedURIDomains, n.ExcludedURI},
	} {
		if !slices.Equal(kind.have, kind.want) {
			r.Errorf("%s = %q, want %q", kind.word, kind.have, kind.want)
		}
	}
}

// prefixes writes Go's networks as the estate does.
func prefixes(networks []*net.IPNet) []string {
	var all []string
	for _, n := range networks {
		address, _ := netip.AddrFromSlice(n.IP)
		ones, _ := n.Mask.Size()
		all = append(all, netip.PrefixFrom(address, ones).String())
	}
	return all
}

// nameReadsBack takes a name's DER apart by hand: one attribute to an RDN, in
// order, and PrintableString where it suffices.
func nameReadsBack(want spec.Name, der []byte) bool {
	var rdns [][]struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	type set = struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	var sequence []asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &sequence); err != nil || len(rest) > 0 || len(sequence) != len(want) {
		return false
	}
	for _, raw := range sequence {
		var attributes []set
		if _, err := asn1.UnmarshalWithParams(raw.FullBytes, &attributes, "set"); err != nil || len(attributes) != 1 {
			return false
		}
		rdns = append(rdns, attributes)
	}
	for i, a := range want {
		have := rdns[i][0]
		tag := asn1.TagUTF8String
		if strings.Trim(a.Value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?") == "" {
			tag = asn1.TagPrintableString
		}
		if have.Type.String() != a.OID() || string(have.Value.Bytes) != a.Value || have.Value.Tag != tag {
			return false
		}
	}
	return true
}

func goSignature(a spec.Algorithm) x509.SignatureAlgorithm {
	return map[spec.Algorithm]x509.SignatureAlgorithm{
		spec.ECDSAP256: x509.ECDSAWithSHA256, spec.ECDSAP384: x509.ECDSAWithSHA384, spec.ECDSAP521: x509.ECDSAWithSHA512,
		spec.RSA3072PSS: x509.SHA256WithRSAPSS, spec.RSA4096PSS: x509.SHA384WithRSAPSS,
		spec.RSA3072: x509.SHA256WithRSA, spec.RSA4096: x509.SHA384WithRSA, spec.Ed25519: x509.PureEd25519,
	}[a]
}

func goUsages(usages []spec.ExtKeyUsage) []x509.ExtKeyUsage {
	var all []x509.ExtKeyUsage
	for _, u := range usages {
		all = append(all, map[spec.ExtKeyUsage]x509.ExtKeyUsage{
			"server_auth": x509.ExtKeyUsageServerAuth, "client_auth": x509.ExtKeyUsageClientAuth, "code_signing": x509.ExtKeyUsageCodeSigning,
			"email_protection": x509.ExtKeyUsageEmailProtection, "time_stamping": x509.ExtKeyUsageTimeStamping,
		}[u])
	}
	return all
}

// TestTimes crosses the year in which RFC 5280 §4.1.2.5 changes the form.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		at   string
		want string // the bytes of the time, in text
		tag  byte
	}{
		{"1950-01-01T00:00:00Z", "500101000000Z", asn1.TagUTCTime},
		{"2049-12-31T23:59:59Z", "491231235959Z", asn1.TagUTCTime},
		{"2050-01-01T00:00:00Z", "20500101000000Z", asn1.TagGeneralizedTime},
		{"2049-12-31T23:59:59-01:00", "20500101005959Z", asn1.TagGeneralizedTime},
		{"9999-12-31T23:59:59Z", "99991231235959Z", asn1.TagGeneralizedTime},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		w := plain(t)
		w.from, w.to = at, at
		certificate := w.build(t)
		list := must[[]byte](t)((&CRL{
			Signature: spec.Ed25519, Issuer: must[[]byte](t)(EncodeName(w.issuer)), ThisUpdate: at, NextUpdate: at,
			Entries: []Entry{{Serial: "01", Date: at}},
		}).Build(Keys{}))
		encoded := append([]byte{c.tag, byte(len(c.want))}, c.want...)
		if n := bytes.Count(certificate, encoded); n != 2 {
			t.Errorf("%s: the certificate has %q %d times, want 2", c.at, c.want, n)
		}
		if n := bytes.Count(list, encoded); n != 3 {
			t.Errorf("%s: the CRL has %q %d times, want 3", c.at, c.want, n)
		}
	}
	w := plain(t)
	w.to = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := w.template(t).Build(w.keys()); err == nil {
		t.Error("the year 10000 was written")
	}
}

// TestCertificateRefuses walks the ways in which a template out of a plan can
// be wrong.
func TestCertificateRefuses(t *testing.T) {
	spki := plain(t).key.spki
	for name, c := range map[string]struct {
		change func(*Certificate, *Keys)
		want   string
	}{
		"no serial":         {func(c *Certificate, _ *Keys) { c.Serial = "" }, "serial"},
		"serial zero":       {func(c *Certificate, _ *Keys) { c.Serial = "00" }, "serial"},
		"signed serial":     {func(c *Certificate, _ *Keys) { c.Serial = "-1" }, "serial"},
		"plus serial":       {func(c *Certificate, _ *Keys) { c.Serial = "+1" }, "serial"},
		"capital serial":    {func(c *Certificate, _ *Keys) { c.Serial = "AB" }, "serial"},
		"half an octet":     {func(c *Certificate, _ *Keys) { c.Serial = "abc" }, "whole octets"},
		"serial of 2^159":   {func(c *Certificate, _ *Keys) { c.Serial = "80" + strings.Repeat("00", 19) }, "2^159"},
		"signature":         {func(c *Certificate, _ *Keys) { c.Signature = "md5" }, "md5"},
		"no issuer":         {func(c *Certificate, _ *Keys) { c.Issuer = nil }, "distinguished name"},
		"two names":         {func(c *Certificate, _ *Keys) { c.Subject = append(c.Subject, c.Subject...) }, "distinguished name"},
		"name not sequence": {func(c *Certificate, _ *Keys) { c.Subject = []byte{0x31, 0} }, "distinguished name"},
		"empty extension":   {func(c *Certificate, _ *Keys) { c.Extensions[0].Value = nil }, "no value"},
		"unknown opening":   {func(c *Certificate, _ *Keys) { c.Extensions[0].Open = "sesame" }, "sesame"},
		"bad OID":           {func(c *Certificate, _ *Keys) { c.Extensions[0].OID = "2.05.29" }, "object identifier"},
		"impossible OID":    {func(c *Certificate, _ *Keys) { c.Extensions[0].OID = "9.9.9" }, "object identifier"},
		"no issuer's id":    {func(_ *Certificate, k *Keys) { k.IssuerID = nil }, "issuer's key identifier"},
		"no key":            {func(_ *Certificate, k *Keys) { k.Subject = nil }, "public key"},
		"bytes behind key":  {func(_ *Certificate, k *Keys) { k.Subject = append(slices.Clone(spki), 0) }, "bytes follow"},
	} {
		t.Run(name, func(t *testing.T) {
			w := plain(t)
			template, keys := w.template(t), w.keys()
			c.change(template, &keys)
			built, err := template.Build(keys)
			if err == nil || built != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Build = %x, %v; want an error with %q", built, err, c.want)
			}
		})
	}
	w := plain(t)
	w.serial = append([]byte{0x7f}, bytes.Repeat([]byte{0xff}, 19)...)
	w.build(t) // 2^159-1
}

// TestNoExtensions holds RFC 5280 §4.1.2.9: the field is left out and not
// empty.
func TestNoExtensions(t *testing.T) {
	w := plain(t)
	template := w.template(t)
	template.Extensions = nil
	built := must[[]byte](t)(template.Build(w.keys()))
	c, err := x509.ParseCertificate(w.issuerKey.seal(t, built))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Extensions) != 0 || bytes.HasSuffix(built, []byte{0xa3, 2, 0x30, 0}) {
		t.Errorf("the TBS ends in %x", built[len(built)-4:])
	}
}
