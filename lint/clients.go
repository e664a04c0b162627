package lint

import (
	"slices"
	"strings"
)

// client is a relying party, and what it cannot verify.
type client struct {
	name string // as estates write it
	// cannot maps the name of a key's algorithm, or the beginning of it, to
	// where that is written down.
	cannot map[string]string
}

const lattice = "ML-DSA"

// clientTable says which relying parties cannot verify signatures by which
// keys. An algorithm that is not named can be verified.
func clientTable() []client {
	return []client{
		{"browsers", map[string]string{
			"Ed25519":     "CABF BR §6.1.5 and Mozilla Root Store Policy §5.1 allow RSA, P-256 and P-384",
			"ECDSA P-521": "Mozilla Root Store Policy §5.1 allows RSA, P-256 and P-384",
			lattice:       "CABF BR §6.1.5 and Mozilla Root Store Policy §5.1 allow RSA, P-256 and P-384",
		}},
		{"go-1.26", map[string]string{lattice: "crypto/x509 knows it from Go 1.27 on"}},
		{"go-1.27", nil},
		{"java-11", map[string]string{"Ed25519": "JEP 339, in JDK 15", lattice: "JEP 497, in JDK 24"}},
		{"java-17", map[string]string{lattice: "JEP 497, in JDK 24"}},
		{"java-24", nil},
		{"openssl-3.0", map[string]string{lattice: "OpenSSL knows it from 3.5 on"}},
		{"openssl-3.5", nil},
		{"step-ca", map[string]string{lattice: "smallstep/certificates issue 2717"}},
	}
}

// Clients lists the relying parties that [Certificate.Clients] may name.
func Clients() []string {
	var names []string
	for _, c := range clientTable() {
		names = append(names, c.name)
	}
	return names
}

// unable lists which clients cannot verify what keys of an algorithm sign, and
// where that is written, of those that are asked about. nil asks about all, and
// gets the names alone.
func unable(algorithm string, asked []string) []string {
	var all []string
	for _, c := range clientTable() {
		if asked != nil && !slices.Contains(asked, c.name) {
			continue
		}
		for beginning, why := range c.cannot {
			switch {
			case !strings.HasPrefix(algorithm, beginning):
			case asked == nil:
				all = append(all, c.name)
			default:
				all = append(all, c.name+" ("+why+")")
			}
		}
	}
	return all
}
