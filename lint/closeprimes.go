package lint

import (
	"math/big"
	"math/bits"
	"sync"

	"github.com/zmap/zcrypto/rsa"
	"github.com/zmap/zcrypto/x509"
)

const closePrimes = "e_rsa_fermat_factorization"

// zlint tries a hundred rounds of Fermat's factorisation: is a² - n a square,
// for a from the first number above the square root of n? Each root takes 9 µs.
// A square leaves only certain rests when it is divided, so nearly every number
// that is none is told by its rest alone, and only for one key in two hundred
// is zlint asked.
const fermatRounds = 100

// squareModuli are divisors without a common factor; their product fits into
// 64 bits.
var squareModuli = [...]uint64{64, 63, 65, 11, 17, 19, 23, 29, 31, 37, 41, 43}

// squareRests says of each of squareModuli which rests squares leave.
var squareRests = sync.OnceValue(func() *[len(squareModuli)][65]bool {
	var rests [len(squareModuli)][65]bool
	for i, m := range squareModuli {
		for x := range m {
			rests[i][x*x%m] = true
		}
	}
	return &rests
})

// mayHaveClosePrimes says whether a certificate's key could be one that zlint's
// Fermat factorisation breaks. It is false only of an RSA key.
func mayHaveClosePrimes(c *x509.Certificate) bool {
	key, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok || key.N == nil || key.N.Sign() <= 0 {
		return true
	}
	product := uint64(1)
	for _, m := range squareModuli {
		product *= m
	}
	a := new(big.Int).Sqrt(key.N)
	a.Add(a, big.NewInt(1))
	square := new(big.Int).Mul(a, a)
	square.Sub(square, key.N)
	by, rest := new(big.Int).SetUint64(product), new(big.Int)
	aRest, squareRest := rest.Mod(a, by).Uint64(), rest.Mod(square, by).Uint64()
	rests := squareRests()
	for range fermatRounds {
		if mayBeSquare(squareRest, rests) {
			return true
		}
		// (a+1)² - n = (a² - n) + 2a + 1
		squareRest = addMod(squareRest, addMod(addMod(aRest, aRest, product), 1, product), product)
		aRest = addMod(aRest, 1, product)
	}
	return false
}

func mayBeSquare(rest uint64, rests *[len(squareModuli)][65]bool) bool {
	for i, m := range squareModuli {
		if !rests[i][rest%m] {
			return false
		}
	}
	return true
}

// addMod adds two numbers below m.
func addMod(x, y, m uint64) uint64 {
	sum, carry := bits.Add64(x, y, 0)
	if carry != 0 || sum >= m {
		sum -= m
	}
	return sum
}
