package filestore

import (
	"crypto"
	"crypto/ed25519"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/youmark/pkcs8"

	"pki.internal/hsm"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

const testPassword = "correct horse battery staple"

// newStore opens a store in keys/ of an empty folder.
func newStore(t testing.TB) (*Store, string) {
	t.Helper()
	folder := t.TempDir()
	return openStore(t, folder), folder
}

func openStore(t testing.TB, folder string) *Store {
	t.Helper()
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	s, err := Open(root, "keys", []byte(testPassword))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keySpec(a spec.Algorithm) hsm.KeySpec {
	return hsm.KeySpec{ID: []byte{1}, Label: "root", Location: "keys/root.key", Algorithm: a}
}

// testKey is an Ed25519 key that is the same in every run.
func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(slices.Repeat([]byte{seed}, ed25519.SeedSize))
}

// quickFile encrypts a key with so few rounds that a test costs nothing.
func quickFile(t testing.TB, private any, opts *pkcs8.Opts) []byte {
	t.Helper()
	if opts == nil {
		opts = &pkcs8.Opts{Cipher: pkcs8.AES256CBC, KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 8, IterationCount: 2, HMACHash: crypto.SHA256}}
	}
	der, err := pkcs8.MarshalPrivateKey(private, []byte(testPassword), opts)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})
}

// put writes a file below a folder.
func put(t testing.TB, folder, name string, data []byte) {
	t.Helper()
	p := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func spkiOf(t testing.TB, key crypto.PublicKey) []byte {
	t.Helper()
	spki, err := public.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	return spki
}

// filesIn lists every file below a folder, with its mode.
func filesIn(t testing.TB, folder string) map[string]fs.FileMode {
	t.Helper()
	files := map[string]fs.FileMode{}
	err := filepath.WalkDir(folder, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == folder {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, p)
		files[filepath.ToSlash(name)] = info.Mode()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
