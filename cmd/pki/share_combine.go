package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"pki.internal/plan"
	"pki.internal/shamir"
)

func shareCombineCommand(a *app) *cobra.Command {
	var o shareSource
	var purpose, out, from string
	c := &cobra.Command{
		Use:   "combine [FILE…]",
		Short: "Give the secret back from enough shares",
		Long: `Give the secret back, to the byte, on standard output or in a new file. Shares
may be files in any form, also age files with --identity, or words that are
typed with --type. Shares of several sets, too few, doubled, damaged or altered
ones are refused by name; what comes out is always the secret that was split.

--from reads shares of another program, one to a file, to move away from it:
vault (hex or base64) or ssss (exactly as many as its threshold). Such shares say
nothing about themselves, so what comes out is NOT verified: try it before you
trust it, and split it anew with pki share split.`,
		RunE: func(c *cobra.Command, args []string) error {
			o.files = args
			switch {
			case len(args) == 0 && !o.typed:
				return &usageError{fmt.Errorf("there are no shares: name their files, or type them with --type")}
			case out == "" && a.json:
				return &usageError{fmt.Errorf("--json never holds a secret; name a file for it with --out")}
			case out == "" && term.IsTerminal(int(os.Stdout.Fd())):
				return &usageError{fmt.Errorf("the secret would be shown on the screen; redirect standard output, or name a file with --out")}
			}
			if from != "" {
				if o.typed || purpose != "" || o.record != "" || o.secret != "" || len(o.identities) > 0 {
					return &usageError{fmt.Errorf("shares of %s are files, and nothing about them can be checked; leave the other flags out", from)}
				}
				return a.combineForeign(shamir.Foreign(from), args, out)
			}
			return a.combine(c.Context(), o, purpose, out)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&purpose, "purpose", "", "refuse shares that are for anything else")
	c.Flags().StringVar(&from, "from", "", "read shares of another program, once: vault or ssss; the result is not verified")
	c.Flags().StringVar(&out, "out", "", "new file for the secret, mode 0600")
	return c
}

// gather reads files and, with --type, asks for as many shares as the
// threshold is still short of.
func (a *app) gather(ctx context.Context, o shareSource, scheme *shamir.Scheme) ([]heldShare, error) {
	held, err := a.readShares(ctx, o)
	if err != nil || !o.typed {
		return held, err
	}
	held, err = a.typeShares(ctx, held, func(held []heldShare) bool {
		if scheme != nil {
			return scheme.Enough(bare(held))
		}
		return len(held) > 0 && len(held) >= held[0].Threshold
	})
	if err != nil {
		wipeShares(held)
		return nil, err
	}
	return held, nil
}

func (a *app) combine(ctx context.Context, o shareSource, purpose, out string) error {
	scheme, err := a.recordOf(&o)
	if err != nil {
		return err
	}
	held, err := a.gather(ctx, o, scheme)
	if err != nil {
		return err
	}
	defer wipeShares(held)
	secret, err := combineShares(bare(held), purpose, scheme)
	if err != nil {
		return refuseShares(err)
	}
	defer clear(secret)
	if out == "" {
		_, err := a.stdout.Write(secret)
		return err
	}
	if err := writeSecret(out, secret); err != nil {
		return err
	}
	result := map[string]any{"set": held[0].Set.String(), "purpose": held[0].Purpose, "shares": len(held), "written": out}
	return a.emit("share combine", result, func(w io.Writer) {
		fmt.Fprintf(w, "The secret for %s, from %s of set %s, is in %s.\n", held[0].Purpose, count(len(held), "share"), held[0].Set, out)
	})
}

// combineShares puts shares together, against a record when there is one.
func combineShares(shares []*shamir.Share, purpose string, scheme *shamir.Scheme) ([]byte, error) {
	if scheme == nil {
		return shamir.CombineAll(shares, shamir.Use{Purpose: purpose})
	}
	if purpose != "" && purpose != scheme.Top.Purpose {
		return nil, &shamir.Fault{Kind: shamir.ErrPurpose, Fact: fmt.Sprintf("the record is of shares for %q", scheme.Top.Purpose), Next: "give the record of the shares for " + purpose}
	}
	return scheme.Combine(shares)
}

// combineForeign gets a secret out of another program's shares.
func (a *app) combineForeign(from shamir.Foreign, names []string, out string) error {
	if from != shamir.Vault && from != shamir.SSSS {
		return &usageError{fmt.Errorf("--from %s: it is %s or %s", from, shamir.Vault, shamir.SSSS)}
	}
	var texts [][]byte
	defer func() {
		for _, text := range texts {
			clear(text)
		}
	}()
	for _, name := range names {
		text, err := readShareFile(name)
		if err != nil {
			return aboutShare(name, err)
		}
		texts = append(texts, text)
	}
	secret, err := shamir.CombineForeign(from, texts)
	if err != nil {
		return refuseShares(err)
	}
	defer clear(secret)
	warning := fmt.Sprintf("NOT VERIFIED: shares of %s do not say whether these are enough or sound; too few or a wrong one give something else. Try the secret before you trust it, then split it anew with pki share split.", from)
	if out == "" {
		if _, err := a.stdout.Write(secret); err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "%s\n", wrap(a.paint(yellow, "Warning:")+" "+warning, a.width, "  "))
		return nil
	}
	if err := writeSecret(out, secret); err != nil {
		return err
	}
	result := map[string]any{"from": from, "shares": len(names), "written": out, "verified": false}
	return a.emit("share combine", result, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n", wrap("What "+count(len(names), "share")+" of "+string(from)+" give is in "+out+". "+warning, a.width, ""))
	})
}

// writeSecret makes a new file.
func writeSecret(name string, secret []byte) error {
	if _, err := os.Lstat(name); err == nil {
		return refuseShares(&shamir.Fault{Fact: name + " is already there, and is not overwritten", Next: "name another file with --out"})
	}
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer root.Close()
	return folderFiles{root}.Write(plan.File{Path: filepath.Base(name), Data: secret, Mode: 0o600})
}
