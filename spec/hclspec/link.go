package hclspec

import (
	"bytes"
	"encoding/pem"
	"slices"

	"pki.internal/spec"
)

// link makes the estate from the raw structs of the blocks that are sound and
// refer to none but sound ones. Every pointer target exists
// before a reference is followed, so blocks may stand in any order.
func (l *loader) link() *spec.Estate {
	x := &linker{
		loader:         l,
		estate:         &spec.Estate{},
		custodians:     map[spec.Address]*spec.Custodians{},
		secrets:        map[spec.Address]*spec.Secret{},
		stores:         map[spec.Address]*spec.KeyStore{},
		authorities:    map[spec.Address]*spec.Authority{},
		templates:      map[spec.Address]*spec.Template{},
		provisioners:   map[spec.Address]*spec.Provisioner{},
		sshAuthorities: map[spec.Address]*spec.SSHAuthority{},
	}
	sound := slices.DeleteFunc(slices.Clone(l.order), func(b *block) bool { return b.faulty || b.word == "variable" })
	for _, b := range sound {
		x.allocate(b)
	}
	for _, b := range sound {
		x.fill(b)
	}
	return x.estate
}

type linker struct {
	*loader
	estate         *spec.Estate
	defaults       map[string][]string // the estate's subject
	custodians     map[spec.Address]*spec.Custodians
	secrets        map[spec.Address]*spec.Secret
	stores         map[spec.Address]*spec.KeyStore
	authorities    map[spec.Address]*spec.Authority
	templates      map[spec.Address]*spec.Template
	provisioners   map[spec.Address]*spec.Provisioner
	sshAuthorities map[spec.Address]*spec.SSHAuthority
}

// allocate makes the value that references will point to.
func (x *linker) allocate(b *block) {
	switch raw := b.decoded.Interface().(type) {
	case *rawEstate:
		x.estate.Origin, x.estate.Name = raw.Origin, raw.Name
		x.estate.Environment = spec.Environment(raw.Environment)
		x.defaults = raw.Subject.values()
		x.linkQuorum(raw)
	case *rawCeremony:
		x.estate.Ceremony = x.ceremony(raw)
	case *rawOfficer:
		x.estate.Officers = append(x.estate.Officers, x.officer(raw))
	case *rawCustodians:
		c := raw.link()
		x.custodians[b.address] = c
		x.estate.Custodians = append(x.estate.Custodians, c)
	case *rawSecret:
		s := &spec.Secret{Origin: raw.Origin, File: raw.File, Prompt: raw.Prompt}
		x.secrets[b.address] = s
		x.estate.Secrets = append(x.estate.Secrets, s)
	case *rawKeyStore:
		s := &spec.KeyStore{Origin: raw.Origin, Kind: raw.Kind, Path: raw.Path}
		x.stores[b.address] = s
		x.estate.KeyStores = append(x.estate.KeyStores, s)
	case *rawAuthority:
		a := &spec.Authority{Origin: raw.Origin}
		x.authorities[b.address] = a
		x.estate.Authorities = append(x.estate.Authorities, a)
	case *rawTemplate:
		t := &spec.Template{Origin: raw.Origin, Kind: raw.Kind, File: raw.File}
		x.templates[b.address] = t
		x.estate.Templates = append(x.estate.Templates, t)
	case *rawSSHAuthority:
		a := &spec.SSHAuthority{Origin: raw.Origin, Type: raw.Type, PublicKey: raw.PublicKey}
		x.sshAuthorities[b.address] = a
		x.estate.SSHAuthorities = append(x.estate.SSHAuthorities, a)
	case *rawProvisioner:
		p := &spec.Provisioner{Origin: raw.Origin, Kind: raw.Kind}
		x.provisioners[b.address] = p
		x.estate.Provisioners = append(x.estate.Provisioners, p)
	}
}

// fill sets what was written and follows the references.
func (x *linker) fill(b *block) {
	switch raw := b.decoded.Interface().(type) {
	case *rawSecret:
		x.fillSecret(x.secrets[b.address], raw)
	case *rawKeyStore:
		x.fillKeyStore(x.stores[b.address], raw)
	case *rawAuthority:
		x.fillAuthority(x.authorities[b.address], raw)
	case *rawTemplate:
		x.fillTemplate(x.templates[b.address], raw)
	case *rawProvisioner:
		x.fillProvisioner(x.provisioners[b.address], raw)
	case *rawSSHAuthority:
		if raw.Key != nil {
			x.sshAuthorities[b.address].Key = x.key(raw.Key)
		}
	case *rawOnlineCA:
		x.estate.OnlineCAs = append(x.estate.OnlineCAs, x.onlineCA(raw))
	case *rawCross:
		x.estate.Crosses = append(x.estate.Crosses, x.cross(raw))
	case *rawResponder:
		x.estate.Responders = append(x.estate.Responders, x.responder(raw))
	case *rawMoved, *rawRemoved:
		x.linkMoves(b)
	case *rawRevocation:
		x.estate.Revocations = append(x.estate.Revocations, x.revocation(raw))
	case *rawLint:
		x.estate.Lint = spec.Lint{Origin: raw.Origin, Profile: raw.Profile, FailOn: raw.FailOn, Clients: raw.Clients}
		for _, w := range raw.Waivers {
			x.estate.Lint.Waivers = append(x.estate.Lint.Waivers, spec.Waiver{
				Origin: w.Origin, Lint: w.Lint, Object: w.Object.address, Reason: w.Reason,
				Citation: w.Citation, Author: w.Author, Until: w.Until,
			})
		}
	}
}

func (x *linker) fillKeyStore(k *spec.KeyStore, raw *rawKeyStore) {
	k.Password = x.secrets[raw.Password.address]
	if raw.Kind != spec.PKCS11Store {
		return
	}
	k.Password = x.secrets[raw.PIN.address]
	k.Token = &spec.Token{
		Module: raw.Module, ModuleSHA256: raw.ModuleSHA256, InitArgs: raw.InitArgs,
		Label: raw.Token, Serial: raw.Serial, Manufacturer: raw.Manufacturer, Model: raw.Model,
		PINPad: raw.PINPad, Initialize: raw.Initialize, OfficerPIN: x.secrets[raw.OfficerPIN.address], CapabilitiesFile: raw.Capabilities,
		UserForm:    spec.PINForm{Alphabet: raw.PINAlphabet, Length: raw.PINLength},
		OfficerForm: spec.PINForm{Alphabet: raw.OfficerPINAlphabet, Length: raw.OfficerPINLength},
	}
	if raw.Capabilities == "" {
		return
	}
	text, err := x.read(raw.Capabilities)
	if err == nil {
		k.Token.Capabilities, err = spec.ParseCapabilities(text)
	}
	if err != nil {
		x.diags.Report(k.Origin, "capabilities", "Capability file that cannot be read",
			"%s: %s. Write it with pki token test --module FILE --token LABEL --out FILE; it is named relative to the estate's folder.", raw.Capabilities, plainError(err))
	}
}

func (x *linker) fillAuthority(a *spec.Authority, raw *rawAuthority) {
	a.Issuer = x.authorities[raw.Issuer.address]
	a.Subject = x.name(raw.Subject)
	a.Validity = raw.Validity
	a.PathLength = raw.PathLength
	a.CAIssuersURLs = raw.CAIssuersURLs
	for _, usage := range raw.ExtendedKeyUsage {
		a.ExtendedKeyUsage = append(a.ExtendedKeyUsage, spec.ExtKeyUsage(usage))
	}
	if raw.Key != nil {
		a.Key = x.key(raw.Key)
	}
	if raw.CSR != "" {
		a.CSR = x.readCSR(a.Origin, raw.CSR)
	}
	if raw.CRL != nil {
		a.CRL = &spec.CRL{Origin: raw.CRL.Origin, URLs: raw.CRL.URLs, ValidFor: raw.CRL.ValidFor, IssueEvery: raw.CRL.IssueEvery, Presign: raw.CRL.Presign, OnTimer: raw.CRL.OnTimer}
	}
	a.OCSP = raw.OCSP.link()
	a.NameConstraints = raw.NameConstraints.link()
	raw.linkLifecycle(a)
	x.fillProfile(a, raw)
	a.Import = x.adopted(raw.Import)
}

func (x *linker) key(raw *rawKey) *spec.Key {
	k := &spec.Key{Origin: raw.Origin, Store: x.stores[raw.Store.address], Algorithm: spec.Algorithm(raw.Algorithm), BackupPolicy: raw.BackupPolicy}
	for _, r := range raw.Backup {
		k.Backup = append(k.Backup, x.stores[r.address])
	}
	return k
}

// values gives the subject's attributes by type; a nil subject has none.
func (s *rawSubject) values() map[string][]string {
	if s == nil {
		return nil
	}
	one := func(v string) []string {
		if v == "" {
			return nil
		}
		return []string{v}
	}
	return map[string][]string{
		"common_name": one(s.CommonName), "organization": s.Organization, "organizational_unit": s.OrganizationalUnit,
		"country": s.Country, "province": s.Province, "locality": s.Locality, "street_address": s.StreetAddress,
		"postal_code": s.PostalCode, "serial_number": one(s.SerialNumber),
		"organization_identifier": one(s.OrganizationIdentifier), "domain_component": s.DomainComponent, "user_id": one(s.UserID),
		"email_address": one(s.EmailAddress), "title": one(s.Title), "given_name": one(s.GivenName), "surname": one(s.Surname),
		"initials": one(s.Initials), "generation_qualifier": one(s.GenerationQualifier), "pseudonym": one(s.Pseudonym), "name": one(s.PersonName),
		"dn_qualifier": one(s.DNQualifier), "description": one(s.Description), "telephone_number": one(s.TelephoneNumber),
		"post_office_box": one(s.PostOfficeBox), "business_category": one(s.BusinessCategory), "jurisdiction_country": one(s.JurisdictionCountry),
		"jurisdiction_province": one(s.JurisdictionProvince), "jurisdiction_locality": one(s.JurisdictionLocality),
	}
}

// derSequence is the first byte of every request in DER.
const derSequence = 0x30

// readCSR takes a request as PEM or DER. What is in it is judged by the plan.
func (x *linker) readCSR(o spec.Origin, name string) *spec.CSR {
	text, err := x.read(name)
	if err != nil {
		x.diags.Report(o, "csr", "Request that cannot be read",
			"%s: %s. Put the PKCS#10 request there, as PEM or DER; csr names it relative to the estate's folder.", name, plainError(err))
		return &spec.CSR{Path: name}
	}
	if b, _ := pem.Decode(text); b != nil {
		if b.Type != "CERTIFICATE REQUEST" && b.Type != "NEW CERTIFICATE REQUEST" {
			x.diags.Report(o, "csr", "Not a certificate request", "%s holds PEM of type %q. Ask for a PKCS#10 request (BEGIN CERTIFICATE REQUEST).", name, b.Type)
		}
		text = b.Bytes
	} else if !bytes.HasPrefix(text, []byte{derSequence}) {
		x.diags.Report(o, "csr", "Not a certificate request", "%s holds neither PEM nor DER. Ask for a PKCS#10 request (BEGIN CERTIFICATE REQUEST).", name)
	}
	return &spec.CSR{Path: name, DER: text}
}

func (x *linker) revocation(raw *rawRevocation) *spec.Revocation {
	r := &spec.Revocation{
		Origin: raw.Origin, Path: raw.Certificate, Serial: raw.Serial, Authority: x.authorities[raw.Authority.address],
		Reason: raw.Reason, Date: raw.Date,
	}
	if raw.Certificate == "" {
		return r
	}
	text, err := x.read(raw.Certificate)
	if err != nil {
		x.diags.Report(r.Origin, "certificate", "Certificate that cannot be read",
			"%s: %s. Put the revoked certificate there, as PEM or DER, or give its serial and authority instead.", raw.Certificate, plainError(err))
		return r
	}
	if b, _ := pem.Decode(text); b != nil {
		text = b.Bytes
	}
	r.DER = text
	return r
}

func (n *rawNameConstraints) link() *spec.NameConstraints {
	if n == nil {
		return nil
	}
	return &spec.NameConstraints{
		Origin: n.Origin, Critical: n.Critical == nil || *n.Critical,
		PermittedDNS: n.PermittedDNS, ExcludedDNS: n.ExcludedDNS,
		PermittedIP: n.PermittedIP, ExcludedIP: n.ExcludedIP,
		PermittedEmail: n.PermittedEmail, ExcludedEmail: n.ExcludedEmail,
		PermittedURI: n.PermittedURI, ExcludedURI: n.ExcludedURI,
		PermittedDirectory: n.PermittedDirectory, ExcludedDirectory: n.ExcludedDirectory,
		Accepts: n.Accepts, Refuses: n.Refuses,
	}
}
