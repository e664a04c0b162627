package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/spf13/cobra"

	"pki.internal/plan"
	"pki.internal/spec/hclspec"
)

func fmtCommand(a *app) *cobra.Command {
	var check, diff bool
	c := &cobra.Command{
		Use:   "fmt [FILE…]",
		Short: "Write the estate's files in the canonical style",
		Long:  "Write the estate's *" + hclspec.Suffix + " files in the canonical style. FILE may be - to read standard input and write standard output.",
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if slices.Equal(args, []string{"-"}) {
				return a.formatStream(c.InOrStdin(), check, diff)
			}
			return a.formatFiles(args, check, diff)
		},
	}
	c.Flags().BoolVar(&check, "check", false, "change nothing; exit 2 when a file is not in style")
	c.Flags().BoolVar(&diff, "diff", false, "show what changes")
	return c
}

func (a *app) formatStream(in io.Reader, check, diff bool) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	styled, err := style("standard input", text)
	if err != nil {
		return err
	}
	shown := string(styled)
	if diff {
		shown = udiff.Unified("standard input", "standard input", string(text), string(styled))
	} else if check {
		shown = ""
	}
	changed := []string{}
	if !bytes.Equal(text, styled) {
		changed = append(changed, "-")
	}
	err = a.emit("fmt", map[string]any{"changed": changed, "text": shown}, func(w io.Writer) { io.WriteString(w, shown) })
	if err == nil && check && len(changed) > 0 {
		return &changesError{}
	}
	return err
}

// style formats one file and squeezes runs of empty lines into one.
func style(name string, text []byte) ([]byte, error) {
	if _, diags := hclparse.NewParser().ParseHCL(text, name); diags.HasErrors() {
		first := diags.Errs()[0]
		var one *hcl.Diagnostic
		if errors.As(first, &one) {
			return nil, fmt.Errorf("%s: %s; %s", one.Subject, one.Summary, one.Detail)
		}
		return nil, first
	}
	styled := hclwrite.Format(text)
	for bytes.Contains(styled, []byte("\n\n\n")) && !bytes.Contains(styled, []byte("<<")) {
		styled = bytes.ReplaceAll(styled, []byte("\n\n\n"), []byte("\n\n"))
	}
	return styled, nil
}

func (a *app) formatFiles(names []string, check, diff bool) error {
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	if len(names) == 0 {
		if names, err = fs.Glob(root.FS(), "*"+hclspec.Suffix); err != nil {
			return err
		}
	}
	changed := []string{}
	var shown strings.Builder
	for _, name := range names {
		text, err := root.ReadFile(name)
		if err != nil {
			return err
		}
		styled, err := style(name, text)
		if err != nil {
			return err
		}
		if bytes.Equal(text, styled) {
			continue
		}
		changed = append(changed, name)
		if diff {
			shown.WriteString(udiff.Unified(name, name, string(text), string(styled)))
		}
		if !check {
			if err := rewrite(root, name, styled); err != nil {
				return err
			}
		}
	}
	err = a.emit("fmt", map[string]any{"changed": changed}, func(w io.Writer) {
		for _, name := range changed {
			fmt.Fprintln(w, name)
		}
		io.WriteString(w, shown.String())
	})
	if err == nil && check && len(changed) > 0 {
		return &changesError{}
	}
	return err
}

func rewrite(root *os.Root, name string, text []byte) error {
	info, err := root.Stat(name)
	if err != nil {
		return err
	}
	return folderFiles{root}.Write(plan.File{Path: name, Mode: info.Mode().Perm(), Data: text})
}
