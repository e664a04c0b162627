package main

import "github.com/spf13/cobra"

func ceremonyCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "ceremony",
		Short: "The room: the script on the table and what belongs to it",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(ceremonyScriptCommand(a), ceremonyRehearseCommand(a), ceremonyAbortCommand(a), ceremonyReportCommand(a), ceremonyAttestCommand(a))
	return c
}
