package plan

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"

	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// RequestAction makes the request with which somebody else's authority is asked
// for a certificate of ours (RFC 2986). The key that it is for signs it.
type RequestAction struct {
	Draft
	Key      KeyRef      `json:"key"`
	Template tbs.Request `json:"template"`
}

// requestOutput is where the newest request of an authority goes.
func requestOutput(a spec.Address) string { return "certs/" + a.FileName() + ".csr" }

// waits reports whether the very request is on its way: it was signed, and no
// certificate has come back since.
func (g Generation) waits(built []byte) bool {
	if g.Request == nil || g.requested != len(g.Certificates) {
		return false
	}
	request, err := x509.ParseCertificateRequest(g.Request)
	return err == nil && bytes.Equal(request.RawTBSCertificateRequest, built)
}

// ask plans the request for the certificate of an authority that somebody else
// certifies, and says what has to be done outside. Until that is done, the key
// that has a certificate stays the one that signs.
func (m *maker) ask(a *spec.Authority, csr *CSRRef) {
	own := m.materials[a.Address]
	file := requestOutput(a.Address)
	if csr != nil {
		file = csr.Path
	}
	m.diags.Warn(a.Origin, "issuer", "Certificate from somebody else",
		"%s signs the certificate of %s, and its key is not here. Send them %s, put what comes back into the estate's folder, and name it in the block: import { certificate = \"import/%s.crt\" }. Whatever hangs below waits until then.",
		a.Issuer.Address, a.Address, file, a.Address.FileName())
	m.plan.Awaits = append(m.plan.Awaits, Awaited{a.Address, a.Issuer.Address, file})
	have, _ := m.state.Authority(a.Address)
	if csr == nil {
		g, _ := have.At(own.ref.Generation)
		m.requestFor(a, own, g)
	}
	if current, _ := have.At(have.Generation); have.Certificate != nil {
		m.materials[a.Address] = materialOf(a.Address, current)
	}
}

// requestFor plans a request, unless the very same one was signed already.
func (m *maker) requestFor(a *spec.Authority, own *material, g Generation) {
	action := &RequestAction{Key: own.ref, Template: tbs.Request{PathLength: m.estate.PathLen(a), Rehearsal: m.estate.Environment == spec.Rehearsal}}
	action.Outputs = []string{requestOutput(a.Address)}
	built, err := m.draftRequest(a, action, own)
	if err != nil {
		m.diags.Report(a.Origin, "", "Request that cannot be built", "%s.", err)
		return
	}
	if g.waits(built) {
		return
	}
	action.Findings = m.judge(a.Origin, "request", action.Findings)
	m.add(Action{Kind: SignRequest, Address: a.Address, SignRequest: action})
	m.useStore(a, own, g)
}

// draftRequest builds the bytes that the key signs, or a preview of them.
func (m *maker) draftRequest(a *spec.Authority, action *RequestAction, own *material) ([]byte, error) {
	name, err := tbs.EncodeName(a.Subject)
	if err != nil {
		return nil, err
	}
	action.Template.Subject = name
	built, err := action.Template.Build(own.spki)
	if err != nil {
		return nil, err
	}
	draft, err := tbs.Draft(built, own.ref.Algorithm)
	if err != nil {
		return nil, err
	}
	if own.real() {
		action.TBS = built
	} else {
		action.Preview = draft
	}
	action.Findings = m.linter.DraftCSR(draft)
	return built, nil
}

// RequestTBS gives the exact bytes that a planned request consists of.
func (s *State) RequestTBS(r *RequestAction) ([]byte, error) {
	spki, err := s.issuerKey(r.Key)
	if err != nil {
		return nil, err
	}
	built, err := r.Template.Build(spki)
	if err != nil {
		return nil, err
	}
	if r.TBS != nil {
		if !bytes.Equal(r.TBS, built) {
			return nil, errors.New("the bytes to sign are not the plan's")
		}
		return built, nil
	}
	shown, err := x509.ParseCertificateRequest(r.Preview)
	if err != nil {
		return nil, fmt.Errorf("the plan's preview is no request: %w", err)
	}
	again, err := r.Template.Build(shown.RawSubjectPublicKeyInfo)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, shown.RawTBSCertificateRequest) {
		return nil, errors.New("the bytes to sign differ from the plan's preview in more than the public key")
	}
	return built, nil
}

func (s *State) signRequest(signed *Signed) error {
	action, err := s.expect(signed.Action, SignRequest, signed.Address)
	if err != nil {
		return err
	}
	planned := action.SignRequest
	want, err := s.RequestTBS(planned)
	if err != nil {
		return err
	}
	request, err := x509.ParseCertificateRequest(signed.DER)
	if err != nil {
		return fmt.Errorf("its request: %w", err)
	}
	authority, _ := s.Authority(signed.Address)
	g, known := authority.At(planned.Key.Generation)
	switch {
	case !bytes.Equal(request.RawTBSCertificateRequest, want) || signed.Generation != planned.Key.Generation || signed.Number != "" || signed.Voids != nil || signed.SHA256 != "":
		return errors.New("its request does not have the bytes that the plan says")
	case planned.Key.Address != signed.Address || !known || g.Number != authority.last():
		return errors.New("its request is not for the newest key of the authority")
	}
	spki, _ := s.Verifying(g.spki)
	if err := s.verify(planned.Key.Algorithm, spki, request.RawTBSCertificateRequest, request.Signature); err != nil {
		return fmt.Errorf("its request: %w", err)
	}
	s.put(authority.with(g.asked(signed.DER)))
	s.Open.Done++
	return nil
}

// asked gives the generation with a request that waits for a certificate.
func (g Generation) asked(der []byte) Generation {
	g.Request, g.requested = der, len(g.Certificates)
	return g
}

// observeRequest takes a request in without the plan that says so.
func (s *State) observeRequest(signed *Signed) error {
	request, err := x509.ParseCertificateRequest(signed.DER)
	if err != nil {
		return fmt.Errorf("its request: %w", err)
	}
	authority, _ := s.Authority(signed.Address)
	g, known := authority.At(signed.Generation)
	if !known || !bytes.Equal(g.spki, request.RawSubjectPublicKeyInfo) {
		return fmt.Errorf("its request is not for the key of %s", signed.Address)
	}
	s.put(authority.with(g.asked(signed.DER)))
	return nil
}
