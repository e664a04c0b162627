// Package bundle answers one question: what crosses the air gap?
//
// A bundle is one tar file that anybody can list and unpack, and that can be
// written in one way only: its manifest comes first and says, in order, which
// files follow. Reading makes every header again from the manifest and wants
// the same bytes, so there is nothing in which a link, a device, a second file
// of one name or hidden bytes could stand.
package bundle

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"pki.internal/plan"
	"pki.internal/spec"
)

// Format names the version of a bundle's form.
const Format = "pki-bundle/1"

// ManifestName is the first file of every bundle.
const ManifestName = "pki-bundle.json"

// Kind says which way a bundle goes.
type Kind string

// The two ways over the gap.
const (
	ToCeremony   Kind = "to_ceremony"   // estate, ledger, plan and approvals
	FromCeremony Kind = "from_ceremony" // ledger, certificates, CRLs and their digests
)

// Manifest says what is in a bundle. It is canonical JSON and a newline.
type Manifest struct {
	Format      string           `json:"format"`
	Kind        Kind             `json:"kind"`
	Estate      string           `json:"estate"`
	Environment spec.Environment `json:"environment"`
	Audience    plan.Audience    `json:"audience"`       // of the ledger in it
	Ledger      plan.Head        `json:"ledger"`         // that is in it
	Plan        string           `json:"plan,omitempty"` // its path, of a bundle to a ceremony
	Files       []Entry          `json:"files"`          // in order of their paths
	// Sum is the SHA-256 of the manifest with an empty sum, in hex. It finds
	// slips, not people.
	Sum string `json:"sum"`
}

// sum gives what Sum must be.
func (m Manifest) sum() (string, error) {
	m.Sum = ""
	text, err := plan.Canonical(m)
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:]), err
}

// Entry is one file of a bundle.
type Entry struct {
	Path   string `json:"path"` // relative, slashes
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hex
}

// Limits of what is read. No estate comes near them; a file that does is not
// one of ours.
const (
	maxManifest = 8 << 20
	maxFiles    = 100_000
	maxTotal    = 2 << 30
	maxPath     = 240 // fits a ustar header and every file system
)

// block is tar's unit.
const block = 512

// Write writes a bundle. The files are sorted, and the same files give the
// same bytes. They hold Path and Data; modes are not kept.
func Write(w io.Writer, m Manifest, files []plan.File) error {
	m.Format, m.Files = Format, nil
	sorted := slices.Clone(files)
	slices.SortFunc(sorted, func(a, b plan.File) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range sorted {
		sum := sha256.Sum256(f.Data)
		m.Files = append(m.Files, Entry{Path: f.Path, Size: int64(len(f.Data)), SHA256: hex.EncodeToString(sum[:])})
	}
	if err := m.sound(); err != nil {
		return err
	}
	var err error
	if m.Sum, err = m.sum(); err != nil {
		return err
	}
	text, err := plan.Canonical(m)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if len(text) > maxManifest {
		return fmt.Errorf("the list of files has %d bytes, and a bundle's may have %d", len(text), maxManifest)
	}
	all := append([]plan.File{{Path: ManifestName, Data: text}}, sorted...)
	for _, f := range all {
		head, err := header(f.Path, int64(len(f.Data)))
		if err != nil {
			return err
		}
		for _, part := range [][]byte{head, f.Data, padding(int64(len(f.Data)))} {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
	}
	_, err = w.Write(make([]byte, 2*block)) // the end of a tar file
	return err
}

// header gives the one block that stands before a file.
func header(name string, size int64) ([]byte, error) {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	err := t.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, ModTime: time.Unix(0, 0).UTC(), Format: tar.FormatUSTAR,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b.Bytes(), nil
}

func padding(size int64) []byte { return make([]byte, (block-size%block)%block) }

// Bundle is one that has been read whole and found sound.
type Bundle struct {
	Manifest Manifest
	Files    []plan.File // in order, each with the digest that the manifest names
	SHA256   string      // of the bundle, hex
}

// File finds a file by its path.
func (b *Bundle) File(name string) (plan.File, bool) {
	i := slices.IndexFunc(b.Files, func(f plan.File) bool { return f.Path == name })
	if i < 0 {
		return plan.File{}, false
	}
	return b.Files[i], true
}

// Read reads a bundle to its end. Nothing of it is worth anything when an error
// comes back.
func Read(from io.Reader) (*Bundle, error) {
	hash := sha256.New()
	r := io.TeeReader(from, hash)
	text, err := readManifest(r)
	if err != nil {
		return nil, err
	}
	b := &Bundle{}
	if err := plan.DecodeStrict(bytes.TrimSuffix(text, []byte("\n")), &b.Manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestName, err)
	}
	if !bytes.HasSuffix(text, []byte("\n")) {
		return nil, fmt.Errorf("%s: its last line does not end", ManifestName)
	}
	if err := b.Manifest.sound(); err != nil {
		return nil, err
	}
	if sum, err := b.Manifest.sum(); err != nil || sum != b.Manifest.Sum {
		return nil, errors.New("the bundle's list does not have the digest that it names; copy the bundle again")
	}
	for _, e := range b.Manifest.Files {
		data, err := readFile(r, e)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Path, err)
		}
		b.Files = append(b.Files, plan.File{Path: e.Path, Mode: 0o644, Data: data})
	}
	if err := readEnd(r); err != nil {
		return nil, err
	}
	b.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return b, nil
}

// errNotBundle is what a file that was never a bundle gets.
var errNotBundle = errors.New("this is not a bundle, which begins with " + ManifestName + "; pki bundle create makes one")

func readManifest(r io.Reader) ([]byte, error) {
	var head [block]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, errNotBundle
	}
	// The size is in octal digits, at a fixed place (POSIX ustar).
	var size int64
	for _, c := range head[124:135] {
		if c < '0' || c > '7' {
			return nil, errNotBundle
		}
		size = size*8 + int64(c-'0')
	}
	if size > maxManifest {
		return nil, fmt.Errorf("its list of files has %d bytes, and may have %d", size, maxManifest)
	}
	want, err := header(ManifestName, size)
	if err != nil || !bytes.Equal(want, head[:]) {
		return nil, errNotBundle
	}
	return readData(r, size)
}

// readData reads bytes and the padding after them. A size that lies costs no
// more memory than there are bytes.
func readData(r io.Reader, size int64) ([]byte, error) {
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, size))
	if err != nil {
		return nil, err
	}
	if n < size {
		return nil, errCut
	}
	pad := padding(size)
	have := make([]byte, len(pad))
	if _, err := io.ReadFull(r, have); err != nil {
		return nil, errCut
	}
	if !bytes.Equal(have, pad) {
		return nil, errors.New("bytes stand where a bundle has none")
	}
	return b.Bytes(), nil
}

var errCut = errors.New("the bundle ends too early; copy it again")

func readFile(r io.Reader, e Entry) ([]byte, error) {
	want, err := header(e.Path, e.Size)
	if err != nil {
		return nil, err
	}
	have := make([]byte, block)
	if _, err := io.ReadFull(r, have); err != nil {
		return nil, errCut
	}
	if !bytes.Equal(have, want) {
		return nil, errors.New("what follows is not the file that the bundle's list names next")
	}
	data, err := readData(r, e.Size)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != e.SHA256 {
		return nil, errors.New("its digest is not the one that the bundle's list names; copy the bundle again")
	}
	return data, nil
}

func readEnd(r io.Reader) error {
	end := make([]byte, 2*block+1)
	n, err := io.ReadFull(r, end)
	switch {
	case err == nil:
		return errors.New("bytes follow the end of the bundle")
	case n < 2*block:
		return errCut
	case !bytes.Equal(end[:n], make([]byte, 2*block)):
		return errors.New("bytes stand where a bundle has none")
	}
	return nil
}

// sound holds a manifest against its law.
func (m *Manifest) sound() error {
	switch {
	case m.Format != Format:
		return fmt.Errorf("the form of this bundle is %q, and this version reads %q", m.Format, Format)
	case m.Kind != ToCeremony && m.Kind != FromCeremony:
		return fmt.Errorf("the kind of this bundle, %q, is not one that this version knows", m.Kind)
	case m.Estate == "":
		return errors.New("the bundle does not say which estate it is for")
	case len(m.Files) > maxFiles:
		return fmt.Errorf("the bundle names %d files, and may have %d", len(m.Files), maxFiles)
	case (m.Kind == ToCeremony) != (m.Plan != ""):
		return errors.New("a bundle to a ceremony names its plan, and no other does")
	}
	if _, err := m.Audience.Level(); err != nil {
		return fmt.Errorf("the bundle: %w", err)
	}
	return m.soundFiles()
}

func (m *Manifest) soundFiles() error {
	var total int64
	names := places{files: map[string]string{}, folders: map[string]string{}}
	for i, e := range m.Files {
		if err := soundPath(e.Path); err != nil {
			return fmt.Errorf("%q: %w", e.Path, err)
		}
		if i > 0 && m.Files[i-1].Path >= e.Path {
			return fmt.Errorf("%q stands twice or in the wrong place", e.Path)
		}
		if total += e.Size; e.Size < 0 || total > maxTotal || total < 0 {
			return fmt.Errorf("%q: the bundle would hold more than %d bytes", e.Path, maxTotal)
		}
		if !m.Kind.takes(e.Path) {
			return fmt.Errorf("%q has no place in a bundle of kind %s", e.Path, m.Kind)
		}
		if other, clash := names.take(e.Path); clash {
			return fmt.Errorf("%q and %q cannot both be there on every file system", other, e.Path)
		}
	}
	if m.Plan != "" && names.files[strings.ToLower(m.Plan)] != m.Plan {
		return fmt.Errorf("the bundle's plan %q is not in it", m.Plan)
	}
	return nil
}

// places are the names that are taken, in lower case, and how they are spelled.
type places struct{ files, folders map[string]string }

// take takes the place of a file and of the folders above it, or gives what is
// in its way, here or where case does not matter.
func (p places) take(name string) (other string, clash bool) {
	fold := strings.ToLower(name)
	if other, clash = p.files[fold]; clash {
		return other, true
	}
	if other, clash = p.folders[fold]; clash {
		return other, true
	}
	p.files[fold] = name
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		fold := strings.ToLower(dir)
		if other, clash = p.files[fold]; clash {
			return other, true
		}
		if other, known := p.folders[fold]; known && other != dir {
			return other, true
		}
		p.folders[fold] = dir
	}
	return "", false
}

// Names of files that every estate has (a contract).
const LedgerName = "ledger.jsonl"

// takes says which paths a kind of bundle may hold. What comes back from a
// ceremony can only be what a ledger gives; what goes there is anything that
// people write into an estate.
func (k Kind) takes(name string) bool {
	if k == ToCeremony {
		return true
	}
	return name == LedgerName || name == plan.SumsName || strings.HasPrefix(name, "certs/") || strings.HasPrefix(name, "crls/")
}

// soundPath refuses every path that could mean something else than a plain
// file below a folder, here or on another system.
func soundPath(name string) error {
	if len(name) == 0 || len(name) > maxPath {
		return fmt.Errorf("a path of %d bytes; 1 to %d are allowed", len(name), maxPath)
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`\:*?"<>|`, r) }) {
		return errors.New("a character that is not allowed in a bundle's paths, which are ASCII")
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == "." || part == "..":
			return errors.New("not a plain relative path")
		case strings.HasPrefix(part, "."):
			return errors.New("a hidden name")
		case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") || strings.HasPrefix(part, " "):
			return errors.New("a name that ends or begins in a way that some file systems change")
		case len(part) > 100:
			return errors.New("a name of more than 100 bytes")
		}
	}
	if name == ManifestName {
		return errors.New("the name of the list itself")
	}
	return nil
}
