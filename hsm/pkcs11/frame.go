package pkcs11

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A frame is eight bytes of lengths, a header in JSON, and a secret that goes
// past JSON so that no copy of it is made.
const (
	maxHeader = 8 << 20 // an inventory of tens of thousands of objects
	maxSecret = 1 << 10 // above the longest PIN of any token known
)

var errFrame = errors.New("the helper process and its parent do not understand each other")

// writeFrame writes a frame. The secret is written from where it lies.
func writeFrame(w io.Writer, header any, secret []byte) error {
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	if len(text) > maxHeader || len(secret) > maxSecret {
		return fmt.Errorf("a frame of %d and %d bytes: %w", len(text), len(secret), errFrame)
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	head = binary.BigEndian.AppendUint32(head, uint32(len(secret)))
	if _, err := w.Write(append(head, text...)); err != nil {
		return err
	}
	if len(secret) > 0 {
		_, err = w.Write(secret)
	}
	return err
}

// readFrame reads a frame into header, and its secret into room, of which it
// gives the part that was filled. Nothing is kept of a frame that is too long.
func readFrame(r io.Reader, header any, room []byte) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	length, secret := binary.BigEndian.Uint32(head[:4]), binary.BigEndian.Uint32(head[4:])
	if length > maxHeader || int64(secret) > int64(len(room)) {
		return nil, fmt.Errorf("a frame of %d and %d bytes: %w", length, secret, errFrame)
	}
	text, err := readAll(r, int(length))
	if err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(r, room[:secret]); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	if err := json.Unmarshal(text, header); err != nil {
		return nil, fmt.Errorf("%w: %s", errFrame, err)
	}
	return room[:secret], nil
}

// readAll reads n bytes and grows with what has come, so that a length alone
// costs nothing.
func readAll(r io.Reader, n int) ([]byte, error) {
	const step = 64 << 10
	text := make([]byte, 0, min(n, step))
	for len(text) < n {
		have := len(text)
		text = append(text, make([]byte, min(n-have, step))...)
		if _, err := io.ReadFull(r, text[have:]); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
	}
	return text, nil
}

// request asks the helper process for one thing.
type request struct {
	Op string `json:"op"`

	Module   string `json:"module,omitempty"`    // open
	SHA256   string `json:"sha256,omitempty"`    // open: what it must be
	InitArgs string `json:"init_args,omitempty"` // open

	Slot   uint   `json:"slot,omitempty"`    // mechanisms, session, init_token
	Write  bool   `json:"write,omitempty"`   // session
	User   uint   `json:"user,omitempty"`    // login
	PINPad bool   `json:"pin_pad,omitempty"` // login, sign: a person enters the PIN
	Again  bool   `json:"again,omitempty"`   // sign: the key wants the PIN for each signature
	Label  string `json:"label,omitempty"`   // init_token, generate

	ByID    []byte `json:"by_id,omitempty"`    // objects
	ByLabel string `json:"by_label,omitempty"` // objects
	Full    bool   `json:"full,omitempty"`     // objects: with every attribute

	ID        []byte     `json:"id,omitempty"` // generate
	Mechanism uint       `json:"mechanism,omitempty"`
	Parameter []byte     `json:"parameter,omitempty"`
	Public    []template `json:"public,omitempty"`  // generate: tried in order with Private
	Private   []template `json:"private,omitempty"` // unwrap_key, create: tried in order
	Handle    uint       `json:"handle,omitempty"`  // sign, destroy, wrap, wrap_key, set
	Data      []byte     `json:"data,omitempty"`    // sign, unwrap_key, set
	With      uint       `json:"with,omitempty"`    // wrap_key, unwrap_key: the key that does it
	Hash      uint       `json:"hash,omitempty"`    // wrap_key, unwrap_key: of RSA-OAEP
}

// template is what a key should have; the module may see it otherwise.
type template []attribute

// id gives the CKA_ID that a template asks for, nil when it asks for none.
func (t template) id() []byte {
	for _, a := range t {
		if a.Type == ckaID {
			return a.Value
		}
	}
	return nil
}

// attribute is one wish of a template.
type attribute struct {
	Type  uint   `json:"type"`
	Value []byte `json:"value"`
}

// reply is the helper's answer.
type reply struct {
	Fault *fault `json:"fault,omitempty"`

	Library    *Library    `json:"library,omitempty"`
	Tokens     []slotted   `json:"tokens,omitempty"`
	Mechanisms []Mechanism `json:"mechanisms,omitempty"`
	Objects    []object    `json:"objects,omitempty"`
	Handles    []uint      `json:"handles,omitempty"`
	Attempts   []fault     `json:"attempts,omitempty"` // templates that were refused
	Data       []byte      `json:"data,omitempty"`
}

// slotted is a token and where it is for this one process.
type slotted struct {
	Slot  uint  `json:"slot"`
	Token Token `json:"token"`
}

// fault is a return code of the module, or trouble of the helper itself.
type fault struct {
	Function string `json:"function,omitempty"`
	Code     uint   `json:"code,omitempty"`
	Text     string `json:"text,omitempty"` // without a function: what the helper says
	Kind     string `json:"kind,omitempty"` // "unsupported" or "mismatch", when Text is set
}

func (f fault) Error() string { return fmt.Sprintf("%s: %s %s", f.Function, codeName(f.Code), f.Text) }

// object is one object of a token.
type object struct {
	Handle uint              `json:"handle"`
	Class  uint              `json:"class"`
	ID     []byte            `json:"id,omitempty"`
	Label  string            `json:"label,omitempty"`
	Flags  map[string]bool   `json:"flags,omitempty"`  // boolean attributes that the token gave
	Values map[string][]byte `json:"values,omitempty"` // key type, curve, public key
}
