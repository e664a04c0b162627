// Package crlwalk answers one question: what does a revocation list of any
// length say?
//
// It reads a list from a stream, hands out one entry after another and keeps
// none, so that ten million entries need no more memory than ten. What it
// accepts is strict DER; what RFC 5280 forbids in an entry is reported with the
// entry, for callers to judge.
package crlwalk

import (
	"bytes"
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"
)

// List is all of a list but its entries.
type List struct {
	Version    int    // 1 or 2
	Issuer     []byte // Name in DER
	ThisUpdate time.Time
	NextUpdate time.Time // zero when the list names none
	Entries    int
	Faults     Faults // of all entries together
	Sorted     bool   // serial numbers ascend and none stands twice
	Extensions []pkix.Extension
	Algorithm  []byte // AlgorithmIdentifier in DER
	Signature  []byte // nil from [WalkTBS]
	Size       int64  // bytes of DER read

	hash    crypto.Hash
	digest  []byte // of the to-be-signed bytes
	message []byte // the to-be-signed bytes, where the algorithm hashes by itself
}

// Limits. Whoever can write a list must not be able to exhaust the memory of
// who reads it.
const (
	bufferSize = 256 << 10
	// maxElement bounds the issuer's name, one entry and the extensions of the
	// list. Real ones have some hundred octets.
	maxElement = 64 << 10
	// maxMessage bounds what is held for a signature algorithm that cannot
	// take a digest (Ed25519): some million entries.
	maxMessage = 128 << 20
)

// Errors that callers tell apart.
var (
	// ErrMalformed is for bytes that are no list in DER.
	ErrMalformed = errors.New("not a CRL in DER")
	// ErrTruncated is for a list that ends before its end.
	ErrTruncated = errors.New("the CRL is cut short")
)

// Universal tags that lists are made of.
const (
	tagInteger     = 0x02
	tagBitString   = 0x03
	tagUTCTime     = 0x17
	tagGeneralized = 0x18
	tagSequence    = 0x30
	tagExtensions  = 0xa0 // [0] EXPLICIT
)

// Walk reads a whole list, hands every entry to visit and gives the rest of
// it. An error of visit ends the walk. The entry belongs to the walk: visit
// copies what it keeps. A nil visit counts.
func Walk(r io.Reader, visit func(*Entry) error) (*List, error) {
	w := &walker{scanner: newScanner(r), visit: visit}
	err := w.list()
	return w.done(err)
}

// Skim reads a list without looking into its entries: its head, its
// extensions, its signature and the digest of all of it. Entries and Faults
// stay empty. It is for who has had the same signed bytes walked before.
func Skim(r io.Reader) (*List, error) {
	w := &walker{scanner: newScanner(r), skim: true}
	err := w.list()
	return w.done(err)
}

// WalkTBS reads the to-be-signed part of a list alone.
func WalkTBS(r io.Reader, visit func(*Entry) error) (*List, error) {
	w := &walker{scanner: newScanner(r), visit: visit}
	err := w.tbs()
	if err == nil {
		err = w.nothingFollows()
	}
	return w.done(err)
}

type walker struct {
	*scanner
	visit func(*Entry) error
	skim  bool
	out   List
	entry Entry
	last  []byte // serial number before
}

func (w *walker) done(err error) (*List, error) {
	if err != nil {
		return nil, err
	}
	w.out.Size = w.offset()
	if w.out.Extension(OIDDelta) != nil {
		w.out.Faults &^= ReasonRemove // RFC 5280 §5.3.1: there it belongs
	}
	return &w.out, nil
}

func (w *walker) list() error {
	size, err := w.header(tagSequence)
	if err != nil {
		return err
	}
	stop := w.offset() + size
	if err := w.tbs(); err != nil {
		return err
	}
	algorithm, err := w.element(tagSequence)
	if err != nil {
		return err
	}
	// RFC 5280 §5.1.1.2: it must be the same as in the signed part.
	if !bytes.Equal(algorithm, w.out.Algorithm) {
		return fmt.Errorf("%w: it names two different signature algorithms", ErrMalformed)
	}
	signature, err := w.element(tagBitString)
	if err != nil {
		return err
	}
	_, content, _, _ := readTLV(signature)
	if len(content) < 2 || content[0] != 0 {
		return fmt.Errorf("%w: its signature is not a string of whole octets", ErrMalformed)
	}
	w.out.Signature = bytes.Clone(content[1:])
	if w.offset() != stop {
		return fmt.Errorf("%w: its length is wrong", ErrMalformed)
	}
	return w.nothingFollows()
}

// tbs reads TBSCertList (RFC 5280 §5.1.2).
func (w *walker) tbs() error {
	w.startSink()
	size, err := w.header(tagSequence)
	if err != nil {
		return err
	}
	stop := w.offset() + size
	if err := w.head(); err != nil {
		return err
	}
	if tag, more := w.peek(stop); more && tag == tagSequence {
		if err := w.entries(stop); err != nil {
			return err
		}
	}
	if tag, more := w.peek(stop); more && tag == tagExtensions {
		if err := w.extensions(); err != nil {
			return err
		}
	}
	if w.err != nil {
		return w.err
	}
	if w.offset() != stop {
		return fmt.Errorf("%w: bytes at offset %d are no field of a CRL", ErrMalformed, w.offset())
	}
	// RFC 5280 §5.1.2.1: extensions need version 2.
	if w.out.Version == 1 && len(w.out.Extensions) > 0 {
		return fmt.Errorf("%w: a list of version 1 has no extensions", ErrMalformed)
	}
	return w.stopSink()
}

func (w *walker) stopSink() error {
	w.endSink()
	if w.message != nil && len(w.message) > maxMessage {
		return fmt.Errorf("the CRL has more than %d MiB, and its signature algorithm needs all of them at once", maxMessage>>20)
	}
	w.out.message = w.message
	if w.sink != nil {
		w.out.digest = w.sink.Sum(nil)
	}
	return nil
}

// head reads everything before the entries.
func (w *walker) head() error {
	tag, err := w.tag()
	if err != nil {
		return err
	}
	w.out.Version, w.out.Sorted = 1, true
	if tag == tagInteger {
		version, err := w.element(tagInteger)
		if err != nil {
			return err
		}
		if !bytes.Equal(version, []byte{tagInteger, 1, 1}) {
			return fmt.Errorf("%w: its version is not 2", ErrMalformed)
		}
		w.out.Version = 2
	}
	algorithm, err := w.element(tagSequence)
	if err != nil {
		return err
	}
	w.out.Algorithm = bytes.Clone(algorithm)
	w.out.hash = hashOf(w.out.Algorithm)
	w.startHash(w.out.hash)
	issuer, err := w.element(tagSequence)
	if err != nil {
		return err
	}
	w.out.Issuer = bytes.Clone(issuer)
	if w.out.ThisUpdate, err = w.time(); err != nil {
		return err
	}
	// nextUpdate is optional in the syntax (RFC 5280 §5.1).
	if tag, err := w.tag(); err == nil && (tag == tagUTCTime || tag == tagGeneralized) {
		w.out.NextUpdate, err = w.time()
		return err
	}
	return nil
}

func (w *walker) time() (time.Time, error) {
	tag, err := w.tag()
	if err != nil {
		return time.Time{}, err
	}
	if tag != tagUTCTime && tag != tagGeneralized {
		return time.Time{}, fmt.Errorf("%w: a date is missing at offset %d", ErrMalformed, w.offset())
	}
	element, err := w.element(tag)
	if err != nil {
		return time.Time{}, err
	}
	seconds, ok := ParseTime(element[0], element[2:])
	if !ok {
		return time.Time{}, fmt.Errorf("%w: %q is not a date in UTC with seconds", ErrMalformed, element[2:])
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func (w *walker) entries(limit int64) error {
	size, err := w.header(tagSequence)
	if err != nil {
		return err
	}
	stop := w.offset() + size
	// RFC 5280 §5.1.2.6: without entries the field must be absent.
	if stop > limit || size == 0 {
		return fmt.Errorf("%w: its list of entries is empty or longer than the CRL", ErrMalformed)
	}
	if w.skim {
		return w.skip(size)
	}
	for w.offset() < stop {
		raw, err := w.element(tagSequence)
		if err != nil {
			return fmt.Errorf("entry %d: %w", w.out.Entries+1, err)
		}
		if !w.entry.parse(raw) {
			return fmt.Errorf("entry %d: %w: a serial number and a date are expected", w.out.Entries+1, ErrMalformed)
		}
		w.out.Entries++
		w.out.Faults |= w.entry.Faults
		if w.out.Sorted {
			w.out.Sorted = CompareSerials(w.last, w.entry.Serial) < 0
			w.last = append(w.last[:0], w.entry.Serial...)
		}
		if w.visit != nil {
			if err := w.visit(&w.entry); err != nil {
				return err
			}
		}
	}
	if w.offset() != stop {
		return fmt.Errorf("%w: its entries do not fill their list", ErrMalformed)
	}
	return nil
}

func (w *walker) extensions() error {
	element, err := w.element(tagExtensions)
	if err != nil {
		return err
	}
	_, content, _, _ := readTLV(element)
	rest, err := asn1.Unmarshal(bytes.Clone(content), &w.out.Extensions)
	if err != nil || len(rest) > 0 || len(w.out.Extensions) == 0 {
		return fmt.Errorf("%w: its extensions cannot be read", ErrMalformed)
	}
	seen := map[string]bool{}
	for _, e := range w.out.Extensions {
		id := e.Id.String()
		if seen[id] { // RFC 5280 §4.2
			return fmt.Errorf("%w: extension %s stands twice", ErrMalformed, id)
		}
		seen[id] = true
	}
	return nil
}

// Extension gives the value of an extension, nil when the list has none.
func (l *List) Extension(id asn1.ObjectIdentifier) *pkix.Extension {
	for i := range l.Extensions {
		if l.Extensions[i].Id.Equal(id) {
			return &l.Extensions[i]
		}
	}
	return nil
}

// Object identifiers of extensions of lists (RFC 5280 §5.2).
var (
	OIDNumber         = asn1.ObjectIdentifier{2, 5, 29, 20}
	OIDDelta          = asn1.ObjectIdentifier{2, 5, 29, 27}
	OIDIDP            = asn1.ObjectIdentifier{2, 5, 29, 28}
	OIDFreshest       = asn1.ObjectIdentifier{2, 5, 29, 46}
	OIDAuthorityKeyID = asn1.ObjectIdentifier{2, 5, 29, 35}
)

// Number gives the CRL number, nil when the list has none.
func (l *List) Number() *big.Int {
	e := l.Extension(OIDNumber)
	if e == nil {
		return nil
	}
	number := new(big.Int)
	if rest, err := asn1.Unmarshal(e.Value, &number); err != nil || len(rest) > 0 {
		return nil
	}
	return number
}

// AuthorityKeyID gives the identifier of the key that signed, nil when the
// list has none.
func (l *List) AuthorityKeyID() []byte {
	e := l.Extension(OIDAuthorityKeyID)
	if e == nil {
		return nil
	}
	var id struct {
		ID []byte `asn1:"optional,tag:0"`
	}
	if _, err := asn1.Unmarshal(e.Value, &id); err != nil {
		return nil
	}
	return id.ID
}
