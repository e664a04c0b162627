//go:build cgo && (linux || darwin || freebsd)

package pkcs11

/*
typedef struct { unsigned char major, minor; void *f[68]; } p11_list;

enum { INIT_TOKEN = 9, INIT_PIN = 10, LOGIN = 18 };

static unsigned long p11_login(void *l, unsigned long session, unsigned long user, void *pin, unsigned long length) {
	return ((unsigned long (*)(unsigned long, unsigned long, void *, unsigned long)) ((p11_list *) l)->f[LOGIN])(session, user, pin, length);
}

static unsigned long p11_init_token(void *l, unsigned long slot, void *pin, unsigned long length, void *label) {
	return ((unsigned long (*)(unsigned long, void *, unsigned long, void *)) ((p11_list *) l)->f[INIT_TOKEN])(slot, pin, length, label);
}

static unsigned long p11_init_pin(void *l, unsigned long session, void *pin, unsigned long length) {
	return ((unsigned long (*)(unsigned long, void *, unsigned long)) ((p11_list *) l)->f[INIT_PIN])(session, pin, length);
}
*/
import "C"

import (
	"unsafe"
)

// login passes the PIN from the page where it lies; without one the token has
// a pad of its own.
func (m *module) login(q *request, pin []byte) error {
	var at unsafe.Pointer
	switch {
	case q.PINPad:
		pin = nil
	case len(pin) == 0:
		return fault{Kind: "pin", Text: "the PIN is empty"}
	default:
		at = unsafe.Pointer(&pin[0])
	}
	if err := coded("C_Login", uint(C.p11_login(unsafe.Pointer(m.list), C.ulong(m.session), C.ulong(q.User), at, C.ulong(len(pin))))); err != nil {
		return err
	}
	if q.User != user {
		return nil
	}
	again, err := m.asksAgain()
	if again {
		m.pin = m.page[:copy(m.page, pin)]
	}
	return err
}

// asksAgain reports whether the token holds a private key that wants the PIN
// for each signature (CKA_ALWAYS_AUTHENTICATE, PKCS#11 2.40 §4.9). Only then is
// the PIN kept, in the locked page, until the module is closed. A module that
// does not take the question knows no such keys; one that fails in the middle of
// the answer has failed.
func (m *module) asksAgain() (bool, error) {
	wanted := template{{ckaClass, ulongBytes(ckoPrivate)}, {ckaAlways, []byte{1}}}
	if err := m.ctx.FindObjectsInit(m.session, attributes(wanted)); err != nil {
		return false, nil
	}
	found, _, err := m.ctx.FindObjects(m.session, 1)
	final := m.ctx.FindObjectsFinal(m.session)
	switch {
	case err != nil:
		return false, named("C_FindObjects", err)
	case final != nil:
		return false, named("C_FindObjectsFinal", final)
	}
	return len(found) > 0, nil
}

// unlock logs in for the one signature that was begun.
func (m *module) unlock() error {
	var at unsafe.Pointer
	if len(m.pin) > 0 {
		at = unsafe.Pointer(&m.pin[0])
	}
	const contextSpecific = 2 // CKU_CONTEXT_SPECIFIC
	return coded("C_Login", uint(C.p11_login(unsafe.Pointer(m.list), C.ulong(m.session), contextSpecific, at, C.ulong(len(m.pin)))))
}

func (m *module) initToken(q *request, pin []byte) error {
	var label [32]byte
	for i := range label {
		label[i] = ' '
	}
	if copy(label[:], q.Label) < len(q.Label) || len(pin) == 0 {
		return fault{Text: "the label is longer than 32 bytes, or there is no PIN"}
	}
	return coded("C_InitToken", uint(C.p11_init_token(unsafe.Pointer(m.list), C.ulong(q.Slot), unsafe.Pointer(&pin[0]), C.ulong(len(pin)), unsafe.Pointer(&label[0]))))
}

func (m *module) initPIN(pin []byte) error {
	var at unsafe.Pointer
	if len(pin) > 0 {
		at = unsafe.Pointer(&pin[0])
	}
	return coded("C_InitPIN", uint(C.p11_init_pin(unsafe.Pointer(m.list), C.ulong(m.session), at, C.ulong(len(pin)))))
}
