package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/gowebpki/jcs"
)

// Canonical encodes a value as canonical JSON (RFC 8785): one value, one
// sequence of bytes. Values hold no floats and no integers of 64 bits, which
// canonical JSON would round.
func Canonical(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if canonical, done := canonize(text); done {
		return canonical, nil
	}
	return jcs.Transform(text)
}

// ErrNotCanonical means that bytes are not what Canonical writes: an unknown
// or doubled key, white space, another order or another spelling.
var ErrNotCanonical = errors.New("not in canonical form")

// DecodeStrict reads what Canonical wrote, and nothing else. Unknown keys,
// doubled keys and any other spelling of the same value are refused, so that
// the bytes that people hash and the value that machines use are one thing.
func DecodeStrict(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("bytes follow the JSON value")
	}
	again, err := Canonical(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, text) {
		return fmt.Errorf("%w (first difference at byte %d)", ErrNotCanonical, firstDifference(again, text))
	}
	return nil
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
