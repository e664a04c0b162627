package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/shamir"
)

// drill is what a drill showed, for the record.
type drill struct {
	Set       string          `json:"set"`
	Purpose   string          `json:"purpose"`
	Time      time.Time       `json:"time"`
	Threshold int             `json:"threshold"`
	Proven    []string        `json:"proven"`
	Absent    []string        `json:"absent"`
	Shares    []verifiedShare `json:"shares"`
	Entry     int             `json:"ledger_entry,omitempty"` // where the ledger has it
}

// drillOf says who has proved a share and who has not.
func drillOf(set *shamir.Set, results []verifiedShare, now time.Time) drill {
	d := drill{
		Set: set.ID().String(), Purpose: set.Purpose, Time: now.UTC().Truncate(time.Second), Threshold: set.Threshold,
		Proven: []string{}, Absent: []string{}, Shares: results,
	}
	for _, m := range set.Members {
		if slices.ContainsFunc(results, func(v verifiedShare) bool { return v.HandedOut && v.Index == m.Index }) {
			d.Proven = append(d.Proven, m.Holder)
		} else {
			d.Absent = append(d.Absent, m.Holder)
		}
	}
	return d
}

func shareDrillCommand(a *app) *cobra.Command {
	var o shareSource
	c := &cobra.Command{
		Use:   "drill --secret NAME | --set FILE [FILE…]",
		Short: "Prove that holders still have their shares; nothing is reconstructed",
		Long: `Check the shares that holders bring against the set's record, and say who was
not there. Nothing is reconstructed, so a drill puts the secret at no risk, even
when enough holders are in one room. With --secret the drill is entered in the
estate's ledger. Otherwise the result carries the date; keep it.`,
		RunE: func(c *cobra.Command, args []string) error {
			o.files = args
			if o.record+o.secret == "" {
				return &usageError{fmt.Errorf("--secret NAME is needed, a secret of the estate, or --set FILE, the public record of another set")}
			}
			if len(args) == 0 && !o.typed {
				return &usageError{fmt.Errorf("there are no shares: name their files, or type one with --type")}
			}
			set, err := a.recordOf(&o)
			if err != nil {
				return err
			}
			results, held, err := a.judge(c.Context(), o, set)
			defer wipeShares(held)
			if err != nil {
				return err
			}
			d := drillOf(set, results, a.now())
			if o.secret != "" {
				if d.Entry, err = a.recordDrill(o.secret, d); err != nil {
					return err
				}
			}
			if err := a.emit("share drill", d, func(w io.Writer) { printDrill(w, d) }); err != nil {
				return err
			}
			if err := a.refuseSaid(results); err != nil {
				return err
			}
			if len(d.Proven) < set.Threshold {
				refusal := &ceremony.Refusal{
					Fact: fmt.Sprintf("%s proven and %d are needed: today this secret could not be had", count(len(d.Proven), "share"), set.Threshold),
					Next: "find the others; if fewer than the threshold can ever be found, replace the secret itself while what it opens is still open",
				}
				if a.json {
					return errors.Join(&saidError{}, refusal)
				}
				return refusal
			}
			return nil
		},
	}
	o.flags(c)
	c.Flag("type").Usage = "ask for one share in words on the terminal"
	return c
}

func printDrill(w io.Writer, d drill) {
	fmt.Fprintf(w, "Drill of set %s, for %s, %s\n\n", d.Set, d.Purpose, instant(d.Time))
	var rows []string
	for _, v := range d.Shares {
		if v.Problem != "" {
			rows = append(rows, "  FAILED\t"+v.From+"\t"+v.Problem)
		}
	}
	for _, holder := range d.Proven {
		rows = append(rows, "  proven\t"+holder)
	}
	for _, holder := range d.Absent {
		rows = append(rows, "  not proven\t"+holder)
	}
	table(w, rows...)
	fmt.Fprintf(w, "\n%d of %d proven; %d are needed to get the secret.\n", len(d.Proven), len(d.Proven)+len(d.Absent), d.Threshold)
	if d.Entry > 0 {
		fmt.Fprintf(w, "It is entry %d of %s. Commit it; plans that were made before it are stale.\n", d.Entry, ledgerName)
	}
}
