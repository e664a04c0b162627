package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"pki.internal/plan"
)

func wordsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "words FILE",
		Short: "Say a file's SHA-256 in PGP words, all 32 bytes",
		Long:  "Say a file's SHA-256 in hex and in PGP words, to be read aloud. FILE may be - for standard input.",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			in := c.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			h := sha256.New()
			if _, err := io.Copy(h, in); err != nil {
				return err
			}
			digest := h.Sum(nil)
			result := map[string]any{"sha256": hex.EncodeToString(digest), "words": plan.Words(digest)}
			return a.emit("words", result, func(w io.Writer) { printDigest(w, digest) })
		},
	}
}

// printDigest writes a SHA-256 as hex and as words.
func printDigest(w io.Writer, digest []byte) {
	fmt.Fprintf(w, "  %x\n", digest)
	for _, line := range plan.WordLines(digest) {
		fmt.Fprintf(w, "  %s\n", line)
	}
}
