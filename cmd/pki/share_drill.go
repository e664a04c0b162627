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
	wanted    string
}

// drillOf says who has proved a share and who has not.
func drillOf(scheme *shamir.Scheme, results []verifiedShare, now time.Time) drill {
	d := drill{
		Set: scheme.Top.ID().String(), Purpose: scheme.Top.Purpose, Time: now.UTC().Truncate(time.Second), Threshold: scheme.Top.Threshold,
		Proven: []string{}, Absent: []string{}, Shares: results, wanted: scheme.Wanted(),
	}
	for number := 1; number <= scheme.People(); number++ {
		_, m := scheme.At(number)
		if slices.ContainsFunc(results, func(v verifiedShare) bool { return v.HandedOut && v.Number == number }) {
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
			scheme, err := a.recordOf(&o)
			if err != nil {
				return err
			}
			results, held, err := a.judge(c.Context(), o, scheme)
			defer wipeShares(held)
			if err != nil {
				return err
			}
			d := drillOf(scheme, results, a.now())
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
			if !scheme.Enough(sound(held, results)) {
				refusal := &ceremony.Refusal{
					Fact: fmt.Sprintf("%s proven, and what is needed is %s: today this secret could not be had", count(len(d.Proven), "share"), scheme.Wanted()),
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

// sound gives the shares that are of the record, each once.
func sound(held []heldShare, results []verifiedShare) []*shamir.Share {
	var shares []*shamir.Share
	seen := map[int]bool{}
	for _, h := range held {
		for _, v := range results {
			if v.HandedOut && v.From == h.from && v.Index == h.Index && v.Set == h.Set.String() && !seen[v.Number] {
				seen[v.Number] = true
				shares = append(shares, h.Share)
			}
		}
	}
	return shares
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
	fmt.Fprintf(w, "\n%d of %d proven; needed to get the secret: %s.\n", len(d.Proven), len(d.Proven)+len(d.Absent), d.wanted)
	if d.Entry > 0 {
		fmt.Fprintf(w, "It is entry %d of %s. Commit it; plans that were made before it are stale.\n", d.Entry, ledgerName)
	}
}
