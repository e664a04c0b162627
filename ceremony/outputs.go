package ceremony

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"pki.internal/plan"
)

// outputsKept verifies what earlier ceremonies gave: every file that is there
// must be the one that the ledger gives. A file that is missing comes back at
// the end. A ceremony that goes on has just begun to change them.
func (c *ceremony) outputsKept(s plan.State) error {
	if s.Open != nil {
		return nil
	}
	for _, f := range s.Files() {
		have, err := c.Files.Read(f.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("%s: %w", f.Path, err)
		case !bytes.Equal(have, f.Data) && !s.Released(f.Path, have):
			return refuse("find out who changed it; pki verify shows every file, and pki apply without a plan writes them again",
				"%s is not what the ledger gives", f.Path)
		}
	}
	return nil
}
