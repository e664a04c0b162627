package lint

import (
	"io/fs"
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
	// OtherKeys are the keys of every other authority. The authority of a
	// renewal or of a cross-certificate is not listed.
	OtherKeys []KnownKey
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
