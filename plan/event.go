package plan

import (
	"time"

	"pki.internal/spec"
)

// Event is one fact of the ledger: something that happened. The field named
// by Kind is set, and no other. An unknown kind or key is refused, not
// skipped: a book that cannot be read whole must not be continued.
type Event struct {
	Kind     EventKind `json:"kind"`
	Time     time.Time `json:"time"` // the ceremony host's clock, UTC, whole seconds
	Audience Audience  `json:"audience"`

	Begun       *Begun       `json:"ceremony_begun,omitempty"`
	Resumed     *Resumed     `json:"ceremony_resumed,omitempty"`
	KeyIntended *KeyIntended `json:"key_intended,omitempty"`
	KeyMade     *KeyMade     `json:"key_made,omitempty"`
	Certificate *Signed      `json:"certificate_signed,omitempty"`
	CRL         *Signed      `json:"crl_signed,omitempty"`
	Sealed      *Signed      `json:"crl_sealed,omitempty"`
	OCSP        *Signed      `json:"ocsp_signed,omitempty"`
	Provisioner *ProvKey     `json:"provisioner_key_made,omitempty"`
	Finished    *Finished    `json:"ceremony_finished,omitempty"`
	TokenReady  *TokenReady  `json:"token_initialized,omitempty"`
	Token       *TokenSeen   `json:"token_identified,omitempty"`
	Medium      *LostMedium  `json:"medium_lost,omitempty"`
	Officers    *Appointed   `json:"officers_appointed,omitempty"`

	Custodians *CustodiansNamed   `json:"custodians_named,omitempty"`
	Shares     *SharesEstablished `json:"shares_established,omitempty"`
	Reshared   *SharesEstablished `json:"secret_reshared,omitempty"`
	Drill      *ShareDrill        `json:"share_drill,omitempty"`
	Moved      *Moved             `json:"address_moved,omitempty"`
	Forgotten  *Forgotten         `json:"authority_forgotten,omitempty"`
	Adopted    *Adopted           `json:"authority_adopted,omitempty"`

	Steps     *StepsTaken     `json:"steps_taken,omitempty"`
	People    *PeopleChanged  `json:"people_changed,omitempty"`
	Exception *ExceptionNoted `json:"exception_noted,omitempty"`
	Aborted   *Aborted        `json:"ceremony_aborted,omitempty"`
	BackedUp  *KeyBackedUp    `json:"key_backed_up,omitempty"`
	KeySealed *KeySealed      `json:"key_sealed,omitempty"`
	Attested  *Attested       `json:"head_attested,omitempty"`
	Proven    *KeyProven      `json:"key_proven,omitempty"`
	Request   *Signed         `json:"request_signed,omitempty"`
}

// EventKind names what happened.
type EventKind string

// The kinds of event of version 1.
const (
	CeremonyBegun      EventKind = "ceremony_begun"
	CeremonyResumed    EventKind = "ceremony_resumed"
	KeyWasIntended     EventKind = "key_intended"
	KeyWasMade         EventKind = "key_made"
	CertificateSigned  EventKind = "certificate_signed"
	CRLSigned          EventKind = "crl_signed"
	CRLSealed          EventKind = "crl_sealed"
	OCSPWasSigned      EventKind = "ocsp_signed"
	ProvisionerKeyMade EventKind = "provisioner_key_made"
	CeremonyFinished   EventKind = "ceremony_finished"
	TokenInitialized   EventKind = "token_initialized"
	TokenIdentified    EventKind = "token_identified"
	MediumLost         EventKind = "medium_lost"
	OfficersAppointed  EventKind = "officers_appointed"
	HoldersNamed       EventKind = "custodians_named"
	SharesWereMade     EventKind = "shares_established"
	SecretReshared     EventKind = "secret_reshared"
	SharesDrilled      EventKind = "share_drill"
	AddressMoved       EventKind = "address_moved"
	AuthorityForgotten EventKind = "authority_forgotten"
	AuthorityAdopted   EventKind = "authority_adopted"
	StepsWereTaken     EventKind = "steps_taken"
	PeopleCame         EventKind = "people_changed"
	ExceptionHappened  EventKind = "exception_noted"
	CeremonyAborted    EventKind = "ceremony_aborted"
	KeyWasBackedUp     EventKind = "key_backed_up"
	KeyWasSealed       EventKind = "key_sealed"
	HeadAttested       EventKind = "head_attested"
	KeyWasProven       EventKind = "key_proven"
	RequestSigned      EventKind = "request_signed"
)

// Begun opens a ceremony. The whole plan is in it, so that the ledger alone
// says what was allowed to happen.
type Begun struct {
	Plan       *Plan  `json:"plan"`
	PlanDigest string `json:"plan_digest"` // hex
	Tool       Tool   `json:"tool"`        // that runs it

	Approvals []Approval `json:"approvals,omitempty"` // that the plan was given
}

// Resumed says that a ceremony was interrupted and goes on. If the process
// died between a signature and its entry, a second signature over the same
// bytes exists somewhere: that is what MaybeSigned records.
type Resumed struct {
	NextAction  int    `json:"next_action"`           // first one without an entry
	MaybeSigned bool   `json:"maybe_signed"`          // NextAction signs, and may have done so
	TornBytes   int    `json:"torn_bytes"`            // of an entry that was never whole
	TornSHA256  string `json:"torn_sha256,omitempty"` // of those bytes, hex
	Adopted     bool   `json:"adopts_key,omitempty"`  // NextAction's key was already there
	Reason      string `json:"reason,omitempty"`      // what the operator said
}

// KeyIntended is written before a key is made, so that an interrupted
// ceremony knows its own key from a stranger's.
type KeyIntended struct {
	Action int       `json:"action"`
	Key    KeyAction `json:"key"`
}

// KeyMade says that a key exists, and whose it is.
type KeyMade struct {
	Action   int          `json:"action"`
	Address  spec.Address `json:"address"`
	Key      KeyAction    `json:"key"`
	SPKI     []byte       `json:"spki"`
	Adopted  bool         `json:"adopted,omitempty"` // found after an interruption
	Evidence []Evidence   `json:"evidence,omitempty"`
}

// TokenReady says that an empty token was given its label and PINs. Which
// token it was says the TokenSeen before it.
type TokenReady struct {
	Action   int          `json:"action"`
	Address  spec.Address `json:"address"` // of the key store
	Token    TokenAction  `json:"token"`
	Adopted  bool         `json:"adopted,omitempty"` // was made ready before an interruption
	Evidence []Evidence   `json:"evidence,omitempty"`
}

// TokenSeen says which device did an action: what its serial number is, and
// what it says of itself. It stands before the fact of the action, and again
// when the action was interrupted between the two.
type TokenSeen struct {
	Action   int          `json:"action"`
	Address  spec.Address `json:"address"`          // of the action
	Serial   string       `json:"serial,omitempty"` // of a token that was made ready
	Evidence []Evidence   `json:"evidence,omitempty"`
}

// LostMedium says that one of the media that a ceremony writes to failed or was
// pulled, and that it goes on with the others. It stands on those.
type LostMedium struct {
	Medium  string `json:"medium"`  // as it was named: "estate", or a copy's folder
	Entries int    `json:"entries"` // of the ledger that are whole on it
	Error   string `json:"error"`
}

// Evidence is one thing said about a key, and how well it is known.
type Evidence struct {
	Claim string `json:"claim"` // such as "extractable=false"
	Grade string `json:"grade"` // claimed, observed or proven
}

// Signed is a certificate, CRL or request that was signed and verified. A CRL that is
// signed ahead of its time makes two facts: crl_sealed holds it, and is for
// those who keep the stack; crl_signed says to everyone that it exists.
type Signed struct {
	Action     int          `json:"action"`
	Address    spec.Address `json:"address"`
	Generation int          `json:"generation,omitempty"` // of a certificate or a request
	Number     string       `json:"number,omitempty"`     // of a CRL, decimal
	Voids      []string     `json:"voids,omitempty"`      // CRLs signed ahead that it makes void
	DER        []byte       `json:"der,omitempty"`
	// SHA256 of the DER, in hex, stands in its place for a CRL that is signed
	// ahead of its time: the DER is in the restricted fact before.
	SHA256 string `json:"sha256,omitempty"`
}

// ProvKey is a provisioner's public key and its encrypted private one, which
// is all that rendering needs for ever.
type ProvKey struct {
	Action  int          `json:"action"`
	Address spec.Address `json:"address"`
	JWK     string       `json:"jwk"` // public JWK, canonical JSON
	JWE     string       `json:"jwe"` // private JWK, compact JWE
}

// Finished closes a ceremony.
type Finished struct {
	PlanDigest string `json:"plan_digest"`
	Actions    int    `json:"actions"`
}
