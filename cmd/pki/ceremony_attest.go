package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
)

func ceremonyAttestCommand(a *app) *cobra.Command {
	var o approveOptions
	var remark string
	c := &cobra.Command{
		Use:   "attest --as OFFICER --key FILE",
		Short: "Sign the head of the ledger as one who was there",
		Long: `Sign, as an officer, the head of the ledger: what it says up to there is what the
officer has seen. The signature is entered in the ledger itself, so that the next
officer's covers it; pki verify checks all of them. Who does not agree says so with
--remark, which is signed as well.

For a key in an agent or on a security key, sign the statement with OpenSSH:

  pki ceremony attest --as grace --statement >grace.statement
  ssh-keygen -Y sign -n pki-attest -f ~/.ssh/id_ed25519_sk grace.statement
  pki ceremony attest --as grace --signature grace.statement.sig`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ways := 0
			for _, given := range []bool{o.key != "", o.signature != "", o.statement} {
				if given {
					ways++
				}
			}
			if o.officer == "" || ways != 1 {
				return &usageError{errors.New("say who attests and how: --as OFFICER and one of --key FILE, --signature FILE or --statement")}
			}
			return a.attest(c.Context(), o, remark)
		},
	}
	c.Flags().StringVar(&o.officer, "as", "", "the officer's name, as in officer \"grace\"")
	c.Flags().StringVar(&o.key, "key", "", "the officer's private key: of ssh-keygen, or a JWK")
	c.Flags().StringVar(&o.signature, "signature", "", "a signature over the statement, made elsewhere")
	c.Flags().BoolVar(&o.statement, "statement", false, "write the statement to sign, and sign nothing")
	c.Flags().StringVar(&remark, "remark", "", "what the officer does not agree with, or wants to have said")
	return c
}

func (a *app) attest(ctx context.Context, o approveOptions, remark string) error {
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	book, err := a.book(root)
	if err != nil {
		return err
	}
	state := book.State()
	if state.Open != nil {
		return &ceremony.Refusal{Fact: "a ceremony is not finished, and what it will have been cannot be signed yet", Next: "finish it with pki apply PLAN --resume, or abort it"}
	}
	officer, known := state.Officers().Officer(o.officer)
	if !known {
		return &ceremony.Refusal{Fact: o.officer + " is no officer in office", Next: "name one whom a ceremony has appointed; pki show ledger.jsonl lists them"}
	}
	text, err := state.Attestation(officer, remark)
	if err != nil {
		return err
	}
	if o.statement {
		_, err := a.stdout.Write(text)
		return err
	}
	fact := &plan.Attested{Officer: officer.Name, Role: officer.Role, Head: state.Head, Remark: remark}
	if fact.Signature, err = signStatement(ctx, o, plan.AttestNamespace, text); err != nil {
		return err
	}
	if err := state.CheckAttested(fact); err != nil {
		return &ceremony.Refusal{Fact: err.Error(), Next: "sign the ledger as it is now, with the key that it has for officer." + officer.Name}
	}
	file, err := ledger.Open(root, ledgerName, rand.Reader)
	if err != nil {
		return err
	}
	defer file.Close()
	event := plan.Event{Kind: plan.HeadAttested, Time: a.now().UTC().Truncate(time.Second), Audience: plan.Restricted, Attested: fact}
	if err := file.Append(event); err != nil {
		return err
	}
	return a.emit("ceremony attest", fact, func(w io.Writer) {
		fmt.Fprintf(w, "%s attests the ledger of %s with the head %s as %s. Entry %d says so.\n",
			fact.Officer, count(fact.Head.Entries, "entry"), fact.Head.Hash, fact.Role, file.Head().Entries)
	})
}
