package pkcs11

import (
	"fmt"
	"strings"

	"pki.internal/hsm"
)

// Error is what a token, its module or the helper process said no to: in the
// operator's words, with what to do next, and with the module's own words for
// whoever must ask the vendor.
type Error struct {
	Fact     string // what is so
	Next     string // what to do about it
	Kind     error  // one of hsm's kinds
	Signed   bool   // a signature may exist
	Function string // of the module, such as C_Login; empty when it was not asked
	Code     uint   // CKR_…, when Function is set
	Module   string
}

// Error gives fact and next step, then the module's own words.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Fact)
	if e.Signed {
		b.WriteString("; " + hsm.ErrMaybeSigned.Error())
	}
	if e.Next != "" {
		b.WriteString("; " + e.Next)
	}
	switch {
	case e.Function != "" && e.Code != 0:
		fmt.Fprintf(&b, " (%s: %s, %s)", e.Function, codeName(e.Code), e.Module)
	case e.Function != "":
		fmt.Fprintf(&b, " (%s, %s)", e.Function, e.Module)
	case e.Module != "":
		fmt.Fprintf(&b, " (%s)", e.Module)
	}
	return b.String()
}

// Unwrap gives the kinds that callers tell apart.
func (e *Error) Unwrap() []error {
	kinds := []error{hsm.ErrToken}
	if e.Kind != nil {
		kinds[0] = e.Kind
	}
	if e.Signed {
		kinds = append(kinds, hsm.ErrMaybeSigned)
	}
	return kinds
}

// refuse is a refusal that the module was not asked about.
func refuse(kind error, next, fact string, args ...any) *Error {
	return &Error{Fact: fmt.Sprintf(fact, args...), Next: next, Kind: kind}
}

// explain puts what a module returned into the operator's words.
func explain(f fault, module string) *Error {
	e := &Error{Function: f.Function, Code: f.Code, Module: module}
	for _, m := range meanings() {
		if m.code == f.Code {
			e.Fact, e.Next, e.Kind = m.fact, m.next, m.kind
			return e
		}
	}
	e.Kind = hsm.ErrToken
	e.Fact = "the token's module reported an error"
	e.Next = "run pki token test and send its report to the vendor"
	return e
}

// meaning is what a code means to whoever stands at the table.
type meaning struct {
	code       uint
	kind       error
	fact, next string
}

const (
	gone      = "the token does not answer any more"
	goneNext  = "see that it is plugged in and has power, then go on with --resume"
	cannot    = "the token cannot do this"
	canNext   = "choose an algorithm that pki token inspect lists"
	objection = "the token refuses an attribute of the key"
)

// meanings lists the codes that have a meaning of their own (PKCS#11 2.40
// §5.1).
func meanings() []meaning {
	return []meaning{
		{ckrPINIncorrect, hsm.ErrWrongPIN, "the token refused the PIN", "it was tried once and will not be tried again by itself"},
		{ckrPINInvalid, hsm.ErrWrongPIN, "the token finds characters in the PIN that it does not take", "choose a PIN of letters and digits"},
		{ckrPINLenRange, hsm.ErrWrongPIN, "the PIN has the wrong length for this token", "run pki token inspect to see which lengths it takes"},
		{ckrPINExpired, hsm.ErrPINLocked, "the PIN has expired", "set a new one with the vendor's tool"},
		{ckrPINLocked, hsm.ErrPINLocked, "the token is locked after too many wrong PINs", "the security officer's PIN or the vendor's reset unlocks it"},
		{ckrAlreadyLoggedIn, hsm.ErrToken, "the module says that someone is logged in already, so the PIN was not checked", "end other programs that use this token, and run the command again"},
		{ckrOtherLoggedIn, hsm.ErrToken, "the module says that another user is logged in", "end other programs that use this token, and run the command again"},
		{ckrPINNotInitialized, hsm.ErrToken, "the token has no user PIN yet", "initialise it with pki token init"},
		{ckrDeviceRemoved, hsm.ErrTokenGone, gone, goneNext},
		{ckrDeviceError, hsm.ErrTokenGone, gone, goneNext},
		{ckrDeviceMemory, hsm.ErrToken, "the token has no room left", "remove objects that nobody needs, with the vendor's tool"},
		{ckrTokenNotPresent, hsm.ErrTokenGone, gone, goneNext},
		{ckrTokenNotRecognized, hsm.ErrTokenGone, "the module does not recognise the token", goneNext},
		{ckrSessionClosed, hsm.ErrTokenGone, gone, goneNext},
		{ckrSessionHandle, hsm.ErrTokenGone, gone, goneNext},
		{ckrObjectHandle, hsm.ErrTokenGone, gone, goneNext},
		{ckrKeyHandle, hsm.ErrTokenGone, gone, goneNext},
		{ckrNotInitialized, hsm.ErrTokenGone, gone, goneNext},
		{ckrGeneralError, hsm.ErrTokenGone, "the module reports a general error, which most use when the token is gone", goneNext},
		{ckrKeyUnextractable, hsm.ErrUnsupported, "the token gives this key to nobody, not even encrypted", "see with pki token inspect --login what it says of the key; one that was not made for a backup never leaves"},
		{ckrKeyNotWrappable, hsm.ErrUnsupported, "the token does not wrap keys of this kind", canNext},
		{ckrMechanismInvalid, hsm.ErrUnsupported, cannot, canNext},
		{ckrMechanismParam, hsm.ErrUnsupported, cannot, canNext},
		{ckrKeySizeRange, hsm.ErrUnsupported, "the token has no keys of this size", canNext},
		{ckrDomainParams, hsm.ErrUnsupported, "the token does not know this curve", canNext},
		{ckrCurveUnsupported, hsm.ErrUnsupported, "the token does not know this curve", canNext},
		{ckrFunctionUnsupported, hsm.ErrUnsupported, cannot, canNext},
		{ckrAttributeValue, hsm.ErrUnsupported, objection, canNext},
		{ckrAttributeType, hsm.ErrUnsupported, objection, canNext},
		{ckrAttributeReadOnly, hsm.ErrUnsupported, objection, canNext},
		{ckrTemplateIncomplete, hsm.ErrUnsupported, objection, canNext},
		{ckrTemplateInconsistent, hsm.ErrUnsupported, objection, canNext},
		{ckrWriteProtected, hsm.ErrUnsupported, "the token is write-protected", "remove the protection with the vendor's tool"},
		{ckrSessionReadOnly, hsm.ErrUnsupported, "the token gives only sessions that read", "see the vendor's manual"},
	}
}

// Return codes that this package tells apart.
const (
	ckrGeneralError         = 0x5
	ckrAttributeReadOnly    = 0x10
	ckrAttributeSensitive   = 0x11
	ckrAttributeType        = 0x12
	ckrActionProhibited     = 0x1B
	ckrKeyNotWrappable      = 0x69
	ckrKeyUnextractable     = 0x6A
	ckrAttributeValue       = 0x13
	ckrDeviceError          = 0x30
	ckrDeviceMemory         = 0x31
	ckrDeviceRemoved        = 0x32
	ckrFunctionUnsupported  = 0x54
	ckrKeyHandle            = 0x60
	ckrKeySizeRange         = 0x62
	ckrMechanismInvalid     = 0x70
	ckrMechanismParam       = 0x71
	ckrObjectHandle         = 0x82
	ckrPINIncorrect         = 0xA0
	ckrPINInvalid           = 0xA1
	ckrPINLenRange          = 0xA2
	ckrPINExpired           = 0xA3
	ckrPINLocked            = 0xA4
	ckrSessionClosed        = 0xB0
	ckrSessionHandle        = 0xB3
	ckrSessionReadOnly      = 0xB5
	ckrTemplateIncomplete   = 0xD0
	ckrTemplateInconsistent = 0xD1
	ckrTokenNotPresent      = 0xE0
	ckrTokenNotRecognized   = 0xE1
	ckrWriteProtected       = 0xE2
	ckrAlreadyLoggedIn      = 0x100
	ckrPINNotInitialized    = 0x102
	ckrOtherLoggedIn        = 0x104
	ckrDomainParams         = 0x130
	ckrCurveUnsupported     = 0x140
	ckrNotInitialized       = 0x190
)

// codeName gives a return code as the standard writes it.
func codeName(code uint) string {
	for _, n := range codeNames() {
		if n.code == code {
			return fmt.Sprintf("%s 0x%02X", n.name, code)
		}
	}
	if code >= 0x80000000 {
		return fmt.Sprintf("vendor's code 0x%08X", code)
	}
	return fmt.Sprintf("CKR 0x%02X", code)
}

type namedCode struct {
	code uint
	name string
}

func codeNames() []namedCode {
	return []namedCode{
		{0x1, "CKR_CANCEL"}, {0x2, "CKR_HOST_MEMORY"}, {0x3, "CKR_SLOT_ID_INVALID"}, {ckrGeneralError, "CKR_GENERAL_ERROR"},
		{0x6, "CKR_FUNCTION_FAILED"}, {0x7, "CKR_ARGUMENTS_BAD"}, {0x8, "CKR_NO_EVENT"}, {0x9, "CKR_NEED_TO_CREATE_THREADS"},
		{0xA, "CKR_CANT_LOCK"}, {ckrAttributeReadOnly, "CKR_ATTRIBUTE_READ_ONLY"}, {ckrAttributeSensitive, "CKR_ATTRIBUTE_SENSITIVE"},
		{ckrAttributeType, "CKR_ATTRIBUTE_TYPE_INVALID"}, {ckrAttributeValue, "CKR_ATTRIBUTE_VALUE_INVALID"}, {ckrActionProhibited, "CKR_ACTION_PROHIBITED"},
		{0x20, "CKR_DATA_INVALID"}, {0x21, "CKR_DATA_LEN_RANGE"}, {ckrDeviceError, "CKR_DEVICE_ERROR"}, {ckrDeviceMemory, "CKR_DEVICE_MEMORY"},
		{ckrDeviceRemoved, "CKR_DEVICE_REMOVED"}, {0x50, "CKR_FUNCTION_CANCELED"}, {0x51, "CKR_FUNCTION_NOT_PARALLEL"},
		{ckrFunctionUnsupported, "CKR_FUNCTION_NOT_SUPPORTED"}, {ckrKeyHandle, "CKR_KEY_HANDLE_INVALID"}, {ckrKeySizeRange, "CKR_KEY_SIZE_RANGE"},
		{0x63, "CKR_KEY_TYPE_INCONSISTENT"}, {0x68, "CKR_KEY_FUNCTION_NOT_PERMITTED"}, {ckrKeyNotWrappable, "CKR_KEY_NOT_WRAPPABLE"},
		{ckrKeyUnextractable, "CKR_KEY_UNEXTRACTABLE"}, {ckrMechanismInvalid, "CKR_MECHANISM_INVALID"}, {ckrMechanismParam, "CKR_MECHANISM_PARAM_INVALID"},
		{ckrObjectHandle, "CKR_OBJECT_HANDLE_INVALID"}, {0x90, "CKR_OPERATION_ACTIVE"}, {0x91, "CKR_OPERATION_NOT_INITIALIZED"},
		{ckrPINIncorrect, "CKR_PIN_INCORRECT"}, {ckrPINInvalid, "CKR_PIN_INVALID"}, {ckrPINLenRange, "CKR_PIN_LEN_RANGE"},
		{ckrPINExpired, "CKR_PIN_EXPIRED"}, {ckrPINLocked, "CKR_PIN_LOCKED"}, {ckrSessionClosed, "CKR_SESSION_CLOSED"},
		{0xB1, "CKR_SESSION_COUNT"}, {ckrSessionHandle, "CKR_SESSION_HANDLE_INVALID"}, {ckrSessionReadOnly, "CKR_SESSION_READ_ONLY"},
		{0xB6, "CKR_SESSION_EXISTS"}, {0xB7, "CKR_SESSION_READ_ONLY_EXISTS"}, {0xC0, "CKR_SIGNATURE_INVALID"}, {0xC1, "CKR_SIGNATURE_LEN_RANGE"},
		{ckrTemplateIncomplete, "CKR_TEMPLATE_INCOMPLETE"}, {ckrTemplateInconsistent, "CKR_TEMPLATE_INCONSISTENT"},
		{ckrTokenNotPresent, "CKR_TOKEN_NOT_PRESENT"}, {ckrTokenNotRecognized, "CKR_TOKEN_NOT_RECOGNIZED"},
		{ckrWriteProtected, "CKR_TOKEN_WRITE_PROTECTED"}, {ckrAlreadyLoggedIn, "CKR_USER_ALREADY_LOGGED_IN"}, {0x101, "CKR_USER_NOT_LOGGED_IN"},
		{ckrPINNotInitialized, "CKR_USER_PIN_NOT_INITIALIZED"}, {0x103, "CKR_USER_TYPE_INVALID"}, {ckrOtherLoggedIn, "CKR_USER_ANOTHER_ALREADY_LOGGED_IN"},
		{0x105, "CKR_USER_TOO_MANY_TYPES"}, {0x110, "CKR_WRAPPED_KEY_INVALID"}, {0x120, "CKR_RANDOM_SEED_NOT_SUPPORTED"},
		{0x121, "CKR_RANDOM_NO_RNG"}, {ckrDomainParams, "CKR_DOMAIN_PARAMS_INVALID"}, {ckrCurveUnsupported, "CKR_CURVE_NOT_SUPPORTED"},
		{0x150, "CKR_BUFFER_TOO_SMALL"}, {ckrNotInitialized, "CKR_CRYPTOKI_NOT_INITIALIZED"}, {0x191, "CKR_CRYPTOKI_ALREADY_INITIALIZED"},
	}
}
