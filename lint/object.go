package lint

import (
	"crypto/sha256"
	"crypto/x509"
	"io/fs"
	"math/big"
	"time"
)

// Role is the place that the estate gives to a certificate. What a relying
// party can see in the bytes is compared with it.
type Role int

const (
	// RoleUnknown is a certificate that no estate speaks for.
	RoleUnknown Role = iota
	// RoleRoot is a trust anchor.
	RoleRoot
	// RolePolicy is a subordinate authority that signs other authorities.
	RolePolicy
	// RoleIssuing is a subordinate authority that signs leaves only.
	RoleIssuing
	// RoleLeaf is not an authority.
	RoleLeaf
)

// String is the word for r, as findings use it.
func (r Role) String() string {
	switch r {
	case RoleRoot:
		return "root"
	case RolePolicy:
		return "policy"
	case RoleIssuing:
		return "issuing"
	case RoleLeaf:
		return "leaf"
	}
	return "unknown"
}

// Certificate is a certificate under judgement, with what is known around it.
type Certificate struct {
	// DER is a complete certificate. It may be a draft.
	DER []byte
	// Draft says that the signature is a stand-in and not the issuer's:
	// signature rules do not apply, and self-issued counts as self-signed.
	Draft bool
	// Preview says that the public key is a stand-in for one that does not
	// exist yet: searching for its private half would find nothing that
	// matters. The key that takes its place is judged with the draft that
	// holds it.
	Preview bool
	// Issuer is the DER of the issuer's certificate, which may be a draft. It
	// is nil when unknown, and when the certificate is self-issued by its own key.
	Issuer []byte
	// Role is what the estate says the certificate is for.
	Role Role
	// Lab says that the estate is for trying things out: its URLs may lead to
	// this machine.
	Lab bool
	// OtherKeys are the keys of every other authority. The authority of a
	// renewal or of a cross-certificate is not listed.
	OtherKeys []KnownKey

	// What follows is optional. Each field switches on the rules that need it;
	// a zero value switches them off.

	// Others are other certificates of the same estate, those that have ended
	// included. The certificate itself may be among them.
	Others []KnownCertificate
	// Signing is when the certificate is going to be signed; zero when that is
	// past.
	Signing time.Time
	// Longest is the longest life that the estate allows, both ends included.
	Longest time.Duration
	// TiersBelow is how many tiers of authorities the estate has below this
	// one.
	TiersBelow int
	// OwnListURLs is where the authority publishes the lists that it signs.
	OwnListURLs []string
	// Published is what lies, or is going to lie, at URLs that the certificate
	// may name.
	Published []Published
	// Request is the DER of the signing request that was approved.
	Request []byte
	// Logs are the certificate transparency logs that count; nil when nobody has
	// said.
	Logs *Logs
	// WeakKeys are keys whose private half is known; nil when there is no list.
	WeakKeys *WeakKeys
	// Clients are the relying parties that must be able to verify the
	// certificate, of those that [Clients] lists; nil when nobody has said.
	Clients []string
	// Twin is the DER of the certificate that this one is to stand beside: same
	// subject, same key, another issuer.
	Twin []byte
	// NeededUntil is when nobody needs a cross-certificate any more.
	NeededUntil time.Time
	// AnswersFor is the DER of the certificate of the authority for which an
	// OCSP responder answers.
	AnswersFor []byte
	// Transcript is the SHA-256 fingerprints of all certificates in the
	// transcript that the witnesses signed.
	Transcript [][sha256.Size]byte
	// Above are the DER of the certificates above the issuer, the issuer's own
	// issuer first.
	Above [][]byte
	// OnlyLeaves says that the authority was seen to sign leaves, and no
	// authority.
	OnlyLeaves bool
	// LikeNamed names a certificate that has the issuer's name, and neither the
	// key identifier nor the key; empty when there is none.
	LikeNamed string
	// SharedFactor names a certificate whose RSA key has a prime in common with
	// this one's; empty when none is known.
	SharedFactor string
	// NextSerial names a certificate of the issuer whose serial number is one
	// away from this one's.
	NextSerial string
	// RevokedBy names a current list of the issuer that has the serial number.
	RevokedBy string

	// known is what a [Hierarchy] has read already; nil without one.
	known *surroundings
}

// surroundings are the parsed forms of what stands in the fields of a
// [Certificate], so that nothing is read twice.
type surroundings struct {
	// self is nil for a certificate that Go refuses: it is read once more, for
	// Go's words about it.
	self         *x509.Certificate
	issuer, twin *x509.Certificate
	above        []*x509.Certificate
	others       []neighbour
}

// KnownCertificate is a certificate that already has a place in the estate.
type KnownCertificate struct {
	// Owner is an address such as authority.root.
	Owner string
	// DER is the certificate.
	DER []byte
}

// Published is what a URL leads to.
type Published struct {
	// URL is as certificates write it.
	URL string
	// Data is the file, byte for byte.
	Data []byte
}

// KnownKey is a public key that already has an owner.
type KnownKey struct {
	// Owner is an address such as authority.root.
	Owner string
	// SPKI is the DER of the SubjectPublicKeyInfo.
	SPKI []byte
}

// CRL is a certificate revocation list under judgement.
type CRL struct {
	// DER is a complete list. It may be a draft.
	DER []byte
	// Draft says that the signature is a stand-in and not the issuer's.
	Draft bool
	// Issuer is the DER of the certificate of the list's issuer, nil when
	// unknown.
	Issuer []byte
	// Previous is the DER of the previous list of the same issuer, nil when
	// none is known.
	Previous []byte
	// NextSigning is when the next list is planned to be signed; zero when
	// unknown.
	NextSigning time.Time

	// What follows is optional, as in [Certificate].

	// Role is what the estate says the issuer is for.
	Role Role
	// Issued is every certificate that the issuer ever signed, nil when that is
	// unknown.
	Issued []Issued
	// Covers are the DER of certificates that find this list by their CRL
	// distribution point.
	Covers [][]byte
	// Base is the DER of the newest complete list beside a delta list.
	Base []byte
	// Authorities are the serial numbers of the authorities that the issuer is
	// known to have signed.
	Authorities []*big.Int
	// LikeNamed names a certificate that has the issuer's name, and neither the
	// list's authority key identifier nor the key that signed; empty when there
	// is none, or the issuer is known.
	LikeNamed string
	// Superseded says that a newer list of the same scope is known, so that
	// nobody has to take this one.
	Superseded bool
}

// Issued is a certificate that a ledger knows of.
type Issued struct {
	// Serial is its serial number.
	Serial *big.Int
	// NotAfter is when it ends; zero when unknown.
	NotAfter time.Time
}

// Request is a signing request under judgement.
type Request struct {
	// DER is a complete PKCS#10 request.
	DER []byte
	// OtherKeys are the keys of every authority that already has one.
	OtherKeys []KnownKey
	// Approved is the SHA-256 of the request that the plan was approved with.
	Approved [sha256.Size]byte
	// Grant is what the estate gives, nil when unknown.
	Grant *Grant
}

// Grant is what a certificate is going to say, whatever its request asks for.
type Grant struct {
	// Authority says whether the certificate is an authority's.
	Authority bool
	// PathLength is the path length of an authority; negative for none.
	PathLength int
	// ExtendedKeyUsage is the object identifiers, such as "1.3.6.1.5.5.7.3.1".
	ExtendedKeyUsage []string
	// Names are the subject alternative names.
	Names []string
}

// File is one file of a tree that is judged in memory.
type File struct {
	// Path is relative to the root of the tree, with forward slashes.
	Path string
	// Mode holds the permission bits.
	Mode fs.FileMode
	// Data is the whole content.
	Data []byte
}
