package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"pki.internal/plan"
	"pki.internal/render"
)

// drift is one difference between what is there and what should be.
type drift struct {
	Path string `json:"path"`
	What string `json:"what"` // missing, changed or unexpected
	// Edited says that somebody changed the file since it was rendered; an
	// older rendering of a file is no edit.
	Edited  bool     `json:"edited,omitempty"`
	Changes []string `json:"changes,omitempty"` // of JSON, one a value
	Diff    string   `json:"diff,omitempty"`    // of other text
}

// compareTrees shows differences; check says that any is a finding.
func (a *app) compareTrees(root *os.Root, files []plan.File, trees []tree, base string, check bool) error {
	drifts := []drift{}
	for _, t := range trees {
		found, err := treeDrift(root, path.Join(base, t.name), t.files)
		if err != nil {
			return err
		}
		drifts = append(drifts, found...)
	}
	err := a.emit("render", map[string]any{"drift": drifts}, func(w io.Writer) {
		if len(drifts) == 0 {
			fmt.Fprintf(w, "%s, all as rendered.\n", count(len(files), "file"))
		}
		for _, d := range drifts {
			what := d.What
			if d.Edited {
				what += "; edited by hand"
			}
			fmt.Fprintf(w, "%s: %s\n", d.Path, what)
			for _, change := range d.Changes {
				fmt.Fprintf(w, "  %s\n", change)
			}
			fmt.Fprint(w, d.Diff)
		}
	})
	if err == nil && check && len(drifts) > 0 {
		return &changesError{}
	}
	return err
}

// treeDrift compares one rendered tree with what is on disk.
func treeDrift(root *os.Root, dir string, files []plan.File) ([]drift, error) {
	drifts, err := findDrift(root, below(path.Dir(dir), []tree{{path.Base(dir), files}}))
	if err != nil {
		return nil, err
	}
	digests, err := lastRendering(root, dir)
	if err != nil {
		return nil, err
	}
	for i, d := range drifts {
		if d.What == "changed" {
			have, err := root.ReadFile(d.Path)
			if err != nil {
				return nil, err
			}
			drifts[i].Edited = edited(digests, strings.TrimPrefix(d.Path, dir+"/"), have)
		}
	}
	extra, err := unexpected(root, dir, below(path.Dir(dir), []tree{{path.Base(dir), files}}))
	return append(drifts, extra...), err
}

// lastRendering gives the digests of the files as they were rendered last, nil
// where nothing was.
func lastRendering(root *os.Root, dir string) (map[string]string, error) {
	text, err := root.ReadFile(path.Join(dir, render.ManifestPath))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return render.ReadManifest(text), err
}

// edited says whether a file differs from its last rendering.
func edited(digests map[string]string, name string, have []byte) bool {
	last, known := digests[name]
	return known && last != render.SHA256(have)
}

// findDrift compares files with what is on disk.
func findDrift(root *os.Root, files []plan.File) ([]drift, error) {
	drifts := []drift{}
	for _, f := range files {
		have, err := root.ReadFile(f.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			drifts = append(drifts, drift{Path: f.Path, What: "missing"})
		case err != nil:
			return nil, err
		case bytes.Equal(have, f.Data):
		case path.Base(f.Path) == render.ManifestPath:
			// It follows from the other files, which say what differs.
			drifts = append(drifts, drift{Path: f.Path, What: "changed"})
		default:
			drifts = append(drifts, changedFile(f, have))
		}
	}
	return drifts, nil
}

// changedFile says how a file differs: value by value where both are JSON,
// line by line where both are text.
func changedFile(f plan.File, have []byte) drift {
	d := drift{Path: f.Path, What: "changed"}
	var there, rendered any
	if path.Ext(f.Path) == ".json" && json.Unmarshal(have, &there) == nil && json.Unmarshal(f.Data, &rendered) == nil {
		if d.Changes = jsonChanges("", there, rendered); len(d.Changes) == 0 {
			d.Changes = []string{"spaces or order only"}
		}
		return d
	}
	if !bytes.ContainsRune(have, 0) && !bytes.ContainsRune(f.Data, 0) {
		d.Diff = udiff.Unified("there", "rendered", string(have), string(f.Data))
	}
	return d
}

// jsonChanges lists the values that differ, each with its place. The items of
// a list are told apart by name where they have one, so that an insertion is
// one change.
func jsonChanges(at string, there, rendered any) []string {
	switch a := there.(type) {
	case map[string]any:
		if b, both := rendered.(map[string]any); both {
			return memberChanges(at, ".", a, b)
		}
	case []any:
		if b, both := rendered.([]any); both {
			return memberChanges(at, "", byName(a), byName(b))
		}
	}
	if have, want := compact(there), compact(rendered); have != want {
		return []string{fmt.Sprintf("%s: %s there, %s rendered", strings.TrimPrefix(at, "."), have, want)}
	}
	return nil
}

func memberChanges(at, separator string, there, rendered map[string]any) []string {
	all := maps.Clone(there)
	maps.Copy(all, rendered)
	var changes []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		have, isThere := there[key]
		want, isRendered := rendered[key]
		place := strings.TrimPrefix(at+separator+key, ".")
		switch {
		case !isThere:
			changes = append(changes, fmt.Sprintf("%s: not there, %s rendered", place, compact(want)))
		case !isRendered:
			changes = append(changes, fmt.Sprintf("%s: %s there, not rendered", place, compact(have)))
		default:
			changes = append(changes, jsonChanges(place, have, want)...)
		}
	}
	return changes
}

// byName turns a list into members: [name] where every item has a name of its
// own, else by place.
func byName(list []any) map[string]any {
	named, placed := map[string]any{}, map[string]any{}
	for i, item := range list {
		placed[fmt.Sprintf("[%d]", i)] = item
		if object, ok := item.(map[string]any); ok {
			if name, ok := object["name"].(string); ok {
				named[fmt.Sprintf("[%q]", name)] = item
			}
		}
	}
	if len(named) == len(list) {
		return named
	}
	return placed
}

// compact is a value on one line, cut where it would hide the rest.
func compact(v any) string {
	const most = 120
	text, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	if runes := []rune(string(text)); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(text)
}

// unexpected lists files of a derived folder that nothing derives.
func unexpected(root *os.Root, dir string, files []plan.File) ([]drift, error) {
	known := map[string]bool{}
	for _, f := range files {
		known[f.Path] = true
	}
	var drifts []drift
	err := fs.WalkDir(root.FS(), dir, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		if !known[p] {
			drifts = append(drifts, drift{Path: p, What: "unexpected; nothing in the estate gives this file"})
		}
		return nil
	})
	return drifts, err
}

// replacement is what writing a tree did.
type replacement struct {
	Written []string // that were missing or different
	Undone  []string // of those, edits by hand
	Removed []string // of an earlier rendering, that nothing gives any more
}

// replaceTrees makes folders below a base hold trees: every file comes under
// its final name only when it is whole and on the disk, the manifest of each
// tree last. Files that people put there stay, and are named by --check.
func replaceTrees(root *os.Root, base string, trees []tree) (replacement, error) {
	all := replacement{Written: []string{}}
	found := make([]treeChanges, len(trees))
	err := tryInParallel(len(trees), func(i int) (err error) {
		found[i], err = changesOf(root, path.Join(base, trees[i].name), trees[i].files)
		return err
	})
	if err != nil {
		return all, err
	}
	var changed []plan.File
	for i, t := range found {
		changed, all.Undone = append(changed, t.files...), append(all.Undone, t.undone...)
		if len(t.files) == 0 || t.digests == nil {
			continue
		}
		removed, err := removeStale(root, path.Join(base, trees[i].name), t.digests, trees[i].files)
		all.Removed = append(all.Removed, removed...)
		if err != nil {
			return all, err
		}
	}
	if err := (folderFiles{root}).Write(changed...); err != nil {
		return all, err
	}
	for _, f := range changed {
		all.Written = append(all.Written, f.Path)
	}
	return all, nil
}

// treeChanges is how a tree on the disk differs from the one that it is to be.
type treeChanges struct {
	files   []plan.File       // missing or different, the manifest last
	undone  []string          // of those, edited by hand
	digests map[string]string // of the last rendering, nil when there is none
}

// changesOf compares a folder with what it is to hold.
func changesOf(root *os.Root, dir string, files []plan.File) (c treeChanges, err error) {
	if c.digests, err = lastRendering(root, dir); err != nil {
		return c, err
	}
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b plan.File) int { return strings.Compare(lastly(a.Path), lastly(b.Path)) })
	in := near{root: root}
	defer in.close()
	for _, f := range files {
		name := f.Path
		f.Path = path.Join(dir, name)
		have, err := in.read(f.Path)
		switch {
		case err == nil && bytes.Equal(have, f.Data):
			continue
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return c, err
		case err == nil && edited(c.digests, name, have):
			c.undone = append(c.undone, f.Path)
		}
		c.files = append(c.files, f)
	}
	return c, nil
}

// lastly sorts the manifest behind every other path.
func lastly(name string) string {
	if name == render.ManifestPath {
		return "\xff"
	}
	return name
}

// removeStale takes away what the last rendering gave and this one does not,
// unless somebody has edited it.
func removeStale(root *os.Root, dir string, digests map[string]string, files []plan.File) ([]string, error) {
	var removed []string
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		if slices.ContainsFunc(files, func(f plan.File) bool { return f.Path == name }) || !fs.ValidPath(name) {
			continue
		}
		full := path.Join(dir, name)
		have, err := root.ReadFile(full)
		if err != nil || edited(digests, name, have) {
			continue
		}
		if err := root.Remove(full); err != nil {
			return removed, err
		}
		removed = append(removed, full)
	}
	return removed, nil
}
