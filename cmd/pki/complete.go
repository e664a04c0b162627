package main

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

// completeFlag lets the shell complete the values of a flag.
func completeFlag(c *cobra.Command, name string, values ...string) {
	// It fails only for a flag that is not there, which the first run shows.
	_ = c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// completeFrom lets the shell complete arguments from the estate. What does
// not load completes nothing, and says nothing.
func (a *app) completeFrom(list func(e *spec.Estate) []spec.Address, form func(spec.Address) string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		root, err := a.folder()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer root.Close()
		loaded, _ := hclspec.Load(root.FS(), nil)
		if loaded.Estate == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var words []string
		for _, address := range list(loaded.Estate) {
			if word := form(address); !slices.Contains(args, word) {
				words = append(words, word)
			}
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

func authorityAddresses(e *spec.Estate) []spec.Address {
	var all []spec.Address
	for _, one := range e.Authorities {
		all = append(all, one.Address)
	}
	return all
}

func onlineCAAddresses(e *spec.Estate) []spec.Address {
	var all []spec.Address
	for _, one := range e.OnlineCAs {
		all = append(all, one.Address)
	}
	return all
}

// nearFlag gives the flag that an unknown one was meant to be.
func nearFlag(c *cobra.Command, message string) string {
	_, given, found := strings.Cut(message, "unknown flag: --")
	if !found || given == "" {
		return ""
	}
	best, distance := "", 3
	c.Flags().VisitAll(func(f *pflag.Flag) {
		d := levenshtein.Distance(given, f.Name, nil)
		if near := d < distance || d == distance && f.Name[0] == given[0]; near && d < 3 && !f.Hidden {
			best, distance = f.Name, d
		}
	})
	if best == "" {
		return ""
	}
	return "; did you mean --" + best + "?"
}
