package spec

import (
	"fmt"
	"strings"
)

// Reason says why a certificate is revoked: a CRLReason (RFC 5280 §5.3.1).
type Reason int

// The reasons that have rules of their own.
const (
	Unspecified     Reason = 0
	CertificateHold Reason = 6
	RemoveFromCRL   Reason = 8
)

// reasonWords are the reasons as an estate writes them; 7 was never given out.
func reasonWords() []string {
	return []string{
		"unspecified", "key_compromise", "ca_compromise", "affiliation_changed", "superseded",
		"cessation_of_operation", "certificate_hold", "", "remove_from_crl", "privilege_withdrawn", "aa_compromise",
	}
}

// String is the reason as an estate writes it.
func (r Reason) String() string {
	if words := reasonWords(); r >= 0 && int(r) < len(words) && words[r] != "" {
		return words[r]
	}
	return fmt.Sprintf("reason %d", int(r))
}

// ParseReason reads a reason in the words of an estate, of RFC 5280
// (keyCompromise), of openssl (CACompromise), or as its number.
func ParseReason(s string) (Reason, error) {
	for i, word := range reasonWords() {
		if s == word && s != "" {
			return Reason(i), nil
		}
	}
	plain := strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
	for i, word := range reasonWords() {
		if word == "" {
			continue
		}
		if plain == strings.ReplaceAll(word, "_", "") || plain == fmt.Sprint(i) {
			return Reason(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not a reason: use %s", s, strings.Join(lasting(), ", "))
}

// lasting lists the reasons to choose from.
func lasting() []string {
	var words []string
	for i, word := range reasonWords() {
		if word != "" && Reason(i) != RemoveFromCRL && Reason(i) != Unspecified && Reason(i) != CertificateHold {
			words = append(words, word)
		}
	}
	return words
}
