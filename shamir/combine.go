package shamir

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
)

// Use says which secret is wanted. The zero value accepts any set.
type Use struct {
	Purpose string // refuse shares for anything else; empty accepts any
	Set     *Set   // the record of the set; each share is checked against it
}

// Combine gives the secret that was split, or an error that names the share
// that is in the way. It never gives anything else: the result has been
// verified against the digest that every share carries, and against the whole
// record when there is one. The caller wipes the secret.
func Combine(shares []*Share, u Use) ([]byte, error) {
	if err := together(shares, u); err != nil {
		return nil, err
	}
	points := make([]point, 0, len(shares))
	for _, s := range shares {
		points = append(points, point{byte(s.Index), s.value})
	}
	first := shares[0]
	payload, err := evaluate(points[:first.Threshold], 0)
	if err != nil {
		return nil, err
	}
	defer clear(payload)
	if !first.opens(payload) || !fit(points, first.Threshold) {
		return nil, blame(shares, points)
	}
	if u.Set != nil && digestOf(payload, first.Threshold, first.Count, first.Purpose) != u.Set.Digest {
		return nil, &Fault{Kind: ErrNotInSet, Fact: "the secret is not the one of the record", Next: "use the record that was made with these shares"}
	}
	return secretOf(payload)
}

// opens reports whether a payload is the one that this share's set was made
// from.
func (s *Share) opens(payload []byte) bool {
	digest := digestOf(payload, s.Threshold, s.Count, s.Purpose)
	return subtle.ConstantTimeCompare(digest[:setIDSize], s.Set[:]) == 1
}

// fit reports whether all points lie on the polynomials through the first of
// them.
func fit(points []point, threshold int) bool {
	for _, p := range points[threshold:] {
		expected, err := evaluate(points[:threshold], p.x)
		if err != nil || subtle.ConstantTimeCompare(expected, p.y) != 1 {
			return false
		}
		clear(expected)
	}
	return true
}

// together checks that shares may be combined before any is used.
func together(shares []*Share, u Use) error {
	if len(shares) == 0 {
		return &Fault{Kind: ErrTooFew, Fact: "there is no share", Next: "give the shares of one set"}
	}
	main := majority(shares)
	for i, s := range shares {
		next := "leave it out, or bring shares of its own set only"
		switch {
		case s.Set != main.Set:
			return &Fault{Kind: ErrMixed, Share: s.Label(), Fact: fmt.Sprintf("it belongs to set %s (%s), and the others to set %s (%s)", s.Set, s.Purpose, main.Set, main.Purpose), Next: next}
		case s.Threshold != main.Threshold || s.Count != main.Count || s.Class() != main.Class() || s.Purpose != main.Purpose:
			return &Fault{Kind: ErrMixed, Share: s.Label(), Fact: fmt.Sprintf("it says %d of %d for %q, and the others of set %s say %d of %d for %q", s.Threshold, s.Count, s.Purpose, s.Set, main.Threshold, main.Count, main.Purpose), Next: next}
		case u.Purpose != "" && s.Purpose != u.Purpose:
			return &Fault{Kind: ErrPurpose, Share: s.Label(), Fact: fmt.Sprintf("it is for %q, and the secret that is wanted is for %q", s.Purpose, u.Purpose), Next: "bring the shares for " + u.Purpose}
		}
		if u.Set != nil {
			if err := u.Set.Check(s); err != nil {
				return err
			}
		}
		for _, before := range shares[:i] {
			if before.Index != s.Index {
				continue
			}
			if before.Equal(s) {
				return &Fault{Kind: ErrDuplicate, Share: s.Label(), Fact: "it is given twice", Next: "give every share once"}
			}
			return &Fault{Kind: ErrDuplicate, Share: s.Label(), Fact: fmt.Sprintf("another share %d of this set, of %s, is given too, and they differ", s.Index, before.Holder), Next: "one of them is false; check both against the record with pki share verify --set"}
		}
	}
	if len(shares) < main.Threshold {
		return tooFew(shares, main, u.Set)
	}
	return nil
}

// tooFew says who else could be asked.
func tooFew(shares []*Share, main *Share, set *Set) error {
	var missing []string
	for i := 1; i <= main.Count; i++ {
		if slices.ContainsFunc(shares, func(s *Share) bool { return s.Index == i }) {
			continue
		}
		name := fmt.Sprint(i)
		if set != nil {
			name = fmt.Sprintf("%d (%s)", i, set.Members[i-1].Holder)
		}
		missing = append(missing, name)
	}
	return &Fault{
		Kind: ErrTooFew, Fact: fmt.Sprintf("%d of the %d shares that are needed are here", len(shares), main.Threshold),
		Next: fmt.Sprintf("bring %d more of the shares %s of set %s", main.Threshold-len(shares), strings.Join(missing, ", "), main.Set),
	}
}

// majority gives a share of the set that most of the shares belong to, the
// first of them when there are equally many.
func majority(shares []*Share) *Share {
	best, most := shares[0], 0
	for _, s := range shares {
		n := 0
		for _, other := range shares {
			if other.Set == s.Set && other.Threshold == s.Threshold && other.Count == s.Count && other.Purpose == s.Purpose && other.Class() == s.Class() {
				n++
			}
		}
		if n > most {
			best, most = s, n
		}
	}
	return best
}

// blame finds out which shares do not belong to the others. With more shares
// than the threshold a sound subset gives the others away.
func blame(shares []*Share, points []point) error {
	threshold := shares[0].Threshold
	tried := 0
	var bad []string
	subsets(len(points), threshold, func(chosen []int) bool {
		tried++
		through := make([]point, 0, threshold)
		for _, i := range chosen {
			through = append(through, points[i])
		}
		payload, err := evaluate(through, 0)
		if err != nil {
			return false
		}
		defer clear(payload)
		if !shares[0].opens(payload) {
			return tried < maxSearch
		}
		for i, p := range points {
			if expected, err := evaluate(through, p.x); err == nil && subtle.ConstantTimeCompare(expected, p.y) != 1 {
				bad = append(bad, shares[i].Label())
			}
		}
		return false
	})
	if len(bad) > 0 {
		return &Fault{Kind: ErrDamaged, Share: strings.Join(bad, " and "), Fact: "its checksum holds, and yet it does not fit the others of its set: it was altered or never handed out", Next: "leave it out; the others are sound and enough"}
	}
	return &Fault{
		Kind: ErrDamaged, Fact: fmt.Sprintf("the shares of set %s do not give its secret, although every checksum holds: at least one was altered or never handed out", shares[0].Set),
		Next: "check each of them with pki share verify --set, or bring one more: with more than the threshold the false one can be named",
	}
}

// subsets visits every choice of k of n, in order, until visit says stop.
func subsets(n, k int, visit func([]int) bool) {
	chosen := make([]int, k)
	for i := range chosen {
		chosen[i] = i
	}
	for visit(chosen) {
		i := k - 1
		for i >= 0 && chosen[i] == n-k+i {
			i--
		}
		if i < 0 {
			return
		}
		chosen[i]++
		for j := i + 1; j < k; j++ {
			chosen[j] = chosen[j-1] + 1
		}
	}
}
