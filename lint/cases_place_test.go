package lint

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"testing"
)

func placeFixtures() []fixture {
	const place = "http://pki.acme.example/root.cer"
	published := func(about, at string, root bool) func(testing.TB) scene {
		return func(t testing.TB) scene {
			s := certificateScene(t, about, func(g *stage) { g.subject.IssuingCertificateURL = []string{at} })
			der := s.blocks[1].Bytes
			if !root {
				der = s.blocks[0].Bytes
			}
			s.as("published", at, "CERTIFICATE", der)
			return s
		}
	}
	return []fixture{{
		rule: "e_ica_cdp_host_unroutable", pass: clean,
		fail: failing("An issuing authority whose list lies on a computer in the laboratory.", func(g *stage) {
			g.subject.CRLDistributionPoints = []string{"http://lab-3/root.crl", "http://127.0.0.1/root.crl", "http://localhost:8080/root.crl"}
		}),
	}, {
		rule: "e_ca_dns_name_is_address",
		pass: func(t testing.TB) scene {
			return serverScene(t, "A server with a name and an address.", "www.acme.internal")
		},
		fail: func(t testing.TB) scene {
			return serverScene(t, "A server whose address is written as a name.", "10.1.2.3")
		},
	}, {
		rule: "e_ica_cdp_points_at_own_crl",
		pass: failing("An issuing authority with lists of its own.", func(g *stage) { g.fact("own list", issuingCRLURL) }),
		fail: failing("An issuing authority that is looked up in its own list.", func(g *stage) {
			g.fact("own list", issuingCRLURL)
			g.subject.CRLDistributionPoints = []string{issuingCRLURL}
		}),
	}, {
		rule: "e_ica_aia_wrong_issuer",
		pass: published("An issuing authority that says where its root is.", place, true),
		fail: published("An issuing authority that names itself as its issuer.", place, false),
	}}
}

func constraintFixtures() []fixture {
	permit := func(names ...string) func(*x509.Certificate) {
		_, all, _ := net.ParseCIDR("::/0")
		_, old, _ := net.ParseCIDR("0.0.0.0/0")
		return func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, names
			c.ExcludedIPRanges = []*net.IPNet{all, old}
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}
	}
	return []fixture{{
		rule: "e_ica_nc_child_violates_parent",
		pass: func(t testing.TB) scene {
			return belowPolicyAuthority(t, "An authority for a part of its issuer's domain.", permit("acme.internal"), permit("eu.acme.internal"))
		},
		fail: func(t testing.TB) scene {
			return belowPolicyAuthority(t, "An authority for a domain that is not its issuer's.", permit("acme.internal"), permit("acme.example"))
		},
	}, {
		rule: "w_ica_nc_dns_leading_dot",
		pass: failing("An authority for one domain and what is below it.", func(g *stage) { permit("acme.internal")(g.subject) }),
		fail: failing("An authority for what is below a domain.", func(g *stage) { permit(".acme.internal")(g.subject) }),
	}, {
		rule: "e_ica_nc_noop",
		pass: failing("An authority for one domain, but for a part of it.", func(g *stage) {
			permit("acme.internal")(g.subject)
			g.subject.ExcludedDNSDomains = []string{"secret.acme.internal"}
		}),
		fail: failing("An authority whose one domain is excluded at the same time.", func(g *stage) {
			permit("acme.internal")(g.subject)
			g.subject.ExcludedDNSDomains = []string{"internal"}
		}),
	}, {
		rule: "w_ica_nc_directoryname_go",
		pass: failing("An authority with critical constraints on DNS names.", func(g *stage) { permit("acme.internal")(g.subject) }),
		fail: failing("An authority with critical constraints on directory names.", func(g *stage) {
			g.subject.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Critical: true, Value: directoryConstraint()}}
		}),
	}}
}

// directoryConstraint permits the organization ACME.
func directoryConstraint() []byte {
	rdns, err := asn1.Marshal(pkix.Name{Organization: []string{"ACME"}}.ToRDNSequence())
	if err != nil {
		panic(err)
	}
	wrap := func(class, tag int, content []byte) []byte {
		der, err := asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: content})
		if err != nil {
			panic(err)
		}
		return der
	}
	const sequence, directoryName, permitted = 16, 4, 0
	subtree := wrap(asn1.ClassUniversal, sequence, wrap(asn1.ClassContextSpecific, directoryName, rdns))
	return wrap(asn1.ClassUniversal, sequence, wrap(asn1.ClassContextSpecific, permitted, subtree))
}

// serverScene is a server's certificate by a root, with a DNS name and an
// address.
func serverScene(t testing.TB, about, dns string) scene {
	return certificateScene(t, about, func(g *stage) {
		g.role = RoleLeaf
		g.subject = &x509.Certificate{
			SerialNumber: serial("server"), Subject: pkix.Name{CommonName: dns}, NotBefore: issuingFrom, NotAfter: issuingFrom.AddDate(0, 0, 90),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			DNSNames: []string{dns}, IPAddresses: []net.IP{net.IPv4(10, 1, 2, 3)}, SubjectKeyId: keyID(t, g.key),
		}
	})
}
