//go:build cgo

package pkcs11

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// copies counts where a secret stands in the writable memory of a process.
func copies(t *testing.T, pid int, secret []byte) (found int, seen int64) {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Skipf("memory of another process cannot be read here: %v", err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Skipf("memory of another process cannot be read here: %v", err)
	}
	defer mem.Close()
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); n != 3 || !strings.HasPrefix(mode, "rw") || to-from > 256<<20 {
			continue
		}
		piece := make([]byte, to-from)
		if _, err := mem.ReadAt(piece, from); err != nil {
			continue // reserved and not there
		}
		seen += to - from
		found += bytes.Count(piece, secret)
	}
	return found, seen
}
