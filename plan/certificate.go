package plan

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"pki.internal/lint"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// certificate plans an authority's certificate, whose key is in the materials.
func (m *maker) certificate(a *spec.Authority, csr *CSRRef, extra ...lint.Finding) {
	if a.CertifiedElsewhere() {
		m.ask(a, csr)
		return
	}
	issuer := m.materials[a.Address]
	if a.Issuer != nil {
		issuer = m.materials[a.Issuer.Address]
	}
	own := m.materials[a.Address]
	action := &CertificateAction{
		Generation: own.ref.Generation, Issuer: issuer.ref, Subject: own.ref, CSR: csr, Want: wanted(m.estate, a),
	}
	action.Outputs = certificateOutputs(a.Address, a.IsRoot())
	m.replacing(a, action)
	template, err := m.template(a, issuer)
	if err != nil {
		m.diags.Report(a.Origin, "", "Certificate that cannot be built", "%s.", err)
		return
	}
	action.Template = *template
	if !m.inside(a, template, issuer) || !m.draftCertificate(a.Origin, action, own, issuer) {
		return
	}
	m.examples(a)
	object := m.lintObject(a, own, issuer)
	m.judgeLater(a.Origin, "certificate", &action.Draft, func() []lint.Finding {
		return append(slices.Clone(extra), m.linter.Certificate(object, m.in.At)...)
	})
	m.around.add(Label(a.Address, own.ref.Generation), own.certificate)
	m.add(Action{Kind: SignCertificate, Address: a.Address, Irreversible: true, SignCertificate: action})
	if issuer.real() && a.Issuer != nil {
		m.useKey(a.Issuer, issuer.ref.Generation)
	}
}

// replacing notes which certificate the new one takes the place of, and the
// names under which the old one and the chains through it lie from then on.
func (m *maker) replacing(a *spec.Authority, action *CertificateAction) {
	have, known := m.state.Authority(a.Address)
	if !known || have.Certificate == nil {
		return
	}
	action.Previous = have.Certificate
	g, _ := have.At(have.Generation)
	action.Outputs = append(action.Outputs, olderOutputs(a.Address, g.Number, len(g.Certificates), have.Issuer == a.Address)...)
	if action.Generation == g.Number {
		action.Outputs = append(action.Outputs, m.state.below(a.Address, g.Number)...)
	}
}

// template fixes everything about a certificate but its keys.
func (m *maker) template(a *spec.Authority, issuer *material) (*tbs.Certificate, error) {
	subject, err := tbs.EncodeName(a.Subject)
	if err != nil {
		return nil, err
	}
	extensions, err := m.extensions(a, issuer)
	if err != nil {
		return nil, err
	}
	if extensions, err = m.mark(extensions); err != nil {
		return nil, err
	}
	t := &tbs.Certificate{
		Serial:    m.serial(a, "certificate"),
		Signature: issuer.ref.Algorithm,
		Issuer:    subject,
		NotBefore: m.in.At,
		NotAfter:  a.Validity.Last(m.in.At),
		Subject:   subject, Extensions: extensions,
	}
	if a.Issuer != nil {
		t.Issuer = issuer.certificate.RawSubject
	}
	return t, nil
}

// serial draws 128 bits and fixes the two highest, so that the number is
// positive and always 16 octets long: 126 bits of CSPRNG output, above the 64
// that CABF BR §7.1.2.2.1 asks for and below the 20 octets of RFC 5280
// §4.1.2.2.
func (m *maker) serial(a *spec.Authority, purpose string) string {
	return serialOf(m.draw("serial "+purpose, a.Address, strconv.Itoa(a.KeyGeneration()), 16))
}

func serialOf(b []byte) string {
	if len(b) > 0 {
		b[0] = b[0]&0x3f | 0x40
	}
	return hex.EncodeToString(b)
}

// extensions lists a CA certificate's extensions in the order in which they
// are encoded.
func (m *maker) extensions(a *spec.Authority, issuer *material) ([]tbs.Extension, error) {
	var all []tbs.Extension
	var problem error
	add := func(e tbs.Extension, err error) {
		if problem == nil {
			problem = err
		}
		all = append(all, e)
	}
	add(tbs.KeyUsageCA())
	if len(a.ExtendedKeyUsage) > 0 {
		add(tbs.ExtKeyUsage(a.ExtendedKeyUsage))
	}
	add(tbs.BasicConstraintsCA(m.estate.PathLen(a)))
	add(m.subjectKeyID(m.materials[a.Address]))
	if a.Issuer == nil {
		return withProfile(a, all, problem)
	}
	add(m.authorityKeyID(issuer))
	if urls, ocsp := a.Issuer.CAIssuersURLs, ocspURLs(a.Issuer); len(urls)+len(ocsp) > 0 {
		add(tbs.AuthorityInfoAccess(urls, ocsp...))
	}
	add(tbs.CRLDistributionPoints(a.Issuer.CRL.URLs))
	return withProfile(a, all, problem)
}

// subjectKeyID is open while the key does not exist. A key that has a
// certificate keeps its identifier, because what it signed names it (RFC 5280
// §4.2.1.1).
func (m *maker) subjectKeyID(own *material) (tbs.Extension, error) {
	if own.real() && own.certificate != nil && len(own.certificate.SubjectKeyId) > 0 {
		return tbs.FixedSubjectKeyID(own.certificate.SubjectKeyId)
	}
	return tbs.OpenSubjectKeyID(), nil
}

// authorityKeyID is open while the issuer's key does not exist.
func (m *maker) authorityKeyID(issuer *material) (tbs.Extension, error) {
	if issuer.real() && issuer.certificate != nil {
		return tbs.FixedAuthorityKeyID(issuer.certificate.SubjectKeyId)
	}
	return tbs.OpenAuthorityKeyID(), nil
}

// inside holds the absolute dates against the issuer's (RFC 5280 §6.1.3).
func (m *maker) inside(a *spec.Authority, t *tbs.Certificate, issuer *material) bool {
	last := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	if t.NotAfter.After(last) || !t.NotAfter.After(t.NotBefore) {
		m.diags.Report(a.Origin, "validity", "Certificate that never ends", "It would end after the year 9999, which X.509 cannot write. Shorten validity.")
		return false
	}
	if a.Issuer == nil {
		return true
	}
	if above := issuer.certificate.NotAfter; t.NotAfter.After(above) {
		m.diags.Report(a.Origin, "validity", "Certificate outlives its issuer",
			"%s would end on %s, after its issuer %s ends on %s. No client accepts it after that day (RFC 5280 §6.1.3). Shorten validity, or renew the issuer first.",
			a.Address, stamp(t.NotAfter), a.Issuer.Address, stamp(above))
		return false
	}
	return true
}

// draftCertificate builds the bytes, or a preview of them, and keeps the
// result as the authority's certificate for whatever hangs below it.
func (m *maker) draftCertificate(o spec.Origin, action *CertificateAction, own, issuer *material) bool {
	issuerID, err := m.keyID(issuer)
	if err != nil {
		m.diags.Report(o, "", "Certificate that cannot be built", "%s.", err)
		return false
	}
	built, err := action.Template.Build(tbs.Keys{Subject: own.spki, IssuerID: issuerID})
	if err != nil {
		m.diags.Report(o, "", "Certificate that cannot be built", "%s.", err)
		return false
	}
	der, err := m.complete(&action.Draft, built, issuer, own.real() && issuer.real())
	if err == nil {
		own.certificate, err = x509.ParseCertificate(der)
	}
	if err != nil {
		m.diags.Report(o, "", "Certificate that Go cannot read", "%s. Nothing has been made.", err)
		return false
	}
	return true
}

func (m *maker) keyID(k *material) ([]byte, error) {
	if k.certificate != nil {
		return k.certificate.SubjectKeyId, nil
	}
	return tbs.KeyID(k.spki)
}

// complete gives a whole object to look at and lint: with the exact bytes and
// a signature of nobody when all keys exist, else signed by a preview key.
func (m *maker) complete(d *Draft, built []byte, issuer *material, exact bool) ([]byte, error) {
	if exact {
		d.TBS = built
		return tbs.Draft(built, issuer.ref.Algorithm)
	}
	if issuer.real() {
		der, err := tbs.Draft(built, issuer.ref.Algorithm)
		d.Preview = der
		return der, err
	}
	signature, err := tbs.Sign(issuer.stand, issuer.ref.Algorithm, built)
	if err != nil {
		return nil, err
	}
	der, err := tbs.Assemble(built, issuer.ref.Algorithm, signature)
	d.Preview = der
	return der, err
}

func (m *maker) lintObject(a *spec.Authority, own, issuer *material) lint.Certificate {
	object := lint.Certificate{
		DER: own.certificate.Raw, Draft: true, Preview: !own.real(), Role: Role(m.estate, a),
		OtherKeys: m.around.keys(own.spki, Label(a.Address, own.ref.Generation)), Others: m.around.around(own.certificate),
	}
	if a.Issuer != nil {
		object.Issuer = issuer.certificate.Raw
	}
	object.Signing = m.in.At
	surround(&object, m.estate, a)
	return object
}

// surround adds what the estate and the ledger know around a certificate.
func surround(object *lint.Certificate, e *spec.Estate, a *spec.Authority) {
	object.Lab = e.Environment == spec.Lab
	object.Clients = e.Lint.Clients
	if a.CSR != nil {
		object.Request = a.CSR.DER
	}
	for tier := e.Children(a); len(tier) > 0; object.TiersBelow++ {
		var below []*spec.Authority
		for _, child := range tier {
			below = append(below, e.Children(child)...)
		}
		tier = below
	}
	if a.CRL != nil {
		object.OwnListURLs = a.CRL.URLs
	}
}

// Role is what the estate says an authority is for. One that has nothing below
// it yet is a policy authority when its path length has room for authorities,
// unless an online CA signs leaves with it.
func Role(e *spec.Estate, a *spec.Authority) lint.Role {
	online := slices.ContainsFunc(e.OnlineCAs, func(o *spec.OnlineCA) bool { return o.Authority == a })
	switch {
	case a.IsRoot():
		return lint.RoleRoot
	case e.IssuesLeaves(a) && (e.PathLen(a) == 0 || online):
		return lint.RoleIssuing
	}
	return lint.RolePolicy
}

// wanted gives the estate's words for an authority's certificate. The ledger
// keeps them, so that a later change is seen attribute by attribute.
func wanted(e *spec.Estate, a *spec.Authority) map[string]string {
	want := map[string]string{
		"subject":     a.Subject.String(),
		"validity":    a.Validity.String(),
		"path_length": strconv.Itoa(e.PathLen(a)),
	}
	put := func(word string, values ...string) {
		if text := strings.Join(values, " "); text != "" {
			want[word] = text
		}
	}
	if a.Key != nil {
		put("key", string(a.Key.Algorithm), "in", a.Key.Store.Address.String())
	}
	if a.CSR != nil {
		if request, err := x509.ParseCertificateRequest(a.CSR.DER); err == nil {
			sum := sha256.Sum256(request.RawSubjectPublicKeyInfo)
			put("csr", "key "+hex.EncodeToString(sum[:]))
		}
	}
	for _, u := range a.ExtendedKeyUsage {
		put("extended_key_usage", want["extended_key_usage"], string(u))
	}
	wantedProfile(a, put)
	if a.Issuer != nil {
		put("issuer", a.Issuer.Address.String())
		if a.Issuer.CRL != nil {
			put("crl", a.Issuer.CRL.URLs...)
		}
		put("ca_issuers_urls", a.Issuer.CAIssuersURLs...)
		put("ocsp", ocspURLs(a.Issuer)...)
	}
	if n := a.NameConstraints; n != nil {
		put("name_constraints", strconv.FormatBool(n.Critical),
			strings.Join(slices.Concat([]string{"permitted"}, n.PermittedDNS, n.PermittedIP, n.PermittedEmail, n.PermittedURI, n.PermittedDirectory,
				[]string{"excluded"}, n.ExcludedDNS, n.ExcludedIP, n.ExcludedEmail, n.ExcludedURI, n.ExcludedDirectory), " "))
	}
	return want
}

// wantedWords lists the words of two descriptions, sorted, each once.
func wantedWords(a, b map[string]string) []string {
	var words []string
	for _, m := range []map[string]string{a, b} {
		for w := range m {
			words = append(words, w)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}
