package main

import (
	"bytes"
	"fmt"
	"math/big"

	"pki.internal/lint/crlwalk"
	"pki.internal/plan/revocation"
	"pki.internal/plan/tbs"
)

// defaultDeltaValidFor suits a delta list between two complete ones.
const defaultDeltaValidFor = "1d"

// openBase reads the complete list that a delta list is held against. It is
// the issuer's, good, and the newest that relying parties may hold.
func (s *crlSigner) openBase() error {
	if s.o.deltaOf == "" {
		return nil
	}
	base, err := openCRL(s.o.deltaOf)
	if err != nil {
		return err
	}
	s.base = base
	if s.baseList, err = base.walk(nil); err != nil {
		return err
	}
	l := s.baseList
	switch {
	case l.Extension(crlwalk.OIDDelta) != nil:
		return fmt.Errorf("%s is a delta CRL itself; --delta-of names the complete one", s.o.deltaOf)
	case l.Number() == nil:
		return fmt.Errorf("%s has no number, so no delta can name it (RFC 5280 §5.2.4)", s.o.deltaOf)
	case !s.now.Before(l.NextUpdate):
		return fmt.Errorf("%s ended on %s; sign the complete CRL first", s.o.deltaOf, instant(l.NextUpdate))
	case !s.now.After(l.ThisUpdate):
		return fmt.Errorf("%s is of %s, and it is %s: a clock is wrong", s.o.deltaOf, instant(l.ThisUpdate), instant(s.now))
	}
	if err := l.CheckIssuer(s.issuer); err != nil {
		return fmt.Errorf("%s: %w", s.o.deltaOf, err)
	}
	// RFC 5280 §5.2.3: complete and delta lists share one sequence of numbers.
	s.raiseFloor(l.Number())
	return nil
}

func (s *crlSigner) raiseFloor(n *big.Int) {
	if n != nil && (s.floor == nil || n.Cmp(s.floor) > 0) {
		s.floor = n
	}
}

// readAbove raises the number above those of other lists of the same issuer
// and scope: deltas, when this is a complete one.
func (s *crlSigner) readAbove() error {
	for _, name := range s.o.above {
		file, err := openCRL(name)
		if err != nil {
			return err
		}
		list, err := file.walk(nil)
		file.Close()
		if err != nil {
			return err
		}
		if err := list.CheckIssuer(s.issuer); err != nil {
			return fmt.Errorf("--above %s: %w", name, err)
		}
		s.raiseFloor(list.Number())
	}
	return nil
}

// rightKind refuses to put a delta list in the place of a complete one, and
// the other way round.
func (s *crlSigner) rightKind(name string) error {
	isDelta := s.before.Extension(crlwalk.OIDDelta) != nil
	switch {
	case isDelta && s.baseList == nil:
		return fmt.Errorf("%s is a delta CRL; give the complete one", name)
	case !isDelta && s.baseList != nil:
		return fmt.Errorf("%s is a complete CRL, and a delta would take its place; give the delta a file of its own", name)
	}
	return nil
}

// deltaScope copies the base's: a delta list speaks of the same certificates
// (RFC 5280 §5.2.4).
func (s *crlSigner) deltaScope() (*tbs.Extension, error) {
	if len(s.o.urls) > 0 || s.o.only != "" {
		return nil, &usageError{fmt.Errorf("a delta has the scope of its base; leave --url and --only out")}
	}
	e := s.baseList.Extension(crlwalk.OIDIDP)
	if e == nil {
		return nil, nil
	}
	point := parseIDP(e.Value)
	if point == nil || point.Indirect || point.OnlyAttribute {
		return nil, fmt.Errorf("%s is an indirect CRL, or its issuing distribution point cannot be read", s.o.deltaOf)
	}
	s.onlyCA = point.OnlyCA
	return &tbs.Extension{OID: crlwalk.OIDIDP.String(), Critical: true, Value: e.Value}, nil
}

// kindExtensions gives what makes a list a delta, or says where its deltas are.
func (s *crlSigner) kindExtensions() ([]tbs.Extension, error) {
	if s.baseList != nil {
		if len(s.o.freshest) > 0 {
			return nil, &usageError{fmt.Errorf("--freshest belongs to the complete CRL (RFC 5280 §5.2.6)")}
		}
		e, err := tbs.DeltaCRLIndicator(s.baseList.Number().String())
		return []tbs.Extension{e}, err
	}
	if len(s.o.freshest) > 0 {
		e, err := tbs.FreshestCRL(s.o.freshest)
		return []tbs.Extension{e}, err
	}
	if s.before != nil {
		if e := s.before.Extension(crlwalk.OIDFreshest); e != nil {
			return []tbs.Extension{{OID: crlwalk.OIDFreshest.String(), Value: e.Value}}, nil
		}
	}
	return nil, nil
}

// held gives the list whose entries the new one is held against: the base of a
// delta, or the list before.
func (s *crlSigner) held() (*crlFile, *crlwalk.List) {
	if s.baseList != nil {
		return s.base, s.baseList
	}
	return s.previous, s.before
}

// again reads that list a second time and makes sure that it is still the same.
func (s *crlSigner) again(visit func(*crlwalk.Entry) error) error {
	file, first := s.held()
	list, err := file.walk(visit)
	if err != nil {
		return err
	}
	have, _ := list.Digest()
	want, _ := first.Digest()
	if !bytes.Equal(have, want) {
		return fmt.Errorf("%s changed while it was read; run the command again", file.name)
	}
	return nil
}

// rules are what the records are held against.
func (s *crlSigner) rules() revocation.Rules {
	return revocation.Rules{ThisUpdate: s.now.Unix(), OnlyCA: s.onlyCA, Delta: s.baseList != nil}
}
