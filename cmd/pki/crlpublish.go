package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"pki.internal/ceremony"
	"pki.internal/lint/crlwalk"
	"pki.internal/plan/revocation"
)

// lockOutput keeps a second signer away from a CRL until unlock.
func lockOutput(out string) (unlock func(), err error) {
	name := filepath.Join(filepath.Dir(out), "."+filepath.Base(out)+".lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &busyError{&ceremony.Refusal{Fact: "another process is signing " + out, Next: "wait for it (--wait), since two signers would use one number twice"}}
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return func() { f.Close() }, nil
}

// scratch opens a file beside out that has no name any more: nobody else sees
// it, and nothing is left of it, however the process ends.
func scratch(out string) (*os.File, error) {
	f, err := os.CreateTemp(filepath.Dir(out), ".pki-scratch-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// manifest says what was published, for whoever watches over it.
type manifest struct {
	Format     string         `json:"format"`
	Issuer     string         `json:"issuer"`
	Number     string         `json:"number"`
	ThisUpdate time.Time      `json:"this_update"`
	NextUpdate time.Time      `json:"next_update"`
	Entries    int            `json:"entries"`
	DER        publishedFile  `json:"der"`
	PEM        publishedFile  `json:"pem"` // the same list; the DER's hash speaks for both
	Previous   *publishedList `json:"previous,omitempty"`
	Base       *publishedList `json:"base,omitempty"` // of a delta list
	Forced     *forced        `json:"forced,omitempty"`
}

const manifestFormat = "pki-crl-manifest/1"

type publishedFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
}

type publishedList struct {
	Number string `json:"number"`
	SHA256 string `json:"sha256"` // of the DER
}

// forced is what somebody overruled, and why.
type forced struct {
	Reason     string                 `json:"reason"`
	Objections []revocation.Objection `json:"objections"`
}

// publish writes PEM and manifest beside the DER, reads the DER back, and gives
// the files their names. The DER comes first: it is what relying parties fetch.
func (s *crlSigner) publish(draft *crlDraft, judged []byte) (*manifest, error) {
	out := s.o.out
	names := []string{out, out + ".pem", out + ".json"}
	defer func() {
		for _, name := range names {
			os.Remove(name + ".new") // gone already when it was renamed
		}
	}()
	m := manifest{
		Format: manifestFormat, Issuer: s.issuer.Subject.String(), Number: s.number.String(),
		ThisUpdate: s.template.ThisUpdate, NextUpdate: s.template.NextUpdate, Entries: s.summary.Entries,
	}
	if s.before != nil {
		m.Previous = &publishedList{SHA256: hexOf(s.beforeHash), Number: "none"}
		if n := s.before.Number(); n != nil {
			m.Previous.Number = n.String()
		}
	}
	if s.baseList != nil {
		digest, _ := s.baseList.Digest()
		m.Base = &publishedList{SHA256: hexOf(digest), Number: s.baseList.Number().String()}
	}
	if len(s.forced) > 0 {
		m.Forced = &forced{s.o.force, s.forced}
	}
	var err error
	if m.DER, m.PEM, err = s.settle(draft, judged); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	if _, err = writeNew(out+".json", func(w io.Writer) error { _, err := w.Write(append(text, '\n')); return err }); err != nil {
		return nil, err
	}
	if err := giveNames(names); err != nil {
		return nil, err
	}
	return &m, nil
}

// settle brings the DER to the disk, reads it back, and writes the PEM from what
// is there, all at once.
func (s *crlSigner) settle(draft *crlDraft, judged []byte) (der, pem publishedFile, err error) {
	synced := make(chan error, 1)
	go func() { synced <- draft.f.Sync() }()
	readBack := begin(func() ([]byte, error) { return s.readBack(judged) })
	pem, err = writeNew(s.o.out+".pem", func(w io.Writer) error { return armourFile(w, s.o.out+".new") })
	digest, backErr := readBack()
	info, statErr := draft.f.Stat()
	if err = errors.Join(backErr, <-synced, statErr, err); err != nil {
		return der, pem, err
	}
	return publishedFile{Name: filepath.Base(s.o.out), Size: info.Size(), SHA256: hexOf(digest)}, pem, nil
}

// giveNames puts finished files in their places, each in one step.
func giveNames(names []string) error {
	for _, name := range names {
		testOnlyEffect("before " + filepath.Base(name))
		if err := os.Rename(name+".new", name); err != nil {
			return err
		}
		testOnlyEffect("after " + filepath.Base(name))
	}
	return syncFolder(filepath.Dir(names[0]))
}

// readBack reads the file that was written as a relying party will, before it
// gets its name. Its signed part is what lint judged, octet for octet, and its
// envelope is sound, so the file is the CRL. It gives the SHA-256 of the file.
func (s *crlSigner) readBack(judged []byte) ([]byte, error) {
	written, err := openCRL(s.o.out + ".new")
	if err != nil {
		return nil, err
	}
	defer written.Close()
	if _, err := written.f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	hash := sha256.New()
	all := io.TeeReader(written.f, hash)
	list, err := crlwalk.Skim(all)
	if err != nil {
		return nil, fmt.Errorf("reading back: %w", err)
	}
	if err := list.CheckIssuer(s.issuer); err != nil {
		return nil, fmt.Errorf("what was read back is not what was signed; use another disk: %w", err)
	}
	if signed, _ := list.Digest(); !bytes.Equal(signed, judged) {
		return nil, errors.New("what was read back is not what was written; use another disk")
	}
	_, err = io.Copy(io.Discard, all) // nothing is left; the digest is of the whole file all the same
	return hash.Sum(nil), err
}

// writeNew fills NAME.new and syncs it.
func writeNew(name string, fill func(io.Writer) error) (publishedFile, error) {
	temporary := name + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return publishedFile{}, err
	}
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return publishedFile{}, err
	}
	testOnlyEffect("writing " + filepath.Base(name))
	err = fill(f)
	if err == nil {
		err = f.Chmod(0o644) // whatever the umask says: web servers read it
	}
	if err == nil {
		err = f.Sync()
	}
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr, f.Close()); err != nil {
		return publishedFile{}, fmt.Errorf("writing %s: %w", name, err)
	}
	return publishedFile{Name: filepath.Base(name), Size: info.Size()}, nil
}

const (
	pemLine  = 48      // octets in a line of PEM (RFC 7468 §2)
	pemLines = 4 << 10 // lines that are worth a system call
)

// armourFile writes a file of DER as PEM, however long it is.
func armourFile(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.WriteString(w, "-----BEGIN X509 CRL-----\n"); err != nil {
		return err
	}
	pairs := base64Pairs()
	raw, text := make([]byte, pemLine*pemLines), make([]byte, 0, (base64.StdEncoding.EncodedLen(pemLine)+1)*pemLines)
	for {
		n, readErr := io.ReadFull(f, raw)
		text = text[:0]
		for rest := raw[:n]; len(rest) > 0; {
			line := rest[:min(pemLine, len(rest))]
			rest = rest[len(line):]
			if len(line) == pemLine {
				text = appendBase64(text, line, pairs)
			} else {
				text = base64.StdEncoding.AppendEncode(text, line)
			}
			text = append(text, '\n')
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		if errors.Is(readErr, io.EOF) || errors.Is(readErr, io.ErrUnexpectedEOF) {
			break
		}
		if readErr != nil {
			return readErr
		}
	}
	_, err = io.WriteString(w, "-----END X509 CRL-----\n")
	return err
}

// base64Pairs gives the two characters for every 12 bits (RFC 4648 §4): a long
// CRL is encoded twice as fast by pairs.
func base64Pairs() *[1 << 12]uint16 {
	var pairs [1 << 12]uint16
	var four [4]byte
	for i := range pairs {
		base64.StdEncoding.Encode(four[:], []byte{byte(i >> 4), byte(i << 4), 0})
		pairs[i] = binary.LittleEndian.Uint16(four[:])
	}
	return &pairs
}

// appendBase64 encodes octets whose number is a multiple of three.
func appendBase64(text, raw []byte, pairs *[1 << 12]uint16) []byte {
	at := len(text)
	text = slices.Grow(text, len(raw)/3*4)[:at+len(raw)/3*4]
	for to := text[at:]; len(raw) >= 3 && len(to) >= 4; raw, to = raw[3:], to[4:] {
		v := uint(raw[0])<<16 | uint(raw[1])<<8 | uint(raw[2])
		binary.LittleEndian.PutUint32(to, uint32(pairs[v>>12&0xfff])|uint32(pairs[v&0xfff])<<16)
	}
	return text
}

func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
