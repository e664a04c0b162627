// Package examples holds estates that anyone can replay, and that the tests
// replay. pki init copies them.
package examples

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"pki.internal/plan"
)

//go:embed two-tier two-tier-hsm custodians csr-from-kms offline-root-crl post-quantum fleet iot homelab kms ra kubernetes all:gitops fleet-authorities active-revocation own-root hierarchy templates policies
var tree embed.FS

// Names lists the examples.
func Names() []string {
	return []string{"two-tier", "two-tier-hsm", "custodians", "csr-from-kms", "offline-root-crl", "post-quantum", "fleet", "iot", "homelab", "kms", "ra", "kubernetes", "gitops", "fleet-authorities", "active-revocation", "own-root", "hierarchy", "templates", "policies"}
}

// Files gives the files of an example, by path below the estate's folder.
func Files(name string) ([]plan.File, error) {
	var files []plan.File
	err := fs.WalkDir(tree, path.Clean(name), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := tree.ReadFile(p)
		files = append(files, plan.File{Path: strings.TrimPrefix(p, name+"/"), Mode: 0o644, Data: text})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("there is no example %q; there is %s", name, strings.Join(Names(), ", "))
	}
	return files, nil
}
