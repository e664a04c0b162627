package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"

	"pki.internal/plan"
	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

func fmtCommand(a *app) *cobra.Command {
	var check, diff, recursive bool
	c := &cobra.Command{
		Use:   "fmt [FILE|DIR…]",
		Short: "Write the estate's files in the canonical style",
		Long:  "Write the estate's *" + hclspec.Suffix + " files in the canonical style. FILE may be - to read\nstandard input and write standard output. A file that cannot be parsed stays as it is.",
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if slices.Equal(args, []string{"-"}) {
				return a.formatStream(c.InOrStdin(), check, diff)
			}
			return a.formatFiles(args, check, diff, recursive)
		},
	}
	c.Flags().BoolVar(&check, "check", false, "change nothing; exit 2 when a file is not in style")
	c.Flags().BoolVar(&diff, "diff", false, "show what changes")
	c.Flags().BoolVar(&recursive, "recursive", false, "also the folders below")
	return c
}

func (a *app) formatStream(in io.Reader, check, diff bool) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	styled, err := a.style("standard input", text)
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

// style formats one file; what is wrong with it is shown with its line.
func (a *app) style(name string, text []byte) ([]byte, error) {
	styled, diags := hclspec.Style(text, name)
	if diags.HasErrors() {
		if a.sources == nil {
			a.sources = map[string][]byte{}
		}
		a.sources[name] = text
		return nil, diags
	}
	return styled, nil
}

// filesToFormat gives the files that are meant: those that were named, the
// estate's own, or all below its folder.
func filesToFormat(root *os.Root, names []string, recursive bool) ([]string, error) {
	if len(names) == 0 {
		names = []string{"."}
	}
	var files []string
	for _, name := range names {
		info, err := root.Stat(name)
		switch {
		case err != nil:
			return nil, err
		case !info.IsDir():
			files = append(files, name)
			continue
		}
		err = fs.WalkDir(root.FS(), path.Clean(name), func(p string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && p != path.Clean(name) && (!recursive || strings.HasPrefix(d.Name(), ".")):
				return fs.SkipDir
			case !d.IsDir() && strings.HasSuffix(p, hclspec.Suffix):
				files = append(files, p)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// formatFiles styles every file that is sound, and then says what is wrong
// with the others.
func (a *app) formatFiles(names []string, check, diff, recursive bool) error {
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	if names, err = filesToFormat(root, names, recursive); err != nil {
		return err
	}
	changed := []string{}
	var shown strings.Builder
	var wrong spec.Diagnostics
	for _, name := range names {
		text, err := root.ReadFile(name)
		if err != nil {
			return err
		}
		styled, err := a.style(name, text)
		var diags spec.Diagnostics
		if errors.As(err, &diags) {
			wrong = append(wrong, diags...)
			continue
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
	if len(wrong) > 0 && a.json {
		return wrong
	}
	err = a.emit("fmt", map[string]any{"changed": changed}, func(w io.Writer) {
		for _, name := range changed {
			fmt.Fprintln(w, name)
		}
		io.WriteString(w, shown.String())
	})
	switch {
	case err != nil:
		return err
	case len(wrong) > 0:
		return wrong
	case check && len(changed) > 0:
		return &changesError{}
	}
	return nil
}

func rewrite(root *os.Root, name string, text []byte) error {
	info, err := root.Stat(name)
	if err != nil {
		return err
	}
	return folderFiles{root}.Write(plan.File{Path: name, Mode: info.Mode().Perm(), Data: text})
}
