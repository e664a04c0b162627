package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
)

// canonical gives what Canonical gives for the plan with an empty sum. Actions
// come first in the order of keys and are nearly all of a plan; each is encoded
// on its own, on all processors.
func (p *Plan) canonical() ([]byte, error) {
	head := *p
	head.Sum, head.Actions = "", []Action{}
	if p.Actions == nil {
		head.Actions = nil
	}
	rest, err := Canonical(&head)
	if err != nil || p.Actions == nil {
		return rest, err
	}
	const begin = `{"actions":[`
	if !bytes.HasPrefix(rest, []byte(begin+"]")) {
		return nil, errors.New("actions are not the first key of a plan")
	}
	parts, faults := make([][]byte, len(p.Actions)), make([]error, len(p.Actions))
	inParallel(len(parts), func(i int) { parts[i], faults[i] = Canonical(p.Actions[i]) })
	return slices.Concat([]byte(begin), bytes.Join(parts, []byte(",")), rest[len(begin):]), errors.Join(faults...)
}

// withSum puts a sum in its empty place. Keys are in order, and after the
// plan's own sum come only tool and window, which have none.
func withSum(open []byte, sum string) ([]byte, error) {
	const empty = `,"sum":"",`
	i := bytes.LastIndex(open, []byte(empty))
	if i < 0 {
		return nil, errors.New("the plan has no place for its sum")
	}
	at := i + len(empty) - 2
	return slices.Concat(open[:at], []byte(sum), open[at:]), nil
}

// withoutSum takes the sum out of a plan's canonical bytes.
func withoutSum(text []byte, sum string) ([]byte, error) {
	whole := []byte(`,"sum":"` + sum + `",`)
	i := bytes.LastIndex(text, whole)
	if i < 0 {
		return nil, errors.New("the plan has no sum")
	}
	at := i + len(`,"sum":"`)
	return slices.Concat(text[:at], text[at+len(sum):]), nil
}

func sumOf(open []byte) string {
	sum := sha256.Sum256(open)
	return hex.EncodeToString(sum[:])
}
