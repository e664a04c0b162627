package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of an estate.
const (
	// weakBits is the strength that NIST lets end with the year 2030.
	weakBits = 112
	// enoughBits is the strength beyond which tiers need not be compared.
	enoughBits = 128
	// successorLead is how early a successor should be planned: a quarter of a year is
	// what it takes to bring people together.
	successorLead = 90 * 24 * time.Hour
)

// estateRules are about what an estate wants.
func estateRules() []Rule {
	return []Rule{{
		ID: "e_spec_secret_literal", Severity: Error, Object: ObjectEstate,
		Title:     "no secret is written in the estate's files",
		Harm:      "PINs and passwords in Git, for ever",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §6.2; step-ca production guide, use strong passwords and store them well",
		Effective: sp80057,
		Advice:    "name a secret block; then change the secret: the files are in Git, and Git forgets nothing",
		applies:   func(o *object) bool { return len(o.estate.Texts) > 0 },
		check:     checkSecretLiterals,
	}, {
		ID: "e_spec_validity_ladder", Severity: Error, Object: ObjectEstate,
		Title:     "the next generation of an authority fits into its issuer's life",
		Harm:      "an intermediate that is cut short in year six, because the root ends first",
		Citation:  "RFC 5280 §6.1.3 (a)(2); NIST SP 800-57 part 1 rev. 5 §5.3.6",
		Effective: sp80057,
		Advice:    "shorten the authority's life, lengthen the issuer's, or plan the issuer's successor before that day",
		applies:   hasAuthorities,
		check:     checkLadder,
	}, {
		ID: "w_spec_rotation_overlap_missing", Severity: Warn, Object: ObjectEstate,
		Title:     "a successor takes over before what an authority signs would outlive it",
		Harm:      "everybody changes over on one day, as with AddTrust",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.3; step-ca production guide, rotating an intermediate CA",
		Effective: sp80057,
		Advice:    "plan a successor that takes over before the authority's end by the life of what it signs",
		applies:   func(o *object) bool { return hasAuthorities(o) && !o.now.IsZero() },
		check:     checkOverlap,
	}, {
		ID: "w_spec_profile_key_strength", Severity: Warn, Object: ObjectEstate,
		Title:     "a key is no weaker than those that it certifies, and strong enough until its end",
		Harm:      "an RSA-2048 root of twenty years over children of P-384",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.6.3; NIST SP 800-131A rev. 2 §1.2.1",
		Effective: sp80057,
		Advice:    "take P-256 or RSA of 3072 bits at least, and for an issuer no less than for what is below it",
		applies:   hasAuthorities,
		check:     checkStrength,
	}, {
		ID: "n_spec_single_tier", Severity: Notice, Object: ObjectEstate,
		Title:     "a root signs authorities and no leaves",
		Harm:      "a root that signs leaves can never go offline",
		Citation:  "CABF BR §6.1.7; step-ca production guide, root CA certificate",
		Effective: stepCA,
		Advice:    "put an issuing authority below the root, so that the root's key can stay in a safe",
		applies:   hasAuthorities,
		check: func(o *object) []string {
			var details []string
			for _, a := range o.estate.Authorities {
				if a.Issuer == "" && a.IssuesLeaves {
					details = append(details, a.Address+" is a root and signs leaves: its key can never go offline")
				}
			}
			return details
		},
	}, {
		ID: "e_spec_ceremony_drift", Severity: Error, Object: ObjectEstate,
		Title:     "the certificate that was made is the one that the estate describes",
		Harm:      "the description was edited after the ceremony, and says what is not so",
		Citation:  "CABF BR §6.1.1.1; RFC 5280 §4.1",
		Effective: rfc5280,
		Advice:    "take the change of the estate back, or let pki plan tell what a certificate with it needs",
		applies:   hasAuthorities,
		check:     checkDrift,
	}}
}

// hasAuthorities applies to an estate with authorities.
func hasAuthorities(o *object) bool { return len(o.estate.Authorities) > 0 }

// find is the authority of an address, or nil.
func (e *Estate) find(address string) *EstateAuthority {
	i := slices.IndexFunc(e.Authorities, func(a EstateAuthority) bool { return a.Address == address })
	if i < 0 {
		return nil
	}
	return &e.Authorities[i]
}

// secretLiteral is an argument whose name speaks of a secret, with a text. A
// text that is a template, a reference or a path is none.
var secretLiteral = regexp.MustCompile(`(?i)^\s*"?(pin|so_pin|password|passphrase|secret|client_secret|share|private_key)"?\s*[=:]\s*"([^"$]+)"`)

// checkSecretLiterals looks at lines, and shows their numbers only.
func checkSecretLiterals(o *object) []string {
	var details []string
	for _, f := range o.estate.Texts {
		for number, line := range strings.Split(string(f.Data), "\n") {
			match := secretLiteral.FindStringSubmatch(line)
			key := strings.Contains(line, "PRIVATE KEY-----") && strings.Contains(line, "BEGIN")
			share := strings.Contains(line, "AGE-SECRET-KEY-1")
			if match == nil && !key && !share {
				continue
			}
			what := "a private key"
			if match != nil {
				what = match[1]
			}
			details = append(details, fmt.Sprintf("%s, line %d: %s is written out", f.Path, number+1, what))
		}
	}
	return details
}

// checkLadder asks what happens at the next rotation: a successor of the same
// life begins when what is signed now could outlive the authority.
func checkLadder(o *object) []string {
	var details []string
	for _, a := range o.estate.Authorities {
		issuer := o.estate.find(a.Issuer)
		if issuer == nil || a.NotAfter.IsZero() || issuer.NotAfter.IsZero() {
			continue
		}
		life := a.NotAfter.Sub(a.NotBefore)
		rotation := a.NotAfter.AddDate(0, 0, -a.LongestChildDays)
		replaced := issuer.Successor != "" && !issuer.SuccessorFrom.IsZero() && !issuer.SuccessorFrom.After(rotation)
		if end := rotation.Add(life); end.After(issuer.NotAfter) && !replaced {
			details = append(details, fmt.Sprintf("the successor of %s would begin on %s and end on %s, after %s, which ends on %s",
				a.Address, date(rotation), date(end), issuer.Address, date(issuer.NotAfter)))
		}
	}
	return details
}

// checkOverlap asks when a successor has to be there.
func checkOverlap(o *object) []string {
	var details []string
	for _, a := range o.estate.Authorities {
		if a.LongestChildDays <= 0 || a.NotAfter.IsZero() {
			continue
		}
		deadline := a.NotAfter.AddDate(0, 0, -a.LongestChildDays)
		switch {
		case a.Successor == "" && o.now.After(deadline.Add(-successorLead)):
			details = append(details, fmt.Sprintf("%s has no successor, and from %s on what it signs would outlive it", a.Address, date(deadline)))
		case a.Successor != "" && a.SuccessorFrom.After(deadline):
			details = append(details, fmt.Sprintf("%s takes over from %s on %s, and from %s on what that signs would outlive it", a.Successor, a.Address, date(a.SuccessorFrom), date(deadline)))
		}
	}
	return details
}

// strength is the bits of security of an algorithm (NIST SP 800-57 part 1,
// table 2); zero when unknown.
func strength(algorithm string) int {
	if bits, ok := strings.CutPrefix(algorithm, "rsa-"); ok {
		n, err := strconv.Atoi(bits)
		switch {
		case err != nil:
			return 0
		case n >= 15360:
			return 256
		case n >= 7680:
			return 192
		case n >= 3072:
			return 128
		case n >= 2048:
			return weakBits
		}
		return 80
	}
	return map[string]int{
		"ecdsa-p224": weakBits, "ecdsa-p256": 128, "ed25519": 128, "ecdsa-p384": 192, "ecdsa-p521": 256,
		"ml-dsa-44": 128, "ml-dsa-65": 192, "ml-dsa-87": 256, // NIST categories 2, 3 and 5
	}[algorithm]
}

// checkStrength compares tiers and the end of 112 bits. Beyond 128 bits tiers
// are not compared: nobody breaks either.
func checkStrength(o *object) []string {
	horizon := time.Date(2031, time.January, 1, 0, 0, 0, 0, time.UTC)
	var details []string
	for _, a := range o.estate.Authorities {
		own := strength(a.Algorithm)
		if own == 0 {
			continue
		}
		if own <= weakBits && !a.NotAfter.Before(horizon) {
			details = append(details, fmt.Sprintf("%s has a key of %s and ends on %s, after 2030", a.Address, a.Algorithm, date(a.NotAfter)))
		}
		if issuer := o.estate.find(a.Issuer); issuer != nil {
			if above := strength(issuer.Algorithm); above > 0 && above < own && above < enoughBits {
				details = append(details, fmt.Sprintf("%s has a key of %s, which its issuer %s certifies with %s", a.Address, a.Algorithm, issuer.Address, issuer.Algorithm))
			}
		}
	}
	return details
}

// checkDrift tells in which words the estate was changed after a ceremony.
func checkDrift(o *object) []string {
	var details []string
	for _, a := range o.estate.Authorities {
		if len(a.Differs) > 0 {
			details = append(details, fmt.Sprintf("%s differs from its certificate: %s", a.Address, strings.Join(a.Differs, "; ")))
		}
	}
	return details
}
