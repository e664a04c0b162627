package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pki.internal/ceremony"
	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
)

// strides are coprime to the lengths of lines and of base64 quanta, so that
// every kind of place is hit.
const (
	ledgerStride = 37
	planStride   = 29
)

// TestAnyByteOfTheLedger turns a bit in one byte after another; reading must
// fail and name the line, or name the rest as torn when the last newline is
// gone.
func TestAnyByteOfTheLedger(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(estate(t, "two-tier", true), ledgerName))
	if err != nil {
		t.Fatal(err)
	}
	places := []int{0, 1, len(text) - 2, len(text) - 1}
	for i, b := range text {
		if b == '\n' || i%ledgerStride == 0 {
			places = append(places, i)
		}
	}
	for _, i := range places {
		for _, bit := range []byte{0x01, 0x20} {
			changed := bytes.Clone(text)
			changed[i] ^= bit
			line := 1 + bytes.Count(text[:i], []byte("\n"))
			_, torn, err := ledger.Read(changed)
			var wrong *ledger.EntryError
			switch {
			case err == nil && len(torn) > 0 && i == len(text)-1:
			case !errors.As(err, &wrong):
				t.Errorf("byte %d (line %d) from %q to %q: %v", i, line, text[i], changed[i], err)
			case wrong.Line != line:
				t.Errorf("byte %d is in line %d, and the message says line %d", i, line, wrong.Line)
			}
		}
	}
}

// TestAnyByteOfThePlan turns a bit in one byte after another; the plan must
// not be read, or not be admitted.
func TestAnyByteOfThePlan(t *testing.T) {
	t.Parallel()
	dir := estate(t, "two-tier", false)
	text, err := os.ReadFile(planOf(dir))
	if err != nil {
		t.Fatal(err)
	}
	now, err := time.Parse(time.RFC3339, today)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{dir: dir, now: func() time.Time { return now }, stdout: io.Discard, stderr: io.Discard}
	root, err := a.folder()
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	e, err := a.load(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	admit := func(text []byte) (*plan.Plan, error) {
		p, err := plan.Decode(text)
		if err != nil {
			return nil, err
		}
		digest := sha256.Sum256(text)
		_, err = a.admit(root, ceremony.Request{Plan: p, Digest: digest[:], Estate: e, Now: now, Tool: p.Tool})
		return p, err
	}
	if _, err := admit(text); err != nil {
		t.Fatalf("the plan as it was made: %v", err)
	}
	for i := 0; i < len(text); i += planStride {
		for _, bit := range []byte{0x01, 0x20} {
			changed := bytes.Clone(text)
			changed[i] ^= bit
			if _, err := admit(changed); err == nil {
				t.Errorf("byte %d from %q to %q is admitted: …%s…", i, text[i], changed[i], changed[max(0, i-40):min(len(changed), i+20)])
			}
		}
	}
}
