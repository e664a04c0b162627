package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"

	"pki.internal/plan"
)

// folderFiles writes below one folder. A file comes under its name only after
// it was written, synced, read back and found the same.
type folderFiles struct{ root *os.Root }

// Read gives a file's bytes.
func (f folderFiles) Read(name string) ([]byte, error) { return f.root.ReadFile(name) }

// manyFiles is from when on one flush of the whole file system is cheaper than
// one of each file.
const manyFiles = 200

// Write puts files under their names in their order, each in one step: all are
// on the disk before the first comes under its name.
func (f folderFiles) Write(files ...plan.File) (err error) {
	waiting := files
	defer func() {
		for _, file := range waiting {
			err = errors.Join(err, ignoreMissing(f.root.Remove(file.Path+".new")))
		}
	}()
	flush, err := f.fillAll(files)
	if err != nil {
		return err
	}
	in := near{root: f.root}
	defer in.close()
	for _, file := range files {
		testOnlyEffect("file " + file.Path)
		folder, err := in.folder(path.Dir(file.Path))
		if err != nil {
			return err
		}
		name := path.Base(file.Path)
		if err := folder.Rename(name+".new", name); err != nil {
			return err
		}
		waiting = waiting[1:]
	}
	return flush() // the names; each file is whole under its old name or its new one
}

// fillAll writes files under their temporary names and waits for the disk. It
// gives what makes the disk keep their names.
func (f folderFiles) fillAll(files []plan.File) (flush func() error, err error) {
	folders := byFolder(files)
	err = tryInParallel(len(folders), func(i int) error { return f.root.MkdirAll(path.Dir(folders[i][0].Path), 0o755) })
	if err != nil {
		return nil, err
	}
	if flushesAround && len(files) >= manyFiles {
		return f.syncAround, f.fillTogether(folders)
	}
	flush = func() error {
		return tryInParallel(len(folders), func(i int) error { return f.syncDir(path.Dir(folders[i][0].Path)) })
	}
	return flush, tryInParallel(len(files), func(i int) error { return f.fill(files[i].Path+".new", files[i]) })
}

// fillTogether writes files with one flush for all of them.
func (f folderFiles) fillTogether(folders [][]plan.File) error {
	if err := tryInParallel(len(folders), func(i int) error { return f.fillFolder(folders[i]) }); err != nil {
		return err
	}
	return f.syncAround()
}

// Remove takes a file away.
func (f folderFiles) Remove(name string) error { return ignoreMissing(f.root.Remove(name)) }

// byFolder puts the files of each folder together.
func byFolder(files []plan.File) [][]plan.File {
	var all [][]plan.File
	at := map[string]int{}
	for _, file := range files {
		folder := path.Dir(file.Path)
		i, known := at[folder]
		if !known {
			i = len(all)
			at[folder], all = i, append(all, nil)
		}
		all[i] = append(all[i], file)
	}
	return all
}

// fillFolder writes files of one folder under their temporary names.
func (f folderFiles) fillFolder(files []plan.File) error {
	folder := path.Dir(files[0].Path)
	inside, err := f.root.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer inside.Close()
	for _, file := range files {
		if err := (folderFiles{inside}).fillUnsynced(path.Base(file.Path)+".new", file); err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
	}
	return nil
}

// near keeps the folder open that was asked for last: a path is resolved part
// by part, and files come folder by folder.
type near struct {
	root, last *os.Root
	name       string
}

func (n *near) folder(name string) (*os.Root, error) {
	if n.last != nil && n.name == name {
		return n.last, nil
	}
	opened, err := n.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	n.close()
	n.last, n.name = opened, name
	return opened, nil
}

func (n *near) close() {
	if n.last != nil {
		n.last.Close()
	}
}

// read gives a file's bytes.
func (n *near) read(name string) ([]byte, error) {
	folder, err := n.folder(path.Dir(name))
	if err != nil {
		return nil, err
	}
	have, err := folder.ReadFile(path.Base(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path.Dir(name), err)
	}
	return have, nil
}

func (f folderFiles) fill(temporary string, file plan.File) error {
	return f.fillWith(temporary, file, (*os.File).Sync)
}

func (f folderFiles) fillUnsynced(temporary string, file plan.File) error {
	return f.fillWith(temporary, file, func(*os.File) error { return nil })
}

func (f folderFiles) fillWith(temporary string, file plan.File, flush func(*os.File) error) error {
	const fresh = os.O_RDWR | os.O_CREATE | os.O_EXCL
	out, err := f.root.OpenFile(temporary, fresh, file.Mode)
	if errors.Is(err, fs.ErrExist) { // of a run that was cut short
		if err := f.root.Remove(temporary); err != nil {
			return err
		}
		out, err = f.root.OpenFile(temporary, fresh, file.Mode)
	}
	if err != nil {
		return err
	}
	_, err = out.Write(file.Data)
	if err == nil {
		err = giveMode(out, file.Mode)
	}
	if err == nil {
		err = flush(out)
	}
	if err == nil {
		err = sameInFile(out, file.Data)
	}
	if closed := out.Close(); err == nil {
		err = closed
	}
	return err
}

// sameInFile reads a file back that was just written.
func sameInFile(f *os.File, data []byte) error {
	back := make([]byte, len(data)+1)
	n, err := f.ReadAt(back, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err == nil && !bytes.Equal(back[:n], data) {
		err = errors.New("what was read back is not what was written; use another disk")
	}
	return err
}

// giveMode sees that a new file has its mode, whatever the umask says.
func giveMode(f *os.File, mode fs.FileMode) error {
	if info, err := f.Stat(); err == nil && info.Mode() == mode {
		return nil
	}
	err := f.Chmod(mode)
	if errors.Is(err, syscall.EPERM) && mode&0o044 == 0o044 {
		return nil // FAT keeps no modes, and this file is for everyone
	}
	return err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (f folderFiles) syncDir(name string) error {
	d, err := f.root.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	return err
}

// syncAround flushes the file system that the folder is on.
func (f folderFiles) syncAround() error {
	d, err := f.root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	if !syncAround(d) {
		return errors.New("the disk did not take the files; run this again")
	}
	return nil
}

// testOnlyEffect is called at every point at which a power cut would leave
// something half done. Tests of the command set it to end the process there.
var testOnlyEffect = func(string) {}
