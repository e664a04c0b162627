package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
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
	Lost      []string        `json:"lost,omitempty"` // of the absent, those whose shares are lost
	Shares    []verifiedShare `json:"shares"`
	Entry     int             `json:"ledger_entry,omitempty"` // where the ledger has it
	Spare     *int            `json:"spare,omitempty"`        // how many more may be lost; below zero the secret cannot be had
	wanted    string
	enough    bool // with those who proved theirs shortly before
}

// drillDays is how long a drill may take that goes from one holder to the next.
const drillDays = 30

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
	var lost []string
	c := &cobra.Command{
		Use:   "drill --secret NAME | --set FILE [FILE…]",
		Short: "Prove that holders still have their shares; nothing is reconstructed",
		Long: `Check the shares that holders bring against the set's record, and say who was
not there. Nothing is reconstructed, so a drill puts the secret at no risk, even
when enough holders are in one room. With --secret the drill is entered in the
estate's ledger, and may go from one holder to the next for 30 days. Otherwise
the result carries the date; keep it.

--lost HOLDER says that a share is lost: pki status and pki plan then say what
is left, until the secret is shared anew, or the share is proven after all.`,
		RunE: func(c *cobra.Command, args []string) error {
			o.files = args
			if o.record+o.secret == "" {
				return &usageError{fmt.Errorf("--secret NAME is needed, a secret of the estate, or --set FILE, the public record of another set")}
			}
			if len(args) == 0 && !o.typed && len(lost) == 0 {
				return &usageError{fmt.Errorf("there are no shares: name their files, type one with --type, or say with --lost which are lost")}
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
			if err := d.lose(lost); err != nil {
				return err
			}
			if o.secret != "" {
				if err := a.recordDrill(o.secret, &d); err != nil {
					return err
				}
			}
			if err := a.emit("share drill", d, func(w io.Writer) { printDrill(w, d) }); err != nil {
				return err
			}
			if err := a.refuseSaid(results); err != nil {
				return err
			}
			if refusal := d.refusal(d.enough || scheme.Enough(sound(held, results))); refusal != nil {
				if a.json {
					return errors.Join(&saidError{}, refusal)
				}
				return refusal
			}
			return nil
		},
	}
	o.flags(c)
	c.Flags().StringArrayVar(&lost, "lost", nil, "holder whose share is lost; may be repeated")
	c.Flag("type").Usage = "ask for one share in words on the terminal"
	return c
}

// lose says that shares of holders who are absent are lost.
func (d *drill) lose(holders []string) error {
	for _, name := range holders {
		switch {
		case slices.Contains(d.Proven, name):
			return &ceremony.Refusal{Fact: fmt.Sprintf("the share of %s was proven, so it is not lost", name), Next: "leave --lost " + name + " out"}
		case !slices.Contains(d.Absent, name):
			return &usageError{fmt.Errorf("--lost %s: no holder of this set has that name; it has %s", name, strings.Join(append(slices.Clone(d.Proven), d.Absent...), ", "))}
		case !slices.Contains(d.Lost, name):
			d.Lost = append(d.Lost, name)
		}
	}
	return nil
}

// refusal says why a drill is not good enough; enough reports whether those
// who came have the secret. Who only said that a share is lost held no drill.
func (d *drill) refusal(enough bool) error {
	switch {
	case d.Spare != nil && *d.Spare < 0:
		return &ceremony.Refusal{
			Fact: "so many shares are lost that this secret cannot be had any more",
			Next: "look for them once more; else put a new secret and new keys in place of what it opens, while that is still open somewhere",
		}
	case enough, len(d.Shares) == 0:
		return nil
	}
	within := "today this secret could not be had"
	if d.Entry > 0 {
		within = fmt.Sprintf("with those of the %d days before there are still too few", drillDays)
	}
	return &ceremony.Refusal{
		Fact: fmt.Sprintf("%s proven, and what is needed is %s: %s", count(len(d.Proven), "share"), d.wanted, within),
		Next: "have the others prove theirs; if fewer than the threshold can ever be found, replace the secret itself while what it opens is still open",
	}
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
		how := "not proven"
		if slices.Contains(d.Lost, holder) {
			how = "lost"
		}
		rows = append(rows, "  "+how+"\t"+holder)
	}
	table(w, rows...)
	fmt.Fprintf(w, "\n%d of %d proven; needed to get the secret: %s.\n", len(d.Proven), len(d.Proven)+len(d.Absent), d.wanted)
	switch {
	case d.Spare == nil || len(d.Lost) == 0:
	case *d.Spare == 0:
		fmt.Fprintf(w, "Lost shares: no more of them may be lost. Share the secret anew now: change its\ncustodians, then pki plan.\n")
	case *d.Spare > 0:
		fmt.Fprintf(w, "Lost shares: %d more may be lost. Share the secret anew: change its custodians,\nthen pki plan.\n", *d.Spare)
	}
	if d.Entry > 0 {
		fmt.Fprintf(w, "It is entry %d of %s. Commit it; plans that were made before it are stale.\n", d.Entry, ledgerName)
	}
}
