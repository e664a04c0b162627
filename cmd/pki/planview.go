package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"strings"

	"pki.internal/ceremony/script"
	"pki.internal/plan"
	"pki.internal/plan/tbs"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
	"pki.internal/spec/identity"
)

// printPlan writes a plan for reviewers: everything that will be made, every
// byte accounted for, and the digest to read aloud.
func (a *app) printPlan(w io.Writer, p *plan.Plan, digest []byte) {
	fmt.Fprintf(w, "Plan for the %s estate %q\n\n", p.Estate.Environment, p.Estate.Name)
	rows := []string{
		"  Ceremony date\t" + instant(p.At),
		"  May run\t" + instant(p.Window.NotBefore) + " to " + instant(p.Window.NotAfter),
		"  Ledger\t" + headTitle(p.Ledger),
		fmt.Sprintf("  Made by\tpki %s, SHA-256 %.16s…", p.Tool.Version, p.Tool.SHA256),
		fmt.Sprintf("  Made from\t%s", count(len(p.Estate.Inputs), "file")),
		fmt.Sprintf("  Lint\t%s profile, fails on %s", p.Lint.Profile, p.Lint.FailOn),
	}
	for i, name := range p.Lint.New {
		title := ""
		if i == 0 {
			title = "New rules"
		}
		rows = append(rows, "  "+title+"\t"+name+", which the last ceremony did not know")
	}
	rows = append(rows, awaitedRows(p)...)
	if len(p.Actions) > 0 {
		rows = append(rows, roomWanted(p)...)
	}
	table(w, rows...)
	if len(p.Lint.Waivers) > 0 {
		fmt.Fprintf(w, "\nWaived findings\n")
		for _, wv := range p.Lint.Waivers {
			fmt.Fprintf(w, "  %s on %s until %s: %s (%s)\n", wv.Lint, wv.Object, wv.Until, wv.Reason, wv.Citation)
		}
	}
	if len(p.Findings) > 0 {
		fmt.Fprintf(w, "\nThe estate as a whole (of later years and of people; stops no ceremony of today)\n")
		for _, line := range findingLines(p.Findings) {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
	if len(p.Changes) > 0 {
		fmt.Fprintf(w, "\nChanges\n")
		a.printChanges(w, p)
		fmt.Fprintf(w, "\nActions\n")
	}
	texts := make([]bytes.Buffer, len(p.Actions))
	inParallel(len(texts), func(i int) { a.printAction(&texts[i], p, p.Actions[i]) })
	for i := range texts {
		fmt.Fprintf(w, "\n%s", texts[i].Bytes())
	}
	fmt.Fprintf(w, "\n%s\n", planSummary(p))
	if len(p.Actions) > 0 {
		fmt.Fprintf(w, "\nRead aloud (SHA-256 of the plan):\n")
		printDigest(w, digest)
	}
}

func headTitle(h plan.Head) string {
	if h.Entries == 0 {
		return "empty"
	}
	return fmt.Sprintf("%s, head %.16s…", count(h.Entries, "entry"), h.Hash)
}

// roomWanted says who and what must come together, and for how long.
func roomWanted(p *plan.Plan) []string {
	return append([]string{"  In the room\t" + inTheRoom(p)}, roomLength(p)...)
}

// roomLength says how long a ceremony takes, and which tokens it wants from the
// safe.
func roomLength(p *plan.Plan) []string {
	s, err := script.Of(p)
	if err != nil {
		return nil // pki plan has refused it
	}
	takes := "about " + s.Length() + ", " + count(len(s.Steps), "step")
	if s.Swaps > 0 {
		takes += ", " + count(s.Swaps, "swap") + " of tokens"
	}
	return append([]string{"  Takes\t" + takes}, tokenRows(p)...)
}

func inTheRoom(p *plan.Plan) string {
	words := slices.Clone(p.Needs.Roles)
	for _, s := range p.Needs.Secrets {
		words = append(words, s.String()+fromCustodians(p, s))
	}
	return strings.Join(words, ", ")
}

// awaitedRows lists what somebody else has to sign.
func awaitedRows(p *plan.Plan) []string {
	var rows []string
	for i, one := range p.Awaits {
		title := ""
		if i == 0 {
			title = "Waits for"
		}
		rows = append(rows, fmt.Sprintf("  %s	a certificate of %s from %s, asked for with %s", title, one.Address, one.Issuer, one.Request))
	}
	return rows
}

// planSummary counts what a plan does, in one or two sentences.
func planSummary(p *plan.Plan) string {
	if n := len(p.Awaits); n > 0 && len(p.Actions) == 0 {
		return "Nothing to do here: " + count(n, "certificate") + " must come from somebody else."
	}
	if len(p.Actions) == 0 {
		return "Nothing to do: the ledger has everything that the estate wants."
	}
	if len(p.RestoreDrill) > 0 {
		return fmt.Sprintf("Restore drill: %s tried. Nothing is signed but a challenge for each, and nothing is made.", count(len(p.Actions), "key"))
	}
	n := map[plan.Kind]int{}
	files, final := 0, 0
	for _, action := range p.Actions {
		n[action.Kind]++
		files += len(action.Outputs())
		if action.Irreversible {
			final++
		}
	}
	initialised := ""
	if sets := n[plan.EstablishShares] + n[plan.ReshareSecret]; sets > 0 {
		initialised = count(sets, "secret") + " shared, "
	}
	if tokens := n[plan.InitializeToken]; tokens > 0 {
		initialised += count(tokens, "token") + " initialised, "
	}
	backups := ""
	if n[plan.BackUpKey] > 0 {
		backups = count(n[plan.BackUpKey], "backup") + " made, "
	}
	lists := count(n[plan.SignCRL], "CRL")
	if answers := n[plan.SignOCSP]; answers > 0 {
		lists += ", " + count(answers, "OCSP response")
	}
	if requests := n[plan.SignRequest]; requests > 0 {
		lists += ", " + count(requests, "request")
	}
	return fmt.Sprintf("Ceremony: %s%s made, %s%s and %s signed, %s made, %s written. %d of %s cannot be undone.",
		initialised, count(n[plan.GenerateKey]+n[plan.GenerateSSHKey], "key"), backups, count(n[plan.SignCertificate], "certificate"), lists,
		count(n[plan.GenerateProvisionerKey], "provisioner key"), count(files, "file"), final, count(len(p.Actions), "action"))
}

func (a *app) printAction(w io.Writer, p *plan.Plan, action plan.Action) {
	fmt.Fprintf(w, "%s\n", actionTitle(action))
	switch action.Kind {
	case plan.GenerateKey, plan.GenerateSSHKey:
		k := action.Key()
		where := "file " + k.Location
		if k.OnToken() {
			where = "token; " + k.Location
		}
		rows := []string{"       Kept in\t" + k.Store.String() + ", " + where, "       Key id\t" + k.KeyID}
		table(w, append(rows, backupRows(p, action)...)...)
	case plan.BackUpKey:
		table(w, copyRows(action.BackUpKey)...)
	case plan.SealKey:
		table(w, "       Kept in\t"+action.SealKey.Store.String()+"; no copy can be made of it any more")
	case plan.ProveKey:
		table(w, proofRows(action)...)
	case plan.SignCertificate:
		a.printDraft(w, p, &action.SignCertificate.Draft, action)
	case plan.SignCRL:
		a.printDraft(w, p, &action.SignCRL.Draft, action)
	case plan.SignOCSP:
		printOCSP(w, action.SignOCSP)
	case plan.SignRequest:
		a.printDraft(w, p, &action.SignRequest.Draft, action)
	case plan.EstablishShares:
		a.printSharing(w, action, action.EstablishShares)
	case plan.ReshareSecret:
		a.printSharing(w, action, action.ReshareSecret)
	case plan.InitializeToken:
		k := action.InitializeToken
		table(w, "       Label\t"+k.Label, "       Module\t"+k.Module, "       User PIN\t"+pinTitle(k.PIN, k.PINForm), "       Officer's PIN\t"+pinTitle(k.OfficerPIN, k.OfficerPINForm))
	case plan.Move:
		table(w, "       Before\t"+action.Move.From.String())
	case plan.Adopt:
		table(w, adoptRows(action.Adopt)...)
	case plan.Forget:
		table(w, fmt.Sprintf("       Stays\tits key and %s; no file is removed", count(action.Forget.Certificates, "certificate")))
	case plan.AppointOfficers:
		table(w, officerRows(action.AppointOfficers)...)
	case plan.GenerateProvisionerKey:
		k := action.GenerateProvisionerKey
		table(w, "       Password\t"+k.Password.String(), fmt.Sprintf("       Kept in\tthe ledger, encrypted (PBES2, %d rounds)", k.Iterations))
	}
}

func officerRows(o *plan.OfficersAction) []string {
	var rows []string
	for _, officer := range o.Officers {
		key := "no key, approves nothing"
		if k, err := identity.Parse(officer.PublicKey); err == nil {
			key = k.Fingerprint()
		}
		rows = append(rows, "       "+officer.Name+"\t"+officer.Role+"\t"+key)
	}
	return rows
}

// actionTitle is the numbered line that an action has on every screen.
func actionTitle(action plan.Action) string {
	mark := ""
	if action.Irreversible {
		mark = "   ! cannot be undone"
	}
	return fmt.Sprintf("%4d  + %s%s", action.Number, actionName(action), mark)
}

// actionName says what an action does, in a few words.
func actionName(action plan.Action) string {
	switch action.Kind {
	case plan.GenerateKey, plan.GenerateSSHKey:
		return fmt.Sprintf("make the %s key of %s", action.Key().Algorithm.Title(), action.Address)
	case plan.SignCertificate:
		by := "itself"
		if issuer := action.SignCertificate.Issuer.Address; issuer != action.Address {
			by = issuer.String()
		}
		return fmt.Sprintf("sign the certificate of %s by %s", action.Address, by)
	case plan.SignOCSP:
		return fmt.Sprintf("sign the OCSP response about %s by %s", action.Address, action.SignOCSP.Issuer.Address)
	case plan.SignRequest:
		return fmt.Sprintf("sign the request for a certificate of %s", action.Address)
	case plan.SignCRL:
		name := fmt.Sprintf("sign CRL number %s of %s", action.SignCRL.Number, action.Address)
		if action.SignCRL.Slot > 0 {
			name += ", to be released on " + action.SignCRL.Template.ThisUpdate.UTC().Format("2006-01-02")
		}
		return name
	}
	switch action.Kind {
	case plan.Move:
		return fmt.Sprintf("enter %s, which was %s, under its new address", action.Address, action.Move.From)
	case plan.Adopt:
		if k := action.Adopt; k.Issuer != action.Address && (k.Previous != nil || k.Held != (spec.Address{})) {
			return fmt.Sprintf("take in the certificate of %s that %s signed", action.Address, k.Issuer)
		}
		return fmt.Sprintf("take in %s as other software made it", action.Address)
	case plan.Forget:
		return fmt.Sprintf("enter that %s is no longer described", action.Address)
	}
	if action.Kind == plan.AppointOfficers {
		return fmt.Sprintf("appoint %s; a plan then needs %s", count(len(action.AppointOfficers.Officers), "officer"), count(action.AppointOfficers.Approvals, "approval"))
	}
	if action.Kind == plan.BackUpKey {
		return fmt.Sprintf("back the key of %s up in %s", action.Address, action.BackUpKey.Key.Store)
	}
	if action.Kind == plan.SealKey {
		return fmt.Sprintf("seal the key of %s in its token", action.Address)
	}
	if action.Kind == plan.ProveKey {
		return fmt.Sprintf("have the key of %s prove itself in %s", plan.Label(action.Address, action.ProveKey.Generation), action.ProveKey.Store)
	}
	if action.Kind == plan.EstablishShares {
		return fmt.Sprintf("make %s and hand its shares out", action.Address)
	}
	if action.Kind == plan.ReshareSecret {
		return fmt.Sprintf("share %s anew", action.Address)
	}
	if action.Kind == plan.InitializeToken {
		return fmt.Sprintf("initialise the empty token of %s", action.Address)
	}
	return fmt.Sprintf("make the key of %s", action.Address)
}

// printDraft writes what will be signed, field by field. Fields that only a
// key can give say which action makes it.
func (a *app) printDraft(w io.Writer, p *plan.Plan, d *plan.Draft, action plan.Action) {
	var rows []string
	for _, f := range draftFields(d, action) {
		rows = append(rows, "       "+f.Name+"\t"+f.Value)
	}
	for i, line := range findingLines(d.Findings) {
		name := ""
		if i == 0 {
			name = "Lint"
		}
		rows = append(rows, "       "+name+"\t"+line)
	}
	if len(d.Findings) == 0 {
		rows = append(rows, "       Lint\tnothing found")
	}
	if c := action.SignCertificate; c != nil && c.CSR != nil {
		rows = append(rows, fmt.Sprintf("       Request\t%s, SHA-256 %s; only its public key is used", c.CSR.Path, c.CSR.SHA256))
		for _, ignored := range c.CSR.Ignored {
			rows = append(rows, "       \tnot granted: "+ignored)
		}
	}
	if c := action.SignCRL; c != nil && len(c.Voids) > 0 {
		rows = append(rows, "       Voids\tCRLs that were signed ahead: number "+strings.Join(c.Voids, ", "))
	}
	rows = append(rows, "       Writes\t"+strings.Join(d.Outputs, " "))
	table(w, rows...)
}

// draftFields describes the object behind a draft.
func draftFields(d *plan.Draft, action plan.Action) []field {
	der := d.Preview
	bytesLine := fmt.Sprintf("template; open until %s: %s", openUntil(action), openFields(action))
	if d.TBS != nil {
		issuer, _ := action.Issuer()
		draft, err := tbs.Draft(d.TBS, issuer.Algorithm)
		if err != nil {
			return []field{{"Bytes", err.Error()}}
		}
		der = draft
		bytesLine = fmt.Sprintf("fixed, %d bytes, SHA-256 %s", len(d.TBS), sha256Hex(d.TBS))
	}
	var fields []field
	if c, err := x509.ParseCertificate(der); err == nil {
		fields = describeCertificate(c)
	} else if l, err := x509.ParseRevocationList(der); err == nil {
		fields = describeCRL(l)
	} else if r, err := x509.ParseCertificateRequest(der); err == nil {
		fields = describeCSR(r)
	}
	if d.TBS == nil || action.SignRequest != nil {
		maskOpen(fields, action)
	}
	return append(fields, field{"Bytes", bytesLine})
}

// maskOpen replaces the values that a preview could only invent.
func maskOpen(fields []field, action plan.Action) {
	own, issuer := 0, 0
	switch action.Kind {
	case plan.SignCertificate:
		own, issuer = action.SignCertificate.Subject.MadeBy, action.SignCertificate.Issuer.MadeBy
	case plan.SignCRL:
		issuer = action.SignCRL.Issuer.MadeBy
	case plan.SignRequest:
		own = action.SignRequest.Key.MadeBy
	}
	for i := range fields {
		switch {
		case fields[i].Name == "subjectKeyIdentifier" && own > 0:
			fields[i].Value = fmt.Sprintf("(known after action %d)", own)
		case fields[i].Name == "authorityKeyIdentifier" && issuer > 0:
			fields[i].Value = fmt.Sprintf("(known after action %d)", issuer)
		case fields[i].Name == "Signature" && action.SignRequest != nil:
			fields[i].Value = "by the key itself, at the table"
		case fields[i].Name == "Key" && own > 0:
			fields[i].Value += fmt.Sprintf(" (known after action %d)", own)
		}
	}
}

// openFields names what only a key can give.
func openFields(action plan.Action) string {
	if c := action.SignCertificate; c != nil && c.Subject.MadeBy > 0 {
		return "public key, key identifiers"
	}
	if action.SignRequest != nil {
		return "public key"
	}
	return "authority key identifier"
}

func openUntil(action plan.Action) string {
	last := 0
	if c := action.SignCertificate; c != nil {
		last = max(c.Subject.MadeBy, c.Issuer.MadeBy)
	}
	if c := action.SignCRL; c != nil {
		last = c.Issuer.MadeBy
	}
	if r := action.SignRequest; r != nil {
		last = r.Key.MadeBy
	}
	return fmt.Sprintf("action %d", last)
}

// line is one authority in the drawing of a hierarchy.
type line struct {
	authority plan.Authority
	branch    string
}

// hierarchy lists the authorities that have certificates from the roots down,
// with the branches that lead to them.
func hierarchy(s plan.State) []line {
	var lines []line
	var below func(parent plan.Authority, indent string)
	below = func(parent plan.Authority, indent string) {
		var children []plan.Authority
		for _, a := range s.Authorities() {
			if a.Certificate != nil && a.Issuer == parent.Address && a.Address != parent.Address {
				children = append(children, a)
			}
		}
		for i, child := range children {
			branch, next := "├── ", "│   "
			if i == len(children)-1 {
				branch, next = "└── ", "    "
			}
			lines = append(lines, line{child, indent + branch})
			below(child, indent+next)
		}
	}
	for _, a := range s.Authorities() {
		if a.Certificate != nil && a.Issuer == a.Address {
			lines = append(lines, line{a, ""})
			below(a, "")
		}
	}
	return lines
}

// printTree draws the hierarchy that a state holds.
func printTree(w io.Writer, s plan.State) {
	for _, l := range hierarchy(s) {
		fmt.Fprintf(w, "  %s%s\n", l.branch, authorityLine(l.authority))
	}
}

func authorityLine(a plan.Authority) string {
	c, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return a.Address.String() + ": " + err.Error()
	}
	line := fmt.Sprintf("%s  %s, %s, until %s", a.Address, c.Subject.CommonName, public.NameOf(c.RawSubjectPublicKeyInfo), c.NotAfter.UTC().Format("2006-01-02"))
	if a.CRLNumber != "" {
		line += ", CRL " + a.CRLNumber
		if n := len(a.Stack); n > 0 {
			line += fmt.Sprintf(" and %d signed ahead", n)
		}
	}
	return line
}

// printFingerprints writes the SHA-256 of every concerned certificate, in hex
// and words, from the root down.
func printFingerprints(w io.Writer, s plan.State, concerned []spec.Address) {
	for _, l := range hierarchy(s) {
		if slices.Contains(concerned, l.authority.Address) {
			sum := sha256.Sum256(l.authority.Certificate)
			fmt.Fprintf(w, "\n  %s (SHA-256 of the certificate)\n", l.authority.Address)
			printDigest(w, sum[:])
		}
	}
}
