package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"pki.internal/spec/hclspec"
)

func schemaCommand(a *app) *cobra.Command {
	format := "markdown"
	c := &cobra.Command{
		Use:   "schema [BLOCK]",
		Short: "What can be written in an estate: blocks, arguments, functions",
		Long: `What can be written in an estate: every block with its arguments, and every
function, as the program reads them. BLOCK shows one type of block. The Markdown
is the reference part of docs/language.md; the JSON is for editors and tools.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if format != "markdown" && format != "json" {
				return &usageError{fmt.Errorf("--format %s: write markdown or json", format)}
			}
			a.json = a.json || format == "json"
			return a.showSchema(args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var words []string
			for _, b := range hclspec.Describe().Blocks {
				words = append(words, b.Type+"\t"+b.Doc)
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
	}
	c.Flags().StringVar(&format, "format", format, "markdown or json")
	completeFlag(c, "format", "markdown", "json")
	return c
}

func (a *app) showSchema(args []string) error {
	language := hclspec.Describe()
	if len(args) == 1 {
		block, err := language.Block(args[0])
		if err != nil {
			return &usageError{errors.New(strings.TrimSuffix(err.Error(), "."))}
		}
		language.Blocks, language.Functions = []hclspec.BlockLanguage{block}, nil
	}
	return a.emit("schema", language, func(w io.Writer) {
		var b strings.Builder
		if language.Markdown(&b) != nil {
			return // a strings.Builder takes everything
		}
		text := b.String()
		if len(args) == 1 {
			_, text, _ = strings.Cut(text, "\n\n")
			text, _, _ = strings.Cut(text, "\n## Functions")
		}
		io.WriteString(w, text)
	})
}
