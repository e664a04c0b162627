package lint

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
)

// idRootPathLength names a rule that profile webpki has no use for.
const idRootPathLength = "n_root_pathlen_absent"

// rootShapeRules are about what a root says of itself and of the tree below.
func rootShapeRules() []Rule {
	isRootCA := func(o *object) bool { return isRoot(o) && o.cert.IsCA }
	return []Rule{{
		ID: "w_root_has_san_or_eku", Severity: Warn, Object: ObjectCertificate,
		Title:     "a root is an authority and nothing else: no alternative names, purposes or policies",
		Harm:      "roots that served as a web server's own certificate, with their key on that server",
		Citation:  "CABF BR §7.1.2.1.2; RFC 5280 §6.1",
		Effective: rfc5280,
		Advice:    "leave them out; a server that shows its root as its own certificate needs one of its own",
		applies:   isRootCA,
		check:     checkRootExtras,
	}, {
		ID: "w_root_ku_extra_bits", Severity: Warn, Object: ObjectCertificate,
		Title:     "a root's key signs certificates and lists, and at most responses about them",
		Harm:      "openssl.cnf of a server, copied for a root: the key may then be used to decrypt",
		Citation:  "RFC 5280 §4.2.1.3; CABF BR §7.1.2.10.7",
		Effective: rfc5280,
		Advice:    "set keyCertSign and cRLSign only, and digitalSignature where the root signs OCSP responses itself",
		applies:   isRootCA,
		check:     checkRootUsage,
	}, {
		ID: "e_root_pathlen_shorter_than_tree", Severity: Error, Object: ObjectCertificate,
		Title:     "the root's path length has room for every tier of the estate",
		Harm:      "a third tier that was added years later: all of it invalid, and the root cannot be changed",
		Citation:  "RFC 5280 §4.2.1.9, §6.1.4 (l)",
		Effective: rfc5280,
		Advice:    "raise the path length before the root is signed, or build fewer tiers: a signed root cannot grow",
		applies:   func(o *object) bool { return isRootCA(o) && o.cert.MaxPathLen >= 0 },
		check: func(o *object) []string {
			if have, need := o.cert.MaxPathLen, o.cert.given.TiersBelow; have < need {
				return []string{fmt.Sprintf("the path length is %d, and the estate has %d tiers of authorities below the root", have, need)}
			}
			return nil
		},
	}, {
		ID: idRootPathLength, Severity: Notice, Object: ObjectCertificate,
		Title:     "a root says how deep its tree may grow",
		Harm:      "whoever breaks into an issuing authority without limits makes authorities of his own",
		Citation:  "RFC 5280 §4.2.1.9; step-ca production guide, root CA certificate",
		Effective: rfc5280,
		Advice:    "set the path length to the number of tiers, unless you mean to add some: it stops an authority that was broken into",
		applies:   isRootCA,
		check: func(o *object) []string {
			if o.cert.MaxPathLen < 0 {
				return []string{"basicConstraints has no path length"}
			}
			return nil
		},
	}, {
		ID: "e_root_fingerprint_not_in_transcript", Severity: Error, Object: ObjectCertificate,
		Title:     "the witnesses' transcript names the root that is handed out",
		Harm:      "a wrong root that was handed out with step ca bootstrap --fingerprint is trusted by every machine",
		Citation:  "CABF BR §6.1.1.1; WebTrust for CAs §4.1",
		Effective: rfc5280,
		Advice:    "hand out the root that was witnessed, and find out where this one comes from",
		applies:   func(o *object) bool { return isRootCA(o) && len(o.cert.given.Transcript) > 0 },
		check: func(o *object) []string {
			print := sha256.Sum256(o.cert.Raw)
			if slices.Contains(o.cert.given.Transcript, print) {
				return nil
			}
			return []string{fmt.Sprintf("the fingerprint %x is not in the transcript", print)}
		},
	}}
}

// checkRootExtras names what a root should not have.
func checkRootExtras(o *object) []string {
	var details []string
	for _, extra := range []struct{ oid, what string }{
		{sanOID, "a subject alternative name"},
		{"2.5.29.37", "an extended key usage"},
		{"2.5.29.32", "certificate policies"},
	} {
		if hasExtension(o.cert.Certificate, extra.oid) && (extra.oid != sanOID || !namesTrustDomain(o.cert.Certificate)) {
			details = append(details, "the root has "+extra.what)
		}
	}
	return details
}

// namesTrustDomain says whether the only alternative name is a trust domain,
// which an authority of SPIFFE's should have (X.509-SVID §3.2).
func namesTrustDomain(c *x509.Certificate) bool {
	alone := len(c.URIs) == 1 && len(c.DNSNames)+len(c.IPAddresses)+len(c.EmailAddresses) == 0
	return alone && strings.EqualFold(c.URIs[0].Scheme, "spiffe") && c.URIs[0].Host != "" && c.URIs[0].Path == ""
}

// hasExtension says whether a certificate has the extension of that object
// identifier.
func hasExtension(c *x509.Certificate, oid string) bool {
	for _, e := range c.Extensions {
		if e.Id.String() == oid {
			return true
		}
	}
	return false
}

// checkRootUsage names the bits beyond those of an authority. Whether a root
// signs OCSP responses cannot be seen, so digitalSignature is left alone.
func checkRootUsage(o *object) []string {
	allowed := x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
	var extra []string
	for _, bit := range []struct {
		usage x509.KeyUsage
		name  string
	}{
		{x509.KeyUsageContentCommitment, "nonRepudiation"},
		{x509.KeyUsageKeyEncipherment, "keyEncipherment"},
		{x509.KeyUsageDataEncipherment, "dataEncipherment"},
		{x509.KeyUsageKeyAgreement, "keyAgreement"},
		{x509.KeyUsageEncipherOnly, "encipherOnly"},
		{x509.KeyUsageDecipherOnly, "decipherOnly"},
	} {
		if o.cert.KeyUsage&^allowed&bit.usage != 0 {
			extra = append(extra, "the key usage has "+bit.name)
		}
	}
	return extra
}
