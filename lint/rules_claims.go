package lint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// claimFamily is a triple of lifetimes, with what step-ca takes where they are
// not set.
type claimFamily struct {
	suffix                    string
	shortest, normal, longest time.Duration
}

// claimFamilies are the three triples of step-ca. It checks the first only.
func claimFamilies() []claimFamily {
	return []claimFamily{
		{"TLSCertDuration", 5 * time.Minute, day, day},
		{"UserSSHCertDuration", 5 * time.Minute, 16 * time.Hour, day},
		{"HostSSHCertDuration", 5 * time.Minute, 30 * day, 30 * day},
	}
}

// checkClaims judges the authority's claims, and those of every provisioner
// that sets some of its own.
func checkClaims(o *object) []string {
	authority := o.tree.config.Authority
	var details []string
	for _, family := range claimFamilies() {
		inherited, found := family.merge(authority.Claims, "authority")
		details = append(details, found...)
		for i, p := range authority.Provisioners {
			if inherited.touchedBy(p.Claims) {
				_, found := inherited.merge(p.Claims, p.where(i))
				details = append(details, found...)
			}
		}
	}
	return details
}

// touchedBy says whether the claims set a lifetime of the family.
func (f claimFamily) touchedBy(claims stepClaims) bool {
	for _, prefix := range []string{"min", "default", "max"} {
		if claims.lookup(prefix+f.suffix) != nil {
			return true
		}
	}
	return false
}

// merge puts the claims over the family's lifetimes and says what is wrong
// with the outcome. A lifetime that cannot be read keeps its old value.
func (f claimFamily) merge(claims stepClaims, where string) (claimFamily, []string) {
	var details []string
	set := func(prefix string, into *time.Duration) {
		raw := claims.lookup(prefix + f.suffix)
		if raw == nil || string(raw) == "null" {
			return
		}
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			details = append(details, fmt.Sprintf("%s: %s is %s, not a string such as \"24h\"", where, prefix+f.suffix, raw))
			return
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			details = append(details, fmt.Sprintf("%s: %s is %q, not a duration such as \"24h\"", where, prefix+f.suffix, text))
			return
		}
		*into = d
	}
	set("min", &f.shortest)
	set("default", &f.normal)
	set("max", &f.longest)
	if f.shortest <= 0 || f.normal < f.shortest || f.longest < f.normal {
		details = append(details, fmt.Sprintf("%s: %s: min %s, default %s, max %s are not in this order", where, f.suffix, f.shortest, f.normal, f.longest))
	}
	return f, details
}

// lookup finds a claim as step-ca does, in any case. Of several that differ in
// case only, the first in the alphabet is taken.
func (c stepClaims) lookup(name string) json.RawMessage {
	var found []string
	for key := range c {
		if strings.EqualFold(key, name) {
			found = append(found, key)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return c[slices.Min(found)]
}
