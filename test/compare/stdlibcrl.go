//go:build ignore

// Stdlibcrl signs a CRL from openssl's index.txt with nothing but Go's
// standard library, as whoever has no better tool would: stdlibcrl CERT KEY
// INDEX OUT.
package main

import (
	"bufio"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log"
	"math/big"
	"os"
	"strings"
	"time"
)

func block(name string) []byte {
	text, err := os.ReadFile(name)
	if err != nil {
		log.Fatal(err)
	}
	b, _ := pem.Decode(text)
	return b.Bytes
}

func main() {
	issuer, err := x509.ParseCertificate(block(os.Args[1]))
	if err != nil {
		log.Fatal(err)
	}
	key, err := x509.ParseECPrivateKey(block(os.Args[2]))
	if err != nil {
		log.Fatal(err)
	}
	f, err := os.Open(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	reasons := map[string]int{"keyCompromise": 1, "superseded": 4, "cessationOfOperation": 5}
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().AddDate(0, 0, 7)}
	seen := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Split(lines.Text(), "\t")
		date, reason, _ := strings.Cut(fields[2], ",")
		at, err := time.Parse("060102150405Z", date)
		serial, ok := new(big.Int).SetString(fields[3], 16)
		if err != nil || !ok || seen[fields[3]] {
			log.Fatal(lines.Text(), err)
		}
		seen[fields[3]] = true
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: at, ReasonCode: reasons[reason]})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, issuer, key)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[4], der, 0o644); err != nil {
		log.Fatal(err)
	}
}
