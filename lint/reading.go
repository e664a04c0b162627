package lint

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"

	zx509 "github.com/zmap/zcrypto/x509"

	"pki.internal/plan/tbs/public"
)

// Ids of the rules about reading an object.
const (
	idUnparsable = "e_unparsable"
	idGoRefuses  = "e_go_refuses"
	idUnlinted   = "e_lint_incomplete"
)

// readingRules are about reading an object at all. The parsers apply them, so
// their checks find nothing by themselves.
func readingRules() []Rule {
	return []Rule{unparsable(), goRefuses(), unlinted()}
}

// readingRule is what the readingRules share.
func readingRule(id string, severity Severity) Rule {
	return Rule{
		ID: id, Severity: severity, Object: ObjectAny, Effective: rfc5280,
		applies: func(*object) bool { return false },
		check:   func(*object) []string { return nil },
	}
}

// unparsable is for an object that nobody can read.
func unparsable() Rule {
	r := readingRule(idUnparsable, Fatal)
	r.Harm = "nobody can judge, and no client takes, what nobody can read"
	r.Title = "an object can be read"
	r.Citation = "RFC 5280 §4.1, §5.1; RFC 2986 §4"
	r.Advice = "hand in one complete DER object of the right kind, without PEM armour and without trailing bytes"
	return r
}

// goRefuses is for an object that zlint can read and Go cannot.
func goRefuses() Rule {
	r := readingRule(idGoRefuses, Error)
	r.Harm = "since Go 1.23 step-ca, Kubernetes and every other Go program refuse what older programs took"
	r.Title = "Go's crypto/x509 reads the object, as step-ca and every Go client do"
	r.Citation = "RFC 5280 §4.1, §5.1; Go crypto/x509"
	r.Advice = "make the object again with an encoder that writes strict DER"
	return r
}

// unlinted is for an object that Go can read and zlint cannot.
func unlinted() Rule {
	r := readingRule(idUnlinted, Error)
	r.Harm = "a fault that only zlint knows would pass unseen"
	r.Title = "zlint reads the object, so that its rules were applied"
	r.Citation = "RFC 5280 §4.1, §5.1"
	r.Advice = "have the object judged by another linter, and waive this finding with that linter's report"
	return r
}

// readingFindings says what Go's parser and zlint's parser thought of the
// object: fatal where nobody can read it. read says that our own rules see it
// all the same.
func readingFindings(goErr, zErr error, read bool) []Finding {
	if goErr != nil && zErr != nil && !read {
		return []Finding{unparsable().finding(fmt.Sprintf("cannot be read: %v", goErr))}
	}
	var findings []Finding
	if goErr != nil {
		findings = append(findings, goRefuses().finding(fmt.Sprintf("Go clients will refuse this: %v", goErr)))
	}
	if zErr != nil {
		findings = append(findings, unlinted().finding(fmt.Sprintf("zlint cannot read this, so its rules were not applied: %v", zErr)))
	}
	return findings
}

// readIssuer parses the certificate of an issuer, if there is one.
func readIssuer(der []byte) (*x509.Certificate, []Finding) {
	if der == nil {
		return nil, nil
	}
	issuer, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, []Finding{unparsable().finding(fmt.Sprintf("the issuer's certificate cannot be read, so nothing was compared with it: %v", err))}
	}
	return issuer, nil
}

// guard runs parse and turns a panic of the parser into an error: zcrypto's
// parsers are handed whatever a stranger wrote.
func guard[T any](parse func([]byte) (*T, error), der []byte) (parsed *T, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			parsed, err = nil, fmt.Errorf("the parser panicked: %v", reason)
		}
	}()
	return parse(der)
}

// zCertificate parses der for zlint. zcrypto calls a certificate self-signed
// only when its signature verifies. That of a draft cannot, that of an
// algorithm which zcrypto does not know never does, and that of a broken root
// should not turn it into a subordinate authority: of an authority, names and
// key identifiers decide as well.
func zCertificate(c Certificate, signer *x509.Certificate) (*zx509.Certificate, error) {
	z, err := guard(zx509.ParseCertificate, c.DER)
	if err != nil {
		return nil, err
	}
	sameName := bytes.Equal(z.RawSubject, z.RawIssuer)
	sameKey := len(z.AuthorityKeyId) == 0 || bytes.Equal(z.AuthorityKeyId, z.SubjectKeyId)
	z.SelfSigned = z.SelfSigned || z.IsCA && sameName && sameKey || !z.IsCA && sameName && ownSignature(c.DER)
	if length := standInLength(c.Draft, signer); length > 0 {
		z.Signature = make([]byte, length)
	}
	return z, nil
}

// ownSignature says whether a certificate is signed by its own key, which
// zcrypto says of authorities alone.
func ownSignature(der []byte) bool {
	c, err := x509.ParseCertificate(der)
	return err == nil && public.CheckCertificate(c, c) == nil
}

// zCRL parses der for zlint.
func zCRL(c CRL, signer *x509.Certificate) (*zx509.RevocationList, error) {
	z, err := guard(zx509.ParseRevocationList, c.DER)
	if err != nil {
		return nil, err
	}
	if length := standInLength(c.Draft, signer); length > 0 {
		z.Signature = make([]byte, length)
	}
	return z, nil
}

// standInLength is the greatest length of a signature by the signer's key, if
// the object is a draft and the key is of ECDSA: two lints of zlint tell the
// signer's curve by that length. It is zero where the signature is to be left.
func standInLength(draft bool, signer *x509.Certificate) int {
	if !draft || signer == nil {
		return 0
	}
	key, ok := signer.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return 0
	}
	// ECDSA-Sig-Value is a SEQUENCE of two INTEGERs, each with room for a sign.
	integer := key.Curve.Params().BitSize/8 + 1
	content := 2 * (2 + integer)
	if content > 127 {
		return 3 + content // the length takes a second octet
	}
	return 2 + content
}
