package filestore

import (
	"os"
	"testing"

	"pki.internal/hsm"
	"pki.internal/hsm/hsmtest"
	"pki.internal/spec"
)

// TestContract runs the suite of all key stores.
func TestContract(t *testing.T) {
	folder := t.TempDir()
	all := []spec.Algorithm{spec.ECDSAP256, spec.ECDSAP384, spec.ECDSAP521, spec.Ed25519}
	if !testing.Short() {
		all = append(all, spec.RSA3072)
	}
	hsmtest.Run(t, hsmtest.Contract{
		Open: func(t testing.TB) hsm.Store { return openStore(t, folder) },
		Spec: func(a spec.Algorithm, label string) hsm.KeySpec {
			return hsm.KeySpec{ID: []byte(label), Label: label, Location: "keys/" + label + ".key", Algorithm: a}
		},
		Algorithms: all,
		Second: func(t testing.TB) hsm.Store {
			root, err := os.OpenRoot(folder)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { root.Close() })
			s, err := Open(root, "elsewhere", []byte("another password"))
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Elsewhere: func(k hsm.KeySpec) hsm.KeySpec {
			k.Location = "elsewhere/" + k.Label + ".key"
			return k
		},
	})
}
