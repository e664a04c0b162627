package pkcs11

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/asn1"
	"encoding/binary"
)

// The forms in which tokens were seen to wrap a key. CKM_AES_KEY_WRAP_PAD means
// RFC 5649 to some modules and PKCS#7 padding to others, and one does not read
// what the other wrote; CKM_AES_KEY_WRAP takes whole blocks of 8 bytes, or fills
// them up with zeros (PKCS#11 2.40, AES Key Wrap).
const (
	formRFC3394    = "RFC 3394"
	formZeros      = "RFC 3394 after padding with zeros"
	formRFC5649    = "RFC 5649"
	formZeros5649  = "RFC 5649 after padding with zeros" // SoftHSM 2.6
	formPadded3394 = "RFC 3394 after PKCS#7 padding"
	formCBC        = "CBC with PKCS#7 padding, without integrity"
	formUnknown    = "a form that is not known"
)

// formOf tells the form of a wrapped private key, of which the wrapping key is
// known because it was made for this. iv is of CBC.
func formOf(kek, iv, wrapped []byte) string {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return formUnknown
	}
	if len(iv) > 0 {
		if len(iv) != aes.BlockSize || len(wrapped) == 0 || len(wrapped)%aes.BlockSize != 0 {
			return formUnknown
		}
		plain := make([]byte, len(wrapped))
		defer clear(plain)
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, wrapped)
		if isPKCS8(unpadded(plain, aes.BlockSize)) {
			return formCBC
		}
		return formUnknown
	}
	head, plain := unwrap3394(block, wrapped)
	defer clear(plain)
	switch {
	case plain == nil:
	case subtle.ConstantTimeCompare(head, bytes.Repeat([]byte{0xA6}, 8)) == 1:
		switch {
		case isPKCS8(plain):
			return formRFC3394
		case isPKCS8(unpadded(plain, 8)), isPKCS8(unpadded(plain, aes.BlockSize)):
			return formPadded3394
		case isPKCS8(wholeOf(plain)):
			return formZeros
		}
	case bytes.HasPrefix(head, []byte{0xA6, 0x59, 0x59, 0xA6}): // RFC 5649 §3
		n := int64(binary.BigEndian.Uint32(head[4:]))
		switch inside := n <= int64(len(plain)) && n > int64(len(plain))-8; {
		case inside && isPKCS8(plain[:n]):
			return formRFC5649
		case inside && isPKCS8(wholeOf(plain[:n])):
			return formZeros5649
		}
	}
	return formUnknown
}

// unwrap3394 undoes the key wrap of RFC 3394 §2.2.2 and gives the initial value
// that comes out, which says what was wrapped, and the rest.
func unwrap3394(block cipher.Block, wrapped []byte) (head, plain []byte) {
	n := len(wrapped)/8 - 1
	if n < 2 || len(wrapped)%8 != 0 {
		return nil, nil
	}
	head, plain = bytes.Clone(wrapped[:8]), bytes.Clone(wrapped[8:])
	buffer := make([]byte, aes.BlockSize)
	defer clear(buffer)
	for t := 6 * n; t > 0; t-- {
		part := plain[8*((t-1)%n):][:8]
		binary.BigEndian.PutUint64(buffer, binary.BigEndian.Uint64(head)^uint64(t))
		copy(buffer[8:], part)
		block.Decrypt(buffer, buffer)
		copy(head, buffer)
		copy(part, buffer[8:])
	}
	return head, plain
}

// unpadded cuts the padding of RFC 5652 §6.3 off, or gives nothing.
func unpadded(plain []byte, size int) []byte {
	if len(plain) == 0 {
		return nil
	}
	n := int(plain[len(plain)-1])
	if n == 0 || n > size || n > len(plain) || !bytes.Equal(plain[len(plain)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil
	}
	return plain[:len(plain)-n]
}

// wholeOf cuts off what follows the first element of DER, when that is less
// than eight zeros.
func wholeOf(plain []byte) []byte {
	var first asn1.RawValue
	rest, err := asn1.Unmarshal(plain, &first)
	if err != nil || len(rest) > 7 || !bytes.Equal(rest, make([]byte, len(rest))) {
		return nil
	}
	return first.FullBytes
}

// isPKCS8 reports whether bytes are one PrivateKeyInfo (RFC 5958 §2), whatever
// key is in it.
func isPKCS8(plain []byte) bool {
	var info struct {
		Version   int
		Algorithm asn1.RawValue
		Key       []byte
		Rest      []asn1.RawValue `asn1:"optional,set,tag:0"`
		PublicKey asn1.BitString  `asn1:"optional,tag:1"`
	}
	rest, err := asn1.Unmarshal(plain, &info)
	return err == nil && len(rest) == 0 && len(info.Key) > 0
}
