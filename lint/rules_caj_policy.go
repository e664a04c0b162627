package lint

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// policyNames is what a policy allows or denies.
type policyNames struct {
	CN    []string `json:"cn"`
	DNS   []string `json:"dns"`
	IP    []string `json:"ip"`
	Email []string `json:"email"`
	URI   []string `json:"uri"`
}

// checkPolicyNames looks at the names of every policy, as step-ca does before it
// starts.
func checkPolicyNames(o *object) []string {
	type rules struct{ Allow, Deny policyNames }
	var policy struct {
		X509 rules `json:"x509"`
		SSH  struct{ User, Host rules }
	}
	if err := json.Unmarshal(o.tree.config.Authority.Policy, &policy); err != nil {
		return []string{fmt.Sprintf("authority.policy cannot be read as step-ca reads it: %v", err)}
	}
	var details []string
	for _, names := range []policyNames{policy.X509.Allow, policy.X509.Deny, policy.SSH.User.Allow, policy.SSH.User.Deny, policy.SSH.Host.Allow, policy.SSH.Host.Deny} {
		for _, form := range []struct {
			what  string
			names []string
			reads func(string) bool
		}{
			{"common name", names.CN, func(n string) bool { return n != "" && n != "*" }},
			{"DNS name", names.DNS, readsDomain},
			{"IP range", names.IP, readsRange},
			{"email", names.Email, readsEmail},
			{"URI host", names.URI, readsURIHost},
		} {
			for _, name := range form.names {
				if !form.reads(strings.TrimSpace(name)) {
					details = append(details, fmt.Sprintf("the policy has the %s %q", form.what, name))
				}
			}
		}
	}
	return details
}

// readsDomain says whether step-ca takes a name as that of a host or a domain.
func readsDomain(name string) bool {
	rest := strings.TrimPrefix(name, "*.")
	return rest != "" && !strings.HasPrefix(rest, ".") && !strings.HasPrefix(name, ".") &&
		!strings.ContainsAny(rest, "*/:@ _") && !strings.Contains(name, "..")
}

// readsRange says whether step-ca takes a text as an address or a network.
func readsRange(text string) bool {
	_, err := netip.ParseAddr(text)
	_, _, rangeErr := net.ParseCIDR(text)
	return err == nil || rangeErr == nil
}

// readsEmail says whether step-ca takes a text as an address, or as @ and a
// domain.
func readsEmail(text string) bool {
	local, domain, at := strings.Cut(text, "@")
	if !at {
		domain = local
	}
	return domain != "" && !strings.HasPrefix(text, ".") && !strings.HasPrefix(domain, ".") && !strings.ContainsAny(text, "* ") && !strings.Contains(domain, "@")
}

// readsURIHost says whether step-ca takes a text as the host of a URI.
func readsURIHost(text string) bool {
	_, err := netip.ParseAddr(text)
	return err != nil && readsDomain(text) && !strings.ContainsAny(text, "[]")
}
