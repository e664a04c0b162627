package lint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

func hasSets(o *object) bool     { return len(o.estate.ShareSets) > 0 }
func hasKeys(o *object) bool     { return len(o.estate.Keys) > 0 }
func hasCeremony(o *object) bool { return o.estate.Ceremony != nil }

// ceremonyRules are about people and what they hold.
func ceremonyRules() []Rule {
	return []Rule{{
		ID: "e_plan_quorum_of_one", Severity: Error, Object: ObjectEstate,
		Title:     "more than one share opens a secret, and one may be lost",
		Harm:      "one lost share was the lost root",
		Citation:  "CABF BR §5.2.2, §6.2.2; RFC 3647 §4.6.2",
		Effective: rfc3647,
		Advice:    "choose a threshold of two at least, and one share more than that at least",
		applies:   hasSets,
		check:     eachShareSet(checkThreshold),
	}, {
		ID: "e_plan_custodian_holds_quorum", Severity: Error, Object: ObjectEstate,
		Title:     "no person and no place has enough shares",
		Harm:      "two shares in one safe, and the safe is opened",
		Citation:  "CABF BR §6.2.2; NIST SP 800-57 part 1 rev. 5 §6.2.2",
		Effective: sp80057,
		Advice:    "give each custodian one share and keep fewer than the threshold in one place",
		applies:   hasSets,
		check:     eachShareSet(checkHoldings),
	}, {
		ID: "e_plan_roles_not_separated", Severity: Error, Object: ObjectEstate,
		Title:     "who acts is not who watches",
		Harm:      "the first finding of every audit",
		Citation:  "CABF BR §5.2.4; WebTrust for CAs §4.1",
		Effective: rfc3647,
		Advice:    "give the roles to different people: a witness who holds a share or types witnesses nothing",
		applies:   func(o *object) bool { return len(o.estate.People) > 0 && o.estate.Production },
		check:     checkRoles,
	}}
}

// tokenRules are about keys as tokens describe them.
func tokenRules() []Rule {
	return []Rule{{
		ID: "e_plan_key_extractable", Severity: Error, Object: ObjectEstate,
		Title:     "a key on a token was born there and cannot leave it in the clear",
		Harm:      "a key that was imported and then called born in the HSM",
		Citation:  "PKCS #11 v3.1 §4.9; CABF BR §6.2.7",
		Effective: rfc5280,
		Advice:    "make a new key with CKA_SENSITIVE true and CKA_EXTRACTABLE false; this one may have copies that nobody counts",
		applies:   hasKeys,
		check:     checkExtractable,
	}, {
		ID: "e_plan_label_or_id_collision", Severity: Error, Object: ObjectEstate,
		Title:     "one name means one key",
		Harm:      "the wrong key signed",
		Citation:  "PKCS #11 v3.1 §4.4, §4.8, §4.9",
		Effective: rfc5280,
		Advice:    "give each pair a label and an id of its own, the id being the same for both halves",
		applies:   hasKeys,
		check:     checkCollisions,
	}, {
		ID: "e_plan_software_token", Severity: Error, Object: ObjectEstate,
		Title:     "a production key is in hardware",
		Harm:      "the token of the rehearsal signed the real root",
		Citation:  "CABF BR §6.2.1, §6.2.7",
		Effective: rfc5280,
		Advice:    "name the hardware's token in the estate, or set environment to rehearsal or lab",
		applies:   func(o *object) bool { return hasKeys(o) && o.estate.Production },
		check:     checkSoftware,
	}, {
		ID: "w_plan_no_backup_of_key", Severity: Warn, Object: ObjectEstate,
		Title:     "an authority's key survives its token",
		Harm:      "a dead HSM was a dead PKI",
		Citation:  "CABF BR §6.2.4; step-ca production guide, safeguard your root and intermediate keys",
		Effective: stepCA,
		Advice:    "clone the key to a second token and keep that in another place",
		applies:   func(o *object) bool { return hasKeys(o) && o.estate.Production },
		check: func(o *object) []string {
			var details []string
			for _, k := range o.estate.Keys {
				if k.Copies == 0 && !k.Single {
					details = append(details, fmt.Sprintf("the key of %s is on the token %q and nowhere else", k.Address, k.Token))
				}
			}
			return details
		},
	}}
}

// roomRules are about the ceremony itself.
func roomRules() []Rule {
	return []Rule{{
		ID: "e_plan_no_dry_run", Severity: Error, Object: ObjectEstate,
		Title:     "the plan was rehearsed",
		Harm:      "the script ran for the first time in the vault, and stopped there",
		Citation:  "CABF BR §6.1.1.1",
		Effective: rfc3647,
		Advice:    "rehearse this very plan on throw-away keys before the people meet",
		applies:   func(o *object) bool { return hasCeremony(o) && o.estate.Production && o.estate.Ceremony.Digest != "" },
		check: func(o *object) []string {
			if c := o.estate.Ceremony; !slices.Contains(c.Rehearsed, c.Digest) {
				return []string{fmt.Sprintf("no rehearsal of the plan %.16s", c.Digest)}
			}
			return nil
		},
	}, {
		ID: "e_plan_clock_unverified", Severity: Error, Object: ObjectEstate,
		Title:     "two people confirm the time before the first signature",
		Harm:      "a root that is valid from 1970, or from next year",
		Citation:  "RFC 5280 §4.1.2.5; CABF BR §5.5.5",
		Effective: rfc5280,
		Advice:    "have two people read a clock of their own and compare it with the computer's",
		applies:   func(o *object) bool { return hasCeremony(o) && o.estate.Production },
		check: func(o *object) []string {
			readers := slices.Clone(o.estate.Ceremony.ClockReaders)
			slices.Sort(readers)
			if n := len(slices.Compact(readers)); n < 2 {
				return []string{fmt.Sprintf("the clock was read by %d of at least 2 people", n)}
			}
			return nil
		},
	}, {
		ID: "e_plan_tool_hash_missing", Severity: Error, Object: ObjectEstate,
		Title:     "every program of the ceremony is the one that was reviewed",
		Harm:      "a module that nobody had looked at held the root's key",
		Citation:  "CABF BR §6.6.1; NIST SP 800-57 part 2 rev. 1",
		Effective: sp80057,
		Advice:    "pin the SHA-256 of every program, module and image, and compare at the table",
		applies:   func(o *object) bool { return hasCeremony(o) && len(o.estate.Ceremony.Tools) > 0 },
		check:     checkTools,
	}, {
		ID: "e_plan_network_up", Severity: Error, Object: ObjectEstate,
		Title:     "the ceremony's computer is on no network",
		Harm:      "Wi-Fi was on by default",
		Citation:  "CABF BR §6.7; CABF Network and Certificate System Security Requirements §1",
		Effective: rfc3647,
		Advice:    "take the computer off every network, radios included, before a token is opened",
		applies:   func(o *object) bool { return hasCeremony(o) && len(o.estate.Ceremony.Network) > 0 },
		check: func(o *object) []string {
			return []string{fmt.Sprintf("%s is up", strings.Join(o.estate.Ceremony.Network, ", "))}
		},
	}, {
		ID: "e_plan_share_verify_missing", Severity: Error, Object: ObjectEstate,
		Title:     "shares are put together once before the custodians leave",
		Harm:      "shares that were never tried, and did not open anything when they were needed",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §8.2.2",
		Effective: sp80057,
		Advice:    "combine as many shares as the threshold and open what they protect, in the ceremony that made them",
		applies:   func(o *object) bool { return hasCeremony(o) && o.estate.Ceremony.SplitsSecret },
		check: func(o *object) []string {
			if o.estate.Ceremony.SharesTried {
				return nil
			}
			return []string{"the ceremony makes shares and never tries them"}
		},
	}}
}

// bookRules are about the book that a ceremony writes.
func bookRules() []Rule {
	return []Rule{{
		ID: "e_ledger_signed_not_logged", Severity: Error, Object: ObjectEstate,
		Title:     "everything that an authority signed is in the ledger",
		Harm:      "the certificate off the books: DigiNotar found hundreds in 2011",
		Citation:  "RFC 6962 §2.1; CABF BR §5.4.1",
		Effective: rfc6962,
		Advice:    "find out who signed it and when; treat the key as used without permission until then",
		applies:   func(o *object) bool { return o.estate.Ledger != nil && len(o.estate.Ledger.Signed) > 0 },
		check:     checkLogged,
	}, {
		ID: "e_ledger_inconsistent_head", Severity: Error, Object: ObjectEstate,
		Title:     "the ledger extends the head that a witness has seen",
		Harm:      "history was written anew",
		Citation:  "RFC 6962 §2.1.2",
		Effective: rfc6962,
		Advice:    "compare with the witness's copy: entries were changed or removed after they were witnessed",
		applies:   func(o *object) bool { return o.estate.Ledger != nil && o.estate.Ledger.Witnessed.Size > 0 },
		check:     checkHead,
	}}
}

// eachShareSet judges every set, and names it.
func eachShareSet(judge func(ShareSet) []string) func(*object) []string {
	return func(o *object) []string {
		var details []string
		for _, set := range o.estate.ShareSets {
			for _, detail := range judge(set) {
				details = append(details, set.Address+": "+detail)
			}
		}
		return details
	}
}

// checkThreshold compares the threshold with the number of shares.
func checkThreshold(s ShareSet) []string {
	shares := 0
	for _, h := range s.Holders {
		shares += h.Shares
	}
	switch {
	case s.Threshold < 2:
		return []string{fmt.Sprintf("the threshold is %d: one share opens the secret", s.Threshold)}
	case s.Threshold > shares:
		return []string{fmt.Sprintf("the threshold is %d, and there are %d shares: nobody opens the secret", s.Threshold, shares)}
	case s.Threshold == shares:
		return []string{fmt.Sprintf("the threshold is %d of %d shares: one lost share loses the secret", s.Threshold, shares)}
	}
	return nil
}

// checkHoldings adds up shares by person and by place.
func checkHoldings(s ShareSet) []string {
	byPerson, bySite := map[string]int{}, map[string]int{}
	for _, h := range s.Holders {
		byPerson[h.Name] += h.Shares
		if h.Site != "" {
			bySite[h.Site] += h.Shares
		}
	}
	var details []string
	for name, n := range byPerson {
		if n >= s.Threshold {
			details = append(details, fmt.Sprintf("%s holds %d shares, and %d open the secret", name, n, s.Threshold))
		}
	}
	for site, n := range bySite {
		if n >= s.Threshold {
			details = append(details, fmt.Sprintf("%d shares lie in %s, and %d open the secret", n, site, s.Threshold))
		}
	}
	slices.Sort(details)
	return details
}

// checkRoles looks for a witness who does anything else.
func checkRoles(o *object) []string {
	var details []string
	for _, p := range o.estate.People {
		others := slices.DeleteFunc(slices.Clone(p.Roles), func(role string) bool { return role == "witness" })
		if len(others) < len(p.Roles) && len(others) > 0 {
			details = append(details, fmt.Sprintf("%s is witness and %s", p.Name, strings.Join(others, ", ")))
		}
	}
	return details
}

// checkExtractable reads the three attributes.
func checkExtractable(o *object) []string {
	var details []string
	for _, k := range o.estate.Keys {
		var faults []string
		if k.Extractable {
			faults = append(faults, "CKA_EXTRACTABLE is true")
		}
		if !k.Sensitive {
			faults = append(faults, "CKA_SENSITIVE is false")
		}
		if !k.NeverExtractable && !k.Sealed {
			faults = append(faults, "CKA_NEVER_EXTRACTABLE is false")
		}
		if len(faults) > 0 {
			details = append(details, fmt.Sprintf("the key of %s: %s", k.Address, strings.Join(faults, ", ")))
		}
	}
	return details
}

// checkCollisions looks for names that several keys of a token have.
func checkCollisions(o *object) []string {
	var details []string
	for i, k := range o.estate.Keys {
		if k.PublicID != "" && k.PublicID != k.ID {
			details = append(details, fmt.Sprintf("the key of %s has CKA_ID %s, and its public half %s", k.Address, k.ID, k.PublicID))
		}
		for _, other := range o.estate.Keys[:i] {
			if other.Token != k.Token {
				continue
			}
			if k.Label != "" && other.Label == k.Label {
				details = append(details, fmt.Sprintf("the keys of %s and %s have the label %q on the token %q", other.Address, k.Address, k.Label, k.Token))
			}
			if k.ID != "" && other.ID == k.ID {
				details = append(details, fmt.Sprintf("the keys of %s and %s have the CKA_ID %s on the token %q", other.Address, k.Address, k.ID, k.Token))
			}
		}
	}
	return details
}

// checkSoftware tells tokens that are programs by what they say of themselves.
func checkSoftware(o *object) []string {
	var details []string
	for _, k := range o.estate.Keys {
		model := strings.ToLower(k.Model)
		if slices.ContainsFunc([]string{"softhsm", "kryoptic", "nss", "softokn", "software"}, func(name string) bool { return strings.Contains(model, name) }) {
			details = append(details, fmt.Sprintf("the key of %s is on %q, which is a program", k.Address, k.Model))
		}
	}
	return details
}

// checkTools compares digests.
func checkTools(o *object) []string {
	var details []string
	for _, tool := range o.estate.Ceremony.Tools {
		switch {
		case tool.Pinned == "":
			details = append(details, tool.Name+" has no digest to compare with")
		case tool.Actual != "" && !strings.EqualFold(tool.Pinned, tool.Actual):
			details = append(details, fmt.Sprintf("%s has the digest %.16s…, and %.16s… was reviewed", tool.Name, tool.Actual, tool.Pinned))
		}
	}
	return details
}

// checkLogged looks for artefacts that nobody entered.
func checkLogged(o *object) []string {
	var details []string
	for _, a := range o.estate.Ledger.Signed {
		if !slices.ContainsFunc(o.estate.Ledger.Logged, func(sum string) bool { return strings.EqualFold(sum, a.SHA256) }) {
			details = append(details, fmt.Sprintf("%s (SHA-256 %.16s…) is signed and not in the ledger", a.Name, a.SHA256))
		}
	}
	return details
}

// checkHead computes the head that the ledger had when it was witnessed.
func checkHead(o *object) []string {
	l := o.estate.Ledger
	if l.Witnessed.Size > len(l.Leaves) {
		return []string{fmt.Sprintf("the ledger has %d entries, and a witness has seen %d", len(l.Leaves), l.Witnessed.Size)}
	}
	var leaves [][]byte
	for _, text := range l.Leaves[:l.Witnessed.Size] {
		leaf, err := hex.DecodeString(text)
		if err != nil {
			return []string{"a leaf hash is not hexadecimal, so nothing was compared"}
		}
		leaves = append(leaves, leaf)
	}
	if root := hex.EncodeToString(treeHead(leaves)); !strings.EqualFold(root, l.Witnessed.Root) {
		return []string{fmt.Sprintf("the first %d entries have the head %.16s…, and the witness has seen %.16s…", l.Witnessed.Size, root, l.Witnessed.Root)}
	}
	return nil
}

// treeHead is the Merkle tree hash over leaf hashes (RFC 6962 §2.1). There is
// at least one.
func treeHead(leaves [][]byte) []byte {
	if len(leaves) == 1 {
		return leaves[0]
	}
	half := 1
	for half*2 < len(leaves) {
		half *= 2
	}
	const node = 1
	h := sha256.New()
	h.Write([]byte{node})
	h.Write(treeHead(leaves[:half]))
	h.Write(treeHead(leaves[half:]))
	return h.Sum(nil)
}
