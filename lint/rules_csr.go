package lint

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"pki.internal/plan/tbs/public"
)

// request is what a rule sees of a signing request.
type request struct {
	*x509.CertificateRequest
	// given is what the caller handed in.
	given Request
}

// CSR judges a PKCS#10 signing request for an authority's certificate. The
// findings are sorted.
func (l *Linter) CSR(der []byte) []Finding { return l.Request(Request{DER: der}) }

// Request is [Linter.CSR] for a request with its surroundings.
func (l *Linter) Request(r Request) []Finding {
	parsed, err := x509.ParseCertificateRequest(r.DER)
	if err != nil {
		return []Finding{unparsable().finding(fmt.Sprintf("the request cannot be read: %v", err))}
	}
	findings := l.run(ObjectCSR, &object{csr: &request{parsed, r}})
	sortFindings(findings)
	return findings
}

// requestRules are about signing requests.
func requestRules() []Rule {
	return []Rule{{
		ID: "e_csr_signature_invalid", Severity: Error, Object: ObjectCSR,
		Title:     "whoever made the request holds its key",
		Harm:      "a request that was edited by hand, or is for a key that its sender does not hold",
		Citation:  "RFC 2986 §3; RFC 4211 §4",
		Effective: rfc2986,
		Advice:    "have the holder of the key make the request again, and do not edit it afterwards",
		applies:   always,
		check: func(o *object) []string {
			// SHA-1 is old and not invalid; of MD5 Go verifies nothing.
			if err := public.CheckRequest(o.csr.CertificateRequest); err != nil {
				return []string{fmt.Sprintf("the request is not shown to be signed by its own key: %v", err)}
			}
			return nil
		},
	}, {
		ID: "w_csr_weak_or_old", Severity: Warn, Object: ObjectCSR,
		Title:     "key and signature of the request are fit for an authority",
		Harm:      "appliances that ask with RSA-2048 and SHA-1, for an authority of ten years",
		Citation:  "NIST SP 800-131A rev. 2 §3, §9; NIST SP 800-57 part 1 rev. 5 §5.6.1",
		Effective: sp80057,
		Advice:    "ask for a request with P-256, P-384, P-521, Ed25519, ML-DSA or RSA of at least 3072 bits (2048 for a host) with exponent 65537, signed with SHA-256 or better",
		applies:   always,
		check:     checkRequestStrength,
	}}
}

// minHostRSABits is the least for a key that lives as short as a host's
// certificate (NIST SP 800-131A rev. 2 §3).
const minHostRSABits = 2048

// leastExponent is the least RSA exponent that FIPS 186-5 §A.1.1 and CABF BR
// §6.1.6 take.
const leastExponent = 1<<16 + 1

// forHost says whether nobody speaks of an authority: the estate gives nothing,
// the request asks for names that hosts and people have, and not for an
// authority.
func (r *request) forHost() bool {
	if r.given.Grant != nil || asksForAuthority(r.Extensions) {
		return false
	}
	return len(r.DNSNames)+len(r.IPAddresses)+len(r.EmailAddresses)+len(r.URIs) > 0 || looksLikeHost(r.Subject.CommonName)
}

// asksForAuthority says whether the extensions asked for are an authority's.
func asksForAuthority(asked []pkix.Extension) bool {
	for _, e := range asked {
		var constraints struct {
			IsCA       bool `asn1:"optional"`
			PathLength int  `asn1:"optional,default:-1"`
		}
		if _, err := asn1.Unmarshal(e.Value, &constraints); e.Id.String() == "2.5.29.19" && (err != nil || constraints.IsCA) {
			return true
		}
	}
	return false
}

// checkRequestStrength looks at digest, modulus and curve.
func checkRequestStrength(o *object) []string {
	request := o.csr
	var details []string
	if bits := digestBits(request.SignatureAlgorithm); bits > 0 && bits < crypto.SHA256.Size()*8 {
		details = append(details, fmt.Sprintf("signed with %s", request.SignatureAlgorithm))
	}
	key, err := public.OfRequest(request.CertificateRequest)
	if err != nil {
		return append(details, fmt.Sprintf("the key cannot be read: %v", err))
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		least := minRequestRSABits
		if request.forHost() {
			least = minHostRSABits
		}
		if bits := key.N.BitLen(); bits < least {
			details = append(details, fmt.Sprintf("the RSA key has %d bits, fewer than %d", bits, least))
		}
		if key.E < leastExponent {
			details = append(details, fmt.Sprintf("the RSA exponent is %d, less than %d", key.E, leastExponent))
		}
	case *ecdsa.PublicKey:
		switch curve := key.Curve.Params().Name; curve {
		case "P-256", "P-384", "P-521":
		default:
			details = append(details, fmt.Sprintf("the key is on curve %s", curve))
		}
	case ed25519.PublicKey:
	default:
		if public.PostQuantum(key) {
			break
		}
		details = append(details, fmt.Sprintf("the key's algorithm is %s", request.PublicKeyAlgorithm))
	}
	return details
}
