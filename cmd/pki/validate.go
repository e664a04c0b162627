package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func validateCommand(a *app) *cobra.Command {
	var given variables
	c := &cobra.Command{
		Use:   "validate",
		Short: "Check the estate; needs no ledger and no key",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			root, err := a.folder()
			if err != nil {
				return err
			}
			defer root.Close()
			vars, err := parseVars(given)
			if err != nil {
				return err
			}
			estate, err := a.load(root, vars)
			if err != nil {
				return err
			}
			result := map[string]any{"estate": estate.Name, "environment": estate.Environment, "files": len(estate.Inputs)}
			return a.emit("validate", result, func(w io.Writer) {
				fmt.Fprintf(w, "The %s estate %q is valid: %s, %s, %s read.\n",
					estate.Environment, estate.Name, count(len(estate.Authorities), "authority"), count(len(estate.OnlineCAs), "online CA"), count(len(estate.Inputs), "file"))
			})
		},
	}
	given.flags(c)
	return c
}
