package lint

import (
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
)

// constraintRules are about name constraints.
func constraintRules() []Rule {
	return []Rule{{
		ID: "e_ica_nc_type_hole", Severity: Error, Object: ObjectCertificate,
		Title:     "name constraints close every form of name that the authority's purposes rest on",
		Harm:      "an authority for one domain that may issue for any IP address or mailbox in the world",
		Citation:  "RFC 5280 §4.2.1.10; CABF BR §7.1.2.5",
		Effective: rfc5280,
		Advice: "permit something of each form, or exclude the form altogether (for addresses: 0.0.0.0/0 and ::/0); " +
			"an extended key usage without the purpose closes it too",
		applies: func(o *object) bool { return o.cert.subordinate() && permitsSome(o.cert.Certificate) },
		check:   checkTypeHole,
	}}
}

// permitsSome says whether the certificate permits some names: such a
// constraint is meant as a fence, and a fence has no holes. Subtrees that are
// only excluded are meant as exceptions.
func permitsSome(c *x509.Certificate) bool {
	return len(c.PermittedDNSDomains) > 0 || len(c.PermittedIPRanges) > 0 ||
		len(c.PermittedEmailAddresses) > 0 || len(c.PermittedURIDomains) > 0
}

// checkTypeHole names the forms that stay open. A form of name that no
// constraint speaks of is allowed without limit. Which forms matter follows
// from the extended key usage: DNS names and addresses identify servers,
// mailboxes identify senders, and without the extension everything is possible.
// Directory names are left alone, because Go refuses a critical constraint of
// that form and takes no identity from it.
func checkTypeHole(o *object) []string {
	c := o.cert.Certificate
	uses := func(usage x509.ExtKeyUsage) bool { return slices.Contains(c.ExtKeyUsage, usage) }
	anything := uses(x509.ExtKeyUsageAny) || len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0
	servers := anything || uses(x509.ExtKeyUsageServerAuth)
	senders := anything || uses(x509.ExtKeyUsageEmailProtection)
	var open []string
	if servers && len(c.PermittedDNSDomains) == 0 && !slices.Contains(c.ExcludedDNSDomains, "") {
		open = append(open, "DNS names")
	}
	if servers && len(c.PermittedIPRanges) == 0 && !excludesAllAddresses(c.ExcludedIPRanges) {
		open = append(open, "IP addresses")
	}
	if senders && len(c.PermittedEmailAddresses) == 0 && !slices.Contains(c.ExcludedEmailAddresses, "") {
		open = append(open, "mailboxes")
	}
	if anything && len(c.PermittedURIDomains) == 0 && !slices.Contains(c.ExcludedURIDomains, "") {
		open = append(open, "URIs")
	}
	if len(open) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("names are constrained, but %s stay open: the authority may issue any of them", strings.Join(open, ", "))}
}

// excludesAllAddresses says whether the ranges hold every IPv4 and every IPv6
// address.
func excludesAllAddresses(ranges []*net.IPNet) bool {
	all := func(bits int) bool {
		return slices.ContainsFunc(ranges, func(r *net.IPNet) bool {
			ones, size := r.Mask.Size()
			return size == bits && ones == 0
		})
	}
	return all(net.IPv4len*8) && all(net.IPv6len*8)
}
