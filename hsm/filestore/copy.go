package filestore

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// CanCopy says that a key in a file can be encrypted anew for another store of
// files, and for nothing else.
func (s *Store) CanCopy(_ context.Context, _ spec.Algorithm, to hsm.Store) (hsm.Way, error) {
	if _, is := to.(*Store); !is {
		return hsm.Way{}, fmt.Errorf("a key in a file is copied to another file and nowhere else: %w", hsm.ErrUnsupported)
	}
	return hsm.Way{}, nil
}

// Copy encrypts a key anew, under the password of another store, and reads the
// copy back.
func (s *Store) Copy(ctx context.Context, c hsm.Copying) (hsm.Copied, error) {
	to, is := c.To.(*Store)
	if !is {
		return hsm.Copied{}, fmt.Errorf("a key in a file is copied to another file and nowhere else: %w", hsm.ErrUnsupported)
	}
	if err := errors.Join(s.ready(ctx, c.Key), to.ready(ctx, c.At)); err != nil {
		return hsm.Copied{}, err
	}
	_, err := to.root.Lstat(c.At.Location)
	switch {
	case err == nil && c.Resumed:
		found, err := to.Find(ctx, c.At, c.SPKI)
		if err != nil {
			return hsm.Copied{}, err
		}
		return hsm.Copied{Key: found, Adopted: true, Evidence: evidence()}, nil
	case err == nil:
		return hsm.Copied{}, fmt.Errorf("%s: %w; move it away if it is not wanted", c.At.Location, hsm.ErrExists)
	case !errors.Is(err, fs.ErrNotExist):
		return hsm.Copied{}, err
	}
	private, err := s.read(c.Key.Location, c.Key.Algorithm, c.SPKI)
	if err != nil {
		return hsm.Copied{}, err
	}
	der, err := encrypt(private, to.password)
	if err != nil {
		return hsm.Copied{}, fmt.Errorf("encrypting the copy of %s: %w", c.At.Label, err)
	}
	readBack := func(written string) error {
		_, err := to.read(written, c.At.Algorithm, c.SPKI)
		return err
	}
	if err := to.write(c.At.Location, pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), readBack); err != nil {
		return hsm.Copied{}, err
	}
	copied, err := to.Find(ctx, c.At, c.SPKI)
	if err != nil {
		return hsm.Copied{}, err
	}
	return hsm.Copied{Key: copied, Evidence: evidence()}, nil
}

// Seal refuses: whoever has a file and its password has the key.
func (s *Store) Seal(_ context.Context, k hsm.KeySpec, _ []byte) ([]hsm.Evidence, error) {
	return nil, fmt.Errorf("%s: a key in a file cannot be kept from being copied: %w", k.Location, hsm.ErrUnsupported)
}
