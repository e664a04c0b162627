// Package shamir answers one question: how is a secret split, and how does a
// share survive paper?
//
// [Split] makes a set of shares of which any threshold gives the secret back
// and fewer give nothing. The set's public record, a [Set], lets every share
// be checked without reconstruction. A share can be written as words with
// parity, as text for a QR code, as JSON, or encrypted to its holder with age;
// [Read] reads all of them back, and [Combine] gives the secret that was split
// or an error that names the share, never something else.
//
// docs/formats-share.md is the law for every byte that is written here.
package shamir

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/hashicorp/vault/shamir"
)

// Policy says who gets a share and how many of them are needed.
type Policy struct {
	Threshold int      // how many shares give the secret
	Holders   []string // who gets share 1, 2 and so on
	Purpose   string   // what the secret is for
}

func (p Policy) validate() error {
	if len(p.Holders) > MaxShares {
		return fmt.Errorf("%d shares are too many; a set has %d at most", len(p.Holders), MaxShares)
	}
	if p.Threshold < MinThreshold || p.Threshold > len(p.Holders) {
		return fmt.Errorf("a threshold of %d of %d cannot be; it is at least %d and at most the number of shares", p.Threshold, len(p.Holders), MinThreshold)
	}
	if err := validLabel(p.Purpose); err != nil {
		return fmt.Errorf("purpose %q: %w", p.Purpose, err)
	}
	for i, holder := range p.Holders {
		if err := validLabel(holder); err != nil {
			return fmt.Errorf("holder %d, %q: %w", i+1, holder, err)
		}
		if slices.Contains(p.Holders[:i], holder) {
			return fmt.Errorf("holder %q is named twice; one person holds one share of a set", holder)
		}
	}
	return nil
}

// Split shares a secret among the holders of a policy. All randomness comes
// from random. The caller wipes the secret.
func Split(random io.Reader, secret []byte, p Policy) (*Set, []*Share, error) {
	if err := p.validate(); err != nil {
		return nil, nil, err
	}
	payload, err := newPayload(random, secret)
	if err != nil {
		return nil, nil, err
	}
	defer clear(payload)
	digest := digestOf(payload, p.Threshold, len(p.Holders), p.Purpose)
	values, err := deal(random, payload, p.Threshold, len(p.Holders))
	if err != nil {
		return nil, nil, err
	}
	set := &Set{Digest: digest, Threshold: p.Threshold, Class: classOf(payload), Purpose: p.Purpose}
	shares := make([]*Share, 0, len(values))
	for i, value := range values {
		s := &Share{Set: set.ID(), Threshold: p.Threshold, Count: len(values), Index: i + 1, Purpose: p.Purpose, Holder: p.Holders[i], value: value}
		shares = append(shares, s)
		set.Members = append(set.Members, Member{Index: s.Index, Holder: s.Holder, Commitment: s.Commitment()})
	}
	if err := set.Prove(shares); err != nil {
		return nil, nil, fmt.Errorf("proving the new set: %w", err)
	}
	return set, shares, nil
}

// newPayload gives what is really split: a random blinding key, the secret's
// length, the secret, and zeros up to the length class. Set digest and
// commitments are useless to anyone who does not know the blinding key, and
// that key is shared with the secret: below the threshold nobody has it.
func newPayload(random io.Reader, secret []byte) ([]byte, error) {
	if len(secret) == 0 {
		return nil, fmt.Errorf("the secret is empty")
	}
	class := Class(len(secret))
	if class == 0 {
		return nil, fmt.Errorf("the secret has %d bytes; %d are the most that fit a share that people can type. Split the password of an encrypted file instead", len(secret), MaxSecret)
	}
	payload := make([]byte, payloadOverhead+class)
	if _, err := io.ReadFull(random, payload[:blindingSize]); err != nil {
		return nil, fmt.Errorf("reading randomness: %w", err)
	}
	payload[blindingSize] = byte(len(secret))
	copy(payload[payloadOverhead:], secret)
	return payload, nil
}

// secretOf takes a payload apart whose digest has been verified.
func secretOf(payload []byte) ([]byte, error) {
	size := int(payload[blindingSize])
	if size == 0 || size > len(payload)-payloadOverhead {
		return nil, &Fault{Kind: ErrDamaged, Fact: "the payload's length byte is out of range", Next: "the set was made by a broken program; report it"}
	}
	return slices.Clone(payload[payloadOverhead:][:size]), nil
}

func classOf(payload []byte) int { return len(payload) - payloadOverhead }

// digestOf identifies a set and lets a reconstruction be verified.
func digestOf(payload []byte, threshold, count int, purpose string) [32]byte {
	h := hmac.New(sha256.New, payload[:blindingSize])
	h.Write([]byte("pki-share/1 set\x00"))
	h.Write([]byte{version, byte(threshold), byte(count), classCode(classOf(payload)), byte(len(purpose))})
	h.Write([]byte(purpose))
	h.Write(payload[blindingSize:])
	return [32]byte(h.Sum(nil))
}

// point is the value of the polynomials at one place, a byte for each.
type point struct {
	x byte
	y []byte
}

// deal draws one polynomial of degree threshold-1 for each byte of the
// payload, with that byte at 0, and gives their values at 1 to count.
//
// The values at 1 to threshold-1 are drawn, which is the same as drawing
// coefficients: through them and the payload goes exactly one polynomial, and
// every polynomial is as likely as any other. What follows from them is
// computed by the library.
func deal(random io.Reader, payload []byte, threshold, count int) ([][]byte, error) {
	known := []point{{0, payload}}
	values := make([][]byte, 0, count)
	for x := 1; x <= count; x++ {
		if x < threshold {
			drawn := make([]byte, len(payload))
			if _, err := io.ReadFull(random, drawn); err != nil {
				return nil, fmt.Errorf("reading randomness: %w", err)
			}
			known = append(known, point{byte(x), drawn})
			values = append(values, drawn)
			continue
		}
		value, err := evaluate(known, byte(x))
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

// evaluate gives the value at x of the polynomials of the lowest degree
// through the points: the sum of their values, each times its weight at x.
func evaluate(through []point, x byte) ([]byte, error) {
	w, err := weights(through, x)
	if err != nil {
		return nil, err
	}
	value := make([]byte, len(through[0].y))
	for i, p := range through {
		if len(p.y) != len(value) {
			return nil, errors.New("the values have different lengths")
		}
		for j, y := range p.y {
			value[j] ^= product(w[i], y)
		}
	}
	return value, nil
}

// weights gives what the value at each point counts for at x. They depend on
// places and not on values, so the library finds them once for all bytes: it
// interpolates the unit vectors. It gives the value at 0 only; adding x to every
// place moves x there, for addition in GF(2^8) is its own inverse.
func weights(through []point, x byte) ([]byte, error) {
	parts := make([][]byte, 0, len(through))
	for i, p := range through {
		part := make([]byte, len(through)+1)
		part[i], part[len(through)] = 1, p.x^x
		parts = append(parts, part)
	}
	w, err := shamir.Combine(parts)
	if err != nil {
		return nil, fmt.Errorf("interpolating: %w", err)
	}
	return w, nil
}

// product multiplies in GF(2^8) modulo x^8+x^4+x^3+x+1, in the same steps
// whatever the factors are.
func product(a, b byte) byte {
	p := byte(0)
	for range 8 {
		p ^= -(b & 1) & a
		a = a<<1 ^ -(a>>7)&0x1b
		b >>= 1
	}
	return p
}
