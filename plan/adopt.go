package plan

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"pki.internal/plan/tbs"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// AdoptAction takes an authority that other software made into the ledger, as
// it is. Nothing is signed.
type AdoptAction struct {
	Generation       int               `json:"generation"`
	Issuer           spec.Address      `json:"issuer"` // its own address for a root
	IssuerGeneration int               `json:"issuer_generation"`
	Certificate      []byte            `json:"certificate"` // DER
	CRL              []byte            `json:"crl,omitempty"`
	CRLNumber        string            `json:"crl_number,omitempty"` // decimal
	Issued           []IssuedSerial    `json:"issued,omitempty"`
	Key              *KeyAction        `json:"key,omitempty"` // where the key is; absent when it stays elsewhere
	SPKI             []byte            `json:"spki"`
	Want             map[string]string `json:"want"`
	Outputs          []string          `json:"outputs"`
	Previous         []byte            `json:"previous,omitempty"` // DER of the certificate that it replaces
	Held             spec.Address      `json:"held,omitzero"`      // key store of a key that the ledger has
}

// Adopted says that an authority was taken in, and what was seen of its key.
type Adopted struct {
	Action      int          `json:"action"`
	Address     spec.Address `json:"address"`
	Generation  int          `json:"generation"`
	Certificate []byte       `json:"certificate"` // DER
	CRL         []byte       `json:"crl,omitempty"`
	KeySeen     bool         `json:"key_seen"` // its key was opened and is the certificate's
	Evidence    []Evidence   `json:"evidence,omitempty"`
}

// adopt plans to take an authority in, or the next certificate of one that the
// ledger has: somebody else signed it.
func (m *maker) adopt(a *spec.Authority, have Authority) {
	certificate, err := x509.ParseCertificate(a.Import.Certificate)
	if err != nil {
		m.diags.Report(a.Import.Origin, "certificate", "Import that cannot be read",
			"%s: %s. If that is the certificate of %s, it is of a kind that this program cannot take in: leave it out, and describe a new authority as its successor. Otherwise name the right file, as PEM or DER.", a.Import.Path, err, a.Address)
		return
	}
	if tbs.FromRehearsal(certificate) && m.estate.Environment != spec.Rehearsal {
		m.diags.Report(a.Import.Origin, "certificate", "Import from a rehearsal", "%s was made in a rehearsal, and nothing of one ever becomes real. Name the certificate of %s that clients trust.", a.Import.Path, a.Address)
		return
	}
	action := &AdoptAction{
		Generation: a.KeyGeneration(), Issuer: a.Address, IssuerGeneration: a.KeyGeneration(), Certificate: a.Import.Certificate, Previous: have.Certificate,
		SPKI: certificate.RawSubjectPublicKeyInfo, Want: wanted(m.estate, a), Outputs: certificateOutputs(a.Address, a.IsRoot()),
	}
	own := &material{
		ref:  KeyRef{Address: a.Address, Generation: action.Generation, SPKI: action.SPKI},
		spki: action.SPKI, certificate: certificate, imported: true,
	}
	own.ref.Algorithm, _ = tbs.AlgorithmOfSPKI(own.spki) // one that cannot sign here is refused below where it must
	if a.Key != nil {
		own.ref.Algorithm = a.Key.Algorithm
	}
	g, again := have.At(action.Generation)
	if !m.follows(a, have, certificate) || !m.adoptIssuer(a, action, certificate) || !m.fits(a, certificate) || !m.adoptRequest(a, certificate) {
		return
	}
	if again {
		own.ref, own.imported = refOf(a.Address, g), g.Imported
		if g.Key != nil {
			action.Held = g.Place(a).Store
		}
	} else if !m.adoptKey(a, action, own) || !m.adoptLists(a, action, certificate) {
		return
	}
	m.adoptAgain(a, have, action)
	m.materials[a.Address] = own
	m.around.addKey(Label(a.Address, action.Generation), own.spki)
	m.around.add(Label(a.Address, action.Generation), certificate)
	m.add(Action{Kind: Adopt, Address: a.Address, Irreversible: true, Adopt: action})
	if !again {
		m.adopted[a.Address] = generationOf(action, certificate)
	}
}

// follows holds a certificate against the generations that the ledger has of
// its authority: it is for the newest key, or for the next.
func (m *maker) follows(a *spec.Authority, have Authority, c *x509.Certificate) bool {
	g, again := have.At(a.KeyGeneration())
	last := have.last()
	newest, _ := have.At(last)
	same := bytes.Equal(g.spki, c.RawSubjectPublicKeyInfo)
	switch {
	case last == 0: // it is new here
		return true
	case a.KeyGeneration() < last:
		m.generationOver(a, last)
	case a.KeyGeneration() > last+1 || !again && newest.certificate() == nil:
		m.generationLeftOut(a, last)
	case again && !same && g.certificate() == nil:
		m.diags.Report(a.Import.Origin, "certificate", "Import for another key",
			"%s is not for the key that the ceremony made for %s. Have the request in %s certified, and name what comes back.", a.Import.Path, a.Address, requestOutput(a.Address))
	case again && !same:
		m.diags.Report(a.Import.Origin, "certificate", "Import for another key",
			"%s is for another key than the one that %s has. Write generation = %d if the key was replaced, or name the certificate of the key that is there.", a.Import.Path, a.Address, last+1)
	case again && g.certificate() != nil && c.NotBefore.Before(g.certificate().NotBefore) && c.NotAfter.Before(g.certificate().NotAfter):
		m.diags.Report(a.Import.Origin, "certificate", "Import of an older certificate",
			"%s counts from %s to %s, and the newest one of %s, which the ledger has, from %s to %s. Name the newest certificate.", a.Import.Path,
			day(c.NotBefore), day(c.NotAfter), a.Address, day(g.certificate().NotBefore), day(g.certificate().NotAfter))
	case a.PreventReplace && (!again || a.IsRoot()) && have.Certificate != nil:
		m.prevented(a, map[bool]string{true: "its certificate, which relying parties hold,", false: "the key"}[again])
	case !again && m.sharesURLs(a, have):
	default:
		return true
	}
	return false
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// adoptAgain notes what changes for an authority that the ledger has, and where
// the certificate of before goes.
func (m *maker) adoptAgain(a *spec.Authority, have Authority, action *AdoptAction) {
	if have.Certificate == nil {
		return
	}
	g, _ := have.At(have.Generation)
	action.Outputs = append(action.Outputs, olderOutputs(a.Address, g.Number, len(g.Certificates), have.Issuer == a.Address)...)
	class, replaced := NewKey, true
	if action.Generation == g.Number {
		action.Outputs = append(action.Outputs, m.state.below(a.Address, g.Number)...)
		class, replaced = NewCertificate, false
	}
	if a.IsRoot() {
		class = NewRoot
	}
	why := "other software signed it"
	if a.Issuer != nil {
		why = a.Issuer.Address.String() + " signed it"
	}
	m.changed(Change{Address: a.Address, Class: class, Why: why, Attributes: differences(have.Want, action.Want), Blast: m.blast(a, replaced)})
}

// holds reports whether a certificate is one of those that the ledger has of
// the authority.
func (a Authority) holds(der []byte) bool {
	return slices.ContainsFunc(a.Generations, func(g Generation) bool {
		return slices.ContainsFunc(g.Certificates, func(c Issued) bool { return bytes.Equal(c.DER, der) })
	})
}

// adoptRequest holds a request whose key lives elsewhere against the
// certificate that came back for it.
func (m *maker) adoptRequest(a *spec.Authority, c *x509.Certificate) bool {
	if a.CSR == nil {
		return true
	}
	request, _, ok := m.request(a.Origin, a.CSR, Label(a.Address, a.KeyGeneration()))
	if ok && !bytes.Equal(request.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo) {
		m.diags.Report(a.Import.Origin, "certificate", "Import for another key",
			"%s is for another key than the one that asks in %s. Name the certificate that was signed for this request, or the request that it was signed for.", a.Import.Path, a.CSR.Path)
		return false
	}
	return ok
}

// generationOf gives what an adopted authority begins with.
func generationOf(action *AdoptAction, certificate *x509.Certificate) Generation {
	g := Generation{
		Number: action.Generation, CRL: action.CRL, CRLNumber: action.CRLNumber, Imported: true, Issued: action.Issued, spki: action.SPKI,
		ImportedCRL: action.CRL,
	}
	g.Certificates = []Issued{{
		DER: action.Certificate, Issuer: action.Issuer, IssuerGeneration: action.IssuerGeneration, Want: action.Want, parsed: certificate,
	}}
	return g
}

// adoptIssuer holds the certificate against the key that is said to have
// signed it.
func (m *maker) adoptIssuer(a *spec.Authority, action *AdoptAction, c *x509.Certificate) bool {
	above := c
	if a.Issuer != nil {
		issuer := m.materials[a.Issuer.Address]
		if issuer == nil || issuer.certificate == nil {
			return false // reported there
		}
		found := m.signerOf(a.Issuer, c)
		if found == nil {
			m.diags.Report(a.Import.Origin, "certificate", "Import of another issuer",
				"%s was issued by %q, and not by a key of %s. Name the issuer that signed it.", a.Import.Path, c.Issuer, a.Issuer.Address)
			return false
		}
		above, action.Issuer, action.IssuerGeneration = found.certificate, a.Issuer.Address, found.ref.Generation
	}
	switch err := public.CheckCertificate(c, above); {
	case err != nil && bytes.Equal(c.RawIssuer, above.RawSubject) && (a.Issuer != nil || bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId) || c.AuthorityKeyId == nil):
		m.diags.Report(a.Import.Origin, "certificate", "Import whose signature cannot be verified",
			"%s names %q as its issuer, and its signature (%s) cannot be verified under the key of that one (%s): %s. What cannot be verified is not taken in: name the right file, or describe a new authority as its successor.",
			a.Import.Path, c.Issuer, public.SignatureOf(c.SignatureAlgorithm, c.Raw), public.NameOf(above.RawSubjectPublicKeyInfo), err)
		return false
	case err != nil || !bytes.Equal(c.RawIssuer, above.RawSubject):
		m.diags.Report(a.Import.Origin, "certificate", "Import that nobody here signed",
			"%s was issued by %q and is not self-signed. Declare its issuer as an authority, imported by its certificate alone, and write issuer = authority.NAME.", a.Import.Path, c.Issuer)
		return false
	}
	return true
}

// fits refuses an estate that describes another certificate than the one that
// comes in: the next one would silently be made to the estate's words.
func (m *maker) fits(a *spec.Authority, c *x509.Certificate) bool {
	good := true
	differ := func(word, have, want string) {
		good = false
		m.diags.Report(a.Origin, word, "Estate differs from the imported certificate",
			"%s of %s is %q in %s, and %q here. Write what the certificate says; change it with the next certificate.", word, a.Address, have, a.Import.Path, want)
	}
	want, err := tbs.EncodeName(a.Subject)
	if have := plainName(c.RawSubject); err != nil || have != plainName(want) {
		good = false
		m.diags.Report(a.Origin, "subject", "Estate differs from the imported certificate",
			"The subject of %s is %q in %s, and %q here. Write what the certificate says%s; change it with the next certificate.", a.Address, have, a.Import.Path, plainName(want), inHCL(c.RawSubject))
	}
	if old := a.IsRoot() && c.Version < 3; !c.IsCA && !old { // before version 3 nothing told an authority from others
		good = false
		m.diags.Report(a.Import.Origin, "certificate", "Import of a leaf", "%s is no certificate of an authority. Name the authority's own.", a.Import.Path)
	}
	if a.PathLength != nil && (!c.BasicConstraintsValid || c.MaxPathLen != *a.PathLength) {
		have := "without limit"
		if c.BasicConstraintsValid && c.MaxPathLen >= 0 {
			have = fmt.Sprint(c.MaxPathLen)
		}
		differ("path_length", have, fmt.Sprint(*a.PathLength))
	}
	if a.Key != nil {
		if have, err := tbs.AlgorithmOfSPKI(c.RawSubjectPublicKeyInfo); err != nil || have != a.Key.Algorithm.KeyType() {
			name := string(have)
			if err != nil {
				name = public.NameOf(c.RawSubjectPublicKeyInfo)
			}
			differ("key", name, string(a.Key.Algorithm))
		}
	}
	return good
}

// adoptKey says where the key is; the ceremony opens it.
func (m *maker) adoptKey(a *spec.Authority, action *AdoptAction, own *material) bool {
	if owner, taken := m.ours(own.spki, a); taken {
		m.diags.Report(a.Import.Origin, "certificate", "Import with one of our own keys", "The key in %s is that of %s. An authority is imported once. Remove one of them.", a.Import.Path, owner)
		return false
	}
	if a.Key == nil {
		return true
	}
	if a.Import.KeyFile == "" && a.Import.KeyID == "" {
		m.diags.Report(a.Import.Origin, "", "Imported key that cannot be found", "The ledger has no key of %s. %s.", Label(a.Address, action.Generation), a.Import.Where(a.Key.Store))
		return false
	}
	key := &KeyAction{
		Generation: action.Generation, Store: a.Key.Store.Address, Algorithm: a.Key.Algorithm,
		KeyID: a.Import.KeyID, Label: a.Import.KeyLabel, Location: a.Import.KeyFile,
	}
	if a.Key.Store.Token != nil {
		id, err := hex.DecodeString(a.Import.KeyID)
		if err != nil {
			return false // Validate has said so
		}
		key.Location = a.Key.Store.Token.KeyURI(id, a.Import.KeyLabel)
	}
	if key.Label == "" {
		key.Label = keyName(a)
	}
	action.Key = key
	m.useSecret(a.Key.Store.Password)
	return true
}

// adoptLists takes over the last revocation list and what was issued.
func (m *maker) adoptLists(a *spec.Authority, action *AdoptAction, c *x509.Certificate) bool {
	if a.Import.Index != nil {
		issued, err := readIndex(a.Import.Index)
		if err != nil {
			m.diags.Report(a.Import.Origin, "index", "Import that cannot be read", "%s, %s. Name openssl's index.txt, or correct that line.", a.Import.IndexPath, err)
			return false
		}
		action.Issued = issued
	}
	if a.Import.CRL == nil {
		return true
	}
	list, err := x509.ParseRevocationList(a.Import.CRL)
	switch {
	case err != nil:
		m.diags.Report(a.Import.Origin, "crl", "Import that cannot be read", "%s: %s. Name the last CRL, as PEM or DER.", a.Import.CRLPath, err)
		return false
	case public.CheckList(list, c) != nil:
		m.diags.Report(a.Import.Origin, "crl", "CRL of another issuer", "%s was not signed by the key in %s. Name the last CRL of %s.", a.Import.CRLPath, a.Import.Path, a.Address)
		return false
	}
	action.CRL, action.CRLNumber = a.Import.CRL, numberOf(list)
	action.Outputs = append(action.Outputs, crlOutputs(a.Address, action.Generation)...)
	return true
}

// numberOf gives a list's number, 0 for one that has none.
func numberOf(list *x509.RevocationList) string {
	if list.Number == nil {
		return "0"
	}
	return list.Number.String()
}

// inHCL gives a subject as it is written in an estate: in its encoded order,
// whatever that is.
func inHCL(der []byte) string {
	var sequence pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &sequence); err != nil {
		return ""
	}
	var name spec.Name
	for _, rdn := range sequence {
		for i, one := range rdn {
			text, isText := one.Value.(string)
			if !isText {
				return "" // nothing that HCL could say
			}
			name = append(name, spec.NameAttribute{Type: one.Type.String(), Value: text, Joins: i > 0})
		}
	}
	var quoted []string
	for _, rdn := range name.RDNs() {
		quoted = append(quoted, strconv.Quote(rdn))
	}
	return ", such as rdns = [" + strings.Join(quoted, ", ") + "]"
}

// plainName gives a name in words, whatever string types it is encoded in.
func plainName(der []byte) string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &name); err != nil {
		return err.Error()
	}
	return name.String()
}

// keyless refuses to sign for an authority that was imported by its
// certificate alone.
func (m *maker) keyless(a *spec.Authority) bool {
	if a.Key != nil || a.CSR != nil {
		return false
	}
	if a.CertifiedElsewhere() {
		m.diags.Report(a.Origin, "import", "New certificate for a key that is not here",
			"%s was imported by its certificate alone. Have %s certify it anew, and name what comes back in the import block; or restore the old values.", a.Address, a.Issuer.Address)
		return true
	}
	m.diags.Report(a.Origin, "import", "New certificate for a key that is not here",
		"%s was imported by its certificate alone, so nothing new can be made for it. Add a key block or a csr, or restore the old values.", a.Address)
	return true
}

// imported lists what other software has revoked with an adopted key: on its
// last list, or in its index and not yet on any.
func (g Generation) imported() []tbs.Entry {
	var all []tbs.Entry
	seen := map[string]bool{}
	if list, err := x509.ParseRevocationList(g.ImportedCRL); err == nil {
		for _, e := range list.RevokedCertificateEntries {
			serial := hex.EncodeToString(e.SerialNumber.Bytes())
			seen[serial] = true
			all = append(all, tbs.Entry{Serial: serial, Date: e.RevocationTime.UTC(), Reason: e.ReasonCode})
		}
	}
	for _, one := range g.Issued {
		if n, ok := new(big.Int).SetString(one.Serial, 16); ok && one.Revoked != nil {
			if serial := hex.EncodeToString(n.Bytes()); !seen[serial] {
				all = append(all, tbs.Entry{Serial: serial, Date: *one.Revoked, Reason: one.Reason})
			}
		}
	}
	return all
}

func (s *State) adopt(e *Adopted, at time.Time) error {
	action, err := s.expect(e.Action, Adopt, e.Address)
	if err != nil {
		return err
	}
	planned := action.Adopt
	c, err := x509.ParseCertificate(planned.Certificate)
	if err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	authority, _ := s.Authority(e.Address)
	g, again := authority.At(planned.Generation)
	switch {
	case !bytes.Equal(planned.Previous, authority.Certificate):
		return errors.New("the plan replaces another certificate than the one that is there")
	case again && (g.Number != authority.last() || !bytes.Equal(g.spki, planned.SPKI) || planned.Key != nil || planned.CRL != nil || planned.Issued != nil):
		return fmt.Errorf("it is not the next certificate of %s", Label(e.Address, g.Number))
	case !bytes.Equal(e.Certificate, planned.Certificate) || !bytes.Equal(e.CRL, planned.CRL) || e.Generation != planned.Generation || !bytes.Equal(c.RawSubjectPublicKeyInfo, planned.SPKI):
		return errors.New("it takes in another certificate than the plan says")
	case e.KeySeen != (planned.Key != nil):
		return errors.New("it does not say of the key what the plan wants to know")
	}
	if err := s.checkAdopted(e.Address, planned, c); err != nil {
		return err
	}
	next := generationOf(planned, c)
	if again {
		g.Certificates = append(slices.Clone(g.Certificates), next.Certificates...)
	} else {
		if err := authority.takes(planned.Generation); err != nil {
			return err
		}
		if other, taken := s.ownerOf(planned.SPKI); taken {
			return fmt.Errorf("its public key is that of %s", other)
		}
		g = next
		if planned.Key != nil {
			g.opened = at
			g.Key = &KeyMade{Action: e.Action, Address: e.Address, Key: *planned.Key, SPKI: planned.SPKI, Adopted: true, Evidence: e.Evidence}
		}
	}
	authority.Address = e.Address
	s.put(authority.counting(planned.CRLNumber).with(g))
	s.Open.Done++
	return nil
}

// counting gives the authority after a list with a number was taken in.
func (a Authority) counting(number string) Authority {
	if number != "" && decimal(number).Cmp(decimal(a.HighestCRL)) > 0 || a.HighestCRL == "" {
		a.HighestCRL = number
	}
	return a
}

// checkAdopted verifies the signatures of what is taken in.
func (s *State) checkAdopted(address spec.Address, planned *AdoptAction, c *x509.Certificate) error {
	above := c
	if planned.Issuer != address {
		issuer, _ := s.Authority(planned.Issuer)
		g, _ := issuer.At(planned.IssuerGeneration)
		if above = g.certificate(); above == nil {
			return fmt.Errorf("its issuer %s has no certificate", planned.Issuer)
		}
	}
	if err := public.CheckCertificate(c, above); err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	if planned.CRL == nil {
		return nil
	}
	list, err := x509.ParseRevocationList(planned.CRL)
	if err == nil {
		err = public.CheckList(list, c)
	}
	if err == nil && numberOf(list) != planned.CRLNumber {
		err = errors.New("it has another number than the plan says")
	}
	if err != nil {
		return fmt.Errorf("its CRL: %w", err)
	}
	return nil
}

// withImported adds what other software revoked to what the estate revokes.
func withImported(entries []tbs.Entry, g Generation) []tbs.Entry {
	for _, e := range g.imported() {
		if !slices.ContainsFunc(entries, func(have tbs.Entry) bool {
			return strings.TrimLeft(have.Serial, "0") == strings.TrimLeft(e.Serial, "0")
		}) {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b tbs.Entry) int { return compareSerials(a.Serial, b.Serial) })
	return entries
}

// observeAdopted takes an authority in without the plan that says so.
func (s *State) observeAdopted(e *Adopted) error {
	c, err := x509.ParseCertificate(e.Certificate)
	if err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	authority, _ := s.Authority(e.Address)
	authority.Address = e.Address
	g, again := authority.At(e.Generation)
	switch {
	case again && !bytes.Equal(g.spki, c.RawSubjectPublicKeyInfo):
		return fmt.Errorf("its certificate is not for the key of %s", e.Address)
	case !again:
		g = Generation{Number: e.Generation, Imported: true, CRL: e.CRL, spki: c.RawSubjectPublicKeyInfo}
		s.observed = append(slices.Clip(s.observed), authority.as(g))
	}
	issuer, found := s.signer(c)
	if !found {
		return errors.New("its certificate is signed by no key of this ledger")
	}
	if list, err := x509.ParseRevocationList(e.CRL); err == nil && !again {
		g.CRLNumber = numberOf(list)
		authority = authority.counting(g.CRLNumber)
	}
	g.Certificates = append(slices.Clone(g.Certificates), Issued{DER: e.Certificate, Issuer: issuer.Address, IssuerGeneration: issuer.Generation, parsed: c})
	s.put(authority.with(g))
	return nil
}
