// Package plan answers one question: what has to be done?
//
// It takes what the estate wants and what the ledger has, and gives a Plan:
// the sealed, content-hashed list of actions of one ceremony, down to the
// bytes that will be signed. Making a plan is a pure function. The same estate,
// state and inputs give the same bytes, so whoever doubts a plan makes it again.
package plan

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"pki.internal/lint"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// Format names the version of the plan's form. A reader refuses any other.
const Format = "pki-plan/1"

// Plan is what a ceremony will do. The law of its form: canonical JSON; no
// floats; 64-bit values and larger are strings; times are RFC 3339 in UTC with
// whole seconds; unknown and doubled keys are refused; it holds no secret.
// Fields are only ever added, together with a new Format.
type Plan struct {
	Format  string    `json:"format"`
	Tool    Tool      `json:"tool"`
	Estate  EstateRef `json:"estate"`
	Ledger  Head      `json:"ledger"`
	At      time.Time `json:"at"` // ceremony date: notBefore and thisUpdate of everything
	Window  Window    `json:"window"`
	Seed    string    `json:"seed"` // hex; serials and key ids come from it
	Lint    LintRef   `json:"lint"`
	Needs   Needs     `json:"needs"`
	Changes []Change  `json:"changes,omitempty"` // of what the ledger has already
	Actions []Action  `json:"actions"`
	// Sum is the SHA-256 of the canonical plan with an empty sum, in hex. It
	// finds a slip of the disk or of an editor in a field that making the plan
	// again takes over, such as the window; it is no seal against people, who
	// can compute it: that is what reading the digest aloud is for.
	Sum string `json:"sum"`

	// Findings are of the estate as a whole; those of an object stand in its
	// action.
	Findings []lint.Finding `json:"findings,omitempty"`

	// RestoreDrill says that this is a drill, and of what: addresses of
	// authorities and key stores, or DrillAll. It plans nothing else.
	RestoreDrill []string `json:"restore_drill,omitempty"`

	// Awaits lists the certificates that somebody else has to sign before the
	// estate is what it wants to be.
	Awaits []Awaited `json:"awaits,omitempty"`
}

// Awaited is a certificate of ours that an authority signs whose key is not here.
type Awaited struct {
	Address spec.Address `json:"address"`
	Issuer  spec.Address `json:"issuer"`
	Request string       `json:"request"` // the file to send there
}

// Tool is the program that made the plan.
type Tool struct {
	Version string `json:"version"`
	SHA256  string `json:"sha256"` // of the executable
}

// EstateRef pins the estate that the plan was made from.
type EstateRef struct {
	Name        string            `json:"name"`
	Environment spec.Environment  `json:"environment"`
	Inputs      []spec.Input      `json:"inputs"`
	Variables   map[string]string `json:"variables,omitempty"` // as given with --var
}

// Head is a point in a ledger.
type Head struct {
	Entries int    `json:"entries"`
	Hash    string `json:"hash"` // hex; of the empty ledger: 64 zeros
}

// Window is when a plan may run; both ends belong to it.
type Window struct {
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
}

// Contains reports whether t lies in the window.
func (w Window) Contains(t time.Time) bool {
	return !t.Before(w.NotBefore) && !t.After(w.NotAfter)
}

// LintRef pins the judge.
type LintRef struct {
	Profile string        `json:"profile"`
	FailOn  lint.Severity `json:"fail_on"`
	Set     string        `json:"set"`             // digest of the lints that ran
	Rules   []byte        `json:"rules,omitempty"` // marks of their names: four bytes of the SHA-256 of each
	New     []string      `json:"new,omitempty"`   // names that the last ceremony did not know
	Waivers []WaiverRef   `json:"waivers,omitempty"`
}

// WaiverRef is a waiver as the plan shows it, first of all.
type WaiverRef struct {
	Lint     string       `json:"lint"`
	Object   spec.Address `json:"object"`
	Reason   string       `json:"reason"`
	Citation string       `json:"citation"`
	Author   string       `json:"author,omitempty"`
	Until    string       `json:"until"`
}

// Needs is who and what must be in the room.
type Needs struct {
	Roles   []string       `json:"roles"`
	Secrets []spec.Address `json:"secrets"`

	Custodians []CustodiansNeeded `json:"custodians,omitempty"` // of the secrets that are shared already

	Witnesses int           `json:"witnesses,omitempty"` // who are there throughout
	Keys      []KeyNeeded   `json:"keys,omitempty"`      // that exist and sign
	Tokens    []TokenNeeded `json:"tokens,omitempty"`    // to be fetched from the safe
	Readers   int           `json:"readers,omitempty"`   // tokens that fit at one time; absent: all
	Copies    int           `json:"copies,omitempty"`    // media beside the host's own
	Network   []string      `json:"network,omitempty"`   // interfaces that may be up in production
	Duties    []Duty        `json:"duties,omitempty"`    // for afterwards
}

// Kind is what an action does.
type Kind string

// The kinds of action.
const (
	GenerateKey            Kind = "generate_key"
	SignCertificate        Kind = "sign_certificate"
	SignCRL                Kind = "sign_crl"
	SignOCSP               Kind = "sign_ocsp"
	GenerateProvisionerKey Kind = "generate_provisioner_key"
	InitializeToken        Kind = "initialize_token"
	GenerateSSHKey         Kind = "generate_ssh_key"
	AppointOfficers        Kind = "appoint_officers"
	EstablishShares        Kind = "establish_shares"
	ReshareSecret          Kind = "reshare_secret"
	Move                   Kind = "move"
	Forget                 Kind = "forget"
	Adopt                  Kind = "adopt_authority"
	BackUpKey              Kind = "back_up_key"
	SealKey                Kind = "seal_key"
	ProveKey               Kind = "prove_key"
	SignRequest            Kind = "sign_request"
)

// Action is one thing a ceremony does. The field named like its kind is set,
// and no other.
type Action struct {
	Number       int          `json:"number"` // from 1, in order
	Kind         Kind         `json:"kind"`
	Address      spec.Address `json:"address"`
	Irreversible bool         `json:"irreversible"`

	GenerateKey            *KeyAction         `json:"generate_key,omitempty"`
	SignCertificate        *CertificateAction `json:"sign_certificate,omitempty"`
	SignCRL                *CRLAction         `json:"sign_crl,omitempty"`
	SignOCSP               *OCSPAction        `json:"sign_ocsp,omitempty"`
	GenerateProvisionerKey *ProvisionerAction `json:"generate_provisioner_key,omitempty"`
	InitializeToken        *TokenAction       `json:"initialize_token,omitempty"`
	GenerateSSHKey         *KeyAction         `json:"generate_ssh_key,omitempty"`
	AppointOfficers        *OfficersAction    `json:"appoint_officers,omitempty"`
	EstablishShares        *SharesAction      `json:"establish_shares,omitempty"`
	ReshareSecret          *SharesAction      `json:"reshare_secret,omitempty"`
	Move                   *MoveAction        `json:"move,omitempty"`
	Forget                 *ForgetAction      `json:"forget,omitempty"`
	Adopt                  *AdoptAction       `json:"adopt_authority,omitempty"`
	BackUpKey              *BackUpAction      `json:"back_up_key,omitempty"`
	SealKey                *KeyAction         `json:"seal_key,omitempty"`  // as it was made
	ProveKey               *KeyAction         `json:"prove_key,omitempty"` // in the place that is tried
	SignRequest            *RequestAction     `json:"sign_request,omitempty"`
}

// KeyAction makes a key that did not exist.
type KeyAction struct {
	Generation int            `json:"generation"`
	Store      spec.Address   `json:"store"`
	Algorithm  spec.Algorithm `json:"algorithm"`
	KeyID      string         `json:"key_id"`   // CKA_ID, hex
	Label      string         `json:"label"`    // CKA_LABEL, or the key's name in a file store
	Location   string         `json:"location"` // file store: path below the estate; token: URI of RFC 7512

	// Extractable says that the key may leave its token, encrypted, until it is
	// sealed: a backup of it is made in between.
	Extractable bool `json:"extractable,omitempty"`
}

// TokenAction makes an empty token ready. Its address is the key store's.
type TokenAction struct {
	Module     string       `json:"module"`
	Label      string       `json:"label"`
	PIN        spec.Address `json:"pin"`
	OfficerPIN spec.Address `json:"so_pin"`

	PINForm        string `json:"pin_form,omitempty"`    // of a PIN made from a shared secret, such as letters:32
	OfficerPINForm string `json:"so_pin_form,omitempty"` // likewise
}

// OnToken reports whether the key lives on a token, so that there is no file.
func (k *KeyAction) OnToken() bool { return strings.HasPrefix(k.Location, "pkcs11:") }

// KeyRef names a key that an action uses.
type KeyRef struct {
	Address    spec.Address   `json:"address"`
	Generation int            `json:"generation"`
	Algorithm  spec.Algorithm `json:"algorithm"`
	MadeBy     int            `json:"made_by,omitempty"` // action that makes it, 0 when it exists
	SPKI       []byte         `json:"spki,omitempty"`    // SubjectPublicKeyInfo when it exists
}

// Draft is what will be signed. Either TBS holds the very bytes, because every
// key exists; or Preview holds a certificate or CRL made with throw-away keys,
// from which the real one may differ in public key and key identifiers alone.
type Draft struct {
	TBS      []byte         `json:"tbs,omitempty"`
	Preview  []byte         `json:"preview,omitempty"`
	Findings []lint.Finding `json:"findings,omitempty"`
	Outputs  []string       `json:"outputs"`
}

// CertificateAction signs an authority's certificate.
type CertificateAction struct {
	Draft
	Generation int               `json:"generation"`
	Issuer     KeyRef            `json:"issuer"` // signs
	Subject    KeyRef            `json:"subject"`
	CSR        *CSRRef           `json:"csr,omitempty"`
	Template   tbs.Certificate   `json:"template"`
	Want       map[string]string `json:"want"`               // the estate's words for it, to tell changes by
	Previous   []byte            `json:"previous,omitempty"` // DER of the certificate that it replaces
}

// CSRRef is the request that a subject key comes from.
type CSRRef struct {
	Path    string   `json:"path"`
	SHA256  string   `json:"sha256"`            // of the DER
	Ignored []string `json:"ignored,omitempty"` // what it asked for in vain
}

// CRLAction signs an authority's revocation list.
type CRLAction struct {
	Draft
	Number   string  `json:"number"` // decimal
	Issuer   KeyRef  `json:"issuer"`
	Template tbs.CRL `json:"template"`
	// Slot is the place in a stack of CRLs that are signed ahead of their
	// time, from 1; 0 counts at once.
	Slot int `json:"slot,omitempty"`
	// Voids lists the numbers of CRLs that were signed ahead, and that this
	// one makes void.
	Voids []string `json:"voids,omitempty"`
}

// ProvisionerAction makes the key of a JWK provisioner.
type ProvisionerAction struct {
	Algorithm  string       `json:"algorithm"` // JWS algorithm, ES256
	Password   spec.Address `json:"password"`
	Iterations int          `json:"iterations"` // PBES2 p2c
}

// Encode gives the plan's canonical bytes and checks that they are whole.
func (p *Plan) Encode() ([]byte, error) {
	open, err := p.canonical()
	if err != nil {
		return nil, err
	}
	if err := p.checked(open); err != nil {
		return nil, err
	}
	return withSum(open, p.Sum)
}

// maxPlan bounds a plan file: a ceremony's actions are counted in dozens, and
// reading more than this is a mistake or an attack.
const maxPlan = 64 << 20

// Decode reads a plan. Whatever Encode could not have written is refused.
func Decode(text []byte) (*Plan, error) {
	if len(text) > maxPlan {
		return nil, fmt.Errorf("a plan of %d bytes is larger than any ceremony; is this the right file?", len(text))
	}
	p := &Plan{}
	if err := DecodeStrict(text, p); err != nil {
		return nil, fmt.Errorf("not a plan that this version reads: %w", err)
	}
	open, err := withoutSum(text, p.Sum)
	if err != nil {
		return nil, err
	}
	return p, p.checked(open)
}

// Digest is the SHA-256 of the canonical bytes.
func (p *Plan) Digest() ([32]byte, error) {
	text, err := p.Encode()
	return sha256.Sum256(text), err
}

// Seal fills in the plan's sum. Make has done it; a plan that was changed on
// purpose is sealed again.
func (p *Plan) Seal() error {
	open, err := p.canonical()
	p.Sum = sumOf(open)
	return err
}

// sealed fills in the plan's sum and encodes it.
func (p *Plan) sealed() ([]byte, error) {
	open, err := p.canonical()
	if err != nil {
		return nil, err
	}
	p.Sum = sumOf(open)
	if err := p.checked(open); err != nil {
		return nil, err
	}
	return withSum(open, p.Sum)
}

// wellFormed is checked for a plan that was not encoded.
func (p *Plan) wellFormed() error {
	open, err := p.canonical()
	if err != nil {
		return err
	}
	return p.checked(open)
}

// checked checks what types alone cannot say. It takes the plan's canonical
// form without its sum.
func (p *Plan) checked(open []byte) error {
	if sumOf(open) != p.Sum && p.Format == Format {
		return errors.New("the plan's sum does not match: a byte of it was changed after it was made")
	}
	if p.Format != Format {
		return fmt.Errorf("the plan's format is %q and this version reads %q; use the version that made it", p.Format, Format)
	}
	for _, t := range p.times() {
		if t.IsZero() || t.Location() != time.UTC || t.Nanosecond() != 0 {
			return fmt.Errorf("the plan holds a time that is not in whole seconds of UTC")
		}
	}
	for i, a := range p.Actions {
		if a.Number != i+1 {
			return fmt.Errorf("action %d stands at place %d", a.Number, i+1)
		}
		set := map[Kind]bool{
			GenerateKey: a.GenerateKey != nil, SignCertificate: a.SignCertificate != nil,
			SignCRL: a.SignCRL != nil, SignOCSP: a.SignOCSP != nil, GenerateProvisionerKey: a.GenerateProvisionerKey != nil,
			InitializeToken: a.InitializeToken != nil, GenerateSSHKey: a.GenerateSSHKey != nil, AppointOfficers: a.AppointOfficers != nil, EstablishShares: a.EstablishShares != nil, ReshareSecret: a.ReshareSecret != nil,
			Move: a.Move != nil, Forget: a.Forget != nil, Adopt: a.Adopt != nil,
			BackUpKey: a.BackUpKey != nil, SealKey: a.SealKey != nil, ProveKey: a.ProveKey != nil,
			SignRequest: a.SignRequest != nil,
		}
		for kind, has := range set {
			if has != (kind == a.Kind) {
				return fmt.Errorf("action %d is of kind %q and does not hold just that", a.Number, a.Kind)
			}
		}
		if !set[a.Kind] {
			return fmt.Errorf("action %d is of kind %q, which this version does not know", a.Number, a.Kind)
		}
	}
	return nil
}

// times lists every instant in the plan.
func (p *Plan) times() []time.Time {
	all := []time.Time{p.At, p.Window.NotBefore, p.Window.NotAfter}
	for _, a := range p.Actions {
		if c := a.SignCertificate; c != nil {
			all = append(all, c.Template.NotBefore, c.Template.NotAfter)
		}
		if c := a.SignOCSP; c != nil {
			all = append(all, c.Template.ThisUpdate, c.Template.NextUpdate)
			if c.Template.Revoked != nil {
				all = append(all, c.Template.Revoked.Date)
			}
		}
		if c := a.SignCRL; c != nil {
			all = append(all, c.Template.ThisUpdate, c.Template.NextUpdate)
			for _, e := range c.Template.Entries {
				all = append(all, e.Date)
			}
		}
	}
	return all
}

// Outputs lists the files that an action writes, its key file among them.
func (a Action) Outputs() []string {
	switch a.Kind {
	case GenerateKey, GenerateSSHKey:
		if a.Key().OnToken() {
			return nil
		}
		return []string{a.Key().Location}
	case BackUpKey:
		if a.BackUpKey.Key.OnToken() {
			return nil
		}
		return []string{a.BackUpKey.Key.Location}
	case SignCertificate:
		return a.SignCertificate.Draft.Outputs
	case SignCRL:
		return a.SignCRL.Draft.Outputs
	case SignOCSP:
		return a.SignOCSP.Outputs
	case Move:
		return a.Move.Outputs
	case Adopt:
		return a.Adopt.Outputs
	case SignRequest:
		return a.SignRequest.Outputs
	}
	return nil
}

// Issuer gives the key that signs an action, or false when nothing is signed.
func (a Action) Issuer() (KeyRef, bool) {
	switch a.Kind {
	case SignCertificate:
		return a.SignCertificate.Issuer, true
	case SignCRL:
		return a.SignCRL.Issuer, true
	case SignOCSP:
		return a.SignOCSP.Issuer, true
	case SignRequest:
		return a.SignRequest.Key, true
	}
	return KeyRef{}, false
}
