package plan

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"pki.internal/lint"
	"pki.internal/plan/tbs"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// fromCSR plans the certificate of an authority whose key lives elsewhere. Of
// the request only the public key is taken, after it has proved possession of
// the private one; everything else comes from the estate.
func (m *maker) fromCSR(a *spec.Authority) {
	request, algorithm, ok := m.request(a.Origin, a.CSR, Label(a.Address, a.KeyGeneration()))
	if !ok {
		return
	}
	if why := spec.StepCACannotSay(algorithm); why != "" {
		for _, o := range m.estate.OnlineCAs {
			if o.Authority == a {
				m.diags.Report(o.Origin, "authority", "Algorithm that step-ca cannot use", "The request %s has a key of %s. %s", a.CSR.Path, algorithm.Title(), why)
				return
			}
		}
	}
	spki := request.RawSubjectPublicKeyInfo
	sum := sha256.Sum256(a.CSR.DER)
	m.materials[a.Address] = &material{
		ref:  KeyRef{Address: a.Address, Generation: a.KeyGeneration(), Algorithm: algorithm, SPKI: spki},
		spki: spki,
	}
	ref := &CSRRef{Path: a.CSR.Path, SHA256: hex.EncodeToString(sum[:]), Ignored: ignored(request, a.Subject)}
	m.around.addKey(Label(a.Address, a.KeyGeneration()), spki)
	m.certificate(a, ref, m.linter.Request(lint.Request{DER: a.CSR.DER, OtherKeys: m.around.keys(spki, Label(a.Address, a.KeyGeneration())), Grant: m.grant(a)})...)
}

// request reads a request for somebody's certificate. Its key is one that is
// proven to be held, that signatures can be made with, and nobody else's.
func (m *maker) request(o spec.Origin, csr *spec.CSR, owner string) (*x509.CertificateRequest, spec.Algorithm, bool) {
	request, err := x509.ParseCertificateRequest(csr.DER)
	if err != nil {
		m.diags.Report(o, "csr", "Request that cannot be read",
			"%s: %s. Ask for a PKCS#10 request in PEM or DER.", csr.Path, err)
		return nil, "", false
	}
	if tbs.RequestFromRehearsal(request) && m.estate.Environment != spec.Rehearsal {
		m.diags.Report(o, "csr", "Request from a rehearsal", "%s was made in a rehearsal, and nothing of one ever becomes real. Ask for a request that a ceremony signed.", csr.Path)
		return nil, "", false
	}
	if err := public.CheckRequest(request); err != nil {
		m.diags.Report(o, "csr", "Request without proof of possession",
			"The signature in %s does not verify under the key in it (RFC 2986 §3), so nobody has shown to hold that key: %s. Ask for a new request.", csr.Path, err)
		return nil, "", false
	}
	algorithm, err := tbs.AlgorithmOfSPKI(request.RawSubjectPublicKeyInfo)
	if err != nil {
		m.diags.Report(o, "csr", "Request with an unsuitable key", "%s: %s.", csr.Path, err)
		return nil, "", false
	}
	spki := request.RawSubjectPublicKeyInfo
	if tbs.IsPreviewKey(spki) {
		m.diags.Report(o, "csr", "Request with a preview key", "The key in %s is one of this program's preview keys, whose private half everyone has. Ask for a request with a fresh key.", csr.Path)
		return nil, "", false
	}
	if others := m.around.keys(spki, owner); len(others) > 0 {
		m.diags.Report(o, "csr", "Request with one of our own keys",
			"The key in %s is that of %s. One key serves one authority (NIST SP 800-57 part 1 §5.2). Is this the right file? Ask for a request with a key of its own.", csr.Path, others[0].Owner)
		return nil, "", false
	}
	return request, algorithm, true
}

// grant is what an authority's certificate will say, whatever is asked for.
func (m *maker) grant(a *spec.Authority) *lint.Grant {
	g := &lint.Grant{Authority: true, PathLength: m.estate.PathLen(a)}
	for _, u := range a.ExtendedKeyUsage {
		g.ExtendedKeyUsage = append(g.ExtendedKeyUsage, u.OID())
	}
	return g
}

// ignored lists what a request asks for and does not get.
func ignored(request *x509.CertificateRequest, subject spec.Name) []string {
	var in []string
	if have, err := tbs.EncodeName(subject); err != nil || string(have) != string(request.RawSubject) {
		in = append(in, fmt.Sprintf("subject %q (the estate says %q)", request.Subject, subject))
	}
	for _, name := range request.DNSNames {
		in = append(in, "subject alternative name "+name)
	}
	for _, name := range request.EmailAddresses {
		in = append(in, "subject alternative name "+name)
	}
	for _, name := range request.IPAddresses {
		in = append(in, "subject alternative name "+name.String())
	}
	for _, name := range request.URIs {
		in = append(in, "subject alternative name "+name.String())
	}
	for _, e := range request.Extensions {
		if e.Id.String() == "2.5.29.17" {
			continue
		}
		in = append(in, fmt.Sprintf("extension %s (%d bytes)", ExtensionName(e.Id.String()), len(e.Value)))
	}
	return in
}

// ExtensionName gives the word of RFC 5280 for an extension, or the OID itself when it
// has none here.
func ExtensionName(oid string) string {
	if name, known := map[string]string{
		"2.5.29.14": "subjectKeyIdentifier", "2.5.29.15": "keyUsage", "2.5.29.17": "subjectAltName", "2.5.29.19": "basicConstraints",
		"2.5.29.30": "nameConstraints", "2.5.29.31": "cRLDistributionPoints", "2.5.29.32": "certificatePolicies",
		"2.5.29.37": "extKeyUsage", "1.3.6.1.5.5.7.1.1": "authorityInfoAccess", "1.3.6.1.5.5.7.48.1.5": "id-pkix-ocsp-nocheck",
	}[oid]; known {
		return name
	}
	return oid
}

// Object gives what a linter must know of a planned certificate to judge it
// again at the table, with the real keys.
func (s State) Object(e *spec.Estate, action Action, der []byte, draft bool) (lint.Certificate, error) {
	c := action.SignCertificate
	switch action.Address.Kind {
	case CrossKind:
		return s.objectOfCross(e, c, der, draft)
	case ResponderKind:
		return s.objectOfResponder(e, action.Address, c, der, draft)
	}
	i := slices.IndexFunc(e.Authorities, func(a *spec.Authority) bool { return a.Address == action.Address })
	parsed, err := x509.ParseCertificate(der)
	if i < 0 || err != nil {
		return lint.Certificate{}, errors.Join(fmt.Errorf("the certificate of %s cannot be judged by this estate", action.Address), err)
	}
	a, n := e.Authorities[i], s.neighbours()
	object := lint.Certificate{
		DER: der, Draft: draft, Role: Role(e, a), Others: n.around(parsed),
		OtherKeys: n.keys(parsed.RawSubjectPublicKeyInfo, Label(action.Address, c.Generation)),
	}
	if a.Issuer != nil {
		issuer, _ := s.Authority(c.Issuer.Address)
		g, _ := issuer.At(c.Issuer.Generation)
		object.Issuer = g.Certificate()
	}
	surround(&object, e, a)
	return object, nil
}
