package main

import (
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"pki.internal/ceremony/ledger"
	"pki.internal/lint"
	"pki.internal/plan"
)

// teller makes the report of one ceremony: the entries from its beginning to
// before the next one.
type teller struct {
	book     *ledger.Book
	from, to int // entries, counted from 0
	begun    *plan.Begun
	state    plan.State   // after them
	devices  []reportCell // of the key that comes next
}

func plainCell(format string, args ...any) reportCell {
	return reportCell{Text: fmt.Sprintf(format, args...)}
}
func leadCell(name any) reportCell    { return reportCell{Text: fmt.Sprint(name), Lead: true} }
func codeCell(text string) reportCell { return reportCell{Text: text, Code: true} }

func (t *teller) facts() []*plan.Event {
	var all []*plan.Event
	for _, e := range t.book.Entries[t.from:t.to] {
		if e.Fact != nil {
			all = append(all, e.Fact)
		}
	}
	return all
}

func (t *teller) tell(number, of int) (*report, error) {
	digest, err := hex.DecodeString(t.begun.PlanDigest)
	if err != nil {
		return nil, err
	}
	p := t.begun.Plan
	r := &report{
		Title:  fmt.Sprintf("Ceremony %d of the %s estate %q", number, p.Estate.Environment, p.Estate.Name),
		Number: number, Of: of, Digest: t.begun.PlanDigest,
	}
	words := plan.Words(digest)
	for line := range slices.Chunk(words, 8) {
		r.Words = append(r.Words, [8]string(line))
	}
	for _, e := range t.facts() {
		r.Finished, r.Aborted = r.Finished || e.Finished != nil, r.Aborted || e.Aborted != nil
	}
	summary, err := t.summary(r)
	if err != nil {
		return nil, err
	}
	r.Sections = append(r.Sections, summary, t.people(), t.steps(), t.keys(), t.certificates(), t.lists(), t.exceptions(r.Finished || r.Aborted), t.lint(), t.timeline(), t.manifest())
	r.Sections = slices.DeleteFunc(r.Sections, func(s section) bool { return len(s.Rows) == 0 && s.Note == "" })
	return r, nil
}

func (t *teller) summary(r *report) (section, error) {
	p, facts := t.begun.Plan, t.facts()
	first, last := facts[0].Time, facts[0].Time
	for _, e := range facts {
		if last = e.Time; e.Finished != nil || e.Aborted != nil {
			break
		}
	}
	end := plainCell("%s, after %s", instant(last), last.Sub(first).Round(time.Second))
	switch {
	case r.Aborted:
		end = plainCell("ABORTED, after %s", last.Sub(first).Round(time.Second))
	case !r.Finished:
		end = plainCell("NOT FINISHED; the last entry is of %s", instant(last))
	}
	tree, err := t.book.TreeHash(t.to)
	if err != nil {
		return section{}, err
	}
	before, after := p.Ledger, t.book.Entries[t.to-1]
	return section{Title: "Summary", Rows: [][]reportCell{
		{plainCell("Began"), plainCell("%s", instant(first))},
		{plainCell("Finished"), end},
		{plainCell("Window of the plan"), plainCell("%s to %s", instant(p.Window.NotBefore), instant(p.Window.NotAfter))},
		{plainCell("Plan"), codeCell(t.begun.PlanDigest)},
		{plainCell("Carried out"), plainCell("%s", actionsDone(facts, len(p.Actions)))},
		{plainCell("Program"), plainCell("pki %s", t.begun.Tool.Version), codeCell(t.begun.Tool.SHA256)},
		{plainCell("Ledger before"), plainCell("%s", count(before.Entries, "entry")), codeCell(before.Hash)},
		{plainCell("Ledger after"), plainCell("%s", count(after.Number, "entry")), codeCell(after.Head)},
		{plainCell("Tree after"), codeCell(tree)},
	}}, nil
}

func actionsDone(facts []*plan.Event, all int) string {
	for _, e := range facts {
		if e.Finished != nil {
			return fmt.Sprintf("all %s", count(all, "action"))
		}
		if e.Aborted != nil {
			return fmt.Sprintf("%d of %s", e.Aborted.Actions, count(all, "action")) + keyLeft(e.Aborted)
		}
	}
	return fmt.Sprintf("not all of %s", count(all, "action"))
}

// people lists who is named in the ledger.
func (t *teller) people() section {
	s := section{Title: "People"}
	for _, one := range t.begun.Approvals {
		s.Rows = append(s.Rows, []reportCell{plainCell("%s", one.Officer), plainCell("%s, approved the plan", one.Role)})
	}
	for _, e := range t.facts() {
		if e.Attested != nil {
			s.Rows = append(s.Rows, []reportCell{plainCell("%s", instant(e.Time)), plainCell("%s", eventTitle(*e))})
		}
		if p := e.People; p != nil {
			s.Rows = append(s.Rows, []reportCell{plainCell("%s", instant(e.Time)), plainCell("%s", peopleTitle(p))})
		}
		if e.Custodians != nil {
			for i, h := range e.Custodians.Holders {
				s.Rows = append(s.Rows, []reportCell{plainCell("%s", h.Name), plainCell("holder of share %d of %s", i+1, e.Custodians.Address)})
			}
		}
	}
	s.Rows = append(s.Rows, []reportCell{plainCell("Roles in the plan"), plainCell("%s", strings.Join(t.begun.Plan.Needs.Roles, ", "))})
	return s
}

// steps lists what people confirmed, with the numbers of the printed script.
func (t *teller) steps() section {
	s := section{Title: "Steps that were confirmed", Head: []string{"step", "time", "what", "by"}, Note: "The numbers are those of the printed script."}
	for _, e := range t.facts() {
		if e.Steps == nil {
			continue
		}
		for _, one := range e.Steps.Steps {
			what := one.What
			if one.Note != "" {
				what += ": " + one.Note
			}
			s.Rows = append(s.Rows, []reportCell{plainCell("%d", one.Step), plainCell("%s", one.At.UTC().Format("15:04:05")), plainCell("%s", what), plainCell("%s", strings.Join(one.By, ", "))})
		}
	}
	if len(s.Rows) == 0 {
		s.Note = ""
	}
	return s
}

func (t *teller) keys() section {
	s := section{Title: "Keys", Note: "A claim is the device's word, an observation was read from it, and proof is an attempt whose outcome was seen."}
	for _, e := range t.facts() {
		if e.Token != nil {
			t.devices = nil
			if e.Token.Serial != "" {
				t.devices = append(t.devices, plainCell("serial %q (observed)", e.Token.Serial))
			}
			for _, v := range e.Token.Evidence {
				t.devices = append(t.devices, plainCell("%s (%s)", v.Claim, v.Grade))
			}
		}
		if e.KeyMade == nil && e.TokenReady == nil && e.BackedUp == nil && e.KeySealed == nil && e.Proven == nil {
			continue
		}
		var evidence []plan.Evidence
		if b := e.BackedUp; b != nil {
			evidence = b.Evidence
			s.Rows = append(s.Rows, backupCells(b)...)
		} else if k := e.Proven; k != nil {
			evidence = k.Evidence
			s.Rows = append(s.Rows, proofCells(k)...)
		} else if k := e.KeySealed; k != nil {
			evidence = k.Evidence
			s.Rows = append(s.Rows, []reportCell{leadCell(k.Address), plainCell("sealed: the key no longer leaves its token")})
		} else if k := e.KeyMade; k != nil {
			how := "made"
			if k.Adopted {
				how = "taken over after an interruption, made"
			}
			evidence = k.Evidence
			s.Rows = append(s.Rows,
				[]reportCell{leadCell(k.Address), plainCell("%s key, %s in %s", k.Key.Algorithm.Title(), how, k.Key.Store)},
				[]reportCell{plainCell("where"), codeCell(k.Key.Location)},
				[]reportCell{plainCell("SPKI SHA-256"), codeCell(sha256Hex(k.SPKI))})
		} else {
			evidence = e.TokenReady.Evidence
			s.Rows = append(s.Rows, []reportCell{leadCell(e.TokenReady.Address), plainCell("token %q made ready", e.TokenReady.Token.Label)})
		}
		for _, v := range evidence {
			s.Rows = append(s.Rows, []reportCell{plainCell("evidence"), plainCell("%s (%s)", v.Claim, v.Grade)})
		}
		for _, d := range t.devices {
			s.Rows = append(s.Rows, []reportCell{plainCell("device"), d})
		}
		t.devices = nil
	}
	if len(s.Rows) == 0 {
		s.Note = "No key was made."
	}
	return s
}

func (t *teller) certificates() section {
	s := section{Title: "Certificates"}
	for _, e := range t.facts() {
		if e.Certificate == nil {
			continue
		}
		c, err := x509.ParseCertificate(e.Certificate.DER)
		if err != nil {
			continue // the ledger has read it already
		}
		s.Rows = append(s.Rows,
			[]reportCell{leadCell(e.Certificate.Address), plainCell("%s", nameOf(c.RawSubject))},
			[]reportCell{plainCell("issuer"), plainCell("%s", nameOf(c.RawIssuer))},
			[]reportCell{plainCell("serial"), codeCell(hex.EncodeToString(c.SerialNumber.Bytes()))},
			[]reportCell{plainCell("valid"), plainCell("%s", validFrom(c.NotBefore, c.NotAfter))},
			[]reportCell{plainCell("SHA-256"), codeCell(sha256Hex(e.Certificate.DER))})
	}
	return s
}

func (t *teller) lists() section {
	s := section{Title: "Revocation lists"}
	for _, e := range t.facts() {
		signed := e.CRL
		if signed == nil {
			continue
		}
		s.Rows = append(s.Rows, []reportCell{leadCell(signed.Address), plainCell("CRL number %s", signed.Number)})
		list, err := x509.ParseRevocationList(signed.DER)
		if err != nil { // signed ahead of its time, and named by its hash
			s.Rows = append(s.Rows, []reportCell{plainCell("SHA-256"), codeCell(signed.SHA256)})
			continue
		}
		s.Rows = append(s.Rows,
			[]reportCell{plainCell("valid"), plainCell("%s to %s", instant(list.ThisUpdate), instant(list.NextUpdate))},
			[]reportCell{plainCell("revokes"), plainCell("%s", count(len(list.RevokedCertificateEntries), "certificate"))},
			[]reportCell{plainCell("SHA-256"), codeCell(sha256Hex(signed.DER))})
	}
	return s
}

// exceptions lists what did not go as planned.
func (t *teller) exceptions(finished bool) section {
	s := section{Title: "Exceptions"}
	for _, e := range t.facts() {
		when := plainCell("%s", instant(e.Time))
		switch {
		case e.Resumed != nil:
			what := fmt.Sprintf("The ceremony was interrupted and went on at action %d.", e.Resumed.NextAction)
			if e.Resumed.MaybeSigned {
				what += " That action may have signed already: a second signature over the same bytes may exist."
			}
			if e.Resumed.TornBytes > 0 {
				what += fmt.Sprintf(" %d bytes of an entry were cut off, SHA-256 %s.", e.Resumed.TornBytes, e.Resumed.TornSHA256)
			}
			s.Rows = append(s.Rows, []reportCell{when, plainCell("%s", what)})
		case e.Exception != nil:
			x := e.Exception
			s.Rows = append(s.Rows, []reportCell{when, plainCell("Exception %d at step %d. Expected: %s. Happened: %s. Decision: %s%s.", x.Number, x.Step, x.Expected, x.Happened, x.Decision, by(x.By))})
		case e.KeyMade != nil && e.KeyMade.Adopted, e.TokenReady != nil && e.TokenReady.Adopted, e.BackedUp != nil && e.BackedUp.Adopted:
			s.Rows = append(s.Rows, []reportCell{when, plainCell("Taken over from before the interruption: %s.", eventTitle(*e))})
		case e.Medium != nil:
			s.Rows = append(s.Rows, []reportCell{when, plainCell("Medium lost: %s, after %s: %s.", e.Medium.Medium, count(e.Medium.Entries, "entry"), e.Medium.Error)})
		}
	}
	switch {
	case len(s.Rows) > 0:
	case finished:
		s.Note = "None."
	default:
		s.Note = "The ceremony has not been finished."
	}
	return s
}

func (t *teller) lint() section {
	p := t.begun.Plan
	s := section{Title: "Lint", Rows: [][]reportCell{
		{plainCell("Profile"), plainCell("%s; %s and worse stop a ceremony", p.Lint.Profile, p.Lint.FailOn)},
		{plainCell("Set of lints"), codeCell(p.Lint.Set)},
	}}
	found := 0
	for _, a := range p.Actions {
		var findings []lint.Finding
		switch {
		case a.SignCertificate != nil:
			findings = a.SignCertificate.Findings
		case a.SignCRL != nil:
			findings = a.SignCRL.Findings
		}
		for _, line := range findingLines(findings) {
			found++
			s.Rows = append(s.Rows, []reportCell{plainCell("%s", a.Address), plainCell("%s", line)})
		}
	}
	for _, w := range p.Lint.Waivers {
		s.Rows = append(s.Rows, []reportCell{plainCell("Waiver"), plainCell("%s for %s until %s: %s (%s) %s", w.Lint, w.Object, w.Until, w.Reason, w.Citation, w.Author)})
	}
	s.Note = fmt.Sprintf("Every object was judged in the plan, before its signature and after it: %s.", count(found, "finding"))
	return s
}

func (t *teller) timeline() section {
	s := section{Title: "Entries of the ledger", Head: []string{"", "time", "what"}}
	for _, e := range t.book.Entries[t.from:t.to] {
		when, what := "", fmt.Sprintf("withheld (%s)", e.Audience)
		if e.Fact != nil {
			when, what = e.Fact.Time.UTC().Format("15:04:05"), eventTitle(*e.Fact)
		}
		s.Rows = append(s.Rows, []reportCell{plainCell("%d", e.Number), plainCell("%s", when), plainCell("%s", what)})
	}
	return s
}

// manifest lists what the ceremony gave, with digests.
func (t *teller) manifest() section {
	s := section{Title: "Files that it gave", Head: []string{"file", "bytes", "SHA-256"}, Note: "sha256sum -c SHA256SUMS checks them in the estate's folder."}
	done := t.begun.Plan.Actions
	if t.state.Open != nil {
		done = done[:t.state.Open.Done]
	}
	for _, f := range t.state.Files() {
		if slices.ContainsFunc(done, func(a plan.Action) bool { return slices.Contains(a.Outputs(), f.Path) }) {
			s.Rows = append(s.Rows, []reportCell{codeCell(f.Path), plainCell("%d", len(f.Data)), codeCell(sha256Hex(f.Data))})
		}
	}
	if len(s.Rows) == 0 {
		s.Note = "None."
	}
	return s
}
