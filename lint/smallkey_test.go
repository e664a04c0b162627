package lint

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
	"os"
	"reflect"
	"sync"
	"testing"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3/lint"
)

// TestSmallKeys makes the filters from the curves. With -update it writes them.
func TestSmallKeys(t *testing.T) {
	filters := make([]byte, len(smallKeyCurves())*smallFilterBits/8)
	var all sync.WaitGroup
	for i, curve := range smallKeyCurves() {
		filter := filters[i*smallFilterBits/8 : (i+1)*smallFilterBits/8]
		all.Go(func() {
			base := curve.Params()
			x, y := base.Gx, base.Gy
			for range 1 << smallKeyBits {
				for _, place := range smallKeyPlaces(x) {
					filter[place/8] |= 1 << (place % 8)
				}
				x, y = curve.Add(x, y, base.Gx, base.Gy)
			}
		})
	}
	all.Wait()
	if *update {
		if err := os.WriteFile("smallkeys.bin", filters, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(filters) != smallKeys {
		t.Error("smallkeys.bin is not what the curves make: run go test -run TestSmallKeys -update")
	}
}

// TestSmallKeysCoverZLint needs the search that the filter stands before to be
// zlint's, and to look for no more than the filter holds.
func TestSmallKeysCoverZLint(t *testing.T) {
	search := lint.GlobalRegistry().CertificateLints().ByName(smallPrivateKey)
	if search == nil {
		t.Fatalf("zlint has no %s any more", smallPrivateKey)
	}
	bits := reflect.ValueOf(search.Lint()).Elem().FieldByName("Bits").Int()
	if bits != smallKeyBits {
		t.Errorf("zlint looks for keys of %d bits, the filter holds %d", bits, smallKeyBits)
	}
}

// TestMayBeSmall holds the filter against keys on both sides of its bound.
func TestMayBeSmall(t *testing.T) {
	for _, curve := range smallKeyCurves() {
		certificate := func(d *big.Int) *x509.Certificate {
			x, y := curve.ScalarBaseMult(new(big.Int).Mod(d, curve.Params().N).Bytes())
			return &x509.Certificate{PublicKeyAlgorithm: x509.ECDSA, PublicKey: &ecdsa.PublicKey{Curve: curve, X: x, Y: y}}
		}
		for _, d := range []int64{1, 2, 255, 256, 257, 4097, 1<<16 - 1, 1 << 16, -1, -2, -1 << 16} {
			if !mayBeSmall(certificate(big.NewInt(d))) {
				t.Errorf("%s: the key %d is called large", curve.Params().Name, d)
			}
		}
		may := 0
		for d := range int64(1000) {
			if mayBeSmall(certificate(big.NewInt(1<<40 + d))) {
				may++
			}
		}
		if may > 10 {
			t.Errorf("%s: %d of 1000 large keys are called small", curve.Params().Name, may)
		}
	}
	for name, key := range map[string]any{
		"another curve": &ecdsa.PublicKey{Curve: elliptic.P224(), X: big.NewInt(1), Y: big.NewInt(1)},
		"no point":      &ecdsa.PublicKey{Curve: elliptic.P256()},
		"a point below": &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(-1), Y: big.NewInt(1)},
		"a point above": &ecdsa.PublicKey{Curve: elliptic.P521(), X: new(big.Int).Lsh(big.NewInt(1), 600), Y: big.NewInt(1)},
		"no ECDSA key":  nil,
	} {
		if !mayBeSmall(&x509.Certificate{PublicKey: key}) {
			t.Errorf("%s is left out of zlint's search", name)
		}
	}
}
