package lint

// Limits of our own rules, each with its reason.
const (
	// minSerialBits is the entropy that CABF BR §7.1 asks of a serial number.
	// A number that is shorter cannot hold it.
	minSerialBits = 64
	// minRequestRSABits is 128-bit strength for an authority's key that will
	// be in use beyond 2030 (NIST SP 800-57 part 1, table 2).
	minRequestRSABits = 3072
	// maxListed is how many serial numbers a detail spells out: enough to find
	// the fault, and a message that still fits a screen.
	maxListed = 5
)
