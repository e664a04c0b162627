package main

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"pki.internal/ceremony"
	"pki.internal/hsm"
	"pki.internal/plan"
	"pki.internal/spec"
)

// fromEstate takes from the estate and the ledger what the command line names
// when it stands alone: certificate, key, URLs, lifetimes and revocations. Only
// an authority whose CRLs the estate leaves to this command has any of that
// here; whatever signs in ceremonies is reached through a plan alone.
func (s *crlSigner) fromEstate(ctx context.Context, root *os.Root, name string) error {
	if s.o.issuer != "" || s.o.key != "" {
		return &usageError{errors.New("an authority of the estate has its certificate and its key; leave --issuer and --key out")}
	}
	book, err := s.book(root)
	if err != nil {
		return err
	}
	state := book.State()
	estate, err := s.load(root, state.Variables)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(estate.Authorities, func(a *spec.Authority) bool {
		return names(name, a.Address)
	})
	if i < 0 {
		return fmt.Errorf("the estate has no authority %q; pki validate shows what it has", name)
	}
	authority := estate.Authorities[i]
	if authority.CRL == nil || !authority.CRL.OnTimer {
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("the CRLs of %s are not signed on a timer, so its key is reached through a plan alone", authority.Address),
			Next: "plan the CRL: " + s.self() + " plan --out plan.json; or write on_timer = true into its crl block, when the key is used between ceremonies anyway",
		}
	}
	have, _ := state.Authority(authority.Address)
	if have.Certificate == nil || have.Key == nil {
		return &ceremony.Refusal{Fact: fmt.Sprintf("the ledger has no certificate and key of %s yet", authority.Address), Next: "hold its first ceremony: " + s.self() + " plan --out plan.json"}
	}
	if s.issuer, err = x509.ParseCertificate(have.Certificate); err != nil {
		return err
	}
	entries, diags := plan.RevokedBy(estate, state, authority, s.now)
	if diags.HasErrors() {
		return diags
	}
	s.blocks = entries
	s.described = authority
	if s.o.deltaOf != "" {
		return s.estateKey(ctx, root, estate, authority, have)
	}
	if len(s.o.urls) == 0 {
		s.o.urls = authority.CRL.URLs
	}
	if s.o.validFor == "" {
		s.o.validFor = authority.CRL.ValidFor.String()
	}
	if s.o.issueEvery == "" && !authority.CRL.IssueEvery.IsZero() {
		s.o.issueEvery = authority.CRL.IssueEvery.String()
	}
	return s.estateKey(ctx, root, estate, authority, have)
}

// names reports whether an argument means an authority: by its address, the
// address without its kind, or the name of its files, as units give it.
func names(argument string, a spec.Address) bool {
	return argument == a.String() || argument == strings.TrimPrefix(a.String(), "authority.") || argument == a.FileName()
}

// estateKey opens the key where the ledger says that it is.
func (s *crlSigner) estateKey(ctx context.Context, root *os.Root, e *spec.Estate, a *spec.Authority, have plan.Authority) error {
	store := a.Key.Store
	var secret []byte
	var err error
	switch {
	case store.Token != nil && s.o.passwordFile != "":
		return &usageError{errors.New("--password-file belongs to a key in a file; give a token's PIN with --pin-file")}
	case store.Token != nil && s.o.token.pinFile != "":
		secret, err = readPIN(ctx, s.o.token.pinFile, "")
	case store.Token == nil && s.o.passwordFile != "":
		secret, err = readPassword(s.o.passwordFile)
	case store.Password != nil:
		secret, err = askSecrets{root: root, environment: e.Environment, estate: e}.Secret(ctx, store.Password, false)
	}
	if err != nil {
		return err
	}
	defer clear(secret)
	opened, err := stores{root: root, lastTry: s.o.token.lastTry}.Open(ctx, store, secret)
	if err != nil {
		return fmt.Errorf("%s: %w", store.Address, err)
	}
	s.store = opened
	g, _ := have.At(have.Generation)
	k := g.Place(a)
	s.algorithm = k.Algorithm
	id, err := hex.DecodeString(k.KeyID)
	if err != nil {
		return err
	}
	s.key, err = opened.Find(ctx, hsm.KeySpec{ID: id, Label: k.Label, Location: k.Location, Algorithm: k.Algorithm.KeyType()}, s.issuer.RawSubjectPublicKeyInfo)
	return err
}
