package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pki.internal/plan"
)

// TestWriteTogether writes few files, and so many that one flush is for all: all
// come or, when one cannot be written, none, and nothing beside them.
func TestWriteTogether(t *testing.T) {
	for _, n := range []int{3, manyFiles + 1} {
		t.Run(fmt.Sprint(n), func(t *testing.T) { writeTogether(t, n) })
	}
}

func writeTogether(t *testing.T, n int) {
	folder := t.TempDir()
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	many := func(text string) []plan.File {
		var files []plan.File
		for i := range n {
			files = append(files, plan.File{Path: fmt.Sprintf("tree%d/sub/file", i), Mode: 0o640, Data: []byte(text)})
		}
		return files
	}
	all := func() (texts map[string]int, leftovers int) {
		texts = map[string]int{}
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if strings.HasSuffix(path, ".new") {
				leftovers++
			}
			info, err := d.Info()
			if err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("%s has mode %v (%v)", path, info.Mode(), err)
			}
			text, err := os.ReadFile(path)
			texts[string(text)]++
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return texts, leftovers
	}
	for _, text := range []string{"one", "two"} {
		if err := (folderFiles{root}).Write(many(text)...); err != nil {
			t.Fatal(err)
		}
		if texts, leftovers := all(); texts[text] != n || len(texts) != 1 || leftovers != 0 {
			t.Errorf("there are %v and %d leftovers", texts, leftovers)
		}
	}
	// The last one cannot be written, because its folder is a file.
	files := append(many("three"), plan.File{Path: "tree0/sub/file/below", Mode: 0o640, Data: []byte("x")})
	if err := (folderFiles{root}).Write(files...); err == nil {
		t.Error("a file below a file was written")
	}
	if texts, leftovers := all(); texts["two"] != n || len(texts) != 1 || leftovers != 0 {
		t.Errorf("after a failure there are %v and %d leftovers", texts, leftovers)
	}
}
