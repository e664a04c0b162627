package tbs

import (
	"encoding/asn1"
	"fmt"
	"math/big"
)

const (
	oidDeltaCRL    = "2.5.29.27"
	oidFreshestCRL = "2.5.29.46"
)

// DeltaCRLIndicator makes a list one of changes since the complete list with
// this number (RFC 5280 §5.2.4). base is decimal.
func DeltaCRLIndicator(base string) (Extension, error) {
	n, ok := new(big.Int).SetString(base, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > maxSerialBits {
		return Extension{}, fmt.Errorf("base CRL number %q is not a decimal number below 2^159", base)
	}
	value, err := asn1.Marshal(n)
	return Extension{OID: oidDeltaCRL, Critical: true, Value: value}, err
}

// FreshestCRL says where the delta lists of a complete list are
// (RFC 5280 §5.2.6).
func FreshestCRL(urls []string) (Extension, error) {
	e, err := CRLDistributionPoints(urls)
	e.OID = oidFreshestCRL
	return e, err
}
