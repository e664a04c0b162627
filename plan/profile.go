package plan

import (
	"encoding/hex"
	"slices"
	"strings"

	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// withProfile adds the extensions that only some authorities have.
func withProfile(a *spec.Authority, all []tbs.Extension, problem error) ([]tbs.Extension, error) {
	if problem != nil {
		return all, problem
	}
	if a.NameConstraints != nil {
		e, err := tbs.NameConstraints(a.NameConstraints)
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	if len(a.Policies) > 0 {
		e, err := tbs.CertificatePolicies(a.Policies)
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	for _, e := range a.Extensions {
		all = append(all, tbs.Extension{OID: e.Identifier, Critical: e.Critical, Value: e.DER})
	}
	return all, nil
}

// wantedProfile puts the words of those extensions.
func wantedProfile(a *spec.Authority, put func(word string, values ...string)) {
	var policies, extensions []string
	for _, p := range a.Policies {
		policies = append(policies, strings.Join(slices.Concat([]string{p.OID()}, p.CPS, []string{p.Notice}), " "))
	}
	for _, e := range a.Extensions {
		text := e.Identifier + " " + hex.EncodeToString(e.DER)
		if e.Critical {
			text = e.Identifier + " critical " + hex.EncodeToString(e.DER)
		}
		extensions = append(extensions, text)
	}
	put("certificate_policy", strings.Join(policies, "; "))
	put("extension", strings.Join(extensions, "; "))
}
