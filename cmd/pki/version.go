package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
)

func versionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which program this is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			result := map[string]string{"version": toolVersion(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
			return a.emit("version", result, func(w io.Writer) {
				fmt.Fprintf(w, "pki %s (%s %s)\n", result["version"], result["go"], result["platform"])
			})
		},
	}
}
