// Package spec answers one question: what do we want?
//
// It holds the estate as typed values, the rules that a good estate obeys, and
// the diagnostics that say which line breaks them. It knows no file format, no
// clock and no key: hclspec fills it, plan reads it.
package spec

// Environment says how much ceremony an estate deserves.
type Environment string

// The three environments. Production never takes --yes and never reads a
// secret from a file; rehearsal runs on throw-away keys; lab may be answered
// by --yes.
const (
	Production Environment = "production"
	Rehearsal  Environment = "rehearsal"
	Lab        Environment = "lab"
)

// Environments lists the environments in the order in which help shows them.
func Environments() []Environment { return []Environment{Production, Rehearsal, Lab} }

// Estate is one folder's description of a PKI. A value that Validate has
// passed is what every other package takes.
type Estate struct {
	Origin
	Name           string
	Environment    Environment
	Secrets        []*Secret
	Custodians     []*Custodians
	KeyStores      []*KeyStore
	Authorities    []*Authority
	Templates      []*Template
	Provisioners   []*Provisioner
	OnlineCAs      []*OnlineCA
	Revocations    []*Revocation
	Officers       []*Officer
	Quorum         *Quorum   // nil when plans need no approval
	RevokedPlans   []string  // digests of plans that must not run, hex
	Ceremony       *Ceremony // nil when nothing was said about the room
	Lint           Lint
	Inputs         []Input // every file that was read, sorted by path
	SSHAuthorities []*SSHAuthority
	Crosses        []*CrossCertificate
	Responders     []*Responder
	Moves          []*Move
	Removals       []*Removal

	tiers *tiers // nil until Validate has passed the issuers
}

// Input is one file that the estate was made from. Plans record it.
type Input struct {
	Path   string `json:"path"`   // relative to the estate's folder, slashes
	SHA256 string `json:"sha256"` // lower-case hex
}

// Secret is something only people or a file know. It never has a value here.
type Secret struct {
	Origin
	File   string // relative to the estate's folder; never in production
	Prompt bool   // asked on the terminal

	Custodians *Custodians // who hold its shares; it is made in a ceremony
	Length     int         // characters of a made secret; 0 without custodians
	Dice       bool        // people's throws are mixed in
}

// KeyStore is where private keys live.
type KeyStore struct {
	Origin
	Kind     string  // FileStore or PKCS11Store
	Path     string  // folder of the encrypted PKCS#8 files, relative to the estate
	Password *Secret // encrypts every key of the store, or is the token's PIN; nil with a pin pad
	Token    *Token  // of a PKCS11Store
}

// Authority is a CA. It outlives its certificates.
type Authority struct {
	Origin
	Issuer           *Authority // nil for a root, which signs itself
	Subject          Name
	Key              *Key // nil when the key lives elsewhere
	CSR              *CSR // nil when the key is ours
	Validity         Duration
	PathLength       *int // as written; PathLen gives the effective value
	ExtendedKeyUsage []ExtKeyUsage
	NameConstraints  *NameConstraints
	CAIssuersURLs    []string // AIA caIssuers of what this authority signs
	CRL              *CRL     // the list this authority signs
	OCSP             *OCSP    // answers about authorities below, signed ahead

	Import         *Import  // what other software made of it, nil for an authority that is made here
	Generation     int      // of its key, one more each time the key is replaced; KeyGeneration gives the effective value
	KeyReuse       bool     // a second certificate may be signed for the key it has
	RenewBefore    Duration // how long before its end the certificate is renewed
	PreventReplace bool     // refuses a plan that replaces the key, or a root's certificate

	Policies   []CertificatePolicy
	Extensions []Extension
}

// IsRoot reports whether the authority signs itself.
func (a *Authority) IsRoot() bool { return a.Issuer == nil }

// Key says where an authority's own key is made and of what kind.
type Key struct {
	Origin
	Store     *KeyStore
	Algorithm Algorithm

	Backup       []*KeyStore // each gets a copy, in the ceremony that makes the key
	BackupPolicy string      // as written; Policy gives the effective value
}

// CSR is a PKCS#10 request for an authority whose key lives elsewhere. Only
// its public key is used, after proof of possession.
type CSR struct {
	Path string
	DER  []byte
}

// CRL is the revocation list an authority signs. URLs is the one value from
// which the CDP of its certificates and the IDP of the list both come.
type CRL struct {
	Origin
	URLs       []string
	ValidFor   Duration // thisUpdate to nextUpdate
	IssueEvery Duration // how soon the next one is due
	Presign    int      // how many further ones a ceremony signs ahead of their time
	OnTimer    bool     // pki crl sign signs them after the first, outside ceremonies
}

// NameConstraints limits the names below an authority (RFC 5280 §4.2.1.10).
type NameConstraints struct {
	Origin
	Critical       bool
	PermittedDNS   []string
	ExcludedDNS    []string
	PermittedIP    []string // CIDR
	ExcludedIP     []string
	PermittedEmail []string
	ExcludedEmail  []string
	PermittedURI   []string
	ExcludedURI    []string

	PermittedDirectory []string // as ParseDirectoryName reads it
	ExcludedDirectory  []string

	Accepts, Refuses []string // examples, which a verifier decides as written
}

// Lint chooses the judge.
type Lint struct {
	Origin
	Profile string   // "private", "webpki" or "etsi"
	FailOn  string   // "notice", "warn" or "error"
	Clients []string // relying parties that must be able to verify everything
	Waivers []Waiver
}

// Waiver accepts one finding on one object until a date.
type Waiver struct {
	Origin
	Lint     string
	Object   Address
	Reason   string
	Citation string
	Author   string
	Until    string // RFC 3339 date, exclusive
}
