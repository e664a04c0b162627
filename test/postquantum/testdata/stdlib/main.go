//go:build go1.27

// The cross-check of test/postquantum/next.sh: crypto/x509 of Go 1.27 and later
// knows ML-DSA, and judges what pki made with Go 1.26. Arguments: root.crt
// issuing.crt root.crl.pem issuing.crl.pem, in PEM.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

func block(name string) []byte {
	text, err := os.ReadFile(name)
	if err != nil {
		fail(err)
	}
	b, _ := pem.Decode(text)
	if b == nil {
		fail(fmt.Errorf("%s holds no PEM", name))
	}
	return b.Bytes
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func must[T any](v T, err error) T {
	if err != nil {
		fail(err)
	}
	return v
}

func main() {
	if len(os.Args) != 5 {
		fail(fmt.Errorf("usage: stdlib root.crt issuing.crt root.crl.pem issuing.crl.pem"))
	}
	root := must(x509.ParseCertificate(block(os.Args[1])))
	issuing := must(x509.ParseCertificate(block(os.Args[2])))
	roots := x509.NewCertPool()
	roots.AddCert(root)
	must(issuing.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: issuing.NotBefore, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}))
	for i, issuer := range []*x509.Certificate{root, issuing} {
		list := must(x509.ParseRevocationList(block(os.Args[3+i])))
		if err := list.CheckSignatureFrom(issuer); err != nil {
			fail(fmt.Errorf("%s: %w", os.Args[3+i], err))
		}
	}
	fmt.Printf("crypto/x509 verifies root (%s), issuing authority (%s) and both CRLs\n", root.SignatureAlgorithm, issuing.SignatureAlgorithm)
}
