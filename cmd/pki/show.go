package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
	"pki.internal/plan/tbs"
)

func showCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Say in words what a plan, ledger, certificate, CRL, request or share is",
		Args:  cobra.ExactArgs(1),
		RunE:  func(_ *cobra.Command, args []string) error { return a.show(args[0]) },
	}
}

func (a *app) show(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	switch {
	case looksLikePlan(text):
		return a.showPlanFile(name)
	case bytes.HasPrefix(text, []byte(`{"fact"`)), bytes.HasPrefix(text, []byte(`{"audience"`)):
		return a.showLedger(text)
	case looksLikeShares(text):
		return a.showShares(name, text)
	}
	shown, err := describeAny(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return a.emit("show", shown, func(w io.Writer) {
		for i, s := range shown {
			if i > 0 {
				fmt.Fprintln(w)
			}
			printShown(w, s)
		}
	})
}

func (a *app) showPlanFile(name string) error {
	p, digest, err := readPlan(name)
	if err != nil {
		return err
	}
	result := saved{Digest: hex.EncodeToString(digest), Words: plan.Words(digest), Changes: len(p.Actions), Plan: p}
	return a.emit("show", result, func(w io.Writer) { a.printPlan(w, p, digest) })
}

// shown is one object in words.
type shown struct {
	Kind   string  `json:"kind"`
	SHA256 string  `json:"sha256"`
	Fields []field `json:"fields"`
	Note   string  `json:"note,omitempty"`
}

// describeAny tells what PEM or DER bytes are.
func describeAny(text []byte) ([]shown, error) {
	var all []shown
	rest := text
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		one, err := describeDER(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("PEM block of type %q: %w", block.Type, err)
		}
		all = append(all, one)
	}
	if len(all) > 0 {
		return all, nil
	}
	one, err := describeDER(text)
	return []shown{one}, err
}

func describeDER(der []byte) (shown, error) {
	sum := sha256Hex(der)
	if c, err := x509.ParseCertificate(der); err == nil {
		s := shown{Kind: "Certificate", SHA256: sum, Fields: describeCertificate(c)}
		if tbs.IsPreviewKey(c.RawSubjectPublicKeyInfo) {
			s.Note = "This is a preview: its private key is part of this program and everyone has it. Never trust it."
		}
		if tbs.FromRehearsal(c) {
			s.Note = "This was made in a rehearsal, and its key was forgotten. Never trust it; no software does."
		}
		return s, nil
	}
	if l, err := x509.ParseRevocationList(der); err == nil {
		return shown{Kind: "Certificate revocation list", SHA256: sum, Fields: describeCRL(l)}, nil
	}
	if r, err := x509.ParseCertificateRequest(der); err == nil {
		return shown{Kind: "Certificate request", SHA256: sum, Fields: describeCSR(r)}, nil
	}
	return shown{}, fmt.Errorf("this is neither a plan, a ledger, a certificate, a CRL nor a request that Go can read; pki lint says more about broken ones")
}

func printShown(w io.Writer, s shown) {
	fmt.Fprintf(w, "%s\n\n", s.Kind)
	rows := make([]string, 0, len(s.Fields))
	for _, f := range s.Fields {
		rows = append(rows, "  "+f.Name+"\t"+f.Value)
	}
	table(w, rows...)
	if s.Note != "" {
		fmt.Fprintf(w, "\n  %s\n", s.Note)
	}
	fmt.Fprintf(w, "\nSHA-256:\n")
	if raw, err := hex.DecodeString(s.SHA256); err == nil && len(raw) == sha256.Size {
		printDigest(w, raw)
	}
}

// showLedger lists a ledger's entries, one to a line.
func (a *app) showLedger(text []byte) error {
	book, torn, err := ledger.Read(text)
	if err != nil {
		return err
	}
	return a.emit("show", map[string]any{"entries": book.Entries, "head": book.Head()}, func(w io.Writer) {
		fmt.Fprintf(w, "Ledger of %s, head %s\n\n", count(len(book.Entries), "entry"), book.Head().Hash)
		var rows []string
		for _, e := range book.Entries {
			when, what := "", fmt.Sprintf("withheld (%s)", e.Audience)
			if e.Fact != nil {
				when, what = instant(e.Fact.Time), eventTitle(*e.Fact)
			}
			rows = append(rows, fmt.Sprintf("  %d\t%s\t%s", e.Number, when, what))
		}
		table(w, rows...)
		if len(torn) > 0 {
			fmt.Fprintf(w, "\n%d bytes of an entry that was cut short follow.\n", len(torn))
		}
	})
}

func eventTitle(e plan.Event) string {
	switch e.Kind {
	case plan.CeremonyBegun:
		return fmt.Sprintf("ceremony begins, %s, plan %.16s…%s", count(len(e.Begun.Plan.Actions), "action"), e.Begun.PlanDigest, approvedBy(e.Begun.Approvals))
	case plan.CeremonyResumed:
		return fmt.Sprintf("ceremony goes on at action %d", e.Resumed.NextAction)
	case plan.KeyWasIntended:
		return fmt.Sprintf("action %d: a key is about to be made in %s", e.KeyIntended.Action, e.KeyIntended.Key.Location)
	case plan.KeyWasMade:
		return fmt.Sprintf("action %d: key of %s made, SPKI SHA-256 %.16s…", e.KeyMade.Action, e.KeyMade.Address, sha256Hex(e.KeyMade.SPKI))
	case plan.KeyWasBackedUp:
		return fmt.Sprintf("action %d: key of %s backed up in %s, both proven by a challenge", e.BackedUp.Action, e.BackedUp.Address, e.BackedUp.BackUp.Key.Store)
	case plan.KeyWasSealed:
		return fmt.Sprintf("action %d: key of %s sealed; it no longer leaves its token", e.KeySealed.Action, e.KeySealed.Address)
	case plan.KeyWasProven:
		return proofTitle(e.Proven)
	case plan.CertificateSigned:
		return fmt.Sprintf("action %d: certificate of %s signed, SHA-256 %.16s…", e.Certificate.Action, e.Certificate.Address, sha256Hex(e.Certificate.DER))
	case plan.CRLSigned:
		return fmt.Sprintf("action %d: CRL %s of %s signed", e.CRL.Action, e.CRL.Number, e.CRL.Address)
	case plan.RequestSigned:
		return fmt.Sprintf("action %d: request for a certificate of %s signed, SHA-256 %.16s…", e.Request.Action, e.Request.Address, sha256Hex(e.Request.DER))
	case plan.OCSPWasSigned:
		return fmt.Sprintf("action %d: OCSP response about %s signed", e.OCSP.Action, e.OCSP.Address)
	case plan.CRLSealed:
		return fmt.Sprintf("action %d: CRL %s of %s signed ahead of its time", e.Sealed.Action, e.Sealed.Number, e.Sealed.Address)
	case plan.TokenInitialized:
		return fmt.Sprintf("action %d: token %q of %s initialised", e.TokenReady.Action, e.TokenReady.Token.Label, e.TokenReady.Address)
	case plan.MediumLost:
		return fmt.Sprintf("medium lost: %s, after %s: %s", e.Medium.Medium, count(e.Medium.Entries, "entry"), e.Medium.Error)
	case plan.TokenIdentified:
		return fmt.Sprintf("action %d: the token that does it%s", e.Token.Action, serialNote(e.Token.Serial))
	case plan.AddressMoved:
		return fmt.Sprintf("action %d: %s is %s from now on", e.Moved.Action, e.Moved.From, e.Moved.Address)
	case plan.AuthorityAdopted:
		return fmt.Sprintf("action %d: %s taken in, certificate SHA-256 %.16s…", e.Adopted.Action, e.Adopted.Address, sha256Hex(e.Adopted.Certificate))
	case plan.AuthorityForgotten:
		return fmt.Sprintf("action %d: %s is no longer described", e.Forgotten.Action, e.Forgotten.Address)
	case plan.OfficersAppointed:
		return fmt.Sprintf("action %d: %s appointed; a plan needs %s", e.Officers.Action, count(len(e.Officers.Officers.Officers), "officer"), count(e.Officers.Officers.Approvals, "approval"))
	case plan.HoldersNamed:
		return fmt.Sprintf("action %d: the holders of set %.16s…%s", e.Custodians.Action, e.Custodians.Set, holderNames(e.Custodians.Holders))
	case plan.SharesWereMade:
		return sharesTitle(e.Shares, "shared")
	case plan.SecretReshared:
		return sharesTitle(e.Reshared, "shared anew")
	case plan.SharesDrilled:
		text := fmt.Sprintf("drill of %s: %d of %d proven", e.Drill.Secret, len(e.Drill.Proven), len(e.Drill.Proven)+len(e.Drill.Absent))
		if len(e.Drill.Lost) > 0 {
			text += fmt.Sprintf(", %d lost", len(e.Drill.Lost))
		}
		return text
	case plan.ProvisionerKeyMade:
		return fmt.Sprintf("action %d: key of %s made", e.Provisioner.Action, e.Provisioner.Address)
	case plan.CeremonyFinished:
		return "ceremony finished"
	case plan.HeadAttested:
		remark := ""
		if e.Attested.Remark != "" {
			remark = "; remark: " + e.Attested.Remark
		}
		return fmt.Sprintf("%s (%s) attests the head %.16s…%s", e.Attested.Officer, e.Attested.Role, e.Attested.Head.Hash, remark)
	case plan.CeremonyAborted:
		return fmt.Sprintf("ceremony aborted after %s", count(e.Aborted.Actions, "action")) + keyLeft(e.Aborted)
	case plan.StepsWereTaken:
		return stepsTitle(e.Steps)
	case plan.PeopleCame:
		return peopleTitle(e.People)
	case plan.ExceptionHappened:
		x := e.Exception
		return fmt.Sprintf("exception %d at step %d: expected was %s; what happened: %s; decision: %s%s", x.Number, x.Step, x.Expected, x.Happened, x.Decision, by(x.By))
	}
	return string(e.Kind)
}

// keyLeft says what became of a key when its ceremony was aborted.
func keyLeft(a *plan.Aborted) string {
	if a.Intended == nil {
		return ""
	}
	return fmt.Sprintf("; the key that was intended in %s is %s", a.Intended.Key.Location, a.Found)
}

func stepsTitle(s *plan.StepsTaken) string {
	var steps []string
	for _, one := range s.Steps {
		steps = append(steps, fmt.Sprintf("%d (%s)", one.Step, one.What))
	}
	return "confirmed: step " + strings.Join(steps, ", ") + by(s.Steps[len(s.Steps)-1].By...)
}

func peopleTitle(p *plan.PeopleChanged) string {
	var what []string
	if len(p.Arrived) > 0 {
		what = append(what, strings.Join(p.Arrived, ", ")+" came")
	}
	if len(p.Left) > 0 {
		what = append(what, strings.Join(p.Left, ", ")+" left")
	}
	return fmt.Sprintf("step %d: %s; present: %s", p.Step, strings.Join(what, ", "), strings.Join(p.Present, ", "))
}

// by names people after what they did.
func by(names ...string) string {
	all := strings.Trim(strings.Join(names, ", "), ", ")
	if all == "" {
		return ""
	}
	return ", by " + all
}

// approvedBy names the officers who approved a plan.
func approvedBy(given []plan.Approval) string {
	if len(given) == 0 {
		return ""
	}
	var names []string
	for _, one := range given {
		names = append(names, one.Officer+" ("+one.Role+")")
	}
	return ", approved by " + strings.Join(names, ", ")
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func serialNote(serial string) string {
	if serial == "" {
		return ""
	}
	return fmt.Sprintf(", serial %q", serial)
}
