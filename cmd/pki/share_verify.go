package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/shamir"
)

func shareVerifyCommand(a *app) *cobra.Command {
	var o shareSource
	c := &cobra.Command{
		Use:   "verify [FILE…]",
		Short: "Check shares, each alone; nothing is reconstructed",
		Long: `Check that shares are whole and, with --set, that they are the ones that were
handed out. Nothing is reconstructed for that. When all shares of a set are
given with its record, it is also proved that every choice of enough of them
gives the same secret; nothing of it is shown.`,
		RunE: func(c *cobra.Command, args []string) error {
			o.files = args
			if len(args) == 0 && !o.typed {
				return &usageError{fmt.Errorf("there are no shares: name their files, or type one with --type")}
			}
			return a.verifyShares(c.Context(), o)
		},
	}
	o.flags(c)
	c.Flag("type").Usage = "ask for one share in words on the terminal"
	return c
}

// verifiedShare is what was found out about one share.
type verifiedShare struct {
	From        string              `json:"from"`
	Set         string              `json:"set,omitempty"`
	Purpose     string              `json:"purpose,omitempty"`
	Threshold   int                 `json:"threshold,omitempty"`
	Count       int                 `json:"count,omitempty"`
	Index       int                 `json:"index,omitempty"`
	Number      int                 `json:"-"` // among all people of the record
	Holder      string              `json:"holder,omitempty"`
	Corrections []shamir.Correction `json:"corrections,omitempty"`
	HandedOut   bool                `json:"handed_out"` // it is the one of the set's record
	Problem     string              `json:"problem,omitempty"`
	Next        string              `json:"next,omitempty"`
}

// verifyShares says of every share whether it is sound, also after one that
// is not.
func (a *app) verifyShares(ctx context.Context, o shareSource) error {
	scheme, err := a.recordOf(&o)
	if err != nil {
		return err
	}
	results, held, err := a.judge(ctx, o, scheme)
	defer wipeShares(held)
	if err != nil {
		return err
	}
	proven := false
	if scheme != nil && len(held) == scheme.People() && refusals(results) == 0 {
		if err := scheme.Prove(bare(held)); err != nil {
			return refuseShares(err)
		}
		proven = true
	}
	result := map[string]any{"shares": results, "every_choice_proven": proven}
	if err := a.emit("share verify", result, func(w io.Writer) { printVerifiedShares(w, results, scheme, proven) }); err != nil {
		return err
	}
	return a.refuseSaid(results)
}

// judge reads and checks shares one by one. An error is one that says nothing
// about a share.
func (a *app) judge(ctx context.Context, o shareSource, scheme *shamir.Scheme) ([]verifiedShare, []heldShare, error) {
	ids, err := readIdentities(ctx, o.identities)
	if err != nil {
		return nil, nil, err
	}
	var results []verifiedShare
	var held []heldShare
	add := func(name string, h heldShare, err error) error {
		v := verifiedShare{From: name}
		if err == nil {
			held = append(held, h)
			a.sayCorrections(h)
			v = verifiedShare{From: name, Set: h.Set.String(), Purpose: h.Purpose, Threshold: h.Threshold, Count: h.Count, Index: h.Index, Holder: h.Holder, Corrections: h.corrections}
			if scheme != nil {
				v.Number, err = scheme.Find(h.Share)
				v.HandedOut = err == nil
			}
		}
		var fault *shamir.Fault
		switch {
		case errors.Is(err, shamir.ErrEncrypted):
			return fmt.Errorf("%s: %w", name, refuseShares(err))
		case errors.As(err, &fault):
			v.Problem, v.Next = fault.Error(), fault.Next
		case err != nil:
			return err
		}
		results = append(results, v)
		return nil
	}
	for _, name := range o.files {
		h, err := readShare(name, ids)
		if err := add(name, h, err); err != nil {
			return results, held, err
		}
	}
	if o.typed {
		typed, err := a.typeShares(ctx, nil, func(held []heldShare) bool { return len(held) == 1 })
		if err != nil {
			return results, held, err
		}
		if err := add("typed", typed[0], nil); err != nil {
			return results, held, err
		}
	}
	return results, held, nil
}

func refusals(results []verifiedShare) int {
	n := 0
	for _, v := range results {
		if v.Problem != "" {
			n++
		}
	}
	return n
}

// refuseSaid ends a command whose result has told already which shares are
// bad.
func (a *app) refuseSaid(results []verifiedShare) error {
	n := refusals(results)
	if n == 0 {
		return nil
	}
	refusal := &ceremony.Refusal{Fact: fmt.Sprintf("%s of %d cannot be used", count(n, "share"), len(results)), Next: "do what stands under each of them"}
	if a.json {
		return errors.Join(&saidError{}, refusal)
	}
	return refusal
}

func printVerifiedShares(w io.Writer, results []verifiedShare, scheme *shamir.Scheme, proven bool) {
	for _, v := range results {
		switch {
		case v.Problem != "":
			fmt.Fprintf(w, "FAILED  %s\n        %s\n        Next: %s.\n", v.From, v.Problem, v.Next)
			continue
		case v.HandedOut:
			fmt.Fprintf(w, "ok      %s\n        share %d (%s) of set %s, for %s: whole, and the one that was handed out\n", v.From, v.Index, v.Holder, v.Set, v.Purpose)
		default:
			fmt.Fprintf(w, "ok      %s\n        share %d (%s) of set %s, for %s, %d of %d: whole\n", v.From, v.Index, v.Holder, v.Set, v.Purpose, v.Threshold, v.Count)
		}
	}
	switch {
	case proven && len(scheme.Groups) == 0:
		fmt.Fprintf(w, "\nAll %d shares are here, and every %d of them give the same secret.\n", scheme.People(), scheme.Top.Threshold)
	case proven:
		fmt.Fprintf(w, "\nAll %d shares are here, and every choice of enough of them gives the same secret.\n", scheme.People())
	case scheme == nil:
		fmt.Fprintf(w, "\nNot checked: whether these are the shares that were handed out; --set FILE does that.\n")
	}
}
