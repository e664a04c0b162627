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

	lastRules []byte          // marks of the lints of the newest finished ceremony
	officers  *OfficersAction // in force; nil before the first were appointed
	observed  []Authority     // every key of a ledger without its plans
	past      *past           // what every entry up to this one says
	now       int             // the place in it
	delta     *delta          // what the entry at hand changes, nil between entries
	shares    []ShareSet
	rehearses bool              // Rehearsing gave it
	proofs    *Proofs           // signatures that need not be verified again
	standIns  map[string][]byte // in a rehearsal: public keys that stand in for those of the ledger
	aborted   []string          // digests of plans whose ceremonies were aborted
	named     *CustodiansNamed  // holders of the set that comes next
	sshKeys   map[spec.Address]KeyMade
}

// Authority is what the ledger knows of one CA. What it says of itself is
// what its newest generation with a certificate says.
type Authority struct {
	Address          spec.Address
	Generation       int
	Key              *KeyMade          // nil when the key lives elsewhere
	Certificate      []byte            // DER, nil before it is signed
	Issuer           spec.Address      // its own address for a root
	IssuerGeneration int               // whose key signed the certificate
	Want             map[string]string // the estate's words when it was planned
	CRL              []byte            // DER of the newest, nil before the first
	CRLNumber        string            // of CRL, decimal
	Stack            []PresignedCRL    // signed ahead of their time, after CRL, by number
	HighestCRL       string            // highest number that any of its keys signed, void ones included
	Retired          []string          // numbers that were in a stack and are void or replaced
	OCSP             *OCSPSigned       // newest answer about its certificate, nil before the first
	Generations      []Generation      // every one, oldest first
	Forgotten        bool              // the estate no longer describes it, on purpose
}

// OpenCeremony is one that has begun and not finished.
type OpenCeremony struct {
	Plan   *Plan
	Digest string
	Done   int          // actions with an entry; they happen in order
	Intent *KeyIntended // a key that may exist, of action Done+1
	Sealed *Signed      // a CRL that was signed ahead, of action Done+1

	Exceptions int // that were noted
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
	if s.delta != nil {
		if changed, is := s.delta.authorities[a]; is {
			if changed == nil {
				return Authority{}, false
			}
			return *changed, true
		}
	}
	if s.past == nil {
		return Authority{}, false
	}
	return s.past.authorities.at(a, s.now)
}

// Authorities lists every authority of the ledger by address. The list is not
// to be changed.
func (s State) Authorities() []Authority {
	if s.past == nil {
		return nil
	}
	return s.past.all(s.now)
}

// Provisioner gives a provisioner's recorded key.
func (s State) Provisioner(a spec.Address) (ProvKey, bool) {
	if s.past == nil {
		return ProvKey{}, false
	}
	return s.past.provisioners.at(a, s.now)
}

// Token gives what the ledger knows of a key store's token that a ceremony
// made ready.
func (s State) Token(store spec.Address) (TokenReady, bool) {
	if s.past == nil {
		return TokenReady{}, false
	}
	return s.past.tokens.at(store, s.now)
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
	return next.settled(e, head), nil
}

// settled gives a clone in which an event is over and done with.
func (s State) settled(e Event, head Head) State {
	s.past.keep(s.now, s.delta)
	s.Head, s.LastTime, s.delta = head, e.Time, nil
	return s
}

// clone gives a state that may be changed without changing s.
func (s State) clone() State {
	next := s
	next.past, next.now, next.delta = s.past.from(s.now), s.now+1, newDelta()
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
		StepsWereTaken: e.Steps != nil, PeopleCame: e.People != nil, ExceptionHappened: e.Exception != nil, CeremonyAborted: e.Aborted != nil, HeadAttested: e.Attested != nil,
		AddressMoved: e.Moved != nil, AuthorityForgotten: e.Forgotten != nil, AuthorityAdopted: e.Adopted != nil,
		KeyWasBackedUp: e.BackedUp != nil, KeyWasSealed: e.KeySealed != nil, KeyWasProven: e.Proven != nil,
		RequestSigned: e.Request != nil,
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
	if e.Kind == HeadAttested {
		return s.CheckAttested(e.Attested)
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
		return s.makeKey(e.KeyMade, e.Time)
	case KeyWasBackedUp:
		return s.backUp(e.BackedUp, e.Time)
	case KeyWasSealed:
		return s.seal(e.KeySealed)
	case KeyWasProven:
		return s.proveKey(e.Proven, e.Time)
	case CertificateSigned:
		return s.signCertificate(e.Certificate)
	case CRLSigned:
		return s.signCRL(e.CRL)
	case OCSPWasSigned:
		return s.signOCSP(e.OCSP)
	case RequestSigned:
		return s.signRequest(e.Request)
	case CRLSealed:
		return s.sealCRL(e.Sealed)
	case ProvisionerKeyMade:
		return s.makeProvisionerKey(e.Provisioner)
	case TokenInitialized:
		return s.initializeToken(e.TokenReady)
	case TokenIdentified:
		return s.identifyToken(e.Token)
	case AddressMoved:
		return s.moved(e.Moved)
	case AuthorityForgotten:
		return s.forgotten(e.Forgotten)
	case AuthorityAdopted:
		return s.adopt(e.Adopted, e.Time)
	case OfficersAppointed:
		return s.appoint(e.Officers)
	case HoldersNamed:
		return s.nameCustodians(e.Custodians)
	case SharesWereMade:
		return s.establishShares(e.Shares, EstablishShares, e.Time)
	case SecretReshared:
		return s.establishShares(e.Reshared, ReshareSecret, e.Time)
	case StepsWereTaken, PeopleCame, ExceptionHappened:
		return s.atTheTable(e)
	case CeremonyAborted:
		return s.abort(e.Aborted)
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
	s.delta.tokens[t.Address] = t
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
	s.delta.provisioners[k.Address] = k
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

func (s *State) makeKey(k *KeyMade, at time.Time) error {
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
	if algorithm, err := tbs.AlgorithmOf(key); err != nil || algorithm != k.Key.Algorithm.KeyType() {
		return fmt.Errorf("its public key is not %s", k.Key.Algorithm.Title())
	}
	if other, taken := s.ownerOf(k.SPKI); taken {
		return fmt.Errorf("its public key is that of %s", other)
	}
	if kind == GenerateSSHKey {
		s.sshKeys = maps.Clone(s.sshKeys)
		if s.sshKeys == nil {
			s.sshKeys = map[spec.Address]KeyMade{}
		}
		s.sshKeys[k.Address] = *k
		s.Open.Intent = nil
		s.Open.Done++
		return nil
	}
	authority, _ := s.Authority(k.Address)
	if err := authority.takes(k.Key.Generation); err != nil {
		return err
	}
	authority.Address = k.Address
	s.put(authority.with(Generation{Number: k.Key.Generation, Key: k, spki: k.SPKI, opened: at}))
	s.Open.Intent = nil
	s.Open.Done++
	return nil
}

// put notes what the entry at hand makes of an authority.
func (s *State) put(a Authority) { s.delta.authorities[a.Address] = &a }

// takes refuses a new generation that does not follow the last.
func (a Authority) takes(generation int) error {
	last := a.last()
	newest, _ := a.At(last)
	switch {
	case generation < 1 || last > 0 && generation != last+1:
		return fmt.Errorf("generation %d does not follow generation %d", generation, last)
	case last > 0 && len(newest.Certificates) == 0:
		return fmt.Errorf("generation %d has no certificate yet", last)
	}
	return nil
}

// ownerOf finds the authority that has a public key, or had it in a
// generation before.
func (s *State) ownerOf(spki []byte) (spec.Address, bool) {
	for _, k := range s.sshKeys {
		if bytes.Equal(k.SPKI, spki) {
			return k.Address, true
		}
	}
	return newestUpTo(s.past.owners[string(spki)], s.now)
}

// SPKI gives the authority's public key, nil when it has none yet.
func (a Authority) SPKI() []byte {
	g, _ := a.At(a.Generation)
	return g.spki
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
	if !bytes.Equal(want, certificate.RawTBSCertificate) || signed.Generation != planned.Generation {
		return errors.New("its certificate does not have the bytes that the plan says")
	}
	issuer, err := s.issuerKey(planned.Issuer)
	if err != nil {
		return err
	}
	issuer, _ = s.Verifying(issuer)
	if err := s.verify(planned.Issuer.Algorithm, issuer, certificate.RawTBSCertificate, certificate.Signature); err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	enter := s.enter
	switch signed.Address.Kind {
	case CrossKind:
		enter = s.enterCross
	case ResponderKind:
		enter = s.enterResponder
	}
	if err := enter(signed, planned, certificate); err != nil {
		return err
	}
	s.Open.Done++
	return nil
}

// enter puts a certificate into the generation of its key.
func (s *State) enter(signed *Signed, planned *CertificateAction, certificate *x509.Certificate) error {
	authority, _ := s.Authority(signed.Address)
	if planned.Subject.Address != signed.Address || planned.Subject.Generation != planned.Generation {
		return errors.New("its certificate is for the key of another authority")
	}
	if !bytes.Equal(planned.Previous, authority.Certificate) {
		return errors.New("the plan replaces another certificate than the one that is there")
	}
	g, known := authority.At(planned.Generation)
	switch {
	case known && g.Number != authority.last():
		return fmt.Errorf("generation %d is no longer the newest", g.Number)
	case !known && planned.CSR == nil:
		return fmt.Errorf("generation %d has no key", planned.Generation)
	case !known:
		if err := authority.takes(planned.Generation); err != nil {
			return err
		}
		if other, taken := s.ownerOf(planned.Subject.SPKI); taken {
			return fmt.Errorf("its public key is that of %s", other)
		}
		g = Generation{Number: planned.Generation, spki: planned.Subject.SPKI}
	}
	if !bytes.Equal(g.spki, certificate.RawSubjectPublicKeyInfo) {
		return errors.New("its certificate is for another key than that of its generation")
	}
	authority.Address = signed.Address
	g.Certificates = append(slices.Clone(g.Certificates), Issued{
		DER: signed.DER, Issuer: planned.Issuer.Address, IssuerGeneration: planned.Issuer.Generation, Want: planned.Want, Waived: waivedIn(planned.Findings), parsed: certificate,
	})
	s.put(authority.with(g))
	return nil
}

func (s *State) finish(f *Finished) error {
	if s.Open.Done != len(s.Open.Plan.Actions) || f.Actions != s.Open.Done || f.PlanDigest != s.Open.Digest {
		return fmt.Errorf("the ceremony finishes after %d of %d actions", s.Open.Done, len(s.Open.Plan.Actions))
	}
	s.lastRules = s.Open.Plan.Lint.Rules
	s.Open, s.LastPlan = nil, f.PlanDigest
	return nil
}
