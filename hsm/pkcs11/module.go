//go:build cgo && (linux || darwin || freebsd)

package pkcs11

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// The function list of PKCS#11 2.x: a version, then pointers in a fixed order.
typedef struct { unsigned char major, minor; void *f[68]; } p11_list;
typedef struct { unsigned long type; void *value; unsigned long length; } p11_attribute;

enum { GET_ATTRIBUTE_VALUE = 24 };

// p11_load opens a module and gives NULL, or what is wrong with it.
static const char *p11_load(const char *path, p11_list **list) {
	void *handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (handle == NULL) {
		const char *why = dlerror();
		return why != NULL ? why : "the loader gives no reason";
	}
	unsigned long (*get)(p11_list **) = (unsigned long (*)(p11_list **)) dlsym(handle, "C_GetFunctionList");
	if (get == NULL)
		return "it has no C_GetFunctionList, so it is no PKCS#11 module";
	if (get(list) != 0 || *list == NULL)
		return "its C_GetFunctionList reports an error";
	if ((*list)->major != 2 && (*list)->major != 3)
		return "its function list is of an unknown version";
	return NULL;
}

// p11_peek asks how long an attribute is, and never for the attribute.
static unsigned long p11_peek(p11_list *l, unsigned long session, unsigned long object, unsigned long type, unsigned long *length) {
	p11_attribute a = { type, NULL, 0 };
	unsigned long rv = ((unsigned long (*)(unsigned long, unsigned long, p11_attribute *, unsigned long)) l->f[GET_ATTRIBUTE_VALUE])(session, object, &a, 1);
	*length = a.length;
	return rv;
}
*/
import "C"

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unsafe"

	"github.com/miekg/pkcs11"
)

// module is the vendor's code, loaded into this process. One goroutine uses
// it, with one session.
type module struct {
	ctx     *pkcs11.Ctx
	list    *C.p11_list
	session pkcs11.SessionHandle
	opened  bool
	page    []byte // locked memory for the PIN, used when the token has keys that want it for each signature
	pin     []byte // in that page, nil when it is not wanted or belongs to a pin pad
}

func newModule(page []byte) *module { return &module{page: page} }

// perform does what a request asks for.
func (m *module) perform(q *request, secret []byte) (*reply, error) {
	switch q.Op {
	case "open":
		return m.open(q)
	case "mechanisms":
		return m.mechanisms(q.Slot)
	case "tokens":
		tokens, err := m.tokens()
		return &reply{Tokens: tokens}, err
	case "session":
		return &reply{}, m.openSession(q.Slot, q.Write)
	case "login":
		return &reply{}, m.login(q, secret)
	case "objects":
		return m.objects(q)
	case "generate":
		return m.generate(q)
	case "sign":
		return m.sign(q)
	case "close":
		return &reply{}, m.close()
	case "destroy":
		return &reply{}, named("C_DestroyObject", m.ctx.DestroyObject(m.session, pkcs11.ObjectHandle(q.Handle)))
	case "peek":
		return m.peek(q)
	case "wrap":
		return m.wrap(q)
	case "secret_key":
		return m.secretKey(q)
	case "create":
		return m.create(q)
	case "import_key":
		return m.importKey(secret)
	case "wrap_key":
		return m.wrapKey(q)
	case "unwrap_key":
		return m.unwrapKey(q)
	case "set":
		return m.set(q)
	case "init_token":
		return &reply{}, m.initToken(q, secret)
	case "init_pin":
		return &reply{}, m.initPIN(secret)
	}
	return nil, fault{Text: fmt.Sprintf("the helper process does not know %q", q.Op)}
}

// named says which function an error came from.
func named(function string, err error) error {
	if err == nil {
		return nil
	}
	var code pkcs11.Error
	if errors.As(err, &code) {
		return fault{Function: function, Code: uint(code)}
	}
	return fault{Text: function + ": " + err.Error()}
}

func coded(function string, code uint) error {
	if code == 0 {
		return nil
	}
	return fault{Function: function, Code: code}
}

// open loads the module. Its file is hashed before and after, because modules
// that look for files beside themselves must be loaded by their path.
func (m *module) open(q *request) (*reply, error) {
	if m.ctx != nil {
		return nil, fault{Text: "the module is open already"}
	}
	sum, err := hashModule(q.Module)
	if err != nil {
		return nil, fault{Kind: "missing", Text: "the module cannot be read: " + err.Error()}
	}
	if q.SHA256 != "" && q.SHA256 != sum {
		return nil, fault{Kind: "mismatch", Text: fmt.Sprintf("the module's SHA-256 is %s, and the estate pins %s", sum, q.SHA256)}
	}
	path := C.CString(q.Module)
	defer C.free(unsafe.Pointer(path))
	if why := C.p11_load(path, &m.list); why != nil {
		return nil, fault{Kind: "unsupported", Text: "the module cannot be loaded: " + C.GoString(why)}
	}
	if m.ctx = pkcs11.New(q.Module); m.ctx == nil {
		return nil, fault{Kind: "unsupported", Text: "the module cannot be loaded a second time"}
	}
	// Some modules give every caller a function list of its own, and only the
	// one that was initialised may log in.
	m.list = (*(**struct {
		handle unsafe.Pointer
		list   *C.p11_list
	})(unsafe.Pointer(m.ctx))).list
	var options []pkcs11.InitializeOption
	if q.InitArgs != "" {
		// It stays until the process ends; some modules keep the pointer.
		options = append(options, pkcs11.InitializeWithReserved(unsafe.Pointer(C.CString(q.InitArgs))))
	}
	if err := m.ctx.Initialize(options...); err != nil {
		return nil, named("C_Initialize", err)
	}
	if again, err := hashModule(q.Module); err != nil || again != sum {
		return nil, fault{Kind: "mismatch", Text: "the module's file was changed while it was loaded"}
	}
	info, err := m.ctx.GetInfo()
	if err != nil {
		return nil, named("C_GetInfo", err)
	}
	library := &Library{
		Path: q.Module, SHA256: sum, Description: clean(info.LibraryDescription), Manufacturer: clean(info.ManufacturerID),
		Version: version(info.LibraryVersion), Cryptoki: version(info.CryptokiVersion),
	}
	tokens, err := m.tokens()
	return &reply{Library: library, Tokens: tokens}, err
}

func version(v pkcs11.Version) string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// maxModule is above the largest module known, which is of some 60 MiB.
const maxModule = 512 << 20

func hashModule(name string) (string, error) {
	if !filepath.IsAbs(name) {
		return "", fmt.Errorf("the module's path %q is not absolute", name)
	}
	// Opening a pipe would wait for somebody to write to it.
	if info, err := os.Stat(name); err == nil && (!info.Mode().IsRegular() || info.Size() > maxModule) {
		return "", fmt.Errorf("it is not a file of at most %d MiB", maxModule>>20)
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (m *module) tokens() ([]slotted, error) {
	slots, err := m.ctx.GetSlotList(true)
	if err != nil {
		return nil, named("C_GetSlotList", err)
	}
	var tokens []slotted
	for _, slot := range slots {
		info, err := m.ctx.GetTokenInfo(slot)
		if errors.Is(err, pkcs11.Error(ckrTokenNotPresent)) || errors.Is(err, pkcs11.Error(ckrTokenNotRecognized)) {
			continue // an empty reader
		}
		if err != nil {
			return nil, named("C_GetTokenInfo", err)
		}
		reader, err := m.ctx.GetSlotInfo(slot)
		if err != nil {
			return nil, named("C_GetSlotInfo", err)
		}
		tokens = append(tokens, slotted{slot, Token{
			Label: clean(info.Label), Serial: clean(info.SerialNumber), Manufacturer: clean(info.ManufacturerID), Model: clean(info.Model),
			Hardware: version(info.HardwareVersion), Firmware: version(info.FirmwareVersion), Reader: clean(reader.SlotDescription),
			MinPIN: info.MinPinLen, MaxPIN: info.MaxPinLen, State: stateOf(info.Flags),
		}})
	}
	return tokens, nil
}

func (m *module) mechanisms(slot uint) (*reply, error) {
	all, err := m.ctx.GetMechanismList(slot)
	if err != nil {
		return nil, named("C_GetMechanismList", err)
	}
	r := &reply{}
	for _, one := range all {
		info, err := m.ctx.GetMechanismInfo(slot, []*pkcs11.Mechanism{one})
		if err != nil {
			continue // listed, and then denied: as good as not listed
		}
		r.Mechanisms = append(r.Mechanisms, Mechanism{
			Type: one.Mechanism, Name: mechanismName(one.Mechanism), MinSize: info.MinKeySize, MaxSize: info.MaxKeySize, Flags: info.Flags,
		})
	}
	return r, nil
}

func (m *module) openSession(slot uint, write bool) error {
	if m.opened {
		if err := named("C_CloseSession", m.ctx.CloseSession(m.session)); err != nil {
			return err
		}
		m.opened = false
	}
	flags := uint(pkcs11.CKF_SERIAL_SESSION)
	if write {
		flags |= pkcs11.CKF_RW_SESSION
	}
	session, err := m.ctx.OpenSession(slot, flags)
	if err != nil {
		return named("C_OpenSession", err)
	}
	m.session, m.opened = session, true
	return nil
}

// close logs out, which one that was not logged in may refuse, and ends the
// module.
func (m *module) close() error {
	clear(m.page)
	m.pin = nil
	if m.ctx == nil {
		return nil
	}
	if m.opened {
		_ = m.ctx.Logout(m.session)
		_ = m.ctx.CloseSession(m.session)
		m.opened = false
	}
	return named("C_Finalize", m.ctx.Finalize())
}

// maxObjects bounds an inventory; a token with more is no CA's.
const maxObjects = 20_000

// objects lists the objects of every class with an id or a label, or all.
func (m *module) objects(q *request) (*reply, error) {
	var wanted []*pkcs11.Attribute
	if q.ByID != nil {
		wanted = append(wanted, pkcs11.NewAttribute(ckaID, q.ByID))
	}
	if q.ByLabel != "" {
		wanted = append(wanted, pkcs11.NewAttribute(ckaLabel, q.ByLabel))
	}
	if err := m.ctx.FindObjectsInit(m.session, wanted); err != nil {
		return nil, named("C_FindObjectsInit", err)
	}
	var handles []pkcs11.ObjectHandle
	var problem error
	for {
		some, _, err := m.ctx.FindObjects(m.session, 64)
		if err != nil {
			problem = named("C_FindObjects", err)
		} else if len(handles) > maxObjects {
			problem = fault{Text: fmt.Sprintf("the token holds more than %d objects", maxObjects)}
		}
		if problem != nil || len(some) == 0 {
			break
		}
		handles = append(handles, some...)
	}
	if err := m.ctx.FindObjectsFinal(m.session); err != nil && problem == nil {
		problem = named("C_FindObjectsFinal", err)
	}
	r := &reply{}
	for _, h := range handles {
		if problem != nil {
			break
		}
		var o object
		o, problem = m.describe(h, q.Full)
		r.Objects = append(r.Objects, o)
	}
	return r, problem
}

// describe reads attributes one by one, because one that a module does not
// know spoils the answer to all.
func (m *module) describe(h pkcs11.ObjectHandle, full bool) (object, error) {
	o := object{Handle: uint(h), Flags: map[string]bool{}, Values: map[string][]byte{}}
	class, err := m.ctx.GetAttributeValue(m.session, h, []*pkcs11.Attribute{pkcs11.NewAttribute(ckaClass, nil)})
	var code pkcs11.Error
	switch {
	case errors.As(err, &code) && templateRefused(uint(code)), err == nil && (len(class) != 1 || len(class[0].Value) == 0):
		// A key generation that was cut off may leave an object that has nothing.
		o.Class = unreadable
		return o, nil
	case err != nil:
		return o, named("C_GetAttributeValue", err)
	}
	o.Class = ulong(class[0].Value)
	o.ID, _ = m.attribute(h, ckaID)
	label, _ := m.attribute(h, ckaLabel)
	o.Label = string(label)
	if !full {
		return o, nil
	}
	for _, a := range flagsOf(o.Class) {
		if value, ok := m.attribute(h, a.code); ok && len(value) == 1 {
			o.Flags[a.name] = value[0] != 0
		}
	}
	for _, a := range valuesOf(o.Class) {
		if value, ok := m.attribute(h, a.code); ok && len(value) > 0 {
			o.Values[a.name] = value
		}
	}
	return o, nil
}

func (m *module) attribute(h pkcs11.ObjectHandle, kind uint) ([]byte, bool) {
	got, err := m.ctx.GetAttributeValue(m.session, h, []*pkcs11.Attribute{pkcs11.NewAttribute(kind, nil)})
	if err != nil || len(got) != 1 {
		return nil, false
	}
	return got[0].Value, true
}

func attributes(t template) []*pkcs11.Attribute {
	all := make([]*pkcs11.Attribute, len(t))
	for i, a := range t {
		all[i] = pkcs11.NewAttribute(a.Type, a.Value)
	}
	return all
}

// generate tries the templates in their order. Only a refusal of the template
// itself leads to the next, and only when the token is seen to hold nothing of
// the key's id: after any other error a key may exist. A module for TPMs reports
// a general error instead of a refusal.
func (m *module) generate(q *request) (*reply, error) {
	r := &reply{}
	for i := range q.Public {
		public, private, err := m.ctx.GenerateKeyPair(m.session,
			[]*pkcs11.Mechanism{pkcs11.NewMechanism(q.Mechanism, nil)}, attributes(q.Public[i]), attributes(q.Private[i]))
		if err == nil {
			r.Handles = []uint{uint(public), uint(private)}
			return r, nil
		}
		err = named("C_GenerateKeyPair", err)
		var f fault
		refused := errors.As(err, &f) && (templateRefused(f.Code) || f.Code == ckrGeneralError) && m.nothingOf(q.Private[i])
		if !refused || i == len(q.Public)-1 {
			return nil, err
		}
		r.Attempts = append(r.Attempts, f)
	}
	return nil, fault{Text: "there is no template for this key"}
}

// nothingOf reports whether the token holds no object of a template's id. It is
// false when that cannot be seen, or when the template has no id.
func (m *module) nothingOf(t template) bool {
	id := t.id()
	if len(id) == 0 {
		return false
	}
	if err := m.ctx.FindObjectsInit(m.session, attributes(template{{ckaID, id}})); err != nil {
		return false
	}
	found, _, err := m.ctx.FindObjects(m.session, 1)
	final := m.ctx.FindObjectsFinal(m.session)
	return err == nil && final == nil && len(found) == 0
}

func (m *module) sign(q *request) (*reply, error) {
	if err := m.ctx.SignInit(m.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(q.Mechanism, q.Parameter)}, pkcs11.ObjectHandle(q.Handle)); err != nil {
		return nil, named("C_SignInit", err)
	}
	if q.Again {
		if err := m.unlock(); err != nil {
			return nil, err
		}
	}
	signature, err := m.ctx.Sign(m.session, q.Data)
	if err != nil {
		return nil, named("C_Sign", err)
	}
	return &reply{Data: signature}, nil
}

// peek asks for the length of a private value, which a token must refuse.
func (m *module) peek(q *request) (*reply, error) {
	var length C.ulong
	code := uint(C.p11_peek(m.list, C.ulong(m.session), C.ulong(q.Handle), C.ulong(q.Mechanism), &length))
	if code != 0 {
		return nil, coded("C_GetAttributeValue", code)
	}
	if length == ^C.ulong(0) {
		return nil, coded("C_GetAttributeValue", ckrAttributeSensitive)
	}
	return &reply{Handles: []uint{uint(length)}}, nil
}

// wrap tries to get a key out under a throw-away key, and throws away what
// comes.
func (m *module) wrap(q *request) (*reply, error) {
	yes := []byte{1}
	kek, err := m.ctx.GenerateKey(m.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(ckmAESKeyGen, nil)}, []*pkcs11.Attribute{
		pkcs11.NewAttribute(ckaToken, []byte{0}), pkcs11.NewAttribute(ckaWrap, yes), pkcs11.NewAttribute(ckaValueLen, uint(32)),
	})
	if err != nil {
		return nil, named("C_GenerateKey", err)
	}
	var parameter any
	if len(q.Parameter) > 0 {
		parameter = q.Parameter
	}
	wrapped, err := m.ctx.WrapKey(m.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(q.Mechanism, parameter)}, kek, pkcs11.ObjectHandle(q.Handle))
	length := len(wrapped)
	clear(wrapped)
	if destroyed := m.ctx.DestroyObject(m.session, kek); destroyed != nil && err == nil {
		return nil, named("C_DestroyObject", destroyed)
	}
	return &reply{Handles: []uint{uint(length)}}, named("C_WrapKey", err)
}
