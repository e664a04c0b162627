package shamir

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Foreign names another program whose shares can be read, once, to get a
// secret out of them.
type Foreign string

// The programs. Their shares say neither how many are needed nor whether they
// are sound, so nothing can verify what comes out.
const (
	Vault Foreign = "vault" // HashiCorp Vault and OpenBao: hex or base64
	SSSS  Foreign = "ssss"  // ssss by B. Poettering, as in Debian: 1-4f3c…
)

// CombineForeign interpolates shares of another program, one in each text. It
// is for migration only: too few shares, a wrong one or a mistyped one give
// something else than the secret and no error. For SSSS there must be exactly
// as many as the threshold. The caller wipes the secret.
func CombineForeign(from Foreign, texts [][]byte) ([]byte, error) {
	if len(texts) < MinThreshold || len(texts) > 255 {
		return nil, &Fault{Kind: ErrTooFew, Fact: fmt.Sprintf("%d shares are given", len(texts)), Next: "give as many as the other program wants"}
	}
	switch from {
	case Vault:
		return combineVault(texts)
	case SSSS:
		return combineSSSS(texts)
	}
	return nil, fmt.Errorf("shares of %q cannot be read; of %s and %s they can", from, Vault, SSSS)
}

func foreignFault(number int, fact string) error {
	return &Fault{Kind: ErrDamaged, Share: fmt.Sprintf("share %d", number), Fact: fact, Next: "give each file as the other program wrote it, one share in each"}
}

// combineVault reads shares of Vault: values at a place, which is the last
// byte, in the field that our own shares use.
func combineVault(texts [][]byte) ([]byte, error) {
	var points []point
	for i, text := range texts {
		text = bytes.TrimSpace(text)
		raw := make([]byte, len(text))
		n, err := hex.Decode(raw, text)
		if err != nil {
			n, err = base64.StdEncoding.Decode(raw, text)
		}
		if raw = raw[:n]; err != nil || len(raw) < 2 || len(raw) > MaxSecret+1 {
			return nil, foreignFault(i+1, "it is neither hex nor base64 of a share of vault")
		}
		p := point{raw[len(raw)-1], raw[:len(raw)-1]}
		if p.x == 0 { // there the secret itself would be
			return nil, foreignFault(i+1, "its place is 0, and no share of vault has that")
		}
		for j, before := range points {
			if before.x == p.x || len(before.y) != len(p.y) {
				return nil, foreignFault(i+1, fmt.Sprintf("it cannot stand beside share %d: the same place, or another length", j+1))
			}
		}
		points = append(points, p)
	}
	secret, err := evaluate(points, 0)
	for _, p := range points {
		clear(p.y)
	}
	return secret, err
}

// combineSSSS reads shares of ssss: the value of one polynomial over GF(2^8n)
// whose leading coefficient is 1 and whose degree is the threshold.
func combineSSSS(texts [][]byte) ([]byte, error) {
	var xs, ys []*big.Int
	size := 0
	for i, text := range texts {
		x, y, err := parseSSSS(string(bytes.TrimSpace(text)))
		if err != nil {
			return nil, foreignFault(i+1, err.Error())
		}
		if i > 0 && len(y) != size {
			return nil, foreignFault(i+1, "it is of another length than share 1")
		}
		size = len(y)
		for j := range xs {
			if xs[j].Int64() == int64(x) {
				return nil, foreignFault(i+1, fmt.Sprintf("it is share %d again", j+1))
			}
		}
		xs, ys = append(xs, big.NewInt(int64(x))), append(ys, new(big.Int).SetBytes(y))
	}
	f := newField(size)
	sum := new(big.Int)
	for i := range xs {
		y := f.add(ys[i], f.power(xs[i], len(xs))) // without the leading term the degree is below the threshold
		for j := range xs {
			if i != j { // Lagrange's interpolation at 0
				y = f.multiply(y, f.multiply(xs[j], f.invert(f.add(xs[i], xs[j]))))
			}
		}
		sum = f.add(sum, y)
	}
	secret := sum.FillBytes(make([]byte, size))
	if size*8 >= diffusionFrom {
		undiffuse(secret)
	}
	return bytes.TrimLeft(secret, "\x00"), nil
}

// parseSSSS reads 1-4f3c… or TOKEN-1-4f3c….
func parseSSSS(text string) (x int, y []byte, err error) {
	parts := strings.Split(text, "-")
	if len(parts) < 2 {
		return 0, nil, fmt.Errorf("it is not written as 1-4f3c…")
	}
	x, err = strconv.Atoi(strings.TrimLeft(parts[len(parts)-2], "0"))
	if err != nil || x < 1 || x > 1<<16 {
		return 0, nil, fmt.Errorf("its number is not one")
	}
	y, err = hex.DecodeString(parts[len(parts)-1])
	if err != nil || len(y) < 1 || len(y) > MaxSecret {
		return 0, nil, fmt.Errorf("it does not end in the hex of at most %d bytes", MaxSecret)
	}
	if big.NewInt(int64(x)).BitLen() > 8*len(y) {
		return 0, nil, fmt.Errorf("its number is too large for its length")
	}
	return x, y, nil
}

// field is GF(2^n), its elements the bits of numbers.
type field struct {
	degree  int
	modulus *big.Int
}

func newField(size int) field {
	f := field{8 * size, big.NewInt(1)}
	f.modulus.SetBit(f.modulus, f.degree, 1)
	for _, e := range pentanomials[size-1] {
		f.modulus.SetBit(f.modulus, e, 1)
	}
	return f
}

func (f field) add(a, b *big.Int) *big.Int { return new(big.Int).Xor(a, b) }

func (f field) multiply(a, b *big.Int) *big.Int {
	product := new(big.Int)
	for i := b.BitLen() - 1; i >= 0; i-- {
		product.Lsh(product, 1)
		if product.BitLen() > f.degree {
			product.Xor(product, f.modulus)
		}
		if b.Bit(i) == 1 {
			product.Xor(product, a)
		}
	}
	return product
}

func (f field) power(a *big.Int, n int) *big.Int {
	result := big.NewInt(1)
	for range n {
		result = f.multiply(result, a)
	}
	return result
}

// invert gives the element that a must be multiplied with to get 1, by
// Euclid's algorithm on polynomials. a is not 0.
func (f field) invert(a *big.Int) *big.Int {
	u, v := new(big.Int).Set(a), new(big.Int).Set(f.modulus)
	g, h := big.NewInt(1), new(big.Int)
	for u.BitLen() > 1 {
		shift := u.BitLen() - v.BitLen()
		if shift < 0 {
			u, v, g, h, shift = v, u, h, g, -shift
		}
		u.Xor(u, new(big.Int).Lsh(v, uint(shift)))
		g.Xor(g, new(big.Int).Lsh(h, uint(shift)))
	}
	return g
}

// diffusionFrom is the length in bits from which on ssss mixes a secret with
// XTEA under a key of zeros, so that all its bits count in every share.
const diffusionFrom = 64

// undiffuse turns that mixing back. ssss works on words of 16 bits, the last
// of the number first, and with an odd length on the odd byte by itself.
func undiffuse(secret []byte) {
	n := len(secret)
	v := make([]byte, 0, n)
	for i := n; i >= 2; i -= 2 {
		v = append(v, secret[i-2], secret[i-1])
	}
	if n%2 == 1 {
		v = append(v, secret[0])
	}
	for at := 40*n - 2; at >= 0; at -= 2 {
		var block [8]byte
		for i := range block {
			block[i] = v[(at+i)%n]
		}
		decipher(block[:])
		for i := range block {
			v[(at+i)%n] = block[i]
		}
	}
	for i := range n / 2 {
		secret[n-2*i-2], secret[n-2*i-1] = v[2*i], v[2*i+1]
	}
	if n%2 == 1 {
		secret[0] = v[n-1]
	}
	clear(v)
}

// decipher is XTEA with 32 rounds and a key of zeros.
func decipher(block []byte) {
	const delta = 0x9e3779b9
	a, b := binary.BigEndian.Uint32(block), binary.BigEndian.Uint32(block[4:])
	sum := uint32(0xc6ef3720) // 32 times delta
	for range 32 {
		b -= (a<<4 ^ a>>5) + a ^ sum
		sum -= delta
		a -= (b<<4 ^ b>>5) + b ^ sum
	}
	binary.BigEndian.PutUint32(block, a)
	binary.BigEndian.PutUint32(block[4:], b)
}
