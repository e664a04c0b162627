package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"pki.internal/plan"
)

// removeRenamed takes away the files of authorities under the names that they
// had before a ceremony that moved them. The ledger gives the same bytes under
// the new names; a file that holds anything else stays.
func removeRenamed(root *os.Root, before, after plan.State) error {
	kept := map[string]bool{}
	for _, f := range after.Files() {
		kept[f.Path] = true
	}
	for _, f := range before.Files() {
		if kept[f.Path] {
			continue
		}
		have, err := root.ReadFile(f.Path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Equal(have, f.Data) {
			continue
		}
		if err == nil {
			err = root.Remove(f.Path)
		}
		if err != nil {
			return fmt.Errorf("%s, whose authority has another name now: %w", f.Path, err)
		}
	}
	return nil
}
