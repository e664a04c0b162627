package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"pki.internal/plan"
)

// ManifestPath is the file of a tree that names every other one and its
// SHA-256, in the form of sha256sum. It tells an edit by hand from an older
// rendering, and lets an operator check a copy.
const ManifestPath = "MANIFEST.sha256"

// manifestOf lists files, which are sorted by path.
func manifestOf(files []plan.File) plan.File {
	var text strings.Builder
	for _, f := range files {
		fmt.Fprintf(&text, "%s  %s\n", SHA256(f.Data), f.Path)
	}
	return plan.File{Path: ManifestPath, Mode: 0o644, Data: []byte(text.String())}
}

// SHA256 is a digest as manifests write it.
func SHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// ReadManifest gives the digests of a manifest by path. A line that is none is
// skipped: whoever edited the manifest made everything an edit.
func ReadManifest(text []byte) map[string]string {
	digests := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if digest, path, found := strings.Cut(strings.TrimRight(line, "\n"), "  "); found && len(digest) == 2*sha256.Size {
			digests[path] = digest
		}
	}
	return digests
}
