package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"

	"pki.internal/plan"
)

// File is a ledger on disk, open for one writer.
type File struct {
	*Book
	root *os.Root
	name string
	file *os.File
	size int64  // of the whole entries
	torn []byte // what follows them
	rand io.Reader
}

// ErrBusy means that another process has the ledger open for writing.
var ErrBusy = errors.New("another pki is writing to this ledger; wait until it has finished")

// ErrTorn means that the last entry was cut short by an interruption.
var ErrTorn = errors.New("the last entry of the ledger was cut short by an interruption; run pki apply PLAN --resume")

// Open opens the ledger for writing, making an empty one if there is none. It
// holds a lock until Close. Salts are read from rand.
func Open(root *os.Root, name string, rand io.Reader) (*File, error) {
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, ErrBusy)
	}
	if !stillNamed(root, name, f) {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, ErrBusy)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	book, torn, err := Read(text)
	if err != nil {
		f.Close()
		return nil, err
	}
	l := &File{Book: book, root: root, name: name, file: f, size: int64(len(text) - len(torn)), torn: torn, rand: rand}
	if err := syncDir(root, path.Dir(name)); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// stillNamed reports whether an open file is the one of that name. Between
// opening and locking, a process that made no entry may have removed it, and
// what is written to it then would be lost.
func stillNamed(root *os.Root, name string, f *os.File) bool {
	have, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := root.Stat(name)
	return err == nil && os.SameFile(have, named)
}

// Load reads the ledger without locking it. A missing file is an empty
// ledger.
func Load(root fs.FS, name string) (*Book, []byte, error) {
	text, err := fs.ReadFile(root, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	return Read(text)
}

func syncDir(root *os.Root, name string) error {
	d, err := root.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	return err
}

// Torn gives the bytes of an entry that was never whole, nil when there are
// none.
func (l *File) Torn() []byte { return l.torn }

// Mend cuts off a torn entry and says what was cut, for the record.
func (l *File) Mend() (bytes int, digest string, err error) {
	if len(l.torn) == 0 {
		return 0, "", nil
	}
	sum := sha256.Sum256(l.torn)
	if err := l.file.Truncate(l.size); err != nil {
		return 0, "", err
	}
	if err := l.file.Sync(); err != nil {
		return 0, "", err
	}
	bytes, l.torn = len(l.torn), nil
	return bytes, hex.EncodeToString(sum[:]), nil
}

// Append adds a fact. When it returns without error the entry is on disk.
// When it returns an error the ledger is as it was, as far as the disk allows:
// a piece of an entry that cannot be taken back is cut off by Mend.
func (l *File) Append(fact plan.Event) error {
	if len(l.torn) > 0 {
		return ErrTorn
	}
	next, err := l.next(fact, l.rand)
	if err != nil {
		return err
	}
	return l.commit(next)
}

// following is an entry that a book can take next.
type following struct {
	entry Entry
	state plan.State // with it
	line  []byte     // of the file, with its newline
}

// next makes the entry of a fact.
func (b *Book) next(fact plan.Event, rand io.Reader) (following, error) {
	if n := b.Withheld(); n > 0 {
		return following{}, fmt.Errorf("%d facts of this copy are withheld; only the full ledger can be continued", n)
	}
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return following{}, fmt.Errorf("drawing a salt: %w", err)
	}
	e := Entry{Number: len(b.Entries) + 1, Salt: salt, Fact: &fact}
	var err error
	if e.Leaf, err = e.leaf(); err != nil {
		return following{}, err
	}
	if e.Head, err = headAfter(b.Head().Hash, e.Leaf); err != nil {
		return following{}, err
	}
	line, err := plan.Canonical(e)
	if err != nil {
		return following{}, err
	}
	state, err := b.State().Apply(fact, plan.Head{Entries: e.Number, Hash: e.Head})
	if err != nil {
		return following{}, fmt.Errorf("the ledger refuses the entry: %w", err)
	}
	return following{e, state, append(line, '\n')}, nil
}

// take adds an entry that is on disk.
func (b *Book) take(f following) {
	b.Entries, b.states = append(b.Entries, f.entry), append(b.states, f.state)
}

// commit puts an entry on disk.
func (l *File) commit(f following) error {
	if len(l.torn) > 0 {
		return ErrTorn
	}
	if err := l.write(f.line); err != nil {
		return err
	}
	l.take(f)
	return nil
}

func (l *File) write(line []byte) error {
	if !stillNamed(l.root, l.name, l.file) {
		return fmt.Errorf("writing the ledger: %s is gone, or is another file by now", l.name)
	}
	_, err := l.file.WriteAt(line, l.size)
	if err == nil {
		err = l.file.Sync()
	}
	if err == nil {
		l.size += int64(len(line))
		return nil
	}
	err = fmt.Errorf("writing the ledger: %w", err)
	if undone := l.file.Truncate(l.size); undone != nil {
		l.torn = line
		return errors.Join(err, fmt.Errorf("taking the piece back: %w", undone))
	}
	return err
}

// Close releases the lock. A ledger without a single entry leaves no file.
func (l *File) Close() error {
	if len(l.Entries) == 0 && len(l.torn) == 0 {
		if err := l.root.Remove(l.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(err, l.file.Close())
		}
	}
	return l.file.Close()
}
