// Package filestore answers one question: how do keys live without an HSM?
//
// It is the embedded default: each key is one encrypted PKCS#8 file (PBES2,
// PBKDF2-HMAC-SHA256 with 600,000 rounds, AES-256-CBC), the one form that
// openssl, step-ca and Go all read.
package filestore

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"filippo.io/mldsa"

	"pki.internal/hsm"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// Store is a folder of encrypted keys below an estate.
type Store struct {
	root     *os.Root
	dir      string // below root, slashes
	password []byte
}

// Open opens the store in dir, which is made with the first key. root is the
// estate's folder; nothing outside it is touched. The store keeps a copy of
// the password until Close.
func Open(root *os.Root, dir string, password []byte) (*Store, error) {
	if len(password) == 0 {
		return nil, fmt.Errorf("%s: an empty password encrypts nothing: %w", dir, hsm.ErrWrongPIN)
	}
	return &Store{root: root, dir: dir, password: bytes.Clone(password)}, nil
}

// Close forgets the password.
func (s *Store) Close() error {
	clear(s.password)
	s.password = nil
	return nil
}

// PBKDF2 with 600,000 rounds is OWASP's figure of 2023; step-ca refuses
// scrypt, and openssl 3.0 refuses scrypt with more memory than 32 MiB.
const (
	kdfRounds = 600_000
	saltSize  = 16
)

// ready refuses a closed store, and a location that is not in its folder.
func (s *Store) ready(ctx context.Context, k hsm.KeySpec) error {
	if len(s.password) == 0 {
		return fmt.Errorf("%s is closed: %w", s.dir, hsm.ErrTokenGone) // without a password keys would be written in the clear
	}
	if !fs.ValidPath(k.Location) || path.Clean(s.dir) != path.Dir(k.Location) {
		return fmt.Errorf("%q is not the name of a file in the key store's folder %q", k.Location, s.dir)
	}
	return ctx.Err()
}

// Generate makes a key, writes it, reads it back, and only then gives the
// file its name.
func (s *Store) Generate(ctx context.Context, k hsm.KeySpec) (hsm.Key, []hsm.Evidence, error) {
	if err := s.ready(ctx, k); err != nil {
		return nil, nil, err
	}
	if _, err := s.root.Lstat(k.Location); err == nil {
		return nil, nil, fmt.Errorf("%s: %w; move it away if it is not wanted", k.Location, hsm.ErrExists)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	private, err := generate(k.Algorithm)
	if err != nil {
		return nil, nil, err
	}
	der, err := encrypt(private, s.password)
	if err != nil {
		return nil, nil, fmt.Errorf("encrypting the key of %s: %w", k.Label, err)
	}
	spki, err := public.Marshal(private.Public())
	if err != nil {
		return nil, nil, err
	}
	readBack := func(written string) error {
		_, err := s.read(written, k.Algorithm, spki)
		return err
	}
	if err := s.write(k.Location, pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), readBack); err != nil {
		return nil, nil, err
	}
	return key{private}, evidence(), nil
}

// evidence is what is known of a key file that was written and read back.
func evidence() []hsm.Evidence {
	return []hsm.Evidence{
		{Claim: "encrypted with PBES2, PBKDF2-HMAC-SHA256 600000, AES-256-CBC", Grade: hsm.Observed},
		{Claim: "decrypts to the same key", Grade: hsm.Proven},
	}
}

// encrypt gives a key as an EncryptedPrivateKeyInfo in DER.
func encrypt(private crypto.Signer, password []byte) ([]byte, error) {
	plain, err := marshalPKCS8(private)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	random := make([]byte, saltSize+aes.BlockSize)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	return lock(plain, password, random[:saltSize], random[saltSize:])
}

const pemType = "ENCRYPTED PRIVATE KEY"

func generate(a spec.Algorithm) (crypto.Signer, error) {
	switch a {
	case spec.ECDSAP256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case spec.ECDSAP384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case spec.ECDSAP521:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case spec.RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case spec.RSA4096:
		return rsa.GenerateKey(rand.Reader, 4096)
	case spec.Ed25519:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case spec.MLDSA44:
		return mldsa.GenerateKey(mldsa.MLDSA44())
	case spec.MLDSA65:
		return mldsa.GenerateKey(mldsa.MLDSA65())
	case spec.MLDSA87:
		return mldsa.GenerateKey(mldsa.MLDSA87())
	}
	return nil, fmt.Errorf("a key of algorithm %q: %w", a, hsm.ErrUnsupported)
}

// write puts a file under its name only when it is whole on disk and check
// has passed, and never over another: the temporary file is linked to the
// name, which fails when the name is taken.
func (s *Store) write(name string, data []byte, check func(written string) error) error {
	if err := s.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	temporary := name + ".new"
	if err := s.root.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := s.writeTemporary(temporary, data)
	if err == nil {
		if err = check(temporary); err != nil {
			err = fmt.Errorf("reading the new key back: %w", err)
		}
	}
	if err == nil {
		err = s.place(temporary, name)
	}
	if removed := s.root.Remove(temporary); err == nil && !errors.Is(removed, fs.ErrNotExist) {
		err = removed
	}
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", name, hsm.ErrExists)
	}
	if err != nil {
		return fmt.Errorf("writing the key: %w", err)
	}
	return s.syncDir(path.Dir(name))
}

// place gives a file its name, and never takes the name from another: a link
// fails when the name is taken. FAT, on which USB sticks come, has no links;
// there the name is looked at first, and the ledger's lock keeps other
// ceremonies away in between.
func (s *Store) place(temporary, name string) error {
	err := s.root.Link(temporary, name)
	if !errors.Is(err, syscall.EPERM) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if _, err := s.root.Lstat(name); err == nil {
		return fs.ErrExist
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.root.Rename(temporary, name)
}

func (s *Store) writeTemporary(name string, data []byte) error {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

func (s *Store) syncDir(name string) error {
	d, err := s.root.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	return err
}

// Find reads and decrypts a key.
func (s *Store) Find(ctx context.Context, k hsm.KeySpec, spki []byte) (hsm.Key, error) {
	if err := s.ready(ctx, k); err != nil {
		return nil, err
	}
	private, err := s.read(k.Location, k.Algorithm, spki)
	if err != nil {
		return nil, err
	}
	// A kill between linking and removing leaves the key under a second name.
	// On a medium that cannot be written it stays there and does no harm.
	_ = s.root.Remove(k.Location + ".new")
	return key{private}, nil
}

// read decrypts a file and holds it against the algorithm and, unless it is
// nil, the public key that it should have.
func (s *Store) read(name string, a spec.Algorithm, spki []byte) (crypto.Signer, error) {
	info, err := s.root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", name, hsm.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s is not a file of at most %d KiB, so it holds no key", name, maxFile>>10)
	}
	text, err := s.root.ReadFile(name)
	if err != nil {
		return nil, err
	}
	private, err := Decrypt(text, s.password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	have, err := public.Marshal(private.Public())
	if err != nil {
		return nil, err
	}
	// CBC has no integrity of its own, so only the public key proves the file.
	if spki != nil && !bytes.Equal(have, spki) {
		return nil, fmt.Errorf("%s: %w; restore the file from its backup", name, hsm.ErrMismatch)
	}
	if kind := algorithmOf(private.Public()); kind != a {
		return nil, fmt.Errorf("%s holds a key of %s and not of %s: %w; restore the file from its backup", name, kind.Title(), a.Title(), hsm.ErrMismatch)
	}
	return private, nil
}

// algorithmOf tells what a public key is for, in words when it is for nothing
// that this version signs with.
func algorithmOf(key crypto.PublicKey) spec.Algorithm {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return spec.Algorithm(fmt.Sprintf("ecdsa-p%d", k.Curve.Params().BitSize))
	case *rsa.PublicKey:
		return spec.Algorithm(fmt.Sprintf("rsa-%d", k.N.BitLen()))
	case ed25519.PublicKey:
		return spec.Ed25519
	case *mldsa.PublicKey:
		return spec.Algorithm(strings.ToLower(k.Parameters().String()))
	}
	return "another type"
}

// Decrypt reads one encrypted PKCS#8 key in PEM. The error wraps ErrWrongPIN
// when the file is sound but the password does not open it.
func Decrypt(text, password []byte) (crypto.Signer, error) {
	if len(password) == 0 {
		return nil, fmt.Errorf("%w: it is empty", hsm.ErrWrongPIN)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemType {
		return nil, fmt.Errorf("not an encrypted PKCS#8 key in PEM (BEGIN %s)", pemType)
	}
	if err := checkParameters(block.Bytes); err != nil {
		return nil, err
	}
	plain, err := unlock(block.Bytes, password)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", hsm.ErrWrongPIN, err)
	}
	defer clear(plain)
	private, err := parsePKCS8(plain)
	var opened *unusable
	if errors.As(err, &opened) {
		return nil, err // the password has opened it
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", hsm.ErrWrongPIN, errPassword)
	}
	return private, nil
}

// key is a decrypted key. Signatures are verified by whoever asked for them,
// in the one place that makes CA signatures.
type key struct{ private crypto.Signer }

func (k key) Public() crypto.PublicKey { return k.private.Public() }

func (k key) Sign(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return k.private.Sign(rand.Reader, digest, opts)
}
