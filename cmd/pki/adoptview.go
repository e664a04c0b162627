package main

import (
	"crypto/x509"
	"fmt"

	"pki.internal/plan"
	"pki.internal/spec"
)

// adoptRows says what is taken in.
func adoptRows(k *plan.AdoptAction) []string {
	rows := []string{}
	if c, err := x509.ParseCertificate(k.Certificate); err == nil {
		for _, f := range describeCertificate(c) {
			rows = append(rows, "       "+f.Name+"\t"+f.Value)
		}
	}
	rows = append(rows, "       SHA-256\t"+sha256Hex(k.Certificate))
	where := "elsewhere; nothing can be signed with it here"
	if k.Key != nil {
		where = k.Key.Store.String() + ", " + k.Key.Location
	} else if k.Held != (spec.Address{}) {
		where = k.Held.String() + ", as the ledger has it"
	}
	rows = append(rows, "       Its key\t"+where)
	if k.CRL != nil {
		rows = append(rows, "       Last CRL\tnumber "+k.CRLNumber+"; the next has a higher one")
	}
	if len(k.Issued) > 0 {
		revoked := 0
		for _, one := range k.Issued {
			if one.Revoked != nil {
				revoked++
			}
		}
		rows = append(rows, fmt.Sprintf("       Issued\t%s, %d of them revoked", count(len(k.Issued), "certificate"), revoked))
	}
	return append(rows, "       Signs\tnothing")
}
