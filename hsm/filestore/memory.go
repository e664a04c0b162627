package filestore

import (
	"bytes"
	"context"
	"crypto"
	"fmt"

	"pki.internal/hsm"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// Memory keeps keys in memory for as long as a rehearsal lasts. None of them is
// ever written.
type Memory struct{ keys map[string]crypto.Signer }

// NewMemory gives an empty store.
func NewMemory() *Memory { return &Memory{keys: map[string]crypto.Signer{}} }

// Close forgets every key.
func (m *Memory) Close() error {
	clear(m.keys)
	return nil
}

// Generate makes a key at a location that has none.
func (m *Memory) Generate(ctx context.Context, k hsm.KeySpec) (hsm.Key, []hsm.Evidence, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if m.keys[k.Location] != nil {
		return nil, nil, fmt.Errorf("%s: %w", k.Location, hsm.ErrExists)
	}
	private, err := generate(k.Algorithm)
	if err != nil {
		return nil, nil, err
	}
	m.keys[k.Location] = private
	return key{private}, []hsm.Evidence{{Claim: "made in memory, and forgotten at the end", Grade: hsm.Observed}}, nil
}

// Find gives the key at a location, which must have this public key unless
// spki is nil.
func (m *Memory) Find(ctx context.Context, k hsm.KeySpec, spki []byte) (hsm.Key, error) {
	private := m.keys[k.Location]
	if private == nil {
		return nil, fmt.Errorf("%s: %w", k.Location, hsm.ErrNotFound)
	}
	have, err := public.Marshal(private.Public())
	if err != nil {
		return nil, err
	}
	if spki != nil && !bytes.Equal(have, spki) {
		return nil, fmt.Errorf("%s: %w", k.Location, hsm.ErrMismatch)
	}
	return key{private}, ctx.Err()
}

// CanCopy says that every key here can be copied.
func (m *Memory) CanCopy(context.Context, spec.Algorithm, hsm.Store) (hsm.Way, error) {
	return hsm.Way{}, nil
}

// Copy gives a key a second location, because every store of a rehearsal is this
// one.
func (m *Memory) Copy(ctx context.Context, c hsm.Copying) (hsm.Copied, error) {
	private := m.keys[c.Key.Location]
	switch {
	case private == nil:
		return hsm.Copied{}, fmt.Errorf("%s: %w", c.Key.Location, hsm.ErrNotFound)
	case m.keys[c.At.Location] != nil:
		return hsm.Copied{}, fmt.Errorf("%s: %w", c.At.Location, hsm.ErrExists)
	}
	m.keys[c.At.Location] = private
	return hsm.Copied{Key: key{private}, Evidence: []hsm.Evidence{{Claim: "copied in memory, and forgotten at the end", Grade: hsm.Observed}}}, ctx.Err()
}

// Seal says what a rehearsal can say of it.
func (m *Memory) Seal(ctx context.Context, _ hsm.KeySpec, _ []byte) ([]hsm.Evidence, error) {
	return []hsm.Evidence{{Claim: "a key in memory cannot be sealed; a token would be told to", Grade: hsm.Claimed}}, ctx.Err()
}
