package lint

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"pki.internal/plan/tbs/public"
)

// hasTwin applies to a cross-certificate whose twin is known.
func hasTwin(o *object) bool { return o.cert.twin != nil }

// crossRules are about cross-certificates and new generations of a root.
func crossRules() []Rule {
	return []Rule{{
		ID: "e_xsign_key_or_subject_differs", Severity: Error, Object: ObjectCertificate,
		Title:     "a cross-certificate has the subject and the key of the certificate beside which it stands",
		Harm:      "a cross-certificate that joins nothing: old clients never reach the new root",
		Citation:  "RFC 5280 §3.2; CABF BR §7.1.2.2",
		Effective: rfc5280,
		Advice:    "copy the encoded subject and the key: otherwise the certificate joins nothing",
		applies:   hasTwin,
		check: func(o *object) []string {
			var details []string
			if !sameSubject(o.cert.Certificate, o.cert.twin) {
				details = append(details, fmt.Sprintf("the subject is %q (%x), the twin's is %q (%x)", o.cert.Subject, o.cert.RawSubject, o.cert.twin.Subject, o.cert.twin.RawSubject))
			}
			if !sameKey(o.cert.Certificate, o.cert.twin) {
				details = append(details, "the key is not the twin's")
			}
			return details
		},
	}, {
		ID: "e_xsign_ski_differs", Severity: Error, Object: ObjectCertificate,
		Title:     "a cross-certificate has the subject key identifier of its twin",
		Harm:      "leaves name one identifier, and only one of the two paths has it",
		Citation:  "RFC 5280 §4.2.1.1, §4.2.1.2",
		Effective: rfc5280,
		Advice:    "copy the identifier: what the authority has signed names one identifier, and must fit both certificates",
		applies:   hasTwin,
		check: func(o *object) []string {
			if bytes.Equal(o.cert.SubjectKeyId, o.cert.twin.SubjectKeyId) {
				return nil
			}
			return []string{fmt.Sprintf("the subject key identifier is %x, the twin's is %x", o.cert.SubjectKeyId, o.cert.twin.SubjectKeyId)}
		},
	}, {
		ID: "e_xsign_widens_constraints", Severity: Error, Object: ObjectCertificate,
		Title:     "a cross-certificate limits its subject as its twin does",
		Harm:      "limits of a root that were gone along the other path",
		Citation:  "RFC 5280 §4.2.1.9, §4.2.1.10, §4.2.1.12; CABF BR §7.1.2.2",
		Effective: rfc5280,
		Advice:    "copy path length, name constraints and purposes from the twin: the other path would go around them",
		applies:   hasTwin,
		check:     checkWidened,
	}, {
		ID: "w_xsign_outlives_either_root", Severity: Warn, Object: ObjectCertificate,
		Title:     "a cross-certificate lives as long as it is needed, and no longer than its twin",
		Harm:      "Sectigo's cross-certificate by AddTrust in 2020: clients kept to the path that had ended",
		Citation:  "RFC 5280 §6.1.3 (a)(2)",
		Effective: rfc5280,
		Advice:    "end it with the twin or earlier, and not before the last client has changed over",
		applies:   hasTwin,
		check:     checkCrossDates,
	}, {
		ID: "e_xsign_self_loop", Severity: Error, Object: ObjectCertificate,
		Title:     "cross-certificates form no loop without a path length",
		Harm:      "path builders that go round and round until they run out of time or memory",
		Citation:  "RFC 5280 §6.1; RFC 4158 §2.4.1, §5.2",
		Effective: rfc5280,
		Advice:    "certify in one direction only, or set a path length: clients that build paths go round and round",
		applies:   func(o *object) bool { return hasOthers(o) && isSubordinate(o) && o.cert.MaxPathLen < 0 },
		check:     checkLoop,
	}, {
		ID: "e_rekey_missing_link_certs", Severity: Error, Object: ObjectCertificate,
		Title:     "a root with a new key has link certificates: old with new, and new with old",
		Harm:      "clients of the old root that cannot reach the new one, and the reverse",
		Citation:  "RFC 4210 §4.4; RFC 9810 §4.4",
		Effective: rfc4210,
		Advice:    "have each key certify the other under the same name, or give the new root a name of its own and cross-certify it",
		applies:   func(o *object) bool { return hasOthers(o) && isRoot(o) && o.cert.IsCA },
		check:     checkLinks,
	}}
}

// checkWidened names the limits of the twin that this certificate lacks. A
// twin that is a root has limits that path validation does not look at, but
// whoever wrote them meant them.
func checkWidened(o *object) []string {
	c, twin := o.cert.Certificate, o.cert.twin
	var details []string
	if twin.MaxPathLen >= 0 && (c.MaxPathLen < 0 || c.MaxPathLen > twin.MaxPathLen) {
		details = append(details, fmt.Sprintf("the path length is %s, the twin's is %d", pathLength(c), twin.MaxPathLen))
	}
	if limits := purposes(twin); len(limits) > 0 {
		have := purposes(c)
		extra := slices.DeleteFunc(slices.Clone(have), func(p string) bool { return slices.Contains(limits, p) })
		if len(have) == 0 || len(extra) > 0 {
			details = append(details, fmt.Sprintf("the twin is limited to the purposes %s", strings.Join(limits, ", ")))
		}
	}
	value := func(c *x509.Certificate) []byte {
		for _, e := range c.Extensions {
			if e.Id.String() == nameConstraintsOID {
				return e.Value
			}
		}
		return nil
	}
	if own, others := value(c), value(twin); others != nil && !bytes.Equal(own, others) {
		details = append(details, "the name constraints are not the twin's")
	}
	return details
}

// pathLength writes a path length.
func pathLength(c *x509.Certificate) string {
	if c.MaxPathLen < 0 {
		return "missing"
	}
	return fmt.Sprint(c.MaxPathLen)
}

// checkCrossDates compares the end with the twin's and with the plan.
func checkCrossDates(o *object) []string {
	c, needed := o.cert, o.cert.given.NeededUntil
	var details []string
	if c.NotAfter.After(c.twin.NotAfter) {
		details = append(details, fmt.Sprintf("valid until %s, its twin only until %s", date(c.NotAfter), date(c.twin.NotAfter)))
	}
	if !needed.IsZero() && c.NotAfter.Before(needed) {
		details = append(details, fmt.Sprintf("valid until %s, and needed until %s", date(c.NotAfter), date(needed)))
	}
	return details
}

// checkLoop follows the issuers upwards, through other certificates without a
// path length, and looks for the way back to this certificate's subject.
func checkLoop(o *object) []string {
	seen := map[string]bool{string(o.cert.RawIssuer): true}
	for queue := [][]byte{o.cert.RawIssuer}; len(queue) > 0; queue = queue[1:] {
		for _, other := range o.cert.others {
			if !bytes.Equal(other.RawSubject, queue[0]) || bytes.Equal(other.RawIssuer, other.RawSubject) || other.MaxPathLen >= 0 {
				continue
			}
			if bytes.Equal(other.RawIssuer, o.cert.RawSubject) {
				return []string{fmt.Sprintf("%q is certified by %q, which in turn is certified by it (%s), and none of them has a path length", o.cert.Subject, o.cert.Issuer, other.owner)}
			}
			if !seen[string(other.RawIssuer)] {
				seen[string(other.RawIssuer)] = true
				queue = append(queue, other.RawIssuer)
			}
		}
	}
	return nil
}

// checkLinks looks for roots of the same name with another key, and for the
// two certificates that join each with this one.
func checkLinks(o *object) []string {
	c := o.cert
	var details []string
	for _, old := range c.others {
		if !selfSigned(old.Certificate) || !old.IsCA || !sameSubject(old.Certificate, c.Certificate) || sameKey(old.Certificate, c.Certificate) {
			continue
		}
		link := func(of, by *x509.Certificate) bool {
			return slices.ContainsFunc(c.others, func(n neighbour) bool {
				return sameSubject(n.Certificate, of) && sameKey(n.Certificate, of) && bytes.Equal(n.RawIssuer, by.RawSubject) &&
					!selfSigned(n.Certificate) && public.CheckCertificate(n.Certificate, by) == nil
			})
		}
		if !link(c.Certificate, old.Certificate) {
			details = append(details, fmt.Sprintf("no certificate of this root's key by the key of %s (new with old)", old.owner))
		}
		if !link(old.Certificate, c.Certificate) {
			details = append(details, fmt.Sprintf("no certificate of the key of %s by this root's key (old with new)", old.owner))
		}
	}
	return details
}
