package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/shamir"
)

func shareReshareCommand(a *app) *cobra.Command {
	var from shareSource
	var to dealing
	var force bool
	c := &cobra.Command{
		Use:   "reshare [FILE…]",
		Short: "Share a set's secret anew, among others or after a loss",
		Long: `Get the secret from enough shares of the old set and split it anew: other
polynomials, another set id, other holders or another threshold if wanted. The
secret stays the same and is not shown. Old and new shares cannot be mixed.

The old set is good for as long as enough of its shares exist. Keep them until
every new share is proven, then destroy them: whoever finds enough of them has
the secret. With --set, no more holders than the threshold less one may leave at
once: those who leave together must not be enough.`,
		RunE: func(c *cobra.Command, args []string) error {
			from.files = args
			if from.secret != "" {
				return &ceremony.Refusal{
					Fact: from.secret + " is in the estate's ledger, and sharing it anew belongs there, too",
					Next: "change the holders in its custodians block; " + a.self() + " plan then plans it, and the ceremony carries it out",
				}
			}
			if len(args) == 0 && !from.typed {
				return &usageError{fmt.Errorf("there are no shares of the old set: name their files, or type them with --type")}
			}
			p, recipients, err := to.policy(c.Context(), "")
			if err != nil {
				return err
			}
			record, err := a.recordOf(&from)
			if err != nil {
				return err
			}
			var set *shamir.Set
			if record != nil {
				set = record.Top
			}
			if err := fewLeave(set, p.Holders); err != nil && !force {
				return err
			}
			held, err := a.gather(c.Context(), from, record)
			if err != nil {
				return err
			}
			defer wipeShares(held)
			secret, err := shamir.Combine(bare(held), shamir.Use{Set: set})
			if err != nil {
				return refuseShares(err)
			}
			defer clear(secret)
			p.Purpose = held[0].Purpose
			result, err := to.deal(secret, p, recipients, &held[0].Set)
			if err != nil {
				return err
			}
			return a.emit("share reshare", result, func(w io.Writer) {
				printDealt(w, result)
				fmt.Fprintf(w, "\nIt replaces set %s, which stays good until its shares are destroyed.\n\nNext:\n", result.Replaces)
				steps := append(handOut(result, len(recipients) > 0), "When all new shares are proven, destroy the shares of set "+result.Replaces+", every one of them.")
				for _, step := range steps {
					fmt.Fprintf(w, "  - %s\n", wrap(step, a.width-4, "    "))
				}
			})
		},
	}
	from.flags(c)
	to.flags(c)
	c.Flags().BoolVar(&force, "force", false, "let as many holders leave at once as the threshold, or more")
	return c
}

// fewLeave refuses to let so many holders leave at once that their old shares
// are enough to have the secret, until they are destroyed.
func fewLeave(set *shamir.Set, holders []string) error {
	if set == nil {
		return nil
	}
	var leave []string
	for _, m := range set.Members {
		if !slices.Contains(holders, m.Holder) {
			leave = append(leave, m.Holder)
		}
	}
	if len(leave) < set.Threshold {
		return nil
	}
	return &ceremony.Refusal{
		Fact: fmt.Sprintf("%s leave at once (%s), and %d old shares are the secret", count(len(leave), "holder"), strings.Join(leave, ", "), set.Threshold),
		Next: "reshare in two steps, or say --force and see that their old shares are destroyed",
	}
}
