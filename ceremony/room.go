package ceremony

import (
	"context"
	"io"
	"time"

	"pki.internal/ceremony/script"
	"pki.internal/hsm"
	"pki.internal/plan"
	"pki.internal/spec"
)

// Room is everything that a ceremony may touch.
type Room struct {
	Clock   func() time.Time
	Rand    io.Reader
	Desk    Desk
	Secrets Secrets
	Stores  Stores
	Custody Custody // nil where no plan speaks of custodians
	Book    Book
	Files   Files
	Tool    plan.Tool

	Interfaces func() ([]string, error) // of the network that are up; nil where nobody can tell
	Copies     int                      // media beside the estate's folder
	Rehearsed  []string                 // digests of plans that were rehearsed, hex
	Unattended bool                     // --yes: nobody confirms anything, and nothing of it is recorded
}

// Desk is where people read and decide.
type Desk interface {
	// Show puts a step of the script on the screen before it is taken.
	Show(s script.Step, p *plan.Plan)
	// Ask reads a line from whoever types. With --yes in a lab it gives what
	// the question says, and an error where only a person can answer.
	Ask(ctx context.Context, q Question) (string, error)
	// Say puts a remark on the screen.
	Say(text string)
	// Begin says that an action starts, before anything happens.
	Begin(a plan.Action)
	// Done says that an action has happened and what came of it.
	Done(a plan.Action, result Result)
}

// Result is what an action gave.
type Result struct {
	SPKI    []byte   // of a new key
	DER     []byte   // of a new certificate or CRL
	Adopted bool     // the key was found after an interruption
	Differ  []string // fields in which the bytes differ from the plan's preview
	Files   []string // written
	Said    []string // more for the screen, in sentences
}

// Secrets knows what only people or files know. new asks for a secret that is
// to be chosen now, which a terminal asks for twice. The caller wipes it.
type Secrets interface {
	Secret(ctx context.Context, s *spec.Secret, new bool) ([]byte, error)
}

// Stores opens key stores.
type Stores interface {
	Open(ctx context.Context, k *spec.KeyStore, secret []byte) (hsm.Store, error)
}

// TokenStores is Stores that can make an empty token ready. Resumed says that
// an interrupted run may have done so already; a token that this very PIN
// opens, and that is empty, is then taken over.
type TokenStores interface {
	Initialize(ctx context.Context, k *spec.KeyStore, officerPIN, pin []byte, resumed bool) (Initialized, error)
	// CanInitialize says whether there is a token that Initialize could make
	// ready with PINs of these lengths. It changes nothing.
	CanInitialize(ctx context.Context, k *spec.KeyStore, officerPIN, pin int, resumed bool) error
}

// Initialized is a token that was made ready.
type Initialized struct {
	Serial   string
	Adopted  bool
	Evidence []hsm.Evidence
}

// Book is the ledger, open for this ceremony alone.
type Book interface {
	History
	// Append returns nil only when the fact is on disk.
	Append(plan.Event) error
	// Mend cuts off an entry that was never whole and says what was cut.
	Mend() (bytes int, digest string, err error)
}

// Files is the estate's folder.
type Files interface {
	// Read gives a file's bytes, or an error wrapping fs.ErrNotExist.
	Read(path string) ([]byte, error)
	// Write puts files under their names, in their order, when all are whole
	// on disk. It replaces older files of those names.
	Write(...plan.File) error
	// Remove takes a file away; one that is not there is no error.
	Remove(path string) error
}
