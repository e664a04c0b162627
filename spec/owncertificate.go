package spec

import (
	"net/netip"
	"slices"
	"strings"
)

// validateOwnCertificate is about the certificate that step-ca shows to its
// clients. It signs it itself, with the key that it signs leaves with, so what
// fences those in fences step-ca in, too: beyond a name constraint it does not
// start, and without the purpose no client takes it.
func (o *OnlineCA) validateOwnCertificate(d *Diagnostics) {
	for _, a := range o.Authority.Chain() {
		// RFC 5280 §4.2.1.12 has no purpose inherited, and all verifiers do: a
		// purpose that a CA does not have is none of what is below it.
		if len(a.ExtendedKeyUsage) > 0 && !slices.Contains(a.ExtendedKeyUsage, "server_auth") {
			d.Report(o.Origin, "authority", "Online CA that no client can reach",
				"step-ca signs the certificate of its own listener with its authority, and clients refuse one below %s, whose extended_key_usage has no server_auth. Add it there; a template keeps the leaves to other purposes.", a.Address)
		}
		for _, name := range o.DNSNames {
			if a.NameConstraints.keepsOut(name) {
				d.Report(o.Origin, "dns_names", "Name that the authority may not sign",
					"step-ca signs the certificate of its own listener, and does not start with %q, which the name_constraints of %s keep out. Permit it there, or use another name.", name, a.Address)
			}
		}
	}
}

// keepsOut says whether a host name or an IP address is outside the constraints
// (RFC 5280 §4.2.1.10). Kinds of names that no list permits are all permitted.
func (n *NameConstraints) keepsOut(name string) bool {
	if n == nil || slices.ContainsFunc(n.PermittedDNS, func(s string) bool { return checkDNS(s) != nil }) || slices.ContainsFunc(n.PermittedIP, func(s string) bool { return checkCIDR(s) != nil }) {
		return false // there is none, or what is wrong with it is said where it is written
	}
	if address, err := netip.ParseAddr(name); err == nil {
		within := func(network string) bool {
			p, err := netip.ParsePrefix(network)
			return err == nil && p.Contains(address.Unmap())
		}
		return len(n.PermittedIP) > 0 && !slices.ContainsFunc(n.PermittedIP, within) || slices.ContainsFunc(n.ExcludedIP, within)
	}
	within := func(domain string) bool {
		return strings.HasSuffix("."+strings.ToLower(name), "."+strings.ToLower(domain))
	}
	return len(n.PermittedDNS) > 0 && !slices.ContainsFunc(n.PermittedDNS, within) || slices.ContainsFunc(n.ExcludedDNS, within)
}
