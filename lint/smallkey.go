package lint

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	_ "embed"
	"math/big"

	"github.com/zmap/zcrypto/x509"
)

const smallPrivateKey = "e_ecdsa_small_private_key"

// zlint's search for small private keys finds a key d with 0 < d <= 2^16 or
// its negative, and takes a table of 80 ms for the first key of a curve and 0.4
// ms for every other. The abscissas of all those keys are known: a Bloom filter
// of them says at once that a key is none, for all but one of a thousand, and
// only where it does not is zlint asked.
const (
	smallKeyBits    = 16
	smallKeyHashes  = 6
	smallFilterBits = 1 << 20
)

// smallKeys is one filter for each curve of smallKeyCurves, in that order. "go
// test -run TestSmallKeys -update" writes it.
//
//go:embed smallkeys.bin
var smallKeys string

// smallKeyCurves are the curves that have a filter.
func smallKeyCurves() [3]elliptic.Curve {
	return [3]elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}
}

// smallKeyPlaces are the bits of a filter that belong to an abscissa: pieces
// of its last 15 octets, 20 bits each. An abscissa is as good as random, so no
// other hash is needed.
func smallKeyPlaces(x *big.Int) [smallKeyHashes]int {
	var octets [66]byte
	x.FillBytes(octets[:])
	var places [smallKeyHashes]int
	for i := range places {
		at := len(octets)*8 - (i+1)*20 // the first bit
		word := int(octets[at/8])<<16 | int(octets[at/8+1])<<8 | int(octets[at/8+2])
		places[i] = word >> (4 - at%8) % smallFilterBits
	}
	return places
}

// mayBeSmall says whether a certificate's key could be one that zlint's search
// finds. It is false only of an ECDSA key on a curve with a filter.
func mayBeSmall(c *x509.Certificate) bool {
	var key *ecdsa.PublicKey
	switch k := c.PublicKey.(type) {
	case *x509.AugmentedECDSA:
		key = k.Pub
	case *ecdsa.PublicKey:
		key = k
	}
	if key == nil || key.X == nil || key.X.Sign() < 0 || key.X.BitLen() > 521 {
		return true
	}
	for i, curve := range smallKeyCurves() {
		if key.Curve != curve {
			continue
		}
		const size = smallFilterBits / 8
		filter := smallKeys[i*size : (i+1)*size]
		for _, place := range smallKeyPlaces(key.X) {
			if filter[place/8]>>(place%8)&1 == 0 {
				return false
			}
		}
	}
	return true
}
