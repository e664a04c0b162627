package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"pki.internal/plan/tbs"
)

// crlDraft is a CRL that is being built beside its place: its entries are
// written behind room for its head, which comes last, with the signature. A
// draft that a killed run leaves behind is no CRL until then, and the next run
// removes it.
type crlDraft struct {
	f    *os.File
	out  string // where the CRL will be
	room int64  // octets before the entries
	size int64  // of the entries
}

// manyEntries is a size of entries whose lengths are as wide as they get.
const manyEntries = 32 << 20

func draftName(out string) string {
	return filepath.Join(filepath.Dir(out), "."+filepath.Base(out)+".part")
}

// newDraft begins a CRL.
func (s *crlSigner) newDraft() (*crlDraft, error) {
	head, tail, err := s.template.Frame(tbs.Keys{}, manyEntries)
	if err != nil {
		return nil, err
	}
	before, _, err := tbs.Envelope(int64(len(head))+manyEntries+int64(len(tail)), s.algorithm, nil)
	if err != nil {
		return nil, err
	}
	name := draftName(s.o.out)
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	testOnlyEffect("writing " + filepath.Base(s.o.out))
	d := &crlDraft{f: f, out: s.o.out, room: int64(len(before) + len(head))}
	if err := d.restart(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// restart throws the entries away.
func (d *crlDraft) restart() error {
	d.size = 0
	_, err := d.f.Seek(d.room, io.SeekStart)
	return errors.Join(err, d.f.Truncate(0))
}

// Write adds entries.
func (d *crlDraft) Write(p []byte) (int, error) {
	n, err := d.f.Write(p)
	d.size += int64(n)
	return n, err
}

// entries gives all entries.
func (d *crlDraft) entries() io.Reader { return io.NewSectionReader(d.f, d.room, d.size) }

// complete puts head and tail around the entries, and the file under the name
// of a signed CRL that is not published. It is not synced yet.
func (d *crlDraft) complete(head, tail []byte) error {
	if d.size > 0 {
		if err := d.shift(int64(len(head))); err != nil {
			return err
		}
	}
	testOnlyEffect("completing " + filepath.Base(d.out))
	_, headErr := d.f.WriteAt(head, 0)
	_, tailErr := d.f.WriteAt(tail, int64(len(head))+d.size)
	if err := errors.Join(headErr, tailErr, d.f.Truncate(int64(len(head))+d.size+int64(len(tail)))); err != nil {
		return err
	}
	if err := d.f.Chmod(0o644); err != nil { // whatever the umask says: web servers read it
		return err
	}
	return os.Rename(draftName(d.out), d.out+".new")
}

// shift moves the entries of a CRL below 16 MiB, whose lengths take fewer
// octets than there is room for, to where its head ends.
func (d *crlDraft) shift(to int64) error {
	if to == d.room {
		return nil
	}
	buf := make([]byte, 256<<10)
	for done := int64(0); done < d.size; {
		n := min(int64(len(buf)), d.size-done)
		if _, err := d.f.ReadAt(buf[:n], d.room+done); err != nil {
			return err
		}
		if _, err := d.f.WriteAt(buf[:n], to+done); err != nil {
			return err
		}
		done += n
	}
	d.room = to
	return nil
}

// Close ends the draft. Nothing is left of one that was not completed.
func (d *crlDraft) Close() error {
	err := d.f.Close()
	if gone := os.Remove(draftName(d.out)); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}
