package lint

import (
	"bufio"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// fingerprintSize is the octets that Debian's lists keep of a SHA-1.
const fingerprintSize = 10

// WeakKeys knows RSA keys whose private half everybody can make again: those
// that Debian's OpenSSL made from 2006 to 2008 (CVE-2008-0166). No program
// carries them all; Debian's package openssl-blacklist has the lists.
type WeakKeys struct {
	known map[[fingerprintSize]byte]bool
}

// Add reads a list in the form of openssl-blacklist: comments begin with #, and
// each other line is the last 20 digits of the SHA-1 of "Modulus=", the modulus
// in capital hexadecimal, and a line feed.
func (w *WeakKeys) Add(r io.Reader) error {
	if w.known == nil {
		w.known = map[[fingerprintSize]byte]bool{}
	}
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		digits, err := hex.DecodeString(line)
		if err != nil || len(digits) != fingerprintSize {
			return fmt.Errorf("line %d is not 20 hexadecimal digits, as a list of openssl-blacklist has them", number)
		}
		w.known[[fingerprintSize]byte(digits)] = true
	}
	return lines.Err()
}

// Len is how many keys are known.
func (w *WeakKeys) Len() int { return len(w.known) }

// has says whether a key is among them.
func (w *WeakKeys) has(key *rsa.PublicKey) bool {
	sum := sha1.Sum(fmt.Appendf(nil, "Modulus=%X\n", key.N))
	return w.known[[fingerprintSize]byte(sum[sha1.Size-fingerprintSize:])]
}

// CVE-2008-0166 was published on 13 May 2008.
var debianKeys = time.Date(2008, time.May, 13, 0, 0, 0, 0, time.UTC)

// weakKeyRules need a list of known keys.
func weakKeyRules() []Rule {
	return []Rule{{
		ID: "e_ca_debian_weak_key", Severity: Error, Object: ObjectCertificate,
		Title:     "the RSA key is none of those that Debian's OpenSSL of 2006 to 2008 could make",
		Harm:      "from 2006 to 2008 Debian's OpenSSL could make 32,768 keys of each size; all of them are published",
		Citation:  "CVE-2008-0166; CABF BR §6.1.1.3 (5)",
		Effective: debianKeys,
		Advice:    "make a new key with other software, and revoke what this one signed: its private half is public",
		applies: func(o *object) bool {
			_, is := o.cert.PublicKey.(*rsa.PublicKey)
			return is && o.cert.given.WeakKeys != nil
		},
		check: func(o *object) []string {
			key, ok := o.cert.PublicKey.(*rsa.PublicKey)
			if !ok || !o.cert.given.WeakKeys.has(key) {
				return nil
			}
			return []string{fmt.Sprintf("the modulus of %d bits is on the list of keys that Debian's OpenSSL could make", key.N.BitLen())}
		},
	}}
}
