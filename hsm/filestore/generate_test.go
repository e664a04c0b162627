package filestore

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pki.internal/hsm"
	"pki.internal/spec"
)

// TestGenerate makes a key of every algorithm, finds it again in a store
// opened anew, signs with it, and lets openssl read its file.
func TestGenerate(t *testing.T) {
	for _, a := range spec.KeyTypes() {
		t.Run(string(a), func(t *testing.T) {
			t.Parallel()
			if a == spec.RSA4096 && testing.Short() {
				t.Skip("making an RSA-4096 key takes seconds")
			}
			s, folder := newStore(t)
			made, evidence, err := s.Generate(t.Context(), keySpec(a))
			if err != nil {
				t.Fatal(err)
			}
			if len(evidence) != 2 || evidence[1].Grade != hsm.Proven {
				t.Errorf("evidence = %v, want two claims, the second proven", evidence)
			}
			spki := spkiOf(t, made.Public())
			found, err := openStore(t, folder).Find(t.Context(), keySpec(a), spki)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(spkiOf(t, found.Public()), spki) {
				t.Error("another key was found")
			}
			want := map[string]fs.FileMode{"keys": fs.ModeDir | 0o700, "keys/root.key": 0o600}
			if have := filesIn(t, folder); !maps.Equal(have, want) {
				t.Errorf("files = %v, want %v", have, want)
			}
			if a.PostQuantum() {
				return // openssl knows ML-DSA from 3.5 on; TestInterop asks it where it is that new
			}
			opensslReads(t, filepath.Join(folder, "keys/root.key"), spki)
		})
	}
}

func opensslReads(t *testing.T, file string, spki []byte) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed, so nothing shows that it reads our files")
	}
	c := exec.CommandContext(t.Context(), "openssl", "pkey", "-in", file, "-passin", "stdin", "-pubout", "-outform", "DER")
	c.Stdin = strings.NewReader(testPassword + "\n")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	have, err := c.Output()
	if err != nil {
		t.Fatalf("openssl: %v: %s", err, stderr.String())
	}
	if !bytes.Equal(have, spki) {
		t.Error("openssl reads another public key from the file")
	}
}

func TestGenerateRefusesATakenName(t *testing.T) {
	s, folder := newStore(t)
	old := quickFile(t, testKey(1), nil)
	put(t, folder, "keys/root.key", old)
	_, _, err := s.Generate(t.Context(), keySpec(spec.Ed25519))
	if !errors.Is(err, hsm.ErrExists) {
		t.Errorf("Generate = %v, want ErrExists", err)
	}
	if have, err := os.ReadFile(filepath.Join(folder, "keys/root.key")); err != nil || !bytes.Equal(have, old) {
		t.Errorf("the old file was touched (%v)", err)
	}
	if have := filesIn(t, folder); len(have) != 2 {
		t.Errorf("files = %v, want the old one alone", have)
	}
}

// TestWriteNeverReplaces plays the race that Generate's first look cannot
// see: the name is taken while the key is being made.
func TestWriteNeverReplaces(t *testing.T) {
	s, folder := newStore(t)
	err := s.write("keys/root.key", []byte("new"), func(string) error {
		put(t, folder, "keys/root.key", []byte("first"))
		return nil
	})
	if !errors.Is(err, hsm.ErrExists) {
		t.Errorf("write = %v, want ErrExists", err)
	}
	if have, err := os.ReadFile(filepath.Join(folder, "keys/root.key")); err != nil || string(have) != "first" {
		t.Errorf("file = %q, %v; want the first one", have, err)
	}
	if have := filesIn(t, folder); len(have) != 2 {
		t.Errorf("files = %v, want no leftover", have)
	}
}

// TestWriteNamesOnlyWhatWasChecked lets reading back fail.
func TestWriteNamesOnlyWhatWasChecked(t *testing.T) {
	s, folder := newStore(t)
	broken := errors.New("broken medium")
	err := s.write("keys/root.key", []byte("new"), func(written string) error {
		if have, err := os.ReadFile(filepath.Join(folder, written)); err != nil || string(have) != "new" {
			t.Errorf("when it is checked the file holds %q, %v", have, err)
		}
		if _, err := os.Lstat(filepath.Join(folder, "keys/root.key")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the name stands before the check has passed: %v", err)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("write = %v, want the check's error", err)
	}
	if have := filesIn(t, folder); len(have) != 1 {
		t.Errorf("files = %v, want the folder alone", have)
	}
}

// TestWriteClearsAnOldAttempt leaves a torn temporary file behind, as a power
// cut would.
func TestWriteClearsAnOldAttempt(t *testing.T) {
	s, folder := newStore(t)
	put(t, folder, "keys/root.key.new", []byte("torn"))
	if err := s.write("keys/root.key", []byte("new"), func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(filesIn(t, folder)))
	if !slices.Equal(names, []string{"keys", "keys/root.key"}) {
		t.Errorf("files = %v", names)
	}
}

func TestGenerateStaysInItsFolder(t *testing.T) {
	for _, location := range []string{"", "root.key", "../root.key", "keys/../root.key", "keys/sub/root.key", "/etc/root.key", "keys", "ledger.jsonl"} {
		s, folder := newStore(t)
		k := keySpec(spec.Ed25519)
		k.Location = location
		if _, _, err := s.Generate(t.Context(), k); err == nil {
			t.Errorf("a key was made at %q", location)
		}
		if _, err := s.Find(t.Context(), k, nil); err == nil || errors.Is(err, hsm.ErrNotFound) {
			t.Errorf("Find looked at %q: %v", location, err)
		}
		if have := filesIn(t, folder); len(have) != 0 {
			t.Errorf("%q left %v", location, have)
		}
	}
}

func TestSymlinksOutOfTheEstateAreRefused(t *testing.T) {
	outside := t.TempDir()
	put(t, outside, "root.key", quickFile(t, testKey(1), nil))
	for name, link := range map[string][2]string{
		"folder": {outside, "keys"},
		"file":   {filepath.Join(outside, "root.key"), "keys/root.key"},
	} {
		t.Run(name, func(t *testing.T) {
			s, folder := newStore(t)
			if name == "file" {
				put(t, folder, "keys/other", nil)
			}
			if err := os.Symlink(link[0], filepath.Join(folder, link[1])); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Find(t.Context(), keySpec(spec.Ed25519), nil); err == nil {
				t.Error("Find followed the link")
			}
			k := keySpec(spec.Ed25519)
			if name == "folder" {
				k.Location = "keys/new.key"
			}
			if _, _, err := s.Generate(t.Context(), k); err == nil {
				t.Error("Generate followed the link")
			}
			if have := filesIn(t, outside); len(have) != 1 {
				t.Errorf("outside stands %v", have)
			}
		})
	}
}

func TestGenerateFailsCleanly(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx  context.Context
		k    hsm.KeySpec
		want error
	}{
		"algorithm": {t.Context(), keySpec("rsa-1024"), hsm.ErrUnsupported},
		"cancelled": {stopped, keySpec(spec.Ed25519), context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			s, folder := newStore(t)
			if _, _, err := s.Generate(c.ctx, c.k); !errors.Is(err, c.want) {
				t.Errorf("Generate = %v, want %v", err, c.want)
			}
			if have := filesIn(t, folder); len(have) != 0 {
				t.Errorf("files = %v, want none", have)
			}
		})
	}
}

// TestClosedStore matters because an empty password makes the encoder write
// keys in the clear.
func TestClosedStore(t *testing.T) {
	s, folder := newStore(t)
	put(t, folder, "keys/root.key", quickFile(t, testKey(1), nil))
	password := s.password
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(password, make([]byte, len(testPassword))) {
		t.Errorf("the password is still in memory: %q", password)
	}
	k := keySpec(spec.Ed25519)
	if _, err := s.Find(t.Context(), k, nil); !errors.Is(err, hsm.ErrTokenGone) {
		t.Errorf("Find = %v, want ErrTokenGone", err)
	}
	k.Location = "keys/new.key"
	if _, _, err := s.Generate(t.Context(), k); !errors.Is(err, hsm.ErrTokenGone) {
		t.Errorf("Generate = %v, want ErrTokenGone", err)
	}
	if have := filesIn(t, folder); len(have) != 2 {
		t.Errorf("files = %v", have)
	}
}

func TestOpen(t *testing.T) {
	if _, err := Open(nil, "keys", nil); !errors.Is(err, hsm.ErrWrongPIN) {
		t.Errorf("Open with an empty password = %v, want ErrWrongPIN", err)
	}
	password := []byte(testPassword)
	s, err := Open(nil, "keys", password)
	if err != nil {
		t.Fatal(err)
	}
	clear(password)
	if string(s.password) != testPassword {
		t.Error("the store shares the caller's password")
	}
}
