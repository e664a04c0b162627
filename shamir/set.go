package shamir

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// Set is the public record of a set of shares. It lets every share be checked
// alone. It gives nobody, not even threshold-1 holders together, a way to test
// a guess of the secret: docs/formats-share.md has the argument.
type Set struct {
	Digest    [32]byte
	Threshold int
	Class     int // length to which the secret was padded
	Purpose   string
	Replaces  *SetID // the set whose secret this one shares anew
	Members   []Member
}

// Member is one holder of a set.
type Member struct {
	Index      int
	Holder     string
	Commitment [32]byte
}

// ID gives the set's name.
func (s *Set) ID() SetID { return SetID(s.Digest[:setIDSize]) }

// Check says whether a share is the one that was handed out, without any
// other share.
func (s *Set) Check(share *Share) error {
	fault := func(kind error, next, fact string, args ...any) error {
		return &Fault{Kind: kind, Share: share.Label(), Fact: fmt.Sprintf(fact, args...), Next: next}
	}
	switch {
	case share.Set != s.ID():
		return fault(ErrNotInSet, "look for the sheet or file of set "+s.ID().String(), "it belongs to set %s, and the record is of set %s", share.Set, s.ID())
	case share.Index > len(s.Members):
		return fault(ErrNotInSet, "check the record", "the record has %d shares", len(s.Members))
	}
	m, commitment := s.Members[share.Index-1], share.Commitment()
	if subtle.ConstantTimeCompare(m.Commitment[:], commitment[:]) != 1 {
		return fault(ErrNotInSet, "look for the share that "+m.Holder+" was given; if it is lost, make a new set with pki share reshare while enough others are there",
			"it is well formed and is not the share that was handed out to %s", m.Holder)
	}
	return nil
}

// Prove checks every share of a set against its record and shows that any
// threshold of them gives the same secret: when all values lie on polynomials
// of degree threshold-1, every choice of them determines the same polynomials.
func (s *Set) Prove(shares []*Share) error {
	if len(shares) != len(s.Members) {
		return &Fault{Kind: ErrTooFew, Fact: fmt.Sprintf("%d shares are here, and the set has %d", len(shares), len(s.Members)), Next: "bring all of them"}
	}
	points := make([]point, len(shares))
	for _, share := range shares {
		if err := s.Check(share); err != nil {
			return err
		}
		if points[share.Index-1].y != nil {
			return &Fault{Kind: ErrDuplicate, Share: share.Label(), Fact: "it is here twice", Next: "bring every share once"}
		}
		points[share.Index-1] = point{byte(share.Index), share.value}
	}
	if err := s.verify(points[:s.Threshold]); err != nil {
		return err
	}
	for _, p := range points[s.Threshold:] {
		expected, err := evaluate(points[:s.Threshold], p.x)
		if err != nil {
			return err
		}
		same := subtle.ConstantTimeCompare(expected, p.y) == 1
		clear(expected)
		if !same {
			m := s.Members[p.x-1]
			return &Fault{Kind: ErrDamaged, Share: fmt.Sprintf("share %d (%s)", m.Index, m.Holder), Fact: "it does not fit the others of its set", Next: "make the set again; it was never sound"}
		}
	}
	return nil
}

// verify reconstructs, compares with the full digest and forgets.
func (s *Set) verify(points []point) error {
	payload, err := evaluate(points, 0)
	if err != nil {
		return err
	}
	defer clear(payload)
	if len(payload) != payloadOverhead+s.Class || digestOf(payload, s.Threshold, len(s.Members), s.Purpose) != s.Digest {
		return &Fault{Kind: ErrDamaged, Fact: "the shares do not give the secret of the record", Next: "make the set again; it was never sound"}
	}
	return nil
}

// setFormat names version 1 of a set's record.
const setFormat = "pki-share-set/1"

// setJSON is the wire form of a Set. Fields are never renamed or reordered; a
// new one needs a new format.
type setJSON struct {
	Format    string       `json:"format"`
	Digest    string       `json:"digest"`
	Threshold int          `json:"threshold"`
	Class     int          `json:"class"`
	Purpose   string       `json:"purpose"`
	Replaces  string       `json:"replaces,omitempty"`
	Members   []memberJSON `json:"members"`
}

type memberJSON struct {
	Index      int    `json:"index"`
	Holder     string `json:"holder"`
	Commitment string `json:"commitment"`
}

// Encode gives the record as JSON.
func (s *Set) Encode() []byte {
	wire := setJSON{Format: setFormat, Digest: hex.EncodeToString(s.Digest[:]), Threshold: s.Threshold, Class: s.Class, Purpose: s.Purpose}
	if s.Replaces != nil {
		wire.Replaces = hex.EncodeToString(s.Replaces[:])
	}
	for _, m := range s.Members {
		wire.Members = append(wire.Members, memberJSON{m.Index, m.Holder, hex.EncodeToString(m.Commitment[:])})
	}
	return encodeJSON(wire)
}

// ReadSet reads what Encode wrote.
func ReadSet(text []byte) (*Set, error) {
	var wire setJSON
	if len(text) > maxRecord {
		return nil, fmt.Errorf("it has more than %d bytes, and no record of a set is that long", maxRecord)
	}
	if err := decodeJSON(text, &wire); err != nil {
		return nil, err
	}
	if wire.Format != setFormat {
		return nil, fmt.Errorf("its format is %q, and this program reads %q", wire.Format, setFormat)
	}
	set := &Set{Threshold: wire.Threshold, Class: wire.Class, Purpose: wire.Purpose}
	if err := decodeHex(set.Digest[:], wire.Digest); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	if wire.Replaces != "" {
		set.Replaces = new(SetID)
		if err := decodeHex(set.Replaces[:], wire.Replaces); err != nil {
			return nil, fmt.Errorf("replaces: %w", err)
		}
	}
	policy := Policy{Threshold: wire.Threshold, Purpose: wire.Purpose}
	for i, m := range wire.Members {
		policy.Holders = append(policy.Holders, m.Holder)
		member := Member{Index: m.Index, Holder: m.Holder}
		if err := decodeHex(member.Commitment[:], m.Commitment); err != nil || m.Index != i+1 {
			return nil, fmt.Errorf("member %d: its index or its commitment is not what this program writes", i+1)
		}
		set.Members = append(set.Members, member)
	}
	if classCode(wire.Class) == 0 {
		return nil, fmt.Errorf("length class %d is unknown", wire.Class)
	}
	return set, policy.validate()
}

func decodeHex(to []byte, text string) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(to) || strings.ToLower(text) != text {
		return fmt.Errorf("it is not %d bytes in small hex digits", len(to))
	}
	copy(to, b)
	return nil
}

// encodeJSON writes one field to a line, so that people can read and diff it.
func encodeJSON(wire any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(wire); err != nil {
		panic(err) // strings and numbers always encode
	}
	return b.Bytes()
}

// decodeJSON reads what encodeJSON wrote, and nothing else but other white
// space: the value is encoded again and compared. Unknown, doubled, reordered
// or differently escaped fields are refused with that.
func decodeJSON(text []byte, wire any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(wire); err != nil {
		return fmt.Errorf("it is not JSON that this program writes: %w", err)
	}
	var given, canonical bytes.Buffer
	if err := json.Compact(&given, text); err != nil {
		return fmt.Errorf("it is not one JSON object: %w", err)
	}
	if err := json.Compact(&canonical, encodeJSON(wire)); err != nil {
		return err
	}
	same := sha256.Sum256(given.Bytes()) == sha256.Sum256(canonical.Bytes())
	clear(given.Bytes())
	clear(canonical.Bytes())
	if !same {
		return fmt.Errorf("it is JSON that this program does not write: a field is doubled, out of order or written differently")
	}
	return nil
}
