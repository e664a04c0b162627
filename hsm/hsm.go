// Package hsm is the contract between ceremonies and whatever holds keys: a
// token of an HSM, or a folder of encrypted files. It holds no driver.
package hsm

import (
	"context"
	"crypto"
	"errors"

	"pki.internal/spec"
)

// KeySpec names one key of a store and says of what kind it is. A key is
// known by its id and its label, and proven by its public key.
type KeySpec struct {
	ID        []byte // CKA_ID
	Label     string // CKA_LABEL
	Location  string // file store: path below the estate's folder; a token's URI otherwise
	Algorithm spec.Algorithm
	// Leaves asks for a key that may leave its store, encrypted, until it is
	// sealed: one that a backup is to be made of.
	Leaves bool
}

// Store is an opened key store. A store is used by one goroutine at a time.
type Store interface {
	// Generate makes a key that did not exist and proves that it can be used
	// again: a file is read back, a token's key makes a signature. It returns
	// an error wrapping ErrExists, and makes nothing, when any object already
	// has the id, the label or the location.
	Generate(ctx context.Context, k KeySpec) (Key, []Evidence, error)

	// Find gives the one key that k names. Its public key must be spki
	// (SubjectPublicKeyInfo in DER), or the error wraps ErrMismatch; a nil
	// spki accepts any key of the right algorithm and is for adopting a key
	// after an interruption. The error wraps ErrNotFound when there is none,
	// and ErrAmbiguous when there are several.
	Find(ctx context.Context, k KeySpec, spki []byte) (Key, error)

	// Close forgets the secret that opened the store and logs out.
	Close() error
}

// Key is a private key that stays where it is.
type Key interface {
	// Public gives the public key.
	Public() crypto.PublicKey
	// Sign signs a digest, or the whole message when opts.HashFunc() is 0.
	// Whoever asked verifies the signature in software before it is used. An
	// error after the call has reached the token means that a signature may
	// exist.
	Sign(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

// Evident is a Key that can say again what is known about it, which is wanted
// when a key is adopted after an interruption.
type Evident interface {
	Evidence(ctx context.Context) []Evidence
}

// Able is a Store that can say before anything is made whether it makes keys of
// an algorithm. The error wraps ErrUnsupported when it does not.
type Able interface {
	CanMake(a spec.Algorithm) error
}

// Copier is a Store that can put a copy of one of its keys into another store
// of its kind, so that the key outlives a device.
type Copier interface {
	// CanCopy finds a way by trying it with a throw-away key of the algorithm,
	// of which nothing stays in either store: the copy signs, and once sealed
	// neither is given out again. The error wraps ErrUnsupported and says what
	// was tried when there is no way.
	CanCopy(ctx context.Context, a spec.Algorithm, to Store) (Way, error)

	// Copy puts a copy of the key that k names, whose public key is spki, into
	// another store, where at names it. The copy cannot leave that store, and
	// has signed when it is given. The error wraps ErrExists when anything has
	// its names there already; after an interruption (c.Resumed) a copy that is
	// there and proves itself is taken over.
	Copy(ctx context.Context, c Copying) (Copied, error)

	// Seal ends for good that a key may leave, and proves it by trying.
	Seal(ctx context.Context, k KeySpec, spki []byte) ([]Evidence, error)
}

// Way is how a key gets from one store into another, in words that the driver
// that gave them understands again.
type Way struct {
	Carrier string // what brings the wrapping key across
	Wrap    string // what the key is wrapped with
	Format  string // in which form that was seen to be
}

// Copying is one copy to be made.
type Copying struct {
	Key     KeySpec
	SPKI    []byte
	To      Store
	At      KeySpec // the names of the copy
	Way     Way     // as CanCopy gave it
	Resumed bool
}

// Copied is a copy that was made.
type Copied struct {
	Key      Key
	Adopted  bool // it was there, from before an interruption
	Evidence []Evidence
}

// Vacant is a Store that can say before anything is made whether the names of a
// key are free. The error wraps ErrExists when they are not.
type Vacant interface {
	Vacant(ctx context.Context, k KeySpec) error
}

// Surveyed is a Store that can tell, one to a line, of what is amiss in it: halves
// of keys that an interrupted key generation left, and keys of one id. It touches
// nothing.
type Surveyed interface {
	Survey(ctx context.Context) ([]string, error)
}

// Evidence is one thing said about a key, and how well it is known.
type Evidence struct {
	Claim   string
	Grade   Grade
	Device  bool // it says which device this is, or what runs it: not for the public
	Against bool // it speaks against the key, and whoever is in the room must hear of it
}

// Grade says how well something is known.
type Grade string

// The grades, from a driver's word to an attempt that was refused.
const (
	Claimed  Grade = "claimed"
	Observed Grade = "observed"
	Proven   Grade = "proven"
)

// What callers tell apart. Drivers wrap these and keep the module's own words.
var (
	ErrWrongPIN    = errors.New("the password or PIN was refused")
	ErrPINLocked   = errors.New("the token is locked")
	ErrTokenGone   = errors.New("the key store is not there")
	ErrUnsupported = errors.New("the key store cannot do this")
	ErrExists      = errors.New("an object of this name is already there")
	ErrNotFound    = errors.New("no such key")
	ErrAmbiguous   = errors.New("several keys match")
	ErrMismatch    = errors.New("the key is not the recorded one")
	ErrHalfPair    = errors.New("only half of the key pair is there")
	ErrMaybeSigned = errors.New("a signature may have been made")
	ErrToken       = errors.New("the key store reported an error") // none of the above
)
