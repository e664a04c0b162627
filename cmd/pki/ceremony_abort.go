package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
)

type abortOptions struct {
	reason, by  string
	yes         bool
	unaccounted bool
	shares      []string
	identities  []string
}

func ceremonyAbortCommand(a *app) *cobra.Command {
	var o abortOptions
	c := &cobra.Command{
		Use:   "abort PLAN --reason TEXT",
		Short: "End an interrupted ceremony for good",
		Long: `End a ceremony that was interrupted and shall not go on. Nothing is destroyed:
what was made stays made and in the ledger, and the next plan begins there. A key
that was about to be made is looked for first, and entered when it is there. The
reason is an exception in the ledger.

With --unaccounted nobody looks, because the token is lost: the ledger then says
that a key with that id may exist.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if o.reason == "" {
				return &usageError{fmt.Errorf("--reason is needed: say why the ceremony does not go on")}
			}
			return a.ceremonyAbort(c.Context(), args[0], o)
		},
	}
	c.Flags().StringVar(&o.reason, "reason", "", "why it does not go on; it stands in the ledger")
	c.Flags().StringVar(&o.by, "by", "", "who decided")
	c.Flags().BoolVar(&o.yes, "yes", false, "answer the confirmation; lab estates only")
	c.Flags().BoolVar(&o.unaccounted, "unaccounted", false, "do not look for a key that was about to be made")
	c.Flags().StringArrayVar(&o.shares, "share", nil, "file with a custodian's share; may be repeated")
	c.Flags().StringArrayVar(&o.identities, "identity", nil, "file of age identities that open encrypted shares; may be repeated")
	return c
}

// abortWords are what people type before a ceremony is aborted.
const abortWords = "abort this ceremony"

func (a *app) ceremonyAbort(ctx context.Context, name string, o abortOptions) error {
	t, err := a.takeUp(name, o.yes, nil)
	if err != nil {
		return err
	}
	defer t.root.Close()
	p, digest, root, estate, self := t.plan, t.digest, t.root, t.estate, t.tool
	file, err := ledger.Open(root, ledgerName, rand.Reader)
	if err != nil {
		return err
	}
	defer file.Close()
	admitted, err := ceremony.AdmitAbort(ceremony.Request{Plan: p, Digest: digest, Estate: estate, History: file, Now: a.now(), Tool: self, Resume: true})
	if err != nil {
		return err
	}
	open := file.State().Open
	d := newDesk(a, admitted, digest, applyOptions{yes: o.yes, resume: true})
	d.Say(fmt.Sprintf("%d of %s are in the ledger and stay there. A new plan begins where this one ends.", open.Done, count(len(p.Actions), "action")))
	for {
		line, err := d.Ask(ctx, ceremony.Question{Prompt: fmt.Sprintf("Type %q to go on, or stop", abortWords), Words: abortWords, Auto: abortWords})
		if err != nil {
			return err
		}
		if line == abortWords {
			break
		}
		if line == "stop" {
			return &ceremony.StoppedError{Reason: "nothing was changed"}
		}
	}
	kept, err := a.openMedia(root, file, nil, p)
	if err != nil {
		return err
	}
	defer kept.Close()
	people := &custody{app: a, root: root, files: o.shares, identities: o.identities, resumed: true}
	defer people.close()
	room := &ceremony.Room{
		Clock: a.now, Rand: rand.Reader, Tool: self, Desk: d, Secrets: askSecrets{root: root, environment: p.Estate.Environment},
		Stores: stores{root: root}, Book: kept, Files: kept, Custody: people, Unattended: o.yes,
	}
	why := &plan.ExceptionNoted{Step: admitted.StepOf(open), Expected: "that the ceremony goes on", Happened: o.reason, By: o.by}
	ended, err := room.Abort(ctx, admitted, why, o.unaccounted)
	if err != nil {
		return err
	}
	if _, err := a.writeRendered(root, estate, kept.State()); err != nil {
		return err
	}
	result := map[string]any{"actions": ended.Actions, "of": len(p.Actions), "ledger": kept.Head()}
	return a.emit("ceremony abort", result, func(w io.Writer) {
		fmt.Fprintf(w, "The ceremony is aborted, with %d of %s done; the ledger has %s.\n", ended.Actions, count(len(p.Actions), "action"), count(kept.Head().Entries, "entry"))
		fmt.Fprintf(w, "%s plan says what is still to be done.\n", a.self())
	})
}
