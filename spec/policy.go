package spec

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Policy is which names an online CA signs at all. step-ca checks it for every
// provisioner; deny wins over allow.
type Policy struct {
	Origin
	X509 *X509Policy
	SSH  *SSHPolicy
}

// X509Policy is about certificates.
type X509Policy struct {
	Origin
	Allow, Deny        *PolicyNames
	AllowWildcardNames bool
}

// SSHPolicy is about SSH certificates.
type SSHPolicy struct {
	Origin
	User, Host *SSHNames
}

// SSHNames is one kind of SSH certificate.
type SSHNames struct {
	Origin
	Allow, Deny *PolicyNames
}

// PolicyNames lists names by their kind. CommonNames and URIs are for X.509
// only, Principals for SSH only.
type PolicyNames struct {
	Origin
	CommonNames, DNS, IPs, Emails, URIs, Principals []string
}

func (p *Policy) validate(d *Diagnostics, o *OnlineCA) {
	if p == nil {
		return
	}
	if x := p.X509; x != nil {
		x.Allow.validate(d, "x509")
		x.Deny.validate(d, "x509")
		if x.Allow == nil && x.Deny == nil {
			d.Report(x.Origin, "", "Policy without names", "A policy that allows and denies nothing decides nothing. Add allow { dns = [\"*.example.internal\"] }.")
		}
		x.validateAlternatives(d)
	}
	if s := p.SSH; s != nil {
		for _, names := range []*SSHNames{s.User, s.Host} {
			if names != nil {
				names.Allow.validate(d, "ssh")
				names.Deny.validate(d, "ssh")
			}
		}
		// step-ca's policy engine: with one of the two, the other is refused whole.
		if (s.User == nil) != (s.Host == nil) && o.SSH != nil && o.SSH.User != nil && o.SSH.Host != nil {
			d.Report(s.Origin, "", "Policy that forbids half of SSH",
				"step-ca refuses every host certificate when the policy speaks of users only, and the reverse. Write user { … } and host { … }.")
		}
	}
	if p.X509 == nil && p.SSH == nil {
		d.Report(p.Origin, "", "Policy without names", "An empty policy decides nothing. Add x509 { allow { dns = [\"*.example.internal\"] } }, or remove it.")
	}
}

// validateAlternatives notices a policy by which no certificate could have an
// alternative name, and thus none would be of use to a client.
func (x *X509Policy) validateAlternatives(d *Diagnostics) {
	if x.Allow == nil || len(x.Allow.DNS)+len(x.Allow.IPs)+len(x.Allow.Emails)+len(x.Allow.URIs) > 0 {
		return
	}
	d.Warn(x.Origin, "allow", "Policy without alternative names",
		"A policy that allows names of one kind denies those of every other, and clients check alternative names only (RFC 9525 §6). Allow dns, ip, email or uri as well.")
}

func (n *PolicyNames) validate(d *Diagnostics, kind string) {
	if n == nil {
		return
	}
	lists := []struct {
		word   string
		values []string
		kinds  []string
		check  func(string) error
	}{
		{"cn", n.CommonNames, []string{"x509"}, policyWord},
		{"dns", n.DNS, []string{"x509", "ssh"}, policyDNS},
		{"ip", n.IPs, []string{"x509", "ssh"}, policyIP},
		{"email", n.Emails, []string{"x509", "ssh"}, policyEmail},
		{"uri", n.URIs, []string{"x509"}, policyURI},
		{"principal", n.Principals, []string{"ssh"}, policyWord},
	}
	empty := true
	for _, l := range lists {
		if len(l.values) > 0 && !slices.Contains(l.kinds, kind) {
			d.Report(n.Origin, l.word, "Name of another policy", "step-ca would drop %s from a policy for %s without a word. Remove it.", l.word, kind)
		}
		for _, v := range l.values {
			empty = false
			if err := l.check(v); err != nil {
				d.Report(n.Origin, l.word, "Name that a policy cannot hold", "Here, %s. %s.", err, policyExample(l.word))
			}
		}
	}
	if empty {
		d.Report(n.Origin, "", "Policy without names", "An empty list of names decides nothing. Add a name, or remove the block.")
	}
}

func policyExample(word string) string {
	return map[string]string{
		"cn":        `Write a whole name, as in "Backup service"`,
		"dns":       `Write a name as in "db.example.internal", or "*.example.internal" for one label below it`,
		"ip":        `Write an address or a network, as in "10.0.0.0/8"`,
		"email":     `Write a mailbox as in "ada@example.com", or a domain as in "@example.com"`,
		"uri":       `Write a host as in "spiffe.example.internal", or "*.example.internal"`,
		"principal": `Write a user's or a host's name`,
	}[word]
}

func policyWord(s string) error {
	if strings.TrimSpace(s) == "" || s == "*" {
		return fmt.Errorf("%q is no name", s)
	}
	return nil
}

func policyDNS(s string) error {
	if err := checkHostName(strings.TrimPrefix(s, "*.")); err != nil {
		return fmt.Errorf("%q is no DNS name", s)
	}
	return nil
}

func policyIP(s string) error {
	if _, err := addressOf(s); err == nil {
		return nil
	}
	if prefix, err := netip.ParsePrefix(s); err != nil || prefix.Masked() != prefix {
		return fmt.Errorf("%q is no address and no network", s)
	}
	return nil
}

func policyEmail(s string) error {
	local, domain, found := strings.Cut(s, "@")
	if !found || checkHostName(domain) != nil || strings.ContainsAny(local, " \t\n*<>,;\"") {
		return fmt.Errorf("%q is neither a mailbox nor a mail domain", s)
	}
	return nil
}

func policyURI(s string) error {
	host := strings.TrimPrefix(s, "*.")
	if _, err := netip.ParseAddr(host); err == nil || checkHostName(host) != nil {
		return fmt.Errorf("%q is no host", s)
	}
	return nil
}
