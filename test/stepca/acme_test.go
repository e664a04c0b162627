package stepca_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/crypto/acme"
)

// orderTLSALPN gets a certificate for localhost over ACME, proving the name
// with tls-alpn-01 (RFC 8737), and gives the chain as PEM.
func (b *bench) orderTLSALPN(t *testing.T, csr []byte) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	client := &acme.Client{Key: key, HTTPClient: b.client, DirectoryURL: b.ports.caURL() + "/acme/web/directory"}
	if _, err := client.Register(ctx, &acme.Account{}, acme.AcceptTOS); err != nil {
		t.Fatal(err)
	}
	order, err := client.AuthorizeOrder(ctx, acme.DomainIDs("localhost"))
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range order.AuthzURLs {
		b.answerTLSALPN(ctx, t, client, url)
	}
	if order, err = client.WaitOrder(ctx, order.URI); err != nil {
		t.Fatal(err)
	}
	chain, _, err := client.CreateOrderCert(ctx, order.FinalizeURL, csr, true)
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for _, der := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return text
}

func (b *bench) answerTLSALPN(ctx context.Context, t *testing.T, client *acme.Client, url string) {
	t.Helper()
	authorization, err := client.GetAuthorization(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	var offered []string
	for _, c := range authorization.Challenges {
		offered = append(offered, c.Type)
	}
	slices.Sort(offered)
	// step-ca would offer dns-01 too, had the list of the HCL been lost.
	if want := []string{"http-01", "tls-alpn-01"}; !slices.Equal(offered, want) {
		t.Fatalf("step-ca offers the challenges %v, and the HCL says %v", offered, want)
	}
	challenge := authorization.Challenges[slices.IndexFunc(authorization.Challenges, func(c *acme.Challenge) bool { return c.Type == "tls-alpn-01" })]
	proof, err := client.TLSALPN01ChallengeCert(challenge.Token, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", b.ports.ACMETLS), &tls.Config{
		Certificates: []tls.Certificate{proof}, NextProtos: []string{acme.ALPNProto},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return // closed
			}
			connection.(*tls.Conn).Handshake() // all that the proof needs
			connection.Close()
		}
	}()
	if _, err := client.Accept(ctx, challenge); err != nil {
		t.Fatal(err)
	}
	if _, err := client.WaitAuthorization(ctx, url); err != nil {
		t.Fatal(err)
	}
}
