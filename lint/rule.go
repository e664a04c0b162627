package lint

import (
	"slices"
	"time"
)

// Kinds of object that a [Rule] can judge.
const (
	// ObjectCertificate is judged by [Linter.Certificate].
	ObjectCertificate = "certificate"
	// ObjectCRL is judged by [Linter.CRL].
	ObjectCRL = "crl"
	// ObjectCSR is judged by [Linter.CSR].
	ObjectCSR = "csr"
	// ObjectStepCA is judged by [Linter.StepCA].
	ObjectStepCA = "step-ca"
	// ObjectOCSP is judged by [Linter.OCSP].
	ObjectOCSP = "ocsp"
	// ObjectSSH is judged by [Linter.SSH].
	ObjectSSH = "ssh"
	// ObjectEstate is judged by [Linter.Estate].
	ObjectEstate = "estate"
	// ObjectAny marks the rules about reading an object at all. They are
	// applied while parsing.
	ObjectAny = "any"
)

// Rule is one lint of ours.
type Rule struct {
	// ID names the rule for ever. Its prefix is its severity: e_, w_ or n_;
	// what follows says what it looks at: ca, root, ica (intermediate), crlx,
	// csr, caj, tmpl or unit (step-ca's ca.json, templates and unit), ocsp, ssh,
	// spec, plan or ledger.
	ID string
	// Severity is what the prefix says. Only e_unparsable is worse than its
	// prefix: it is Fatal, because nothing behind it was judged.
	Severity Severity
	// Object is the kind of object that the rule judges.
	Object string
	// Title is what the rule asks for, in one line.
	Title string
	// Harm is who was bitten where the rule was not kept, or what happens then.
	Harm string
	// Citation is where the rule is written.
	Citation string
	// Effective is the day from which the rule counts. It is compared with the
	// ceremony date, not with a date in the object: nobody gets out of a rule
	// by backdating. Without a clock every rule counts.
	Effective time.Time
	// Advice says how to mend a fault.
	Advice string

	// applies says whether the rule has anything to say about the object.
	applies func(*object) bool
	// check returns one detail for every fault.
	check func(*object) []string
}

// finding is the fault of this rule that detail describes.
func (r Rule) finding(detail string) Finding {
	return Finding{
		Lint: r.ID, Severity: r.Severity, Detail: detail,
		Citation: r.Citation, Advice: r.Advice, Harm: r.Harm, Source: SourcePKI,
	}
}

// object is what a rule gets to see. Exactly one of the pointers is set.
type object struct {
	// now is the clock that was handed in; zero when time rules do not apply.
	now  time.Time
	cert *certificate
	crl  *revocationList
	csr  *request
	tree *stepTree
	ssh  *sshCertificate
	ocsp *ocspResponse
	// estate is plain facts.
	estate *Estate
}

// allRules is every rule of ours in its fixed order.
func allRules() []Rule {
	return slices.Concat(
		readingRules(),
		authorityRules(),
		keyRules(),
		identityRules(),
		familyRules(),
		latticeRules(),
		weakKeyRules(),
		timestampRules(),
		dateRules(),
		rootRules(),
		rootShapeRules(),
		intermediateRules(),
		purposeRules(),
		placeRules(),
		urlRules(),
		nameRules(),
		scriptRules(),
		hostNameRules(),
		usageRules(),
		aloneRules(),
		purposeNameRules(),
		lifeRules(),
		constraintRules(),
		constraintShapeRules(),
		crossRules(),
		responderRules(),
		revocationRules(),
		entryRules(),
		revocationScopeRules(),
		revocationIssuerRules(),
		reachRules(),
		requestRules(),
		requestContentRules(),
		requestNameRules(),
		stepCARules(),
		serviceRules(),
		grantingRules(),
		schemaRules(),
		valueRules(),
		startRules(),
		looseRules(),
		openRules(),
		exposedRules(),
		templateRules(),
		grantRules(),
		unitRules(),
		unitLimitRules(),
		responseRules(),
		sshRules(),
		sshSignatureRules(),
		sshContentRules(),
		sshLifeRules(),
		estateRules(),
		ceremonyRules(),
		tokenRules(),
		roomRules(),
		bookRules(),
	)
}

// Days from which the rules count: those of the documents that wrote them
// down first.
var (
	// RFC 5280 was published in May 2008.
	rfc5280 = time.Date(2008, time.May, 1, 0, 0, 0, 0, time.UTC)
	// RFC 2986 was published in November 2000.
	rfc2986 = time.Date(2000, time.November, 1, 0, 0, 0, 0, time.UTC)
	// The first edition of NIST SP 800-57 part 1 is of August 2005.
	sp80057 = time.Date(2005, time.August, 1, 0, 0, 0, 0, time.UTC)
	// NIST SP 800-131A disallows SHA-1 in new signatures after the end of 2013.
	sp800131a = time.Date(2014, time.January, 1, 0, 0, 0, 0, time.UTC)
	// CA/Browser Forum ballot 164 (64 random bits in a serial number) counts
	// from 30 September 2016.
	ballot164 = time.Date(2016, time.September, 30, 0, 0, 0, 0, time.UTC)
	// ROCA (CVE-2017-15361) was published on 16 October 2017.
	roca = time.Date(2017, time.October, 16, 0, 0, 0, 0, time.UTC)
	// RFC 9881 was published in October 2025.
	rfc9881 = time.Date(2025, time.October, 1, 0, 0, 0, 0, time.UTC)
	// RFC 4210 was published in September 2005; RFC 9810 took its place.
	rfc4210 = time.Date(2005, time.September, 1, 0, 0, 0, 0, time.UTC)
	// RFC 6960 was published in June 2013.
	rfc6960 = time.Date(2013, time.June, 1, 0, 0, 0, 0, time.UTC)
	// RFC 3647 was published in November 2003.
	rfc3647 = time.Date(2003, time.November, 1, 0, 0, 0, 0, time.UTC)
	// RFC 6962 was published in June 2013.
	rfc6962 = time.Date(2013, time.June, 1, 0, 0, 0, 0, time.UTC)
	// OpenSSH 5.4, the first with certificates, is of 8 March 2010.
	openSSH = time.Date(2010, time.March, 8, 0, 0, 0, 0, time.UTC)
	// OpenSSH 8.2 is of 14 February 2020.
	openSSH82 = time.Date(2020, time.February, 14, 0, 0, 0, 0, time.UTC)
	// step-ca's first public release is of October 2018.
	stepCA = time.Date(2018, time.October, 1, 0, 0, 0, 0, time.UTC)
)
