package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"strings"
	"time"

	"pki.internal/ceremony"
	"pki.internal/lint/crlwalk"
	"pki.internal/plan"
	"pki.internal/plan/revocation"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// head settles what the list says of itself.
func (s *crlSigner) head() error {
	if err := s.chooseNumber(); err != nil {
		return err
	}
	next, err := s.nextUpdate()
	if err != nil {
		return err
	}
	choose := s.chooseScope
	if s.baseList != nil {
		choose = s.deltaScope
	}
	idp, err := choose()
	if err != nil {
		return err
	}
	keyID, err := tbs.FixedAuthorityKeyID(s.issuer.SubjectKeyId)
	if err != nil {
		return err
	}
	number, err := tbs.CRLNumber(s.number.String())
	if err != nil {
		return err
	}
	s.template = tbs.CRL{
		Signature: s.algorithm, Issuer: s.issuer.RawSubject, ThisUpdate: s.now, NextUpdate: next,
		Extensions: []tbs.Extension{keyID, number},
	}
	kind, err := s.kindExtensions()
	if err != nil {
		return err
	}
	s.template.Extensions = append(s.template.Extensions, kind...)
	if idp != nil {
		s.template.Extensions = append(s.template.Extensions, *idp)
		s.scope = idp.Value
	}
	if s.before == nil {
		return nil
	}
	return s.gate(revocation.Succession(revocation.Head{ThisUpdate: s.now, NextUpdate: next, Scope: s.scope}, s.before, s.signed))
}

func (s *crlSigner) chooseNumber() error {
	var wanted *big.Int
	if s.o.number != "" {
		var ok bool
		if wanted, ok = new(big.Int).SetString(s.o.number, 10); !ok || wanted.Sign() <= 0 {
			return &usageError{fmt.Errorf("--number %s: write a decimal number above 0", s.o.number)}
		}
	}
	if s.before == nil {
		if wanted == nil && s.baseList != nil {
			s.number = new(big.Int).Add(s.floor, big.NewInt(1))
			return nil
		}
		if wanted == nil {
			return &ceremony.Refusal{
				Fact: fmt.Sprintf("there is no CRL at %s and no --previous, so nobody knows which numbers were used", s.o.out),
				Next: s.firstNumber(),
			}
		}
		s.number = wanted
		return s.above(false)
	}
	if s.o.force == "" { // what is forced is told together with the rest
		if err := s.gate(revocation.Stranger(s.signed)); err != nil {
			return err
		}
	}
	var err error
	if s.number, err = revocation.NextNumber(s.before, wanted); err != nil {
		next := "leave --number out, or give a higher one"
		if wanted == nil {
			next = "no higher number exists: give the issuer a new key, and sign with that (RFC 5280 §5.2.3)"
		}
		if s.signed != nil {
			next = "the list before is a stranger's, so its number says nothing: give the issuer's own newest CRL with --previous"
		}
		return &ceremony.Refusal{Fact: err.Error(), Next: next}
	}
	s.aboveUnpublished(wanted == nil)
	return s.above(wanted == nil)
}

// above keeps the number above the ledger's.
func (s *crlSigner) above(free bool) error {
	floor := s.floor
	if floor == nil || s.number.Cmp(floor) > 0 {
		return nil
	}
	if !free {
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("number %s is not above %s, which was used already (in the ledger, or in a CRL that --above or --delta-of names)", s.number, floor),
			Next: "give a higher --number",
		}
	}
	s.number = new(big.Int).Add(floor, big.NewInt(1))
	return nil
}

// ledgerNumber gives the number of the newest CRL that a ledger in the folder
// has of this key, nil when there is none. A root's key of that ledger is a
// ceremony key: without a plan nothing signs with it.
func (s *crlSigner) ledgerNumber() (*big.Int, error) {
	root, err := s.folder()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if _, err := root.Stat(ledgerName); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	book, err := s.book(root)
	if err != nil {
		return nil, err
	}
	have, known := book.State().OwnerOf(s.issuer.RawSubjectPublicKeyInfo)
	if !known {
		return nil, nil
	}
	if have.Issuer == have.Address {
		return nil, &ceremony.Refusal{
			Fact: fmt.Sprintf("this is the key of %s, a root in the ledger here, and root keys sign in ceremonies", plan.Label(have.Address, have.Generation)),
			Next: "plan the CRL: " + s.self() + " plan --out plan.json",
		}
	}
	number, _ := new(big.Int).SetString(have.HighestCRL, 10) // nil before the first
	return number, nil
}

// aboveUnpublished skips the number of a list that a killed run signed and did
// not publish: one number never names two lists.
func (s *crlSigner) aboveUnpublished(free bool) {
	for _, name := range []string{draftName(s.o.out), s.o.out + ".new"} {
		left, err := openCRL(name)
		if err != nil {
			continue
		}
		list, err := left.walk(nil)
		left.Close()
		if err != nil || list.CheckIssuer(s.issuer) != nil {
			continue
		}
		if used := list.Number(); free && used != nil && used.Cmp(s.number) >= 0 && used.BitLen() < 159 {
			s.number = new(big.Int).Add(used, big.NewInt(1))
		}
	}
}

// defaultValidFor suits an authority that signs on a timer: a week is enough
// to notice a broken timer, and no more.
const defaultValidFor = "7d"

func (s *crlSigner) nextUpdate() (time.Time, error) {
	text := s.o.validFor
	if text == "" && s.before != nil && !s.before.NextUpdate.IsZero() {
		return s.now.Add(s.before.NextUpdate.Sub(s.before.ThisUpdate)), nil
	}
	switch {
	case s.baseList != nil && text == "":
		text = defaultDeltaValidFor
	case text == "":
		text = defaultValidFor
	}
	d, err := spec.ParseDuration(text)
	if err != nil {
		return time.Time{}, &usageError{fmt.Errorf("--valid-for: %w", err)}
	}
	return d.Last(s.now), nil
}

// chooseScope gives the issuing distribution point: from the flags, or as in
// the list before.
func (s *crlSigner) chooseScope() (*tbs.Extension, error) {
	root := bytes.Equal(s.issuer.RawSubject, s.issuer.RawIssuer)
	switch s.o.only {
	case "":
		s.onlyCA = root
	case "ca":
		s.onlyCA = true
	case "all":
	default:
		return nil, &usageError{fmt.Errorf("--only %s: use ca or all", s.o.only)}
	}
	if len(s.o.urls) == 0 && s.o.only == "" && s.before != nil {
		e := s.before.Extension(crlwalk.OIDIDP)
		if e == nil {
			s.onlyCA = false
			return nil, nil
		}
		point := parseIDP(e.Value)
		if point == nil || point.Indirect || point.OnlyAttribute {
			return nil, fmt.Errorf("the list before is an indirect CRL, or its issuing distribution point cannot be read; give --url or --only")
		}
		s.onlyCA = point.OnlyCA
		return &tbs.Extension{OID: crlwalk.OIDIDP.String(), Critical: true, Value: e.Value}, nil
	}
	for _, u := range s.o.urls {
		// RFC 5280 §8: a CRL over https makes its own check depend on itself.
		if !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "ldap://") {
			return nil, &usageError{fmt.Errorf("--url %s: CRLs are fetched over http://", u)}
		}
	}
	if len(s.o.urls) == 0 && !s.onlyCA {
		return nil, nil
	}
	idp, err := tbs.IssuingDistributionPoint(s.o.urls, s.onlyCA)
	return &idp, err
}

// firstNumber says how a first CRL comes to its number.
func (s *crlSigner) firstNumber() string {
	if s.described != nil {
		return fmt.Sprintf("publish the newest one at %s first; if that is the ceremony's, cp %s %s", s.o.out, "crls/"+s.described.Address.FileName()+".crl", s.o.out)
	}
	return "get the newest published CRL and give it with --previous; if there never was one, say --number 1"
}
