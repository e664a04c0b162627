package lint

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
)

// constraintShapeRules are about name constraints that do not do what they
// look like.
func constraintShapeRules() []Rule {
	return []Rule{{
		ID: "e_ica_nc_child_violates_parent", Severity: Error, Object: ObjectCertificate,
		Title:     "the certificate's names, and the names that it permits, lie within its issuer's constraints",
		Harm:      "an authority whose every leaf is refused, found out when the first one is issued",
		Citation:  "RFC 5280 §6.1.3 (b), (c), §6.1.4 (g)",
		Effective: rfc5280,
		Advice:    "take names from inside the issuer's constraints, or issue under another authority",
		// Verifiers hold a root's own constraints against what is below it, too.
		applies: hasIssuer,
		check:   checkInsideAll,
	}, {
		ID: "w_ica_nc_dns_leading_dot", Severity: Warn, Object: ObjectCertificate,
		Title:     "a DNS constraint does not begin with a dot",
		Harm:      "OpenSSL, GnuTLS and Go disagree about the domain itself: some clients refuse, some do not",
		Citation:  "RFC 5280 §4.2.1.10",
		Effective: rfc5280,
		Advice:    "leave the dot away: the domain and everything below it is meant; with a dot, clients disagree about the domain itself",
		applies:   always,
		check: func(o *object) []string {
			var details []string
			for _, name := range slices.Concat(o.cert.PermittedDNSDomains, o.cert.ExcludedDNSDomains) {
				if strings.HasPrefix(name, ".") {
					details = append(details, fmt.Sprintf("DNS constraint %q begins with a dot", name))
				}
			}
			return details
		},
	}, {
		ID: "e_ica_nc_noop", Severity: Error, Object: ObjectCertificate,
		Title:     "a constraint permits some names and not all or none",
		Harm:      "0.0.0.0/0 as permitted range: a fence that everybody walked through",
		Citation:  "RFC 5280 §4.2.1.10",
		Effective: rfc5280,
		Advice:    "permit what the authority is for; leave a form of name out where everything is meant",
		applies:   always,
		check:     checkNoOp,
	}, {
		ID: "w_ica_nc_directoryname_go", Severity: Warn, Object: ObjectCertificate,
		Title:     "critical name constraints have only forms that Go processes",
		Harm:      "Go answers unhandled critical extension: no Kubernetes, step-ca or Docker takes the chain",
		Citation:  "RFC 5280 §4.2.1.10; Go crypto/x509, UnhandledCriticalExtensions",
		Effective: rfc5280,
		Advice:    "constrain DNS names, addresses, mailboxes and URIs only: step-ca and every Go client refuse the others",
		applies:   always,
		check: func(o *object) []string {
			for _, oid := range o.cert.UnhandledCriticalExtensions {
				if oid.String() == nameConstraintsOID {
					return []string{"the critical name constraints have a form, such as directoryName, that Go does not process: Go refuses every chain through this certificate"}
				}
			}
			return nil
		},
	}}
}

// constrains says whether a certificate permits or excludes anything that Go
// processes.
func constrains(c *x509.Certificate) bool {
	return permitsSome(c) || len(c.ExcludedDNSDomains)+len(c.ExcludedIPRanges)+len(c.ExcludedEmailAddresses)+len(c.ExcludedURIDomains) > 0
}

// fence is the constraints of one form of name, as text or as ranges.
type fence struct {
	form                string
	permitted, excluded []string
	within              func(name, constraint string) bool
}

// fences is the forms that are written as text. URIs are constrained by host.
func fences(c *x509.Certificate) []fence {
	return []fence{
		{"DNS name", c.PermittedDNSDomains, c.ExcludedDNSDomains, withinDomain},
		{"mailbox", c.PermittedEmailAddresses, c.ExcludedEmailAddresses, withinMailbox},
		{"URI host", c.PermittedURIDomains, c.ExcludedURIDomains, withinHost},
	}
}

// withinDomain says whether a domain lies in a constraint. A leading dot leaves
// out the domain itself.
func withinDomain(name, constraint string) bool {
	name, constraint = strings.ToLower(name), strings.ToLower(constraint)
	if constraint == "" || name == constraint {
		return true
	}
	return strings.HasSuffix(name, "."+strings.TrimPrefix(constraint, "."))
}

// withinMailbox says whether a mailbox or a constraint on mailboxes lies in a
// constraint: a mailbox, a host, or with a leading dot the hosts below one.
func withinMailbox(name, constraint string) bool {
	_, host, isBox := strings.Cut(name, "@")
	if strings.Contains(constraint, "@") {
		return strings.EqualFold(name, constraint)
	}
	if !isBox {
		host = name
	}
	return withinHost(host, constraint)
}

// withinHost says whether a host lies in a constraint of the form that URIs
// use: without a leading dot it means one host.
func withinHost(name, constraint string) bool {
	name, constraint = strings.ToLower(name), strings.ToLower(constraint)
	if constraint == "" || name == constraint {
		return true
	}
	return strings.HasPrefix(constraint, ".") && strings.HasSuffix(name, constraint)
}

// checkInsideAll holds the certificate against the constraints of its issuer and
// of every authority above, as far as they are known.
func checkInsideAll(o *object) []string {
	c := o.cert
	var details []string
	for i, upper := range append([]*x509.Certificate{c.issuer}, c.above...) {
		whose := "the issuer's"
		if i > 0 {
			whose = fmt.Sprintf("%q's", upper.Subject)
		}
		if constrains(upper) {
			details = append(details, checkInside(c.Certificate, upper, whose)...)
		}
		// A self-issued authority is held against its own name's constraints by
		// nobody (RFC 5280 §6.1.3 (b)).
		if !(c.IsCA && c.selfIssued()) {
			details = append(details, checkInsideDirectory(c.Certificate, upper, whose)...)
		}
	}
	return details
}

// checkInside holds names and permitted subtrees against constraints.
func checkInside(c, issuer *x509.Certificate, whose string) []string {
	var hosts []string
	for _, u := range c.URIs {
		hosts = append(hosts, u.Hostname())
	}
	names := [][]string{c.DNSNames, slices.Concat(c.EmailAddresses, subjectMailboxes(c)), hosts}
	var details []string
	own := fences(c)
	for i, f := range fences(issuer) {
		for _, name := range names[i] {
			details = append(details, f.judge(fmt.Sprintf("%s %q", f.form, name), strings.TrimPrefix(name, "*."), whose)...)
		}
		for _, permitted := range own[i].permitted {
			details = append(details, f.judge(fmt.Sprintf("the permitted %s %q", f.form, permitted), strings.TrimPrefix(permitted, "."), whose)...)
		}
	}
	for _, ip := range c.IPAddresses {
		details = append(details, judgeRange(issuer, fmt.Sprintf("IP address %s", ip), hostRange(ip), whose)...)
	}
	for _, r := range c.PermittedIPRanges {
		details = append(details, judgeRange(issuer, fmt.Sprintf("the permitted range %s", r), r, whose)...)
	}
	return details
}

// subjectMailboxes is the addresses in the subject, which constraints on
// mailboxes cover (RFC 5280 §4.2.1.10).
func subjectMailboxes(c *x509.Certificate) []string {
	var all []string
	for _, attribute := range c.Subject.Names {
		if text, ok := attribute.Value.(string); ok && attribute.Type.String() == "1.2.840.113549.1.9.1" {
			all = append(all, text)
		}
	}
	return all
}

// judge says whether a name lies outside what is permitted or inside what is
// excluded.
func (f fence) judge(what, name, whose string) []string {
	inside := func(constraint string) bool { return f.within(name, constraint) }
	switch {
	case slices.ContainsFunc(f.excluded, inside):
		return []string{fmt.Sprintf("%s is excluded by %s name constraints", what, whose)}
	case len(f.permitted) > 0 && !slices.ContainsFunc(f.permitted, inside):
		return []string{fmt.Sprintf("%s is outside of %s name constraints", what, whose)}
	}
	return nil
}

// hostRange is the range that holds one address.
func hostRange(ip net.IP) *net.IPNet {
	if short := ip.To4(); short != nil {
		ip = short
	}
	bits := len(ip) * 8
	return &net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)}
}

// judgeRange is judge for ranges of addresses.
func judgeRange(issuer *x509.Certificate, what string, r *net.IPNet, whose string) []string {
	inside := func(outer *net.IPNet) bool { return withinRange(r, outer) }
	switch {
	case slices.ContainsFunc(issuer.ExcludedIPRanges, inside):
		return []string{fmt.Sprintf("%s is excluded by %s name constraints", what, whose)}
	case len(issuer.PermittedIPRanges) > 0 && !slices.ContainsFunc(issuer.PermittedIPRanges, inside):
		return []string{fmt.Sprintf("%s is outside of %s name constraints", what, whose)}
	}
	return nil
}

// withinRange says whether every address of one range is in the other.
func withinRange(inner, outer *net.IPNet) bool {
	innerOnes, innerBits := inner.Mask.Size()
	outerOnes, outerBits := outer.Mask.Size()
	return innerBits == outerBits && innerOnes >= outerOnes && outer.Contains(inner.IP)
}

// checkNoOp looks for permitted subtrees that hold everything, and for ones
// that an exclusion takes back.
func checkNoOp(o *object) []string {
	c := o.cert.Certificate
	var details []string
	for _, f := range fences(c) {
		for _, permitted := range f.permitted {
			taken := slices.ContainsFunc(f.excluded, func(e string) bool { return f.within(strings.TrimPrefix(permitted, "."), e) })
			switch {
			case permitted == "":
				details = append(details, fmt.Sprintf("every %s is permitted, as without a constraint", f.form))
			case taken:
				details = append(details, fmt.Sprintf("the permitted %s %q is excluded at the same time", f.form, permitted))
			}
		}
	}
	for _, permitted := range c.PermittedIPRanges {
		ones, _ := permitted.Mask.Size()
		taken := slices.ContainsFunc(c.ExcludedIPRanges, func(e *net.IPNet) bool { return withinRange(permitted, e) })
		switch {
		case ones == 0 && bytes.Count(permitted.Mask, []byte{0}) == len(permitted.Mask):
			details = append(details, fmt.Sprintf("every address of %s is permitted, as without a constraint", permitted))
		case taken:
			details = append(details, fmt.Sprintf("the permitted range %s is excluded at the same time", permitted))
		}
	}
	return details
}
