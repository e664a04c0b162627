package lint

import (
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/zmap/zcrypto/rsa"
	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3/lint"
)

// TestClosePrimesAsZLint needs the filter before zlint's factorisation to let
// every key through that zlint breaks, and few others.
func TestClosePrimesAsZLint(t *testing.T) {
	search := lint.GlobalRegistry().CertificateLints().ByName(closePrimes)
	if search == nil {
		t.Fatalf("zlint has no %s any more", closePrimes)
	}
	if rounds := reflect.ValueOf(search.Lint()).Elem().FieldByName("Rounds").Int(); rounds != fermatRounds {
		t.Errorf("zlint tries %d rounds, the filter %d", rounds, fermatRounds)
	}
	numbers := rand.New(rand.NewPCG(1, 2))
	broken, let := 0, 0
	for i := range 2000 {
		// a in the first 120 numbers above the root, so that some are out of reach.
		n := new(big.Int)
		if i%2 == 0 {
			a := new(big.Int).SetUint64(numbers.Uint64() | 1<<63)
			a.Lsh(a, 64).Add(a, new(big.Int).SetUint64(numbers.Uint64()))
			// The first a is the root of n and one more; b² is about 2a for each step.
			b := new(big.Int).Sqrt(new(big.Int).Mul(a, big.NewInt(numbers.Int64N(240)+1)))
			n.Mul(a, a).Sub(n, b.Mul(b, b))
		} else {
			n.SetUint64(numbers.Uint64() | 1<<63)
			n.Mul(n, new(big.Int).SetUint64(numbers.Uint64()|1))
			n.Mul(n, new(big.Int).SetUint64(numbers.Uint64()|1))
		}
		c := &x509.Certificate{PublicKeyAlgorithm: x509.RSA, PublicKey: &rsa.PublicKey{N: n, E: big.NewInt(65537)}}
		isBroken := search.Lint().Execute(c).Status == lint.Error
		may := mayHaveClosePrimes(c)
		if isBroken && !may {
			t.Fatalf("zlint breaks %s, and the filter calls it safe", n)
		}
		if isBroken {
			broken++
		} else if may {
			let++
		}
	}
	if broken < 500 || let > 100 {
		t.Errorf("%d numbers were broken, and %d others came through the filter", broken, let)
	}
	for name, key := range map[string]any{"none": nil, "no modulus": &rsa.PublicKey{E: big.NewInt(3)}, "below zero": &rsa.PublicKey{N: big.NewInt(-15), E: big.NewInt(3)}} {
		if !mayHaveClosePrimes(&x509.Certificate{PublicKey: key}) {
			t.Errorf("%s: a key is left out of zlint's factorisation", name)
		}
	}
}
