package plan

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"pki.internal/lint"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// ResponderKind is the block type of OCSP responders: addresses begin with it.
const ResponderKind = "ocsp_responder"

// Responder is what the ledger knows of one OCSP responder.
type Responder struct {
	Address      spec.Address
	Certificates []Issued // oldest first, each with its issuer
}

// Certificate gives the newest certificate in DER.
func (r Responder) Certificate() []byte {
	if len(r.Certificates) == 0 {
		return nil
	}
	return r.Certificates[len(r.Certificates)-1].DER
}

// Responders lists every OCSP responder of the ledger by address.
func (s State) Responders() []Responder {
	if s.past == nil {
		return nil
	}
	var all []Responder
	for address := range maps.Keys(s.past.responders) {
		if r, known := s.past.responders.at(address, s.now); known {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b Responder) int { return strings.Compare(a.Address.String(), b.Address.String()) })
	return all
}

// Responder gives what the ledger knows of an OCSP responder.
func (s State) Responder(a spec.Address) (Responder, bool) {
	if s.past == nil {
		return Responder{}, false
	}
	return s.past.responders.at(a, s.now)
}

// responder plans the certificate of an OCSP responder that is not there, says
// something else than the estate wants, or is due.
func (m *maker) responder(r *spec.Responder) {
	issuer := m.materials[r.Issuer.Address]
	if issuer == nil || issuer.certificate == nil {
		return // what is wrong with it has been reported
	}
	request, algorithm, ok := m.request(r.Origin, r.CSR, r.Address.String())
	if !ok {
		return
	}
	spki := request.RawSubjectPublicKeyInfo
	want := wantedResponder(r, issuer, spki)
	have, known := m.state.Responder(r.Address)
	if known {
		newest := have.Certificates[len(have.Certificates)-1]
		found := differences(newest.Want, want)
		from := responderDue(r, newest.parsed)
		if len(found) == 0 && m.in.At.Before(from) {
			return
		}
		change := Change{Address: r.Address, Class: NewCertificate, Attributes: found}
		if len(found) == 0 {
			change.Why = "due since " + stamp(from)
		}
		m.changed(change)
	}
	own := &material{ref: KeyRef{Address: r.Address, Generation: 1, Algorithm: algorithm, SPKI: spki}, spki: spki}
	sum := sha256.Sum256(r.CSR.DER)
	action := &CertificateAction{
		Generation: 1, Issuer: issuer.ref, Subject: own.ref, Want: want, Previous: have.Certificate(),
		CSR: &CSRRef{Path: r.CSR.Path, SHA256: hex.EncodeToString(sum[:]), Ignored: ignored(request, r.Subject)},
	}
	action.Outputs = certificateOutputs(r.Address, false)
	if known {
		action.Outputs = append(action.Outputs, responderOlder(r.Address, len(have.Certificates))...)
	}
	if err := m.responderTemplate(r, action, issuer); err != nil {
		m.diags.Report(r.Origin, "", "Certificate that cannot be built", "%s.", err)
		return
	}
	if above := issuer.certificate.NotAfter; action.Template.NotAfter.After(above) {
		m.diags.Report(r.Origin, "validity", "Certificate outlives its issuer",
			"%s would end on %s, after its issuer %s ends on %s (RFC 5280 §6.1.3). Shorten validity.", r.Address, stamp(action.Template.NotAfter), r.Issuer.Address, stamp(above))
		return
	}
	if !m.draftCertificate(r.Origin, action, own, issuer) {
		return
	}
	object := lint.Certificate{
		DER: own.certificate.Raw, Draft: true, Role: lint.RoleLeaf, Issuer: issuer.certificate.Raw, AnswersFor: issuer.certificate.Raw,
		Lab: m.estate.Environment == spec.Lab, Signing: m.in.At, Request: r.CSR.DER,
		Others: m.around.around(own.certificate), OtherKeys: m.around.keys(spki, r.Address.String()),
	}
	asked := m.linter.Request(lint.Request{DER: r.CSR.DER, OtherKeys: object.OtherKeys, Grant: &lint.Grant{PathLength: -1, ExtendedKeyUsage: []string{oidOCSPSigning}}})
	m.judgeLater(r.Origin, "certificate", &action.Draft, func() []lint.Finding {
		return append(slices.Clone(asked), m.linter.Certificate(object, m.in.At)...)
	})
	m.around.add(r.Address.String(), own.certificate)
	m.around.addKey(r.Address.String(), spki)
	m.add(Action{Kind: SignCertificate, Address: r.Address, Irreversible: true, SignCertificate: action})
	if issuer.real() {
		m.useKey(r.Issuer, issuer.ref.Generation)
	}
}

const oidOCSPSigning = "1.3.6.1.5.5.7.3.9"

// responderDue gives when the successor of a responder's certificate is due.
func responderDue(r *spec.Responder, c *x509.Certificate) time.Time {
	if r.IssueEvery.IsZero() {
		return c.NotBefore.Add(c.NotAfter.Sub(c.NotBefore) / 2)
	}
	return r.IssueEvery.From(c.NotBefore)
}

func responderOlder(a spec.Address, number int) []string {
	return certificateNames(fmt.Sprintf("certs/%s.%d", a.FileName(), number), false)
}

// wantedResponder gives the estate's words for a responder's certificate.
func wantedResponder(r *spec.Responder, issuer *material, spki []byte) map[string]string {
	sum := sha256.Sum256(spki)
	return map[string]string{
		"subject":  r.Subject.String(),
		"issuer":   Label(r.Issuer.Address, issuer.ref.Generation),
		"validity": r.Validity.String(),
		"csr":      "key " + hex.EncodeToString(sum[:]),
	}
}

// responderTemplate fixes everything about the certificate: it signs OCSP
// responses and nothing else (CABF BR §7.1.2.8), and nobody asks whether it is
// revoked, since it would have to answer that itself.
func (m *maker) responderTemplate(r *spec.Responder, action *CertificateAction, issuer *material) error {
	subject, problem := tbs.EncodeName(r.Subject)
	var all []tbs.Extension
	add := func(e tbs.Extension, err error) {
		all, problem = append(all, e), errors.Join(problem, err)
	}
	add(tbs.KeyUsageResponder())
	add(tbs.OCSPSigning())
	add(tbs.OCSPNoCheck(), nil)
	add(tbs.OpenSubjectKeyID(), nil)
	add(m.authorityKeyID(issuer))
	action.Template = tbs.Certificate{
		Serial: serialOf(m.draw("serial certificate", r.Address, strconv.Itoa(action.Generation), 16)), Signature: issuer.ref.Algorithm, Issuer: issuer.certificate.RawSubject,
		NotBefore: m.in.At, NotAfter: r.Validity.Last(m.in.At), Subject: subject, Extensions: all,
	}
	return problem
}

// objectOfResponder is what a linter must know at the table.
func (s State) objectOfResponder(e *spec.Estate, address spec.Address, c *CertificateAction, der []byte, draft bool) (lint.Certificate, error) {
	i := slices.IndexFunc(e.Responders, func(r *spec.Responder) bool { return r.Address == address })
	parsed, err := x509.ParseCertificate(der)
	if i < 0 || err != nil {
		return lint.Certificate{}, errors.Join(fmt.Errorf("the certificate of %s cannot be judged by this estate", address), err)
	}
	issuer, _ := s.Authority(c.Issuer.Address)
	above, _ := issuer.At(c.Issuer.Generation)
	n := s.neighbours()
	return lint.Certificate{
		DER: der, Draft: draft, Role: lint.RoleLeaf, Issuer: above.Certificate(), AnswersFor: above.Certificate(),
		Lab: e.Environment == spec.Lab, Request: e.Responders[i].CSR.DER,
		Others: n.around(parsed), OtherKeys: n.keys(parsed.RawSubjectPublicKeyInfo, address.String()),
	}, nil
}

// enterResponder takes a responder's certificate. Whatever a plan says, it is
// no authority, and its key is nobody else's.
func (s *State) enterResponder(signed *Signed, planned *CertificateAction, certificate *x509.Certificate) error {
	r, _ := s.Responder(signed.Address)
	owner, taken := s.ownerOf(certificate.RawSubjectPublicKeyInfo)
	switch {
	case certificate.IsCA || !slices.Contains(certificate.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return errors.New("its certificate is not that of an OCSP responder")
	case planned.CSR == nil || planned.Subject.Address != signed.Address:
		return errors.New("its certificate is for the key of another")
	case taken:
		return fmt.Errorf("its public key is that of %s", owner)
	case !bytes.Equal(planned.Previous, r.Certificate()):
		return errors.New("the plan replaces another certificate than the one that is there")
	}
	s.putResponder(signed, Issued{
		DER: signed.DER, Issuer: planned.Issuer.Address, IssuerGeneration: planned.Issuer.Generation, Want: planned.Want,
		Waived: waivedIn(planned.Findings), parsed: certificate,
	})
	return nil
}

func (s *State) putResponder(signed *Signed, c Issued) {
	r, _ := s.Responder(signed.Address)
	r.Address = signed.Address
	r.Certificates = append(slices.Clone(r.Certificates), c)
	s.delta.responders[r.Address] = &r
}

// observeResponder takes what a public copy of the ledger says of a responder.
func (s *State) observeResponder(signed *Signed, c *x509.Certificate) error {
	issuer, found := s.signer(c)
	if !found {
		return errors.New("its certificate is signed by no key of this ledger")
	}
	s.putResponder(signed, Issued{DER: signed.DER, Issuer: issuer.Address, IssuerGeneration: issuer.Generation, parsed: c})
	return nil
}

// responderFiles gives the files of every responder's certificates, with their
// chains.
func (s State) responderFiles() []File {
	var files []File
	for _, r := range s.Responders() {
		for i, c := range r.Certificates {
			names := certificateOutputs(r.Address, false)
			if i < len(r.Certificates)-1 {
				names = responderOlder(r.Address, i+1)
			}
			files = append(files, File{names[0], 0o644, certificatePEM(c.DER)}, File{names[1], 0o644, c.DER}, File{names[2], 0o644, s.chainPEM(c)})
		}
	}
	return files
}

// responders says when the certificates of those that the estate describes
// end.
func (c *calendar) responders() {
	if c.estate == nil {
		return
	}
	for _, r := range c.estate.Responders {
		have, known := c.state.Responder(r.Address)
		if !known {
			continue
		}
		own := have.Certificates[len(have.Certificates)-1].parsed
		c.add(Appointment{
			Kind: ForCertificate, Object: r.Address.String(), What: "certificate of an OCSP responder",
			From: responderDue(r, own), Until: own.NotAfter, Action: "put a new request there, and hold a ceremony: pki plan --out FILE",
		})
	}
}
