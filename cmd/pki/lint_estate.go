package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"pki.internal/ceremony/ledger"
	"pki.internal/lint"
	"pki.internal/plan"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

// kindWhole is an estate with its ledger, beside the files that it is made of.
const kindWhole = "estate as a whole"

// holdsEstate reports whether files in a folder describe an estate.
func holdsEstate(dir string) bool {
	for _, suffix := range []string{hclspec.Suffix, hclspec.JSONSuffix} {
		if found, err := filepath.Glob(filepath.Join(dir, "*"+suffix)); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

// wholeEstate gives what is known of the estate in a folder, and of what was
// signed for it among everything that is judged. One that does not load, or
// whose ledger cannot be read, is said to be left out: pki validate and pki
// verify say what is wrong with it.
func (b *bench) wholeEstate(dir string, beside []gathered) (lint.Estate, bool) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.note("%s: %s; the estate was not judged as a whole", dir, err)
		return lint.Estate{}, false
	}
	defer root.Close()
	book, _, err := ledger.Load(root.FS(), ledgerName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.note("%s in %s cannot be read, and pki verify says why; the estate was not judged as a whole", ledgerName, dir)
		return lint.Estate{}, false
	}
	var state plan.State
	if book != nil {
		state = book.State()
	}
	loaded, diags := hclspec.Load(root.FS(), state.Variables)
	if diags.HasErrors() {
		b.note("the estate in %s does not load, and pki validate says why; it was not judged as a whole", dir)
		return lint.Estate{}, false
	}
	facts := plan.EstateFacts(loaded.Estate, state, b.now)
	drift := plan.Drift(loaded.Estate, state)
	for i, a := range facts.Authorities {
		facts.Authorities[i].Differs = drift[a.Address]
	}
	if book != nil && len(book.Entries) > 0 {
		facts.Ledger = &lint.LedgerFacts{Signed: signedFor(loaded.Estate, state, beside), Logged: logged(book)}
	}
	return facts, true
}

func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(b.app.stderr, "note: "+format+"\n", args...)
}

// signedFor finds what keys signed that sign in ceremonies alone: those of
// authorities that have others below them and whose keys a ceremony made. An
// authority that issues leaves signs every day, and no ledger lists it.
func signedFor(e *spec.Estate, s plan.State, all []gathered) []lint.Artefact {
	var issuers []*x509.Certificate
	for _, a := range e.Authorities {
		have, _ := s.Authority(a.Address)
		for _, g := range have.Generations {
			if c, err := x509.ParseCertificate(g.Certificate()); err == nil && g.Key != nil && !g.Imported && !e.IssuesLeaves(a) {
				issuers = append(issuers, c)
			}
		}
	}
	var signed []lint.Artefact
	for _, g := range all {
		for _, issuer := range issuers {
			if isSignedBy(g, issuer) {
				signed = append(signed, lint.Artefact{Name: g.label(), SHA256: sha256Hex(g.der)})
				break
			}
		}
	}
	return signed
}

func isSignedBy(g gathered, issuer *x509.Certificate) bool {
	switch g.kind {
	case kindCertificate:
		c, err := x509.ParseCertificate(g.der)
		return err == nil && bytes.Equal(c.RawIssuer, issuer.RawSubject) && public.CheckIssued(c, issuer) == nil
	case kindCRL:
		l, err := x509.ParseRevocationList(g.der)
		return err == nil && bytes.Equal(l.RawIssuer, issuer.RawSubject) && public.CheckList(l, issuer) == nil
	}
	return false
}

// logged gives the digest of everything signed that a ledger has.
func logged(book *ledger.Book) []string {
	var all []string
	for _, e := range book.Entries {
		if e.Fact == nil {
			continue
		}
		for _, signed := range []*plan.Signed{e.Fact.Certificate, e.Fact.CRL, e.Fact.Sealed} {
			switch {
			case signed == nil:
			case signed.DER != nil:
				all = append(all, sha256Hex(signed.DER))
			default:
				all = append(all, signed.SHA256)
			}
		}
		if a := e.Fact.Adopted; a != nil {
			all = append(all, sha256Hex(a.Certificate))
		}
	}
	return all
}
