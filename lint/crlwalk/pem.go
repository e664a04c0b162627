package crlwalk

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// The lines around a list in PEM (RFC 7468 §7).
const (
	pemBegin = "-----BEGIN X509 CRL-----"
	pemEnd   = "-----END X509 CRL-----"
)

// maxPreamble bounds the text before a list in PEM, such as what openssl
// crl -text writes.
const maxPreamble = 1 << 20

// DER gives the octets of a list that is in DER or in PEM, told by its first
// octet. PEM is decoded as it is read.
func DER(r io.Reader) (der io.Reader, isPEM bool, err error) {
	b := bufio.NewReaderSize(r, bufferSize)
	first, err := b.Peek(1)
	if errors.Is(err, io.EOF) {
		return nil, false, fmt.Errorf("%w: it is empty", ErrTruncated)
	}
	if err != nil {
		return nil, false, err
	}
	if first[0] == tagSequence {
		return b, false, nil
	}
	for read := 0; read < maxPreamble; {
		line, err := b.ReadSlice('\n')
		read += len(line)
		if string(bytes.TrimSpace(line)) == pemBegin {
			return base64.NewDecoder(base64.StdEncoding, &armour{r: b}), true, nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
	}
	return nil, false, fmt.Errorf("%w, nor in PEM (%s)", ErrMalformed, pemBegin)
}

// armour gives the lines of PEM up to the last one.
type armour struct {
	r    *bufio.Reader
	rest []byte
	done bool
}

// Read gives base64 without the line that ends it.
func (a *armour) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.done {
			return 0, io.EOF
		}
		line, err := a.r.ReadSlice('\n')
		text := bytes.TrimSpace(line)
		switch {
		case string(text) == pemEnd:
			a.done = true
		case len(text) > 0 && text[0] == '-':
			return 0, fmt.Errorf("%w: the PEM ends in %.40q", ErrMalformed, text)
		case len(text) > 0:
			a.rest = text
		case err != nil:
			return 0, ErrTruncated
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}
