package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"pki.internal/ceremony"
	"pki.internal/plan/revocation"
	"pki.internal/spec"
)

// compile reads what is revoked and writes the entries into the draft.
func (s *crlSigner) compile(ctx context.Context, draft *crlDraft) error {
	previous, done, err := s.previousEntries()
	if err != nil {
		return err
	}
	defer done()
	if err = s.compileInOrder(ctx, draft, previous); errors.Is(err, revocation.ErrUnordered) {
		err = s.compileSorted(ctx, draft, previous)
	}
	if err != nil {
		return err
	}
	return s.gate(s.summary.Objections)
}

// compileInOrder takes records as they are read, for as long as they come in
// the order of a CRL. It is for one file, which can be read again when they do
// not; everything else is unordered.
func (s *crlSigner) compileInOrder(ctx context.Context, draft *crlDraft, previous *revocation.Previous) error {
	if s.shared != nil || len(s.o.revoked) != 1 || len(s.blocks) > 0 {
		return revocation.ErrUnordered
	}
	info, err := os.Stat(s.o.revoked[0])
	if err != nil || !info.Mode().IsRegular() {
		return revocation.ErrUnordered // - is no file; and what is missing is said where it is read
	}
	how, err := s.forCertificates()
	if err != nil {
		return err
	}
	records := revocation.NewStream(func(emit func(*revocation.Record) error) error {
		return readRevocations(ctx, s.o.revoked[0], how, emit)
	})
	defer records.Close()
	if !records.Begins() {
		return revocation.ErrUnordered
	}
	err = s.merge(records, previous, draft)
	if errors.Is(err, revocation.ErrUnordered) {
		err = errors.Join(err, draft.restart())
	}
	return err
}

// compileSorted takes records in any order from any number of places.
func (s *crlSigner) compileSorted(ctx context.Context, draft *crlDraft, previous *revocation.Previous) error {
	records := s.shared
	if records == nil {
		own, done, err := s.readRevoked(ctx)
		if err != nil {
			return err
		}
		defer done()
		records = own
	}
	sorted, err := records.Sorted()
	if err != nil {
		return err
	}
	return s.merge(sorted, previous, draft)
}

// merge holds the records against the list before and writes the entries.
func (s *crlSigner) merge(records revocation.Source, previous *revocation.Previous, draft *crlDraft) error {
	rules := s.rules()
	known, done, err := s.readIssued()
	if err != nil {
		return err
	}
	defer done()
	rules.Keep = s.keep(known)
	if s.o.shardBy != "issued" || s.shared == nil {
		rules.Issued = known
	}
	s.summary, err = revocation.Compile(records, previous, rules, draft)
	if errors.Is(err, revocation.ErrCAReason) && s.o.only == "" {
		err = fmt.Errorf("%w; if %q signs certificates of others than CAs too, say --only all", err, s.issuer.Subject)
	}
	return err
}

// forCertificates says when and why certificates are revoked that --revoked
// names.
func (s *crlSigner) forCertificates() (revocation.ForCertificates, error) {
	how := revocation.ForCertificates{Date: s.now.Unix(), Issuer: s.issuer, Given: s.o.reason != "", Check: s.bound}
	var err error
	if how.Given {
		if how.Reason, err = spec.ParseReason(s.o.reason); err != nil {
			return how, &usageError{fmt.Errorf("--reason: %w", err)}
		}
	}
	if s.o.date != "" {
		at, err := time.Parse(time.RFC3339, s.o.date)
		if err != nil {
			return how, &usageError{fmt.Errorf("--date %s: write it as 2026-12-01T09:00:00Z", s.o.date)}
		}
		how.Date = at.Unix()
	}
	return how, nil
}

// readRevoked reads all input into a sorter.
func (s *crlSigner) readRevoked(ctx context.Context) (*revocation.Sorter, func(), error) {
	how, err := s.forCertificates()
	if err != nil {
		return nil, nil, err
	}
	file, err := scratch(s.o.out)
	if err != nil {
		return nil, nil, err
	}
	sorter := revocation.NewSorter(file)
	for _, name := range s.o.revoked {
		if err := readRevocations(ctx, name, how, sorter.Add); err != nil {
			file.Close()
			return nil, nil, err
		}
	}
	if err := s.addBlocks(sorter); err != nil {
		file.Close()
		return nil, nil, err
	}
	return sorter, func() { file.Close() }, nil
}

// addBlocks takes the estate's revocation blocks along.
func (s *crlSigner) addBlocks(sorter *revocation.Sorter) error {
	for _, e := range s.blocks {
		serial, err := revocation.ParseSerial(e.Serial)
		if err != nil {
			return err
		}
		r := revocation.Record{Serial: serial, Date: e.Date.Unix(), Reason: spec.Reason(e.Reason), Expires: revocation.Unknown, Invalidity: revocation.Unknown}
		if err := sorter.Add(&r); err != nil {
			return err
		}
	}
	return nil
}

// readIssued reads and sorts the serial numbers that the issuer has used, nil
// when nobody gives them.
func (s *crlSigner) readIssued() (*revocation.Known, func(), error) {
	if s.o.issued == "" {
		return nil, func() {}, nil
	}
	in, err := os.Open(s.o.issued)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	file, err := scratch(s.o.out)
	if err != nil {
		return nil, nil, err
	}
	sorter := revocation.NewSorter(file)
	err = revocation.ReadIssued(in, func(serial revocation.Serial, shard int) error {
		if s.o.shardBy != "issued" {
			shard = revocation.NoShard
		}
		r := revocation.IssuedRecord(serial, shard)
		return sorter.Add(&r)
	})
	var merge *revocation.Merge
	if err == nil {
		merge, err = sorter.Sorted()
	}
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("%s: %w", s.o.issued, err)
	}
	return revocation.NewKnown(merge), func() { file.Close() }, nil
}

func readRevocations(ctx context.Context, name string, how revocation.ForCertificates, emit func(*revocation.Record) error) error {
	in := os.Stdin
	label := "standard input"
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in, label = f, name
	}
	read := 0
	form, err := revocation.Read(in, how, func(r *revocation.Record) error {
		if read++; read%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return emit(r)
	})
	if err != nil && form != "" {
		return fmt.Errorf("%s, read as %s: %w", label, form, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", label, err)
	}
	return nil
}

// previousEntries gives the list before by ascending serial number, sorted in
// a scratch file when it is not.
func (s *crlSigner) previousEntries() (*revocation.Previous, func(), error) {
	_, before := s.held()
	if before == nil {
		return nil, func() {}, nil
	}
	if before.Sorted {
		return revocation.FromList(before, s.again), func() {}, nil
	}
	file, err := scratch(s.o.out)
	if err != nil {
		return nil, nil, err
	}
	sorter := revocation.NewSorter(file)
	unsorted := revocation.FromList(before, s.again)
	if err := unsorted.Each(sorter.Add); err != nil {
		file.Close()
		return nil, nil, err
	}
	sorted := &revocation.Previous{ThisUpdate: unsorted.ThisUpdate, Entries: unsorted.Entries, Each: sorter.Each}
	return sorted, func() { file.Close() }, nil
}

// gate stops a list that must not replace the one before, unless somebody says
// why it must.
func (s *crlSigner) gate(objections []revocation.Objection) error {
	if len(objections) == 0 {
		return nil
	}
	if s.o.force != "" {
		s.forced = append(s.forced, objections...)
		return nil
	}
	var text []string
	for _, o := range objections {
		text = append(text, fmt.Sprintf("%s (%s)", o.Detail, o.Rule))
	}
	return &ceremony.Refusal{
		Fact: "the CRL must not replace the one before: " + strings.Join(text, "; "),
		Next: afterObjection(objections[0].Rule) + "; or say why it is right with --force REASON",
	}
}

// afterObjection says what to do about the first thing that a gate found.
func afterObjection(rule string) string {
	switch rule {
	case revocation.RuleIssuer:
		return "give this issuer's own newest CRL with --previous, and move away what is at --out"
	case revocation.RuleDates:
		return "set this host's clock right (timedatectl), and leave --valid-for as it was"
	case revocation.RuleScope:
		return "leave --url and --only out, so that the list keeps its distribution point"
	}
	return "mend the input: run the query again, or let the list before carry its entries over (--revoked with the CRL itself)"
}
