package shamir

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"os/exec"
	"strings"
	"testing"

	"github.com/hashicorp/vault/shamir"
)

// TestSharesOfVault reads what Vault's own library splits, in both of the
// forms in which Vault shows shares.
func TestSharesOfVault(t *testing.T) {
	for _, size := range []int{1, 16, 32, 33, MaxSecret} {
		secret := bytes.Repeat([]byte{0xa5, 1, 0}, size)[:size]
		shares, err := shamir.Split(secret, 5, 3)
		if err != nil {
			t.Fatal(err)
		}
		texts := [][]byte{
			[]byte(hex.EncodeToString(shares[4]) + "\n"), []byte(base64.StdEncoding.EncodeToString(shares[1])), []byte(hex.EncodeToString(shares[2])),
		}
		if have, err := CombineForeign(Vault, texts); err != nil || !bytes.Equal(have, secret) {
			t.Errorf("%d bytes: %x, %v", size, have, err)
		}
		if _, err := CombineForeign(Vault, [][]byte{[]byte("0a00"), []byte("0b01")}); err == nil {
			t.Error("a share at 0, which would be the secret, was taken")
		}
		if _, err := CombineForeign(Vault, [][]byte{texts[0], texts[1], texts[0]}); err == nil {
			t.Error("one share was taken twice")
		}
	}
	for _, bad := range []string{"", "zz", "00", "AAAA\x00", strings.Repeat("ab", MaxSecret+2)} {
		if have, err := CombineForeign(Vault, [][]byte{[]byte("0102"), []byte(bad)}); err == nil {
			t.Errorf("%.20q gave %x", bad, have)
		}
	}
}

// TestSharesOfSSSS reads what the real program splits, with secrets of every
// kind of length, with and without a token and its diffusion layer.
func TestSharesOfSSSS(t *testing.T) {
	if _, err := exec.LookPath("ssss-split"); err != nil {
		t.Skip("ssss is not installed; make test installs it")
	}
	for i, size := range []int{1, 2, 7, 8, 9, 15, 16, 17, 32, 33, 64, 127, MaxSecret} {
		secret := strings.Repeat("correct horse battery staple ", 5)[:size]
		threshold := 2 + i%4
		args := []string{"-t", fmt.Sprint(threshold), "-n", "12", "-q"}
		if i%2 == 1 {
			args = append(args, "-w", "my-token")
		}
		split := exec.Command("ssss-split", args...)
		split.Stdin = strings.NewReader(secret + "\n")
		out, err := split.Output()
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Fields(string(out))
		if len(lines) != 12 {
			t.Fatalf("ssss says %q", out)
		}
		var texts [][]byte
		for n := range threshold {
			texts = append(texts, []byte(lines[11-2*n]))
		}
		if have, err := CombineForeign(SSSS, texts); err != nil || string(have) != secret {
			t.Errorf("%d bytes, %d shares: %q, %v", size, threshold, have, err)
		}
	}
}

func TestForeignRefusals(t *testing.T) {
	for name, texts := range map[string][]string{
		"one share":      {"1-4f3c"},
		"twice":          {"1-4f3c", "1-4f3d"},
		"zeros in front": {"01-4f3c", "1-4f3d"},
		"lengths":        {"1-4f3c", "2-4f"},
		"no number":      {"1-4f3c", "x-4f3c"},
		"nothing":        {"1-4f3c", ""},
		"no hex":         {"1-4f3c", "2-zz"},
		"too long":       {"1-4f3c", "2-" + strings.Repeat("ab", MaxSecret+1)},
		"negative":       {"1-4f3c", "-2-4f3c", "0-4f3c"},
	} {
		var all [][]byte
		for _, text := range texts {
			all = append(all, []byte(text))
		}
		if have, err := CombineForeign(SSSS, all); err == nil {
			t.Errorf("%s: %x", name, have)
		}
	}
	if _, err := CombineForeign("paper", [][]byte{{1}, {2}}); err == nil {
		t.Error("an unknown program was taken")
	}
}

// TestPentanomials tests the smaller polynomials for being irreducible: x^(2^n)
// is x modulo the polynomial, and no smaller divisor of n does that.
func TestPentanomials(t *testing.T) {
	for size := 1; size <= 16; size++ {
		f := newField(size)
		x := big.NewInt(2)
		for i := 1; i <= f.degree; i++ {
			x = f.multiply(x, x)
			if back := x.Cmp(big.NewInt(2)) == 0; back != (i == f.degree) {
				t.Fatalf("degree %d: x comes back after %d squarings", f.degree, i)
			}
		}
	}
}

func FuzzCombineForeign(f *testing.F) {
	f.Add("ssss", []byte("1-4f3c"), []byte("2-aabb"))
	f.Add("vault", []byte("0102"), []byte("AAEC"))
	f.Fuzz(func(t *testing.T, from string, a, b []byte) {
		if secret, err := CombineForeign(Foreign(from), [][]byte{a, b}); err == nil && len(secret) > MaxSecret {
			t.Errorf("%d bytes", len(secret))
		}
	})
}
