package plan

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"pki.internal/lint"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// OCSPAction signs the answer about one authority's certificate, which a web
// server or a TLS server then gives out until it ends. The issuer's key signs;
// its hash is the one thing that the template leaves open.
type OCSPAction struct {
	Issuer   KeyRef         `json:"issuer"`
	Template tbs.OCSP       `json:"template"`
	TBS      []byte         `json:"tbs,omitempty"` // the very bytes, when the key exists
	Findings []lint.Finding `json:"findings,omitempty"`
	Outputs  []string       `json:"outputs"`
}

// ocspOutput is where the answer about an authority goes.
func ocspOutput(a spec.Address) string { return "ocsp/" + a.FileName() + ".ocsp" }

// ocspURLs gives where certificates of an issuer say that answers are.
func ocspURLs(issuer *spec.Authority) []string {
	if issuer.OCSP == nil {
		return nil
	}
	return issuer.OCSP.URLs
}

// ocsp plans the answers about the certificates that an authority signed and
// that are missing, due, or no longer true.
func (m *maker) ocsp(a *spec.Authority) {
	own := m.materials[a.Address]
	if a.OCSP == nil || a.Key == nil || own == nil || own.certificate == nil || !own.certificate.NotAfter.After(m.in.At) {
		return
	}
	for _, child := range m.estate.Children(a) {
		about := m.materials[child.Address]
		if about == nil || about.certificate == nil || !about.certificate.NotAfter.After(m.in.At) {
			continue
		}
		serial := hex.EncodeToString(about.certificate.SerialNumber.Bytes())
		template := &tbs.OCSP{
			Signature: own.ref.Algorithm, Issuer: own.certificate.RawSubject, Serial: serial,
			ThisUpdate: m.in.At, NextUpdate: a.OCSP.ValidFor.Last(m.in.At),
		}
		if i := slices.IndexFunc(m.revoked[a.Address], func(r revoked) bool { return r.entry.Serial == serial }); i >= 0 {
			template.Revoked = &m.revoked[a.Address][i].entry
		}
		// Nobody believes the signer after its end (RFC 6960 §4.2.2.2).
		if template.NextUpdate.After(own.certificate.NotAfter) {
			template.NextUpdate = own.certificate.NotAfter
		}
		have, _ := m.state.Authority(child.Address)
		if have.OCSP == nil || have.OCSP.stale(a.OCSP, template, m.in.At) {
			m.signOCSP(a, own, child.Address, template)
		}
	}
}

// stale reports whether an answer is about another certificate, untrue or due.
func (o *OCSPSigned) stale(want *spec.OCSP, next *tbs.OCSP, at time.Time) bool {
	same := o.Template.Serial == next.Serial && bytes.Equal(o.Template.Issuer, next.Issuer) && (o.Template.Revoked == nil) == (next.Revoked == nil)
	if same && next.Revoked != nil {
		same = *o.Template.Revoked == *next.Revoked
	}
	from := o.Template.ThisUpdate.Add(o.Template.NextUpdate.Sub(o.Template.ThisUpdate) / 2)
	if !want.IssueEvery.IsZero() {
		from = want.IssueEvery.From(o.Template.ThisUpdate)
	}
	return !same || !at.Before(from)
}

func (m *maker) signOCSP(a *spec.Authority, own *material, about spec.Address, template *tbs.OCSP) {
	action := &OCSPAction{Issuer: own.ref, Template: *template, Outputs: []string{ocspOutput(about)}}
	built, err := template.Build(own.spki)
	var draft []byte
	if err == nil {
		draft, err = ocspDraft(built, own.ref.Algorithm)
	}
	if err != nil {
		m.diags.Report(a.OCSP.Origin, "", "OCSP response that cannot be built", "%s.", err)
		return
	}
	if own.real() {
		action.TBS = built
	}
	action.Findings = m.judge(a.OCSP.Origin, "OCSP response", m.linter.OCSP(lint.OCSPResponse{DER: draft, Responder: own.certificate.Raw}, m.in.At))
	m.add(Action{Kind: SignOCSP, Address: about, SignOCSP: action})
	m.useSecret(a.Key.Store.Password)
}

// ocspDraft is a response with a signature of nobody, for lint.
func ocspDraft(built []byte, a spec.Algorithm) ([]byte, error) {
	basic, err := tbs.Draft(built, a)
	if err != nil {
		return nil, err
	}
	return tbs.OCSPResponse(basic)
}

// OCSPSigned is the newest answer about an authority's certificate.
type OCSPSigned struct {
	DER      []byte
	Template tbs.OCSP
}

// OCSPTBS gives the exact bytes that a planned answer consists of, and a draft
// of the whole for lint.
func (s *State) OCSPTBS(o *OCSPAction) (built, draft []byte, err error) {
	spki, err := s.issuerKey(o.Issuer)
	if err != nil {
		return nil, nil, err
	}
	if built, err = o.Template.Build(spki); err != nil {
		return nil, nil, err
	}
	if o.TBS != nil && !bytes.Equal(o.TBS, built) {
		return nil, nil, errors.New("the bytes to sign are not the plan's")
	}
	draft, err = ocspDraft(built, o.Issuer.Algorithm)
	return built, draft, err
}

func (s *State) signOCSP(signed *Signed) error {
	action, err := s.expect(signed.Action, SignOCSP, signed.Address)
	if err != nil {
		return err
	}
	planned := action.SignOCSP
	want, _, err := s.OCSPTBS(planned)
	if err != nil {
		return err
	}
	data, signature, err := tbs.SplitOCSP(signed.DER)
	if err != nil {
		return fmt.Errorf("its OCSP response: %w", err)
	}
	if !bytes.Equal(data, want) || signed.Number != "" || signed.Voids != nil || signed.SHA256 != "" {
		return errors.New("its OCSP response does not have the bytes that the plan says")
	}
	spki, err := s.issuerKey(planned.Issuer)
	if err != nil {
		return err
	}
	spki, _ = s.Verifying(spki)
	if err := tbs.Verify(planned.Issuer.Algorithm, spki, data, signature); err != nil {
		return fmt.Errorf("its OCSP response: %w", err)
	}
	authority, known := s.Authority(signed.Address)
	if !known || authority.Certificate == nil {
		return errors.New("it answers for a certificate that the ledger does not have")
	}
	authority.OCSP = &OCSPSigned{DER: signed.DER, Template: planned.Template}
	s.put(authority)
	s.Open.Done++
	return nil
}
