package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"pki.internal/ceremony"
	"pki.internal/ceremony/ledger"
	"pki.internal/plan"
)

// media are where a ceremony writes: the estate's folder and any copies. It is
// the ledger and the files of a ceremony at once.
type media struct {
	*ledger.Mirror
	app     *app
	folders []folderFiles // of the media, in their order
}

// openMedia opens the folders of copies and brings them up to the ledger. Each
// takes the ledger and the outputs, and nothing else.
func (a *app) openMedia(root *os.Root, file *ledger.File, dirs []string, p *plan.Plan) (*media, error) {
	m := &media{app: a, folders: []folderFiles{{root}}}
	first := &ledger.Medium{Name: "estate", File: file, There: func() error { return underItsName(root, a.dir) }}
	var copies []*ledger.Medium
	done := false
	defer func() {
		if !done {
			for _, c := range copies {
				c.File.Close()
			}
			m.closeFolders()
		}
	}()
	for _, dir := range dirs {
		folder, err := os.OpenRoot(dir)
		if err != nil {
			return nil, fmt.Errorf("--copy %s: %w", dir, err)
		}
		m.folders = append(m.folders, folderFiles{folder})
		if err := apart(root, folder); err != nil {
			return nil, fmt.Errorf("--copy %s: %w", dir, err)
		}
		copied, err := ledger.Open(folder, ledgerName, rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("--copy %s: %w", dir, err)
		}
		copies = append(copies, &ledger.Medium{
			Name: filepath.Clean(dir), File: copied, There: func() error { return underItsName(folder, dir) },
		})
		if err := m.catchUp(copied, folderFiles{folder}, file, dir, p); err != nil {
			return nil, err
		}
	}
	var err error
	if m.Mirror, err = ledger.NewMirror(a.now, first, copies...); err != nil {
		return nil, err
	}
	done = true
	return m, nil
}

// apart refuses a copy in the very folder that it would be a copy of.
func apart(root, folder *os.Root) error {
	a, errA := root.Stat(".")
	b, errB := folder.Stat(".")
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	if os.SameFile(a, b) {
		return errors.New("this is the estate's own folder; name one on another medium")
	}
	return nil
}

// catchUp brings a copy up to the ledger, which must be the same or go on from
// it, and its files up to what the ledger gives.
func (m *media) catchUp(copied *ledger.File, folder folderFiles, file *ledger.File, dir string, p *plan.Plan) error {
	if err := copied.CatchUp(file.Book); err != nil {
		var ahead *ledger.AheadError
		next := "use an empty folder, or find out which ledger is right"
		if errors.As(err, &ahead) {
			next = fmt.Sprintf("if the estate's folder failed in an earlier run, copy %s to it and go on with --resume; else use an empty folder", filepath.Join(dir, ledgerName))
		}
		return &ceremony.Refusal{Fact: fmt.Sprintf("--copy %s: %s", dir, err), Next: next}
	}
	known := file.State().Files()
	for _, action := range p.Actions {
		for _, name := range action.Outputs() {
			if action.Kind == plan.GenerateKey || slices.ContainsFunc(known, func(f plan.File) bool { return f.Path == name }) {
				continue
			}
			if _, err := folder.Read(name); !errors.Is(err, fs.ErrNotExist) {
				return &ceremony.Refusal{Fact: fmt.Sprintf("--copy %s: %s is already there and does not come from this ledger", dir, name), Next: "move it away, or use an empty folder"}
			}
		}
	}
	for _, f := range known {
		if have, err := folder.Read(f.Path); err == nil && bytes.Equal(have, f.Data) {
			continue
		}
		if err := folder.Write(f); err != nil {
			return fmt.Errorf("--copy %s: %s: %w", dir, f.Path, err)
		}
	}
	return nil
}

// Append adds a fact on every medium that is left, and says which was lost.
func (m *media) Append(e plan.Event) error {
	testOnlyEffect("before entry " + string(e.Kind))
	before := m.Left()
	err := m.Mirror.Append(e)
	m.sayLost(before)
	testOnlyEffect("after entry " + string(e.Kind))
	return err
}

// Read gives a file from the first medium that is left.
func (m *media) Read(name string) ([]byte, error) {
	for i, medium := range m.Media() {
		if medium.Lost == nil {
			return m.folders[i].Read(name)
		}
	}
	return nil, errors.New("no medium is left")
}

// Write writes files on every medium that is left.
func (m *media) Write(files ...plan.File) error {
	return m.each(func(folder folderFiles) error { return folder.Write(files...) })
}

// Remove takes a file away on every medium that is left.
func (m *media) Remove(name string) error {
	return m.each(func(folder folderFiles) error { return folder.Remove(name) })
}

// each does one thing on every medium that is left, and gives those up on which
// it fails.
func (m *media) each(do func(folderFiles) error) error {
	before := m.Left()
	defer func() { m.sayLost(before) }()
	for i, medium := range m.Media() {
		if medium.Lost != nil {
			continue
		}
		err := medium.There()
		if err == nil {
			err = do(m.folders[i])
		}
		if err != nil {
			if err := m.Lose(medium, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// underItsName refuses a folder that is not under its name any more, as after
// an unmount: what is written there would be seen by nobody.
func underItsName(root *os.Root, name string) error {
	have, errHave := root.Stat(".")
	named, errNamed := os.Stat(name)
	if err := errors.Join(errHave, errNamed); err != nil {
		return err
	}
	if !os.SameFile(have, named) {
		return fmt.Errorf("%s is another folder by now; was the medium unmounted?", name)
	}
	return nil
}

// sayLost tells the room at once.
func (m *media) sayLost(before int) {
	if m.Left() == before {
		return
	}
	for _, medium := range m.Media() {
		if medium.Lost != nil {
			fmt.Fprintf(m.app.stderr, "%s %s: %s\n      The ceremony goes on without it, and the ledger says so.\n", m.app.paint(red, "Medium lost:"), medium.Name, medium.Lost)
		}
	}
}

// copied is what became of one copy.
type copied struct {
	Dir  string `json:"dir"`
	Lost string `json:"lost,omitempty"` // why it is not whole
}

func (m *media) copies() []copied {
	all := []copied{}
	for _, medium := range m.Media()[1:] {
		c := copied{Dir: medium.Name}
		if medium.Lost != nil {
			c.Lost = medium.Lost.Error()
		}
		all = append(all, c)
	}
	return all
}

// estateLost says that the estate's folder is behind what a copy holds.
func (m *media) estateLost() error {
	first := m.Media()[0]
	if first.Lost == nil {
		return nil
	}
	for _, medium := range m.Media()[1:] {
		if medium.Lost == nil {
			return fmt.Errorf("the ceremony is finished, and the estate's folder failed on the way (%w); the whole ledger and every output are in %s: copy %s to the estate before anything else",
				first.Lost, medium.Name, filepath.Join(medium.Name, ledgerName))
		}
	}
	return first.Lost
}

// Close closes the copies; the estate's own ledger belongs to the caller.
func (m *media) Close() error {
	var all []error
	for _, medium := range m.Media()[1:] {
		if err := medium.File.Close(); medium.Lost == nil {
			all = append(all, err)
		}
	}
	m.closeFolders()
	return errors.Join(all...)
}

func (m *media) closeFolders() {
	for _, folder := range m.folders[1:] {
		folder.root.Close()
	}
}
