package plan

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pki.internal/lint"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// CrossKind is the block type of cross-certificates: addresses begin with it.
const CrossKind = "cross_certificate"

// Cross is what the ledger knows of one cross-certificate.
type Cross struct {
	Address           spec.Address
	Subject           spec.Address // whose key it certifies
	SubjectGeneration int
	Certificates      []Issued // oldest first, each with its issuer
}

// Certificate gives the newest certificate in DER.
func (x Cross) Certificate() []byte {
	if len(x.Certificates) == 0 {
		return nil
	}
	return x.Certificates[len(x.Certificates)-1].DER
}

// Crosses lists every cross-certificate of the ledger by address.
func (s State) Crosses() []Cross {
	if s.past == nil {
		return nil
	}
	var all []Cross
	for address := range maps.Keys(s.past.crosses) {
		if x, known := s.past.crosses.at(address, s.now); known {
			all = append(all, x)
		}
	}
	slices.SortFunc(all, func(a, b Cross) int { return strings.Compare(a.Address.String(), b.Address.String()) })
	return all
}

// Cross gives what the ledger knows of a cross-certificate.
func (s State) Cross(a spec.Address) (Cross, bool) {
	if s.past == nil {
		return Cross{}, false
	}
	return s.past.crosses.at(a, s.now)
}

// materialAt gives the key of one generation of an authority; 0 is the newest.
func (m *maker) materialAt(a *spec.Authority, generation int) *material {
	newest := m.materials[a.Address]
	if generation == 0 || newest != nil && newest.ref.Generation == generation {
		return newest
	}
	for _, old := range m.olderMaterials[a.Address] {
		if old.ref.Generation == generation {
			return old
		}
	}
	return nil
}

// cross plans a cross-certificate that is not there, or says something else
// than the estate wants.
func (m *maker) cross(x *spec.CrossCertificate) {
	own, issuer := m.materialAt(x.Subject, x.SubjectGeneration), m.materialAt(x.Issuer, x.IssuerGeneration)
	if own == nil || issuer == nil || own.certificate == nil || issuer.certificate == nil {
		if m.known(x.Subject, x.SubjectGeneration) && m.known(x.Issuer, x.IssuerGeneration) {
			return // what is wrong with them has been reported
		}
		m.diags.Report(x.Origin, "subject_generation", "Generation that does not exist",
			"Neither the ledger nor this plan has that generation of %s or %s. Write one that is there, or leave it out for the newest.", x.Subject.Address, x.Issuer.Address)
		return
	}
	want := wantedCross(x, own, issuer)
	have, known := m.state.Cross(x.Address)
	if known {
		found := differences(have.Certificates[len(have.Certificates)-1].Want, want)
		if len(found) == 0 {
			return
		}
		m.changed(Change{Address: x.Address, Class: NewCertificate, Attributes: found})
	}
	action := &CertificateAction{Generation: own.ref.Generation, Issuer: issuer.ref, Subject: own.ref, Want: want, Previous: have.Certificate()}
	action.Outputs = certificateOutputs(x.Address, false)
	if known {
		action.Outputs = append(action.Outputs, crossOlder(x.Address, len(have.Certificates))...)
	}
	if err := m.crossTemplate(x, action, own, issuer); err != nil {
		m.diags.Report(x.Origin, "", "Certificate that cannot be built", "%s.", err)
		return
	}
	signed := *own // the subject's own certificate stays the one that others see
	if !m.insideCross(x, &action.Template, issuer) || !m.draftCertificate(x.Origin, action, &signed, issuer) {
		return
	}
	object := m.crossObject(x, own, issuer, &signed)
	m.judgeLater(x.Origin, "certificate", &action.Draft, func() []lint.Finding { return m.linter.Certificate(object, m.in.At) })
	m.around.add(x.Address.String(), signed.certificate)
	m.add(Action{Kind: SignCertificate, Address: x.Address, Irreversible: true, SignCertificate: action})
	if issuer.real() {
		m.useKey(x.Issuer, issuer.ref.Generation)
	}
}

// known reports whether a generation is in the ledger or in the estate.
func (m *maker) known(a *spec.Authority, generation int) bool {
	return generation == 0 || generation == a.KeyGeneration() || m.materialAt(a, generation) != nil
}

func crossOlder(a spec.Address, number int) []string {
	return certificateNames(fmt.Sprintf("certs/%s.%d", a.FileName(), number), false)
}

// wantedCross gives the estate's words for a cross-certificate.
func wantedCross(x *spec.CrossCertificate, own, issuer *material) map[string]string {
	want := map[string]string{
		"subject":  Label(x.Subject.Address, own.ref.Generation),
		"issuer":   Label(x.Issuer.Address, issuer.ref.Generation),
		"validity": x.Validity.String(),
	}
	var usages []string
	for _, u := range x.ExtendedKeyUsage {
		usages = append(usages, string(u))
	}
	if len(usages) > 0 {
		want["extended_key_usage"] = strings.Join(usages, " ")
	}
	return want
}

// crossTemplate copies the subject's certificate as far as it speaks of the
// subject, so that no limit is widened, and adds what belongs to the issuer.
func (m *maker) crossTemplate(x *spec.CrossCertificate, action *CertificateAction, own, issuer *material) error {
	extensions, err := m.crossExtensions(x, own, issuer)
	if err == nil {
		extensions, err = m.mark(extensions)
	}
	if err != nil {
		return err
	}
	b := m.draw("serial certificate", x.Address, strconv.Itoa(own.ref.Generation), 16)
	action.Template = tbs.Certificate{
		Serial: serialOf(b), Signature: issuer.ref.Algorithm, Issuer: issuer.certificate.RawSubject,
		NotBefore: m.in.At, NotAfter: x.Validity.Last(m.in.At),
		Subject: own.certificate.RawSubject, Extensions: extensions,
	}
	return nil
}

// belongsToIssuer are the extensions that speak of who signed.
var belongsToIssuer = []string{"2.5.29.14", "2.5.29.35", "1.3.6.1.5.5.7.1.1", "2.5.29.31"}

func (m *maker) crossExtensions(x *spec.CrossCertificate, own, issuer *material) ([]tbs.Extension, error) {
	var all []tbs.Extension
	for _, e := range own.certificate.Extensions {
		oid := e.Id.String()
		if slices.Contains(belongsToIssuer, oid) || oid == oidEKU && len(x.ExtendedKeyUsage) > 0 {
			continue
		}
		all = append(all, tbs.Extension{OID: oid, Critical: e.Critical, Value: e.Value})
	}
	var problem error
	add := func(e tbs.Extension, err error) {
		all, problem = append(all, e), errors.Join(problem, err)
	}
	if len(x.ExtendedKeyUsage) > 0 {
		add(tbs.ExtKeyUsage(x.ExtendedKeyUsage))
	}
	add(m.subjectKeyID(own))
	add(m.authorityKeyID(issuer))
	if urls := x.Issuer.CAIssuersURLs; len(urls) > 0 {
		add(tbs.AuthorityInfoAccess(urls))
	}
	add(tbs.CRLDistributionPoints(x.Issuer.CRL.URLs))
	return all, problem
}

const oidEKU = "2.5.29.37"

// insideCross holds the dates against the issuer's.
func (m *maker) insideCross(x *spec.CrossCertificate, t *tbs.Certificate, issuer *material) bool {
	above := issuer.certificate.NotAfter
	if !t.NotAfter.After(above) {
		return true
	}
	m.diags.Report(x.Origin, "validity", "Certificate outlives its issuer",
		"%s would end on %s, after its issuer %s ends on %s. No client accepts it after that day (RFC 5280 §6.1.3). Shorten validity.",
		x.Address, stamp(t.NotAfter), Label(x.Issuer.Address, issuer.ref.Generation), stamp(above))
	return false
}

func (m *maker) crossObject(x *spec.CrossCertificate, own, issuer, signed *material) lint.Certificate {
	return lint.Certificate{
		DER: signed.certificate.Raw, Draft: true, Preview: !own.real(), Role: lint.RolePolicy, Issuer: issuer.certificate.Raw,
		Twin: own.certificate.Raw, Lab: m.estate.Environment == spec.Lab, Signing: m.in.At,
		Others: m.around.around(signed.certificate), OtherKeys: m.around.keys(own.spki, Label(x.Subject.Address, own.ref.Generation)),
	}
}

// objectOfCross is crossObject at the table.
func (s State) objectOfCross(e *spec.Estate, c *CertificateAction, der []byte, draft bool) (lint.Certificate, error) {
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return lint.Certificate{}, err
	}
	subject, _ := s.Authority(c.Subject.Address)
	issuer, _ := s.Authority(c.Issuer.Address)
	own, _ := subject.At(c.Subject.Generation)
	above, _ := issuer.At(c.Issuer.Generation)
	n := s.neighbours()
	return lint.Certificate{
		DER: der, Draft: draft, Role: lint.RolePolicy, Issuer: above.Certificate(), Twin: own.Certificate(), Lab: e.Environment == spec.Lab,
		Others: n.around(parsed), OtherKeys: n.keys(own.spki, Label(c.Subject.Address, c.Subject.Generation)),
	}, nil
}

// enterCross puts a cross-certificate beside the certificate whose subject and
// key it has.
func (s *State) enterCross(signed *Signed, planned *CertificateAction, certificate *x509.Certificate) error {
	subject, _ := s.Authority(planned.Subject.Address)
	g, known := subject.At(planned.Subject.Generation)
	x, _ := s.Cross(signed.Address)
	switch own := g.certificate(); {
	case !known || own == nil || planned.Generation != g.Number:
		return errors.New("its certificate is for a key that has none of its own")
	case !bytes.Equal(own.RawSubject, certificate.RawSubject) || !bytes.Equal(own.RawSubjectPublicKeyInfo, certificate.RawSubjectPublicKeyInfo) ||
		!bytes.Equal(own.SubjectKeyId, certificate.SubjectKeyId):
		return errors.New("its certificate has another subject, key or key identifier than the one beside which it stands")
	case !bytes.Equal(planned.Previous, x.Certificate()):
		return errors.New("the plan replaces another certificate than the one that is there")
	}
	x.Address, x.Subject, x.SubjectGeneration = signed.Address, planned.Subject.Address, planned.Subject.Generation
	x.Certificates = append(slices.Clone(x.Certificates), Issued{
		DER: signed.DER, Issuer: planned.Issuer.Address, IssuerGeneration: planned.Issuer.Generation, Want: planned.Want, parsed: certificate,
	})
	s.delta.crosses[x.Address] = &x
	return nil
}

// crossFiles gives the files of every cross-certificate, with the chain that
// it opens.
func (s State) crossFiles() []File {
	var files []File
	for _, x := range s.Crosses() {
		for i, c := range x.Certificates {
			names := certificateOutputs(x.Address, false)
			if i < len(x.Certificates)-1 {
				names = crossOlder(x.Address, i+1)
			}
			files = append(files, File{names[0], 0o644, certificatePEM(c.DER)}, File{names[1], 0o644, c.DER}, File{names[2], 0o644, s.chainPEM(c)})
		}
	}
	return files
}
