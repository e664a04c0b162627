package tbs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
	"sync"

	"pki.internal/spec"
)

// Large estates need more preview keys than can be remembered one by one. On
// an elliptic curve the later ones are a run: private keys that follow each
// other from a fixed number on. Such a key is recognised without a list, by
// looking for its distance from the start of the run: a table of babySteps and
// up to giantSteps additions.
const (
	babySteps  = 512
	giantSteps = 32
	runLength  = babySteps * giantSteps
)

// MaxPreviews is how many preview keys there are of an algorithm.
func MaxPreviews(a spec.Algorithm) int {
	if curveOf(a) != nil {
		return MaxPreviewKeys + runLength
	}
	return MaxPreviewKeys
}

func curveOf(a spec.Algorithm) elliptic.Curve {
	switch a {
	case spec.ECDSAP256:
		return elliptic.P256()
	case spec.ECDSAP384:
		return elliptic.P384()
	case spec.ECDSAP521:
		return elliptic.P521()
	}
	return nil
}

// runStart is the private key before the first of a run. It is far enough
// below the order for the whole run.
func runStart(a spec.Algorithm, curve elliptic.Curve) (*big.Int, error) {
	order := curve.Params().N
	wide, err := previewBytes(a, MaxPreviewKeys, (order.BitLen()+7)/8+16)
	if err != nil {
		return nil, err
	}
	room := new(big.Int).Sub(order, big.NewInt(runLength+1))
	return new(big.Int).Mod(new(big.Int).SetBytes(wide), room), nil
}

// runKey gives key number step of a run, from 1.
func runKey(a spec.Algorithm, step int) (crypto.Signer, error) {
	curve := curveOf(a)
	start, err := runStart(a, curve)
	if err != nil {
		return nil, err
	}
	d := start.Add(start, big.NewInt(int64(step)))
	return ecdsa.ParseRawPrivateKey(curve, d.FillBytes(make([]byte, (curve.Params().BitSize+7)/8)))
}

// point is a point of a curve; (0, 0) is the one at infinity.
type point struct{ x, y *big.Int }

// run is what recognises the keys of one run.
type run struct {
	curve elliptic.Curve
	back  point           // minus the start of the run
	giant point           // minus babySteps times the generator
	near  map[string]bool // abscissas of the first babySteps multiples of the generator
}

var (
	runP256 = sync.OnceValue(func() *run { return newRun(spec.ECDSAP256) })
	runP384 = sync.OnceValue(func() *run { return newRun(spec.ECDSAP384) })
	runP521 = sync.OnceValue(func() *run { return newRun(spec.ECDSAP521) })
)

func runOf(a spec.Algorithm) *run {
	switch a {
	case spec.ECDSAP256:
		return runP256()
	case spec.ECDSAP384:
		return runP384()
	case spec.ECDSAP521:
		return runP521()
	}
	return nil
}

func newRun(a spec.Algorithm) *run {
	curve := curveOf(a)
	start, err := runStart(a, curve)
	if err != nil {
		return nil
	}
	p := curve.Params()
	r := &run{curve: curve, near: map[string]bool{}}
	at := point{p.Gx, p.Gy}
	for range babySteps {
		r.near[string(at.x.Bytes())] = true
		r.giant = at
		at = r.add(at, point{p.Gx, p.Gy})
	}
	r.giant = r.minus(r.giant)
	r.back = r.minus(r.times(start))
	return r
}

// holds reports whether a public key is one of the run.
func (r *run) holds(public *ecdsa.PublicKey) bool {
	encoded, err := public.Bytes()
	if r == nil || err != nil {
		return false
	}
	size := (r.curve.Params().BitSize + 7) / 8
	at := point{new(big.Int).SetBytes(encoded[1 : 1+size]), new(big.Int).SetBytes(encoded[1+size:])}
	at = r.add(at, r.back)
	for range giantSteps {
		if r.near[string(at.x.Bytes())] {
			return true
		}
		at = r.add(at, r.giant)
	}
	return false
}

// times multiplies the generator by a number.
func (r *run) times(n *big.Int) point {
	key, err := ecdsa.ParseRawPrivateKey(r.curve, n.FillBytes(make([]byte, (r.curve.Params().BitSize+7)/8)))
	if err != nil {
		return point{new(big.Int), new(big.Int)}
	}
	encoded, err := key.PublicKey.Bytes()
	if err != nil {
		return point{new(big.Int), new(big.Int)}
	}
	size := (len(encoded) - 1) / 2
	return point{new(big.Int).SetBytes(encoded[1 : 1+size]), new(big.Int).SetBytes(encoded[1+size:])}
}

func (r *run) minus(p point) point {
	if p.x.Sign() == 0 && p.y.Sign() == 0 {
		return p
	}
	return point{p.x, new(big.Int).Sub(r.curve.Params().P, p.y)}
}

// add adds two points in affine coordinates. What it works on is public, so it
// takes no care about time.
func (r *run) add(a, b point) point {
	p := r.curve.Params().P
	infinite := func(q point) bool { return q.x.Sign() == 0 && q.y.Sign() == 0 }
	slope := new(big.Int)
	switch {
	case infinite(a):
		return b
	case infinite(b):
		return a
	case a.x.Cmp(b.x) != 0:
		slope.Mul(new(big.Int).Sub(b.y, a.y), new(big.Int).ModInverse(new(big.Int).Mod(new(big.Int).Sub(b.x, a.x), p), p))
	case a.y.Cmp(b.y) != 0:
		return point{new(big.Int), new(big.Int)}
	default: // the same point: (3x² - 3) / 2y on these curves
		square := new(big.Int).Mul(a.x, a.x)
		slope.Mul(big.NewInt(3), square.Sub(square, big.NewInt(1)))
		slope.Mul(slope, new(big.Int).ModInverse(new(big.Int).Lsh(a.y, 1), p))
	}
	slope.Mod(slope, p)
	x := new(big.Int).Mul(slope, slope)
	x.Sub(x, a.x).Sub(x, b.x).Mod(x, p)
	y := new(big.Int).Sub(a.x, x)
	y.Mul(y, slope).Sub(y, a.y).Mod(y, p)
	return point{x, y}
}
