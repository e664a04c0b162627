package filestore

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"pki.internal/hsm"
)

// Load reads a key that lies in a file outside any store, encrypted or not,
// such as step-ca and openssl write. password is asked for only when the key
// is encrypted. Anyone who reads a key that is not encrypted can sign with it;
// whether that is wanted is the caller's to say.
func Load(text []byte, password func() ([]byte, error)) (k hsm.Key, encrypted bool, err error) {
	if len(text) > maxFile {
		return nil, false, fmt.Errorf("more than %d KiB, so it holds no key", maxFile>>10)
	}
	block, rest := pem.Decode(text)
	if block != nil && block.Type == "EC PARAMETERS" { // openssl ecparam -genkey writes them first
		block, _ = pem.Decode(rest)
	}
	if block == nil {
		return nil, false, errors.New("not a private key in PEM")
	}
	var private any
	switch {
	case block.Type == pemType:
		secret, err := password()
		if err != nil {
			return nil, true, err
		}
		signer, err := Decrypt(pem.EncodeToMemory(block), secret)
		clear(secret)
		if err != nil {
			return nil, true, err
		}
		return key{signer}, true, nil
	case block.Headers["DEK-Info"] != "":
		return nil, true, fmt.Errorf("it is encrypted in openssl's old form, which protects little; write it anew with: openssl pkcs8 -topk8 -v2 aes-256-cbc: %w", hsm.ErrUnsupported)
	case block.Type == "PRIVATE KEY":
		private, err = parsePKCS8(block.Bytes)
	case block.Type == "EC PRIVATE KEY":
		private, err = x509.ParseECPrivateKey(block.Bytes)
	case block.Type == "RSA PRIVATE KEY":
		private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, false, fmt.Errorf("a PEM block of type %q is no private key", block.Type)
	}
	if err != nil {
		return nil, false, fmt.Errorf("the private key: %w", err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, false, fmt.Errorf("a key of type %T cannot sign: %w", private, hsm.ErrUnsupported)
	}
	return key{signer}, false, nil
}
