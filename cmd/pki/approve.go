package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/plan"
	"pki.internal/spec/identity"
)

type approveOptions struct {
	officer, key, signature string
	statement               bool
}

func approveCommand(a *app) *cobra.Command {
	var o approveOptions
	c := &cobra.Command{
		Use:   "approve PLAN --as OFFICER --key FILE",
		Short: "Sign a plan as an officer; a ceremony counts the signatures",
		Long: `Hold a plan against the estate and the ledger, as a ceremony will, and sign its
digest as an officer. The signature goes into PLAN.approvals, which travels with
the plan.

--key takes what ssh-keygen writes, or a private JWK. For a key in an agent or on
a security key, sign the statement with OpenSSH and hand in the signature:

  pki approve PLAN --as ada --statement >ada.statement
  ssh-keygen -Y sign -n pki-approval -f ~/.ssh/id_ed25519_sk ada.statement
  pki approve PLAN --as ada --signature ada.statement.sig`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ways := 0
			for _, given := range []bool{o.key != "", o.signature != "", o.statement} {
				if given {
					ways++
				}
			}
			if o.officer == "" || ways != 1 {
				return &usageError{errors.New("say who approves and how: --as OFFICER and one of --key FILE, --signature FILE or --statement")}
			}
			return a.approve(c.Context(), args[0], o)
		},
	}
	c.Flags().StringVar(&o.officer, "as", "", "the officer's name, as in officer \"ada\"")
	c.Flags().StringVar(&o.key, "key", "", "the officer's private key: of ssh-keygen, or a JWK")
	c.Flags().StringVar(&o.signature, "signature", "", "a signature over the statement, made elsewhere")
	c.Flags().BoolVar(&o.statement, "statement", false, "write the statement to sign, and sign nothing")
	return c
}

func (a *app) approve(ctx context.Context, name string, o approveOptions) error {
	p, digest, state, err := a.review(name)
	if err != nil {
		return err
	}
	officers := state.Approvers(p)
	officer, known := officers.Officer(o.officer)
	if !known {
		return a.noOfficer(officers, o.officer)
	}
	text, err := plan.Statement(p, fmt.Sprintf("%x", digest), officer.Name, officer.Role)
	if err != nil {
		return err
	}
	if o.statement {
		_, err := a.stdout.Write(text)
		return err
	}
	approval := plan.Approval{Officer: officer.Name, Role: officer.Role}
	if approval.Signature, err = signStatement(ctx, o, plan.ApprovalNamespace, text); err != nil {
		return err
	}
	if err := state.CheckApproval(p, fmt.Sprintf("%x", digest), approval); err != nil {
		return &ceremony.Refusal{
			Fact: err.Error(),
			Next: "sign with the key that the estate names for officer." + officer.Name + "; if it is a new one, the officers in force approve the plan that appoints it",
		}
	}
	all, err := keepApproval(name, approval)
	if err != nil {
		return err
	}
	return a.approved(p, digest, state, approval, name, all)
}

// review reads a plan and holds it against the estate and ledger here.
func (a *app) review(name string) (*plan.Plan, []byte, plan.State, error) {
	p, digest, err := readPlan(name)
	if err != nil {
		return nil, nil, plan.State{}, &ceremony.Refusal{Fact: err.Error(), Next: "get the file again from where it was made, or make a new plan"}
	}
	root, err := a.folder()
	if err != nil {
		return nil, nil, plan.State{}, err
	}
	defer root.Close()
	estate, err := a.load(root, p.Estate.Variables)
	if err != nil {
		return nil, nil, plan.State{}, err
	}
	book, err := a.book(root)
	if err != nil {
		return nil, nil, plan.State{}, err
	}
	return p, digest, book.State(), ceremony.Review(ceremony.Request{Plan: p, Digest: digest, Estate: estate, History: book})
}

func (a *app) noOfficer(officers *plan.OfficersAction, name string) error {
	if officers == nil {
		return &ceremony.Refusal{
			Fact: "this estate has no officers, so that a plan needs no approval",
			Next: "describe them with officer blocks, and write quorum { approvals = 2 } into the estate block",
		}
	}
	var names []string
	for _, o := range officers.Officers {
		names = append(names, o.Name)
	}
	return &ceremony.Refusal{Fact: name + " is no officer who may approve this plan", Next: "approve it as one of " + strings.Join(names, ", ")}
}

// signStatement makes the signature, or takes one that was made elsewhere.
func signStatement(ctx context.Context, o approveOptions, namespace string, text []byte) (string, error) {
	if o.signature != "" {
		signature, err := os.ReadFile(o.signature)
		return string(signature), err
	}
	encoded, err := os.ReadFile(o.key)
	if err != nil {
		return "", err
	}
	defer clear(encoded)
	var passphrase []byte
	if identity.Encrypted(encoded) {
		tty, err := terminal("the passphrase of "+o.key+" is needed", "run the command on a terminal, or sign with ssh-keygen and --signature")
		if err != nil {
			return "", err
		}
		defer tty.Close()
		if passphrase, err = hidden(ctx, tty, "Passphrase of "+o.key); err != nil {
			return "", err
		}
		defer clear(passphrase)
	}
	key, err := identity.ParsePrivate(encoded, passphrase)
	if err != nil {
		return "", fmt.Errorf("%s: %w", o.key, err)
	}
	return key.SignStatement(rand.Reader, namespace, text)
}

// approvalsName is the file beside a plan that holds its approvals: lines of
// canonical JSON.
func approvalsName(name string) string { return name + ".approvals" }

// maxApprovals bounds the file: a signature takes about a kilobyte.
const maxApprovals = 1 << 20

// readApprovals reads the approvals beside a plan; no file means none.
func readApprovals(name string) ([]plan.Approval, error) {
	name = approvalsName(name)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(text) > maxApprovals {
		return nil, fmt.Errorf("%s has %d bytes, more than any plan's approvals; is it the right file?", name, len(text))
	}
	var all []plan.Approval
	for line := range bytes.Lines(text) {
		var one plan.Approval
		if err := plan.DecodeStrict(bytes.TrimSuffix(line, []byte("\n")), &one); err != nil {
			return nil, fmt.Errorf("%s line %d: %w; remove the line and let the officer approve again", name, len(all)+1, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// keepApproval adds an approval to those beside the plan, in place of an
// older one of the same officer.
func keepApproval(name string, given plan.Approval) ([]plan.Approval, error) {
	all, err := readApprovals(name)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(have plan.Approval) bool { return have.Officer == given.Officer })
	all = append(all, given)
	var text []byte
	for _, one := range all {
		line, err := plan.Canonical(one)
		if err != nil {
			return nil, err
		}
		text = append(append(text, line...), '\n')
	}
	dir, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return all, folderFiles{dir}.Write(plan.File{Path: approvalsName(filepath.Base(name)), Mode: 0o644, Data: text})
}

// approved says what was signed and how many approvals are still missing.
func (a *app) approved(p *plan.Plan, digest []byte, state plan.State, given plan.Approval, name string, all []plan.Approval) error {
	need, have := state.Approvers(p).Approvals, 0
	for _, one := range all {
		if state.CheckApproval(p, fmt.Sprintf("%x", digest), one) == nil {
			have++
		}
	}
	result := map[string]any{
		"officer": given.Officer, "role": given.Role, "digest": fmt.Sprintf("%x", digest), "file": approvalsName(name), "approvals": have, "needed": need,
	}
	return a.emit("approve", result, func(w io.Writer) {
		fmt.Fprintf(w, "%s approves this plan as %s:\n\n  %s\n\n", given.Officer, given.Role, hang(planSummary(p), a.width, 2))
		printDigest(w, digest)
		fmt.Fprintf(w, "\nWritten to %s. ", approvalsName(name))
		if have < need {
			fmt.Fprintf(w, "%d of %d approvals are there.\n", have, need)
			return
		}
		fmt.Fprintf(w, "%d of %d approvals are there: the ceremony may be held, %s apply %s.\n", have, need, a.self(), name)
	})
}
