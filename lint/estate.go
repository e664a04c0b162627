package lint

import "time"

// Estate is the plain facts of an estate, of a ceremony and of a ledger, as far
// as they are known. A rule whose facts are missing does not apply.
type Estate struct {
	// Production says that what is made is meant to be trusted.
	Production bool
	// Authorities are the authorities that the estate has or is to have.
	Authorities []EstateAuthority
	// ShareSets are the secrets that are split.
	ShareSets []ShareSet
	// People have roles in the ceremony.
	People []Person
	// Keys are objects on tokens, as the tokens describe them.
	Keys []TokenKey
	// Texts are the files that people wrote.
	Texts []File
	// Ceremony is nil when none is planned.
	Ceremony *CeremonyFacts
	// Ledger is nil when there is none.
	Ledger *LedgerFacts
}

// EstateAuthority is one authority.
type EstateAuthority struct {
	// Address is such as authority.root; Issuer is empty for a root.
	Address, Issuer string
	// Algorithm is that of its key, such as ecdsa-p384 or rsa-4096.
	Algorithm string
	// NotBefore and NotAfter are its certificate's.
	NotBefore, NotAfter time.Time
	// IssuesLeaves says that it signs certificates of no authority.
	IssuesLeaves bool
	// LongestChildDays is the longest life of what it signs.
	LongestChildDays int
	// Successor takes over on SuccessorFrom; empty when nobody is planned to.
	Successor     string
	SuccessorFrom time.Time
	// Differs says in which words the estate describes another certificate than
	// the one that was made from it.
	Differs []string
}

// ShareSet is a secret that is split among people.
type ShareSet struct {
	Address   string
	Threshold int
	Holders   []Holder
}

// Holder keeps shares.
type Holder struct {
	Name string
	// Site is where the shares lie; empty when unknown.
	Site   string
	Shares int
}

// Person has roles, such as administrator, witness, operator, custodian.
type Person struct {
	Name  string
	Roles []string
}

// TokenKey is a private key on a token, as PKCS #11 describes it.
type TokenKey struct {
	// Address is the key's owner, such as authority.root.
	Address string
	// Token is the token's label, Model what it says it is.
	Token, Model string
	// Label, ID and PublicID are CKA_LABEL, CKA_ID and the CKA_ID of the public
	// half; empty when unknown.
	Label, ID, PublicID string
	// The attributes of the same names.
	Extractable, Sensitive, NeverExtractable bool
	// Sealed says that a ceremony made copies of the key under another key and
	// ended then that it can leave: NeverExtractable is false by right.
	Sealed bool
	// Copies is how many other tokens or wrapped files hold the key.
	Copies int
	// Single says that the estate wants no copy, knowing what that means.
	Single bool
}

// CeremonyFacts is what is known of a ceremony.
type CeremonyFacts struct {
	// Digest is that of the plan; Rehearsed are the digests of the plans that
	// were rehearsed.
	Digest    string
	Rehearsed []string
	// ClockReaders are the people who read the clock aloud before the first
	// signature.
	ClockReaders []string
	// Tools are the programs and images that are used.
	Tools []Tool
	// Network is the interfaces that are up, but for the loopback.
	Network []string
	// SplitsSecret says that the ceremony makes shares, SharesTried that it puts
	// them together again and opens the secret before it ends.
	SplitsSecret, SharesTried bool
}

// Tool is a program, module or image.
type Tool struct {
	Name string
	// Pinned and Actual are SHA-256 in hexadecimal.
	Pinned, Actual string
}

// LedgerFacts is what is known of a ledger.
type LedgerFacts struct {
	// Signed are artefacts that verify under a key of the estate.
	Signed []Artefact
	// Logged is the SHA-256 of every artefact in the ledger, in hexadecimal.
	Logged []string
	// Leaves are the leaf hashes of the ledger's tree, in hexadecimal.
	Leaves []string
	// Witnessed is the newest head that somebody outside has seen.
	Witnessed Head
}

// Artefact is something signed.
type Artefact struct{ Name, SHA256 string }

// Head is the head of a tree (RFC 6962 §2.1).
type Head struct {
	Size int
	Root string
}

// Estate judges the facts of an estate. When the clock is zero, rules about
// time do not apply. The findings are sorted and never show a secret.
func (l *Linter) Estate(e Estate, now time.Time) []Finding {
	findings := l.run(ObjectEstate, &object{now: now, estate: &e})
	sortFindings(findings)
	return findings
}
