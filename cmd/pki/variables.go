package main

import (
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"pki.internal/spec/hclspec"
)

// variables is where the values of an estate's variables come from.
type variables struct {
	given []string // name=value
	files []string
}

func (v *variables) flags(c *cobra.Command) {
	c.Flags().StringArrayVar(&v.given, "var", nil, "value of a variable, name=value; may be repeated")
	c.Flags().StringArrayVar(&v.files, "var-file", nil, "file of name = value lines, or JSON; may be repeated, and --var counts more")
}

// count is how many values and files were given.
func (v *variables) count() int { return len(v.given) + len(v.files) }

// parseVars reads the files in their order, and then --var name=value.
func parseVars(v variables) (map[string]string, error) {
	if v.count() == 0 {
		return nil, nil
	}
	vars := map[string]string{}
	for _, name := range v.files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("%w; --var-file names a file of name = value lines", err)
		}
		values, diags := hclspec.ParseVariables(text, name)
		if diags.HasErrors() {
			return nil, diags
		}
		maps.Copy(vars, values)
	}
	seen := map[string]bool{}
	for _, g := range v.given {
		name, value, found := strings.Cut(g, "=")
		if !found {
			return nil, &usageError{fmt.Errorf("--var %s: write it as --var name=value", g)}
		}
		if seen[name] {
			return nil, &usageError{fmt.Errorf("--var %s is given twice", name)}
		}
		vars[name], seen[name] = value, true
	}
	return vars, nil
}
