package filestore

import (
	"bytes"
	"context"
	"crypto"
	"fmt"

	"pki.internal/hsm"
	"pki.internal/plan/tbs/public"
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
