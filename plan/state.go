package plan

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pki.internal/plan/tbs"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// State is what a ledger adds up to. It is a value: Apply gives the next one
// and leaves this one as it was. The zero State is that of an empty ledger.
type State struct {
	Head        Head
	LastTime    time.Time // of the newest entry
	Estate      string    // name, from the first ceremony
	Environment spec.Environment
	Variables   map[string]string // that the newest plan was made with
	Open        *OpenCeremony     // nil between ceremonies
	LastPlan    string            // digest of the plan of the newest finished ceremony

	officers     *OfficersAction // in force; nil before the first were appointed
	observed     []Authority     // every key of a ledger without its plans
	authorities  map[spec.Address]Authority
	provisioners map[spec.Address]ProvKey
	tokens       map[spec.Address]TokenReady
	shares       []ShareSet
	named        *CustodiansNamed // holders of the set that comes next
	sshKeys      map[spec.Address]KeyMade
}

// Authority is what the ledger knows of one CA: its newest generation.
type Authority struct {
	Address     spec.Address
	Generation  int
	Key         *KeyMade          // nil when the key lives elsewhere
	Certificate []byte            // DER, nil before it is signed
	Issuer      spec.Address      // its own address for a root
	Want        map[string]string // the estate's words when it was planned
	CRL         []byte            // DER of the newest, nil before the first
	CRLNumber   string            // of CRL, decimal
	Stack       []PresignedCRL    // signed ahead of their time, after CRL, by number
	HighestCRL  string            // highest number ever signed, void ones included
	OCSP        *OCSPSigned       // newest answer about its certificate, nil before the first
	Retired     []string          // numbers that were in a stack and are void or replaced
}

// OpenCeremony is one that has begun and not finished.
type OpenCeremony struct {
	Plan   *Plan
	Digest string
	Done   int          // actions with an entry; they happen in order
	Intent *KeyIntended // a key that may exist, of action Done+1
	Sealed *Signed      // a CRL that was signed ahead, of action Done+1
}

// Next gives the action that comes next, or false when all are done.
func (o *OpenCeremony) Next() (Action, bool) {
	if o.Done >= len(o.Plan.Actions) {
		return Action{}, false
	}
	return o.Plan.Actions[o.Done], true
}

// EmptyHead is the head of a ledger without entries.
func EmptyHead() Head { return Head{Hash: strings.Repeat("0", 64)} }

// Authority gives what the ledger knows of an authority.
func (s State) Authority(a spec.Address) (Authority, bool) {
	found, ok := s.authorities[a]
	return found, ok
}

// Authorities lists every authority of the ledger by address.
func (s State) Authorities() []Authority {
	return slices.SortedFunc(maps.Values(s.authorities), func(a, b Authority) int {
		return strings.Compare(a.Address.String(), b.Address.String())
	})
}

// Provisioner gives a provisioner's recorded key.
func (s State) Provisioner(a spec.Address) (ProvKey, bool) {
	found, ok := s.provisioners[a]
	return found, ok
}

// Token gives what the ledger knows of a key store's token that a ceremony
// made ready.
func (s State) Token(store spec.Address) (TokenReady, bool) {
	found, ok := s.tokens[store]
	return found, ok
}

// Apply gives the state after one more event. head is the ledger's head with
// that event. Nothing is taken on trust: an event that the open plan does not
// allow, a certificate whose bytes are not the planned ones or a signature
// that does not verify is an error.
func (s State) Apply(e Event, head Head) (State, error) {
	if err := e.wellFormed(); err != nil {
		return s, err
	}
	if e.Time.Before(s.LastTime) {
		return s, fmt.Errorf("it is dated %s, before the entry above it (%s)", stamp(e.Time), stamp(s.LastTime))
	}
	next := s.clone()
	if err := next.apply(e); err != nil {
		return s, err
	}
	next.Head, next.LastTime = head, e.Time
	return next, nil
}

// clone gives a state that may be changed without changing s.
func (s State) clone() State {
	next := s
	next.authorities = maps.Clone(s.authorities)
	next.provisioners = maps.Clone(s.provisioners)
	next.tokens = maps.Clone(s.tokens)
	next.sshKeys = maps.Clone(s.sshKeys)
	if next.sshKeys == nil {
		next.sshKeys = map[spec.Address]KeyMade{}
	}
	if next.tokens == nil {
		next.tokens = map[spec.Address]TokenReady{}
	}
	if next.authorities == nil {
		next.authorities, next.provisioners = map[spec.Address]Authority{}, map[spec.Address]ProvKey{}
	}
	if s.Open != nil {
		open := *s.Open
		next.Open = &open
	}
	return next
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (e Event) wellFormed() error {
	if e.Time.IsZero() || e.Time.Location() != time.UTC || e.Time.Nanosecond() != 0 {
		return errors.New("its time is not in whole seconds of UTC")
	}
	set := map[EventKind]bool{
		CeremonyBegun: e.Begun != nil, CeremonyResumed: e.Resumed != nil, KeyWasIntended: e.KeyIntended != nil,
		KeyWasMade: e.KeyMade != nil, CertificateSigned: e.Certificate != nil, CRLSigned: e.CRL != nil,
		ProvisionerKeyMade: e.Provisioner != nil, CeremonyFinished: e.Finished != nil,
		TokenInitialized: e.TokenReady != nil, TokenIdentified: e.Token != nil, MediumLost: e.Medium != nil, OfficersAppointed: e.Officers != nil,
		OCSPWasSigned:  e.OCSP != nil,
		CRLSealed:      e.Sealed != nil,
		SharesWereMade: e.Shares != nil, HoldersNamed: e.Custodians != nil, SecretReshared: e.Reshared != nil, SharesDrilled: e.Drill != nil,
	}
	if _, known := set[e.Kind]; !known {
		return fmt.Errorf("its kind %q is not one that this version knows; use the version that wrote it", e.Kind)
	}
	for kind, has := range set {
		if has != (kind == e.Kind) {
			return fmt.Errorf("it is of kind %q and does not hold just that", e.Kind)
		}
	}
	return e.fits()
}

// apply changes a state that Apply has copied.
func (s *State) apply(e Event) error {
	if e.Kind == CeremonyBegun {
		return s.begin(e.Begun)
	}
	if e.Kind == MediumLost { // also after the last entry of a ceremony
		return nil
	}
	if e.Kind == SharesDrilled && s.Open == nil {
		return s.drill(e.Drill, e.Time)
	}
	if s.Open == nil {
		return fmt.Errorf("%q stands outside a ceremony", e.Kind)
	}
	switch e.Kind {
	case CeremonyResumed:
		return nil
	case KeyWasIntended:
		return s.intend(e.KeyIntended)
	case KeyWasMade:
		return s.makeKey(e.KeyMade)
	case CertificateSigned:
		return s.signCertificate(e.Certificate)
	case CRLSigned:
		return s.signCRL(e.CRL)
	case OCSPWasSigned:
		return s.signOCSP(e.OCSP)
	case CRLSealed:
		return s.sealCRL(e.Sealed)
	case ProvisionerKeyMade:
		return s.makeProvisionerKey(e.Provisioner)
	case TokenInitialized:
		return s.initializeToken(e.TokenReady)
	case TokenIdentified:
		return s.identifyToken(e.Token)
	case OfficersAppointed:
		return s.appoint(e.Officers)
	case HoldersNamed:
		return s.nameCustodians(e.Custodians)
	case SharesWereMade:
		return s.establishShares(e.Shares, EstablishShares, e.Time)
	case SecretReshared:
		return s.establishShares(e.Reshared, ReshareSecret, e.Time)
	case SharesDrilled:
		return errors.New("a drill stands inside a ceremony")
	}
	return s.finish(e.Finished)
}

func (s *State) initializeToken(t *TokenReady) error {
	action, err := s.expect(t.Action, InitializeToken, t.Address)
	if err != nil {
		return err
	}
	if *action.InitializeToken != t.Token {
		return errors.New("it makes another token ready than the plan says")
	}
	s.tokens[t.Address] = *t
	s.Open.Done++
	return nil
}

// identifyToken changes nothing: a public copy of the ledger lacks this fact.
func (s *State) identifyToken(t *TokenSeen) error {
	next, more := s.Open.Next()
	if !more || t.Action != next.Number || t.Address != next.Address {
		return errors.New("it names the token of an action that does not come next")
	}
	return nil
}

func (s *State) makeProvisionerKey(k *ProvKey) error {
	if _, err := s.expect(k.Action, GenerateProvisionerKey, k.Address); err != nil {
		return err
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(k.JWK), &members); err != nil {
		return fmt.Errorf("its JWK: %w", err)
	}
	for _, private := range []string{"d", "k"} { // RFC 7518 §6: step-ca shows the JWK to anybody
		if _, found := members[private]; found {
			return errors.New("its JWK is not the public key alone")
		}
	}
	s.provisioners[k.Address] = *k
	s.Open.Done++
	return nil
}

func (s *State) begin(b *Begun) error {
	if s.Open != nil {
		return errors.New("a ceremony begins inside another")
	}
	if err := b.Plan.wellFormed(); err != nil {
		return err
	}
	digest, err := b.Plan.Digest()
	switch {
	case err != nil:
		return err
	case hex.EncodeToString(digest[:]) != b.PlanDigest:
		return errors.New("the plan in it does not have the digest that it names")
	case b.Plan.Ledger != s.head():
		return fmt.Errorf("its plan continues a ledger of %d entries with head %.16s…, not this one", b.Plan.Ledger.Entries, b.Plan.Ledger.Hash)
	case s.Estate != "" && (b.Plan.Estate.Name != s.Estate || b.Plan.Estate.Environment != s.Environment):
		return fmt.Errorf("its plan is for the %s estate %q, and this ledger is of the %s estate %q",
			b.Plan.Estate.Environment, b.Plan.Estate.Name, s.Environment, s.Estate)
	}
	if err := s.approvedBy(b); err != nil {
		return err
	}
	s.Estate, s.Environment = b.Plan.Estate.Name, b.Plan.Estate.Environment
	s.Variables = b.Plan.Estate.Variables
	s.Open = &OpenCeremony{Plan: b.Plan, Digest: b.PlanDigest}
	return nil
}

func (s *State) head() Head {
	if s.Head == (Head{}) {
		return EmptyHead()
	}
	return s.Head
}

// expect gives the action that must come next and refuses any other.
func (s *State) expect(number int, kind Kind, address spec.Address) (Action, error) {
	next, more := s.Open.Next()
	switch {
	case !more:
		return Action{}, errors.New("every action of the plan has happened already")
	case number != next.Number || kind != next.Kind || address != next.Address:
		return Action{}, fmt.Errorf("action %d (%s %s) comes next, not action %d (%s %s)", next.Number, next.Kind, next.Address, number, kind, address)
	}
	return next, nil
}

func (s *State) intend(k *KeyIntended) error {
	next, more := s.Open.Next()
	if !more || next.Key() == nil || next.Number != k.Action || *next.Key() != k.Key || s.Open.Intent != nil {
		return errors.New("it intends a key that the plan does not make next")
	}
	s.Open.Intent = k
	return nil
}

func (s *State) makeKey(k *KeyMade) error {
	kind := GenerateKey
	if k.Address.Kind == "ssh_authority" {
		kind = GenerateSSHKey
	}
	action, err := s.expect(k.Action, kind, k.Address)
	if err != nil {
		return err
	}
	if s.Open.Intent == nil || s.Open.Intent.Key != k.Key || *action.Key() != k.Key {
		return errors.New("a key was made that nothing before intended")
	}
	key, err := public.Parse(k.SPKI)
	if err != nil {
		return fmt.Errorf("its public key: %w", err)
	}
	if algorithm, err := tbs.AlgorithmOf(key); err != nil || algorithm != k.Key.Algorithm {
		return fmt.Errorf("its public key is not %s", k.Key.Algorithm.Title())
	}
	if other, taken := s.ownerOf(k.SPKI); taken {
		return fmt.Errorf("its public key is that of %s", other)
	}
	if kind == GenerateSSHKey {
		s.sshKeys[k.Address] = *k
	} else {
		s.authorities[k.Address] = Authority{Address: k.Address, Generation: k.Key.Generation, Key: k}
	}
	s.Open.Intent = nil
	s.Open.Done++
	return nil
}

// ownerOf finds the authority that has a public key.
func (s *State) ownerOf(spki []byte) (spec.Address, bool) {
	for _, a := range s.Authorities() {
		if bytes.Equal(a.SPKI(), spki) {
			return a.Address, true
		}
	}
	for _, k := range s.SSHKeys() {
		if bytes.Equal(k.SPKI, spki) {
			return k.Address, true
		}
	}
	return spec.Address{}, false
}

// SPKI gives the authority's public key, nil when it has none yet.
func (a Authority) SPKI() []byte {
	if a.Key != nil {
		return a.Key.SPKI
	}
	if c, err := x509.ParseCertificate(a.Certificate); err == nil {
		return c.RawSubjectPublicKeyInfo
	}
	return nil
}

func (s *State) signCertificate(signed *Signed) error {
	action, err := s.expect(signed.Action, SignCertificate, signed.Address)
	if err != nil {
		return err
	}
	planned := action.SignCertificate
	certificate, err := x509.ParseCertificate(signed.DER)
	if err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	want, err := s.CertificateTBS(planned)
	if err != nil {
		return err
	}
	if !bytes.Equal(want, certificate.RawTBSCertificate) {
		return errors.New("its certificate does not have the bytes that the plan says")
	}
	issuer, err := s.issuerKey(planned.Issuer)
	if err != nil {
		return err
	}
	if err := tbs.Verify(planned.Issuer.Algorithm, issuer, certificate.RawTBSCertificate, certificate.Signature); err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	authority := s.authorities[signed.Address]
	authority.Address, authority.Generation = signed.Address, planned.Generation
	authority.Certificate, authority.Issuer, authority.Want = signed.DER, planned.Issuer.Address, planned.Want
	s.authorities[signed.Address] = authority
	s.Open.Done++
	return nil
}

func (s *State) finish(f *Finished) error {
	if s.Open.Done != len(s.Open.Plan.Actions) || f.Actions != s.Open.Done || f.PlanDigest != s.Open.Digest {
		return fmt.Errorf("the ceremony finishes after %d of %d actions", s.Open.Done, len(s.Open.Plan.Actions))
	}
	s.Open, s.LastPlan = nil, f.PlanDigest
	return nil
}
