//go:build cgo && (linux || darwin || freebsd)

package pkcs11

/*
typedef struct { unsigned char major, minor; void *f[68]; } p11_list;
typedef struct { unsigned long type; void *value; unsigned long length; } p11_attribute;

enum { CREATE_OBJECT = 20 };

// p11_import makes an AES key of the session from a value that stays where it
// lies.
static unsigned long p11_import(void *list, unsigned long session, void *value, unsigned long length, unsigned long *handle) {
	unsigned long class = 4, type = 0x1F; // CKO_SECRET_KEY, CKK_AES
	unsigned char yes = 1, no = 0;
	p11_attribute t[] = {
		{ 0x0, &class, sizeof class }, { 0x100, &type, sizeof type }, { 0x1, &no, 1 },
		{ 0x106, &yes, 1 }, { 0x107, &yes, 1 }, { 0x11, value, length },
	};
	return ((unsigned long (*)(unsigned long, p11_attribute *, unsigned long, unsigned long *)) ((p11_list *) list)->f[CREATE_OBJECT])(session, t, 6, handle);
}
*/
import "C"

import (
	"errors"
	"unsafe"

	"github.com/miekg/pkcs11"
)

// mechanismOf gives the mechanism that a request names, with its parameter.
func mechanismOf(q *request) []*pkcs11.Mechanism {
	var parameter any
	switch {
	case q.Hash != 0:
		mgf := uint(1) // CKG_MGF1_SHA1
		if q.Hash == ckmSHA256 {
			mgf = 2
		}
		const dataSpecified = 1 // CKZ_DATA_SPECIFIED, of which none is given
		parameter = pkcs11.NewOAEPParams(q.Hash, mgf, dataSpecified, nil)
	case len(q.Parameter) > 0:
		parameter = q.Parameter
	}
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(q.Mechanism, parameter)}
}

// inTurn tries templates in their order. Only a refusal of the template itself
// leads to the next, and of an object with an id only when the token is seen to
// hold nothing of it.
func (m *module) inTurn(function string, all []template, try func(template) (uint, error)) (*reply, error) {
	r := &reply{}
	for i, t := range all {
		handle, err := try(t)
		if err == nil {
			r.Handles = []uint{handle}
			return r, nil
		}
		err = named(function, err)
		var f fault
		lost := t.id() != nil && !m.nothingOf(t)
		if !errors.As(err, &f) || !templateRefused(f.Code) || lost || i == len(all)-1 {
			return nil, err
		}
		r.Attempts = append(r.Attempts, f)
	}
	return nil, fault{Text: "there is no template for this object"}
}

// secretKey makes an AES key that lives in the session.
func (m *module) secretKey(q *request) (*reply, error) {
	return m.inTurn("C_GenerateKey", q.Private, func(t template) (uint, error) {
		h, err := m.ctx.GenerateKey(m.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(q.Mechanism, nil)}, attributes(t))
		return uint(h), err
	})
}

// create puts an object there.
func (m *module) create(q *request) (*reply, error) {
	return m.inTurn("C_CreateObject", q.Private, func(t template) (uint, error) {
		h, err := m.ctx.CreateObject(m.session, attributes(t))
		return uint(h), err
	})
}

// importKey makes an AES key of the session from the bytes beside a request.
func (m *module) importKey(value []byte) (*reply, error) {
	if len(value) == 0 {
		return nil, fault{Text: "there is no key to import"}
	}
	var handle C.ulong
	code := uint(C.p11_import(unsafe.Pointer(m.list), C.ulong(m.session), unsafe.Pointer(&value[0]), C.ulong(len(value)), &handle))
	return &reply{Handles: []uint{uint(handle)}}, coded("C_CreateObject", code)
}

// wrapKey gives one key encrypted with another.
func (m *module) wrapKey(q *request) (*reply, error) {
	wrapped, err := m.ctx.WrapKey(m.session, mechanismOf(q), pkcs11.ObjectHandle(q.With), pkcs11.ObjectHandle(q.Handle))
	return &reply{Data: wrapped}, named("C_WrapKey", err)
}

// unwrapKey makes a key of what wrapKey gave.
func (m *module) unwrapKey(q *request) (*reply, error) {
	return m.inTurn("C_UnwrapKey", q.Private, func(t template) (uint, error) {
		h, err := m.ctx.UnwrapKey(m.session, mechanismOf(q), pkcs11.ObjectHandle(q.With), q.Data, attributes(t))
		return uint(h), err
	})
}

// set changes one attribute of an object.
func (m *module) set(q *request) (*reply, error) {
	return &reply{}, named("C_SetAttributeValue", m.ctx.SetAttributeValue(m.session, pkcs11.ObjectHandle(q.Handle), attributes(template{{q.Mechanism, q.Data}})))
}
