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
	var purpose, out string
	c := &cobra.Command{
		Use:   "combine [FILE…]",
		Short: "Give the secret back from enough shares",
		Long: `Give the secret back, to the byte, on standard output or in a new file. Shares
may be files in any form, also age files with --identity, or words that are
typed with --type. Shares of several sets, too few, doubled, damaged or altered
ones are refused by name; what comes out is always the secret that was split.`,
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
			return a.combine(c.Context(), o, purpose, out)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&purpose, "purpose", "", "refuse shares that are for anything else")
	c.Flags().StringVar(&out, "out", "", "new file for the secret, mode 0600")
	return c
}

// gather reads files and, with --type, asks for as many shares as the
// threshold is still short of.
func (a *app) gather(ctx context.Context, o shareSource) ([]heldShare, error) {
	held, err := a.readShares(ctx, o)
	if err != nil || !o.typed {
		return held, err
	}
	held, err = a.typeShares(ctx, held, func(held []heldShare) bool { return len(held) > 0 && len(held) >= held[0].Threshold })
	if err != nil {
		wipeShares(held)
		return nil, err
	}
	return held, nil
}

func (a *app) combine(ctx context.Context, o shareSource, purpose, out string) error {
	set, err := a.recordOf(&o)
	if err != nil {
		return err
	}
	held, err := a.gather(ctx, o)
	if err != nil {
		return err
	}
	defer wipeShares(held)
	secret, err := shamir.Combine(bare(held), shamir.Use{Purpose: purpose, Set: set})
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
