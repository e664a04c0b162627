// Package ledger answers one question: what happened?
//
// A ledger is a file of JSON lines that only ever grows. Every line commits to
// its fact with a salt and chains over that commitment, so that a copy with
// facts withheld still verifies to the same head; the commitments form an
// RFC 6962 tree, so that a later ledger can be proved to extend an earlier
// one. State is the fold of the facts, and an action has happened when its
// line is on disk, not before.
package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/transparency-dev/merkle/rfc6962"

	"pki.internal/plan"
)

// Entry is one line. The law of its form: canonical JSON and a newline, never
// encoded again; leaf = SHA-256(0x00 ‖ level ‖ SHA-256(salt ‖ canonical fact)),
// where level is one byte, the place of the fact's audience; head =
// SHA-256(0x02 ‖ head before ‖ leaf). In a copy for a narrower audience salt and
// fact make room for their SHA-256 and the audience, from which the same leaf
// follows: nobody can withhold a public fact from the public.
type Entry struct {
	Number   int           `json:"n"` // from 1
	Leaf     string        `json:"leaf"`
	Head     string        `json:"head"`
	Salt     []byte        `json:"salt,omitempty"`
	Fact     *plan.Event   `json:"fact,omitempty"`
	Withheld string        `json:"withheld,omitempty"` // SHA-256(salt ‖ canonical fact), hex
	Audience plan.Audience `json:"audience,omitempty"` // of the withheld fact
}

// saltSize is enough that nobody guesses a withheld fact by trying.
const saltSize = 16

// Domain separation: 0 and 1 are RFC 6962's leaf and node.
const (
	leafPrefix = 0x00
	headPrefix = 0x02
)

// Book is a ledger that has been read and found whole.
type Book struct {
	Entries  []Entry
	states   []plan.State // after each entry
	withheld map[plan.Audience]int
	proofs   *plan.Proofs
	observed bool // a plan is withheld, so that facts are observed and not replayed
}

// EntryError says which line of a ledger is wrong.
type EntryError struct {
	Line int
	Err  error
}

// Error names the line and what is wrong with it.
func (e *EntryError) Error() string { return fmt.Sprintf("ledger line %d: %s", e.Line, e.Err) }

// Unwrap gives what is wrong.
func (e *EntryError) Unwrap() error { return e.Err }

// Read takes the bytes of a ledger. Bytes after the last newline are an entry
// that was cut short; they are given back apart, since an entry counts only
// when it is whole. Every line is held against the chain, and every fact
// against the plan it belongs to.
func Read(text []byte) (b *Book, torn []byte, err error) {
	end := bytes.LastIndexByte(text, '\n') + 1
	torn = bytes.Clone(text[end:])
	lines := decode(slices.Collect(bytes.Lines(text[:end])))
	b = &Book{proofs: prove(lines)}
	err = b.replay(lines)
	if err != nil && b.Withheld() > 0 {
		b = &Book{observed: true}
		err = b.replay(lines)
	}
	if err != nil {
		return nil, nil, err
	}
	return b, torn, nil
}

// replay chains and folds lines from the first.
func (b *Book) replay(lines []decoded) error {
	for i, l := range lines {
		if l.err == nil {
			l.err = b.add(l.entry)
		}
		if l.err != nil {
			return &EntryError{i + 1, l.err}
		}
	}
	return nil
}

// decoded is a line that was read by itself: its form and its leaf are right.
type decoded struct {
	entry Entry
	err   error
}

// decode reads lines by themselves, on every processor.
func decode(lines [][]byte) []decoded {
	all := make([]decoded, len(lines))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(lines)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(lines); i = int(next.Add(1)) - 1 {
				all[i].err = all[i].entry.decode(bytes.TrimSuffix(lines[i], []byte("\n")))
			}
		})
	}
	wait.Wait()
	return all
}

// prove verifies what lines say was signed, on every processor.
func prove(lines []decoded) *plan.Proofs {
	facts := make([]plan.Event, 0, len(lines))
	for _, l := range lines {
		if l.err == nil && l.entry.Fact != nil {
			facts = append(facts, *l.entry.Fact)
		}
	}
	return plan.Prove(facts)
}

// decode reads one line.
func (e *Entry) decode(line []byte) error {
	if err := plan.DecodeStrict(line, e); err != nil {
		return err
	}
	leaf, err := e.leaf()
	if err != nil {
		return err
	}
	if leaf != e.Leaf {
		return errors.New("its fact does not have the hash that it names: the fact was changed")
	}
	return nil
}

// count notes a withheld fact.
func (b *Book) count(e Entry) {
	if b.withheld == nil {
		b.withheld = map[plan.Audience]int{}
	}
	b.withheld[e.Audience]++
}

// add holds an entry against the chain and folds its fact.
func (b *Book) add(e Entry) error {
	if e.Number != len(b.Entries)+1 {
		return fmt.Errorf("it is numbered %d; an entry is missing or stands in the wrong place", e.Number)
	}
	head, err := headAfter(b.Head().Hash, e.Leaf)
	if err != nil {
		return err
	}
	if head != e.Head {
		return errors.New("its head does not follow from the line above: a line was changed, removed or put in")
	}
	if err := b.fold(e); err != nil {
		return err
	}
	b.Entries = append(b.Entries, e)
	return nil
}

// fold adds what an entry says to the state.
func (b *Book) fold(e Entry) (err error) {
	next, head := b.State(), plan.Head{Entries: e.Number, Hash: e.Head}
	switch {
	case e.Fact == nil:
		b.count(e)
		next.Head = head
	case b.observed:
		next, err = next.Observe(*e.Fact, head)
	default:
		next, err = next.Knowing(b.proofs).Apply(*e.Fact, head)
	}
	b.states = append(b.states, next)
	return err
}

// leaf gives the hash that an entry must name.
func (e Entry) leaf() (string, error) {
	switch {
	case e.Withheld != "" && e.Audience == plan.Public:
		return "", errors.New("it withholds a public fact, which nobody may")
	case e.Fact == nil && e.Salt == nil && e.Withheld != "":
		return leafOf(e.Audience, e.Withheld)
	case e.Fact == nil || e.Salt == nil || e.Withheld != "" || e.Audience != "":
		return "", errors.New("it holds neither a fact with its salt, nor their hash with an audience")
	}
	commitment, err := commit(e.Salt, e.Fact)
	if err != nil {
		return "", err
	}
	return leafOf(e.Fact.Audience, commitment)
}

// commit gives the SHA-256 of a salted fact.
func commit(salt []byte, fact *plan.Event) (string, error) {
	text, err := plan.Canonical(fact)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	h.Write(salt)
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil)), nil
}

func leafOf(audience plan.Audience, commitment string) (string, error) {
	level, err := audience.Level()
	if err != nil {
		return "", err
	}
	raw, err := hash32(commitment)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte{leafPrefix, byte(level)}, raw...))
	return hex.EncodeToString(sum[:]), nil
}

// hash32 reads a SHA-256 in lower-case hex.
func hash32(text string) ([]byte, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size || hex.EncodeToString(raw) != text {
		return nil, fmt.Errorf("%q is not a SHA-256 in lower-case hex", text)
	}
	return raw, nil
}

func headAfter(before, leaf string) (string, error) {
	h := sha256.New()
	h.Write([]byte{headPrefix})
	for _, part := range []string{before, leaf} {
		raw, err := hash32(part)
		if err != nil {
			return "", err
		}
		h.Write(raw)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Head gives the hash that stands for the whole ledger.
func (b *Book) Head() plan.Head {
	if len(b.Entries) == 0 {
		return plan.EmptyHead()
	}
	last := b.Entries[len(b.Entries)-1]
	return plan.Head{Entries: last.Number, Hash: last.Head}
}

// State gives what the ledger adds up to.
func (b *Book) State() plan.State { return b.StateAt(len(b.states)) }

// StateAt gives what the first n entries add up to; it is how an interrupted
// ceremony sees the ledger that its plan was made from.
func (b *Book) StateAt(n int) plan.State {
	if n <= 0 || n > len(b.states) {
		return plan.State{Head: plan.EmptyHead()}
	}
	return b.states[n-1]
}

// TreeHash gives the RFC 6962 root over the first n entries, in hex.
func (b *Book) TreeHash(n int) (string, error) {
	if n == 0 {
		return hex.EncodeToString(rfc6962.DefaultHasher.EmptyRoot()), nil
	}
	root, err := subtree(b.Entries[:n])
	return hex.EncodeToString(root), err
}
