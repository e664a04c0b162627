package main

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"pki.internal/plan"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// classTitle says what a class of change is, with a symbol for the eye. The
// words alone say everything.
func classTitle(c plan.Class) (symbol, words string) {
	switch c {
	case plan.NewCRL:
		return "~", "new CRL, same key"
	case plan.NewCertificate:
		return "~", "new certificate, same key"
	case plan.NewKey:
		return "-/+", "new key"
	case plan.NewRoot:
		return "-/+", "new root"
	case plan.Renamed:
		return "~", "moved, nothing is signed"
	case plan.Retired:
		return "-", "no longer described, nothing is destroyed"
	}
	return "?", string(c)
}

// printChanges writes what becomes of what is there already: each attribute
// before and after, what feels it, and how the new certificate differs from
// the one before.
func (a *app) printChanges(w io.Writer, p *plan.Plan) {
	for _, c := range p.Changes {
		symbol, words := classTitle(c.Class)
		fmt.Fprintf(w, "\n%5s  %s: %s\n", symbol, c.Address, words)
		if c.Why != "" {
			fmt.Fprintf(w, "       %s\n", wrap(sentence(c.Why), a.width-7, "       "))
		}
		a.printDifferences(w, c.Attributes)
		if replaces := blastSentence(c); replaces != "" {
			fmt.Fprintf(w, "       %s\n", wrap(replaces, a.width-7, "       "))
		}
		a.printAgainstPrevious(w, p, c)
	}
}

// printDifferences writes one attribute to a line, or to three when the line
// would be too long.
func (a *app) printDifferences(w io.Writer, all []plan.Difference) {
	longest := 0
	for _, d := range all {
		longest = max(longest, utf8.RuneCountInString(d.Name))
	}
	for _, d := range all {
		line := fmt.Sprintf("       %-*s  %s → %s", longest, d.Name, sideOf(d.Before), sideOf(d.After))
		if utf8.RuneCountInString(line) <= a.width {
			fmt.Fprintln(w, line)
			continue
		}
		fmt.Fprintf(w, "       %s\n         before: %s\n         after:  %s\n", d.Name,
			wrap(sideOf(d.Before), a.width-17, "                 "), wrap(sideOf(d.After), a.width-17, "                 "))
	}
}

func sideOf(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

// blastSentence says what feels a change, with names where they are few.
func blastSentence(c plan.Change) string {
	if c.Blast == nil {
		return ""
	}
	names := addressWords(slices.Concat(c.Blast.Authorities, c.Blast.OnlineCAs))
	const few = 12
	if len(c.Blast.Authorities)+len(c.Blast.OnlineCAs) > few {
		names = ""
	}
	if names != "" {
		names = " (" + names + ")"
	}
	switch {
	case c.Class == plan.NewRoot && c.Blast.Leaves:
		return "This replaces the root: " + c.Blast.String() + names + ". Relying parties must take the new root into their trust stores first."
	case c.Class == plan.NewRoot:
		return "Relying parties hold the old certificate; the new one has the same key. It concerns " + c.Blast.String() + names + "."
	case c.Class == plan.NewKey:
		return "This replaces the key above " + c.Blast.String() + names + ". What the old key signed counts until it ends or is revoked."
	case c.Class == plan.NewCRL:
		return "What is revoked takes " + c.Blast.String() + names + " with it: tell whoever relies on them, and stop what they run."
	}
	return "It concerns " + c.Blast.String() + names + "."
}

func addressWords(all []spec.Address) string {
	words := make([]string, 0, len(all))
	for _, a := range all {
		words = append(words, a.String())
	}
	return strings.Join(words, ", ")
}

// printAgainstPrevious compares a new certificate with the one that it takes
// the place of, field by field.
func (a *app) printAgainstPrevious(w io.Writer, p *plan.Plan, c plan.Change) {
	for _, number := range c.Actions {
		action := p.Actions[number-1]
		if action.SignCertificate == nil || action.SignCertificate.Previous == nil {
			continue
		}
		found, err := againstPrevious(action)
		if err != nil {
			fmt.Fprintf(w, "       The certificate before cannot be compared: %s.\n", err)
			continue
		}
		if len(found) == 0 {
			fmt.Fprintf(w, "       The new certificate says the same as the one before.\n")
			continue
		}
		fmt.Fprintf(w, "       The new certificate is the same as the one before except:\n")
		a.printDifferences(w, found)
	}
}

// againstPrevious lists the fields in which a planned certificate differs from
// the one before.
func againstPrevious(action plan.Action) ([]plan.Difference, error) {
	before, err := x509.ParseCertificate(action.SignCertificate.Previous)
	if err != nil {
		return nil, err
	}
	der := action.SignCertificate.Preview
	if action.SignCertificate.TBS != nil {
		if der, err = tbs.Draft(action.SignCertificate.TBS, action.SignCertificate.Issuer.Algorithm); err != nil {
			return nil, err
		}
	}
	after, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	was, is := describeCertificate(before), describeCertificate(after)
	if action.SignCertificate.TBS == nil {
		maskOpen(is, action)
	}
	var found []plan.Difference
	if !bytes.Equal(before.RawSubjectPublicKeyInfo, after.RawSubjectPublicKeyInfo) && action.SignCertificate.Subject.MadeBy == 0 {
		found = append(found, plan.Difference{Name: "Public key", Before: "SPKI SHA-256 " + sha256Hex(before.RawSubjectPublicKeyInfo), After: "SPKI SHA-256 " + sha256Hex(after.RawSubjectPublicKeyInfo)})
	}
	for _, f := range was {
		now := valueOf(is, f.Name)
		if now != f.Value {
			found = append(found, plan.Difference{Name: f.Name, Before: f.Value, After: now})
		}
	}
	for _, f := range is {
		if valueOf(was, f.Name) == "" {
			found = append(found, plan.Difference{Name: f.Name, After: f.Value})
		}
	}
	return found, nil
}

func valueOf(fields []field, name string) string {
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}
