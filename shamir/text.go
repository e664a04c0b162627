package shamir

import (
	"bytes"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// Form is one way to write a share.
type Form string

// The forms. Age files hold the JSON form.
const (
	FormJSON  Form = "json"
	FormWords Form = "words"
	FormQR    Form = "qr"
)

// qrPrefix begins the text of a QR code. All characters of the text are in the
// alphanumeric set of QR (ISO/IEC 18004 §7.3.4), which packs two into eleven
// bits.
const qrPrefix = "PKISHARE1:"

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// QR gives the text for a QR code.
func (s *Share) QR() string {
	b := s.encode()
	defer clear(b)
	return qrPrefix + base32Text.EncodeToString(b)
}

// shareFormat names version 1 of a share's JSON form.
const shareFormat = "pki-share/1"

// shareJSON is the wire form of a Share. Fields are never renamed or
// reordered; a new one needs a new format.
type shareJSON struct {
	Format    string `json:"format"`
	Set       string `json:"set"`
	Threshold int    `json:"threshold"`
	Count     int    `json:"count"`
	Index     int    `json:"index"`
	Purpose   string `json:"purpose"`
	Holder    string `json:"holder"`
	Share     string `json:"share"` // all bytes of the share, which repeat the fields above
}

// JSON gives the share as a JSON object.
func (s *Share) JSON() []byte {
	b := s.encode()
	defer clear(b)
	return encodeJSON(shareJSON{shareFormat, hex.EncodeToString(s.Set[:]), s.Threshold, s.Count, s.Index, s.Purpose, s.Holder, hex.EncodeToString(b)})
}

// Text gives the words with a heading, as a file.
func (s *Share) Text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# share %d of %d, for %s; %d shares are needed\n# holder %s\n# set %s\n", s.Index, s.Count, s.Purpose, s.Threshold, s.Holder, s.Set)
	for i, line := range s.Words() {
		fmt.Fprintf(&b, "%2d  %s\n", i+1, line)
	}
	return b.Bytes()
}

// Write gives the share in a form.
func (s *Share) Write(f Form) ([]byte, error) {
	switch f {
	case FormJSON:
		return s.JSON(), nil
	case FormWords:
		return s.Text(), nil
	case FormQR:
		return []byte(s.QR() + "\n"), nil
	}
	return nil, fmt.Errorf("there is no form %q of a share", f)
}

// Reading is a share and how it was read.
type Reading struct {
	Share       *Share
	Form        Form
	Corrections []Correction
}

// ReadFrom reads at most as much as a share or its age file can have.
func ReadFrom(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxEncrypted+1))
	if err == nil && len(text) > maxEncrypted {
		clear(text)
		return nil, tooLong(maxEncrypted)
	}
	return text, err
}

func tooLong(limit int) error {
	return &Fault{Kind: ErrUnknown, Fact: fmt.Sprintf("it has more than %d bytes, and no share is that long", limit), Next: "give the file of one share"}
}

// Read reads a share in any form that is not encrypted, told by its first
// characters. For an age file the fault is ErrEncrypted: see Decrypt.
func Read(text []byte) (*Reading, error) {
	text = bytes.TrimPrefix(text, []byte("\uFEFF")) // which editors of Windows write
	trimmed := bytes.TrimSpace(text)
	switch {
	case IsEncrypted(text):
		return nil, &Fault{Kind: ErrEncrypted, Fact: "it is encrypted to its holder with age", Next: "give the holder's identity with --identity FILE"}
	case len(text) > maxText:
		return nil, tooLong(maxText)
	case bytes.HasPrefix(trimmed, []byte("{")):
		return readJSON(trimmed)
	case IsQR(text):
		return readQR(string(trimmed))
	}
	return readWords(trimmed)
}

// IsQR reports whether a text comes from the QR code of a share.
func IsQR(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) >= len(qrPrefix) && strings.EqualFold(string(text[:len(qrPrefix)]), qrPrefix)
}

func damaged(next, fact string, args ...any) error {
	return &Fault{Kind: ErrDamaged, Fact: fmt.Errorf(fact, args...).Error(), Next: next}
}

const copyAgain = "copy or scan it again; if it stays so, use another form of the same share"

func readJSON(text []byte) (*Reading, error) {
	var wire shareJSON
	if err := decodeJSON(text, &wire); err != nil {
		return nil, damaged(copyAgain, "%w", err)
	}
	if wire.Format != shareFormat {
		return nil, &Fault{Kind: ErrUnknown, Fact: fmt.Sprintf("its format is %q, and this program reads %q", wire.Format, shareFormat), Next: "use the version that wrote it"}
	}
	b, err := hex.DecodeString(wire.Share)
	if err != nil || strings.ToLower(wire.Share) != wire.Share {
		return nil, damaged(copyAgain, "its share is not written in small hex digits")
	}
	defer clear(b)
	s, err := parse(b)
	if err != nil {
		return nil, damaged(copyAgain, "%w", err)
	}
	if !bytes.Equal(bytes.TrimSpace(s.JSON()), bytes.TrimSpace(encodeJSON(wire))) {
		s.Wipe()
		return nil, damaged(copyAgain, "what its fields say is not what its bytes say")
	}
	return &Reading{Share: s, Form: FormJSON}, nil
}

func readQR(text string) (*Reading, error) {
	body := strings.ToUpper(text[len(qrPrefix):])
	b, err := base32Text.DecodeString(body)
	if err != nil || base32Text.EncodeToString(b) != body {
		return nil, damaged(copyAgain, "its text is not base32")
	}
	defer clear(b)
	s, err := parse(b)
	if err != nil {
		return nil, damaged(copyAgain, "%w", err)
	}
	return &Reading{Share: s, Form: FormQR}, nil
}

func readWords(text []byte) (*Reading, error) {
	var t Transcript
	defer t.Wipe()
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if t.lines == 0 && !anyWord(line) {
			break
		}
		if _, err := t.Add(line); err != nil {
			return nil, err
		}
	}
	if t.lines == 0 {
		return nil, &Fault{Kind: ErrUnknown, Fact: "it is not a share in any form: neither words, nor QR text, nor JSON, nor an age file", Next: "give the file of one share"}
	}
	s, corrections, err := t.Share()
	if err != nil {
		return nil, err
	}
	return &Reading{Share: s, Form: FormWords, Corrections: corrections}, nil
}

// anyWord tells a damaged line of words from a file that is something else.
func anyWord(line string) bool {
	for _, token := range strings.Fields(strings.ToLower(line)) {
		if _, ok := lookUp(token); ok {
			return true
		}
	}
	return false
}
