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

// Evidence is one thing said about a key, and how well it is known.
type Evidence struct {
	Claim  string
	Grade  Grade
	Device bool // it says which device this is, or what runs it: not for the public
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
