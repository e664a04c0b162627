package lint

import (
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"
)

func weakKeyFixtures() []fixture {
	rsaScene := func(about, listed string) func(testing.TB) scene {
		return func(t testing.TB) scene {
			return certificateScene(t, about, func(g *stage) {
				g.key = testKey(t, "rsa-2048", "issuing")
				g.subject.SubjectKeyId = keyID(t, g.key)
				g.fact("weak key", listed)
			})
		}
	}
	return []fixture{{
		rule: "e_ca_debian_weak_key",
		pass: rsaScene("An issuing authority with an RSA key that is not on the list.", "00112233445566778899"),
		fail: rsaScene("An issuing authority with an RSA key that is on the list.", "75a7aa4d58bb2173dd37"),
	}}
}

// TestWeakKeysForm holds the form of the lists against openssl-vulnkey's: the
// modulus as openssl rsa -noout -modulus prints it.
func TestWeakKeysForm(t *testing.T) {
	key := &rsa.PublicKey{N: new(big.Int).SetBytes([]byte{0xab, 0xcd, 0xef}), E: 65537}
	// printf 'Modulus=ABCDEF\n' | sha1sum | cut -c21-40
	const listed = "e5a91f820d3d44100cfe"
	w := &WeakKeys{}
	if err := w.Add(strings.NewReader("# a comment\n\n" + listed + "\n")); err != nil || w.Len() != 1 {
		t.Fatalf("Add = %v, %d keys", err, w.Len())
	}
	if !w.has(key) {
		t.Error("the listed key is not found")
	}
	if w.has(&rsa.PublicKey{N: big.NewInt(3), E: 3}) {
		t.Error("another key is found")
	}
	for _, bad := range []string{"x", listed + "0", "zz" + listed[2:]} {
		if err := new(WeakKeys).Add(strings.NewReader(listed + "\n" + bad + "\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
