package shamir

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
)

// letters are what made secrets consist of: 32, so that each is five bits, in
// small letters and digits without i, l, o and u, which people mistake.
const letters = "0123456789abcdefghjkmnpqrstvwxyz"

// bitsPerLetter is the entropy of one character of a made secret.
const bitsPerLetter = 5

// Entropy gives the bits of a made secret of so many characters.
func Entropy(length int) int { return length * bitsPerLetter }

// Generate makes a secret of so many characters from random. What people have
// thrown (dice, coins; any text) is mixed in when there is some, and never
// takes the place of random: whoever controls the throws learns nothing.
func Generate(random io.Reader, length int, thrown []byte) ([]byte, error) {
	if length < MinGenerated {
		return nil, fmt.Errorf("a secret of %d characters has %d bits; at least %d characters are needed for 128 bits", length, Entropy(length), MinGenerated)
	}
	if length > MaxSecret {
		return nil, fmt.Errorf("a secret of %d characters is too long to be shared; %d are the most", length, MaxSecret)
	}
	secret := make([]byte, length)
	if _, err := io.ReadFull(random, secret); err != nil {
		return nil, fmt.Errorf("reading randomness: %w", err)
	}
	if len(thrown) > 0 {
		salt := sha256.Sum256(thrown)
		mixed, err := hkdf.Key(sha256.New, secret, salt[:], "pki-share/1 generate", length)
		if err != nil {
			return nil, err
		}
		clear(secret)
		secret = mixed
	}
	for i, b := range secret {
		secret[i] = letters[b%32]
	}
	return secret, nil
}
