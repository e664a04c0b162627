package revocation

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"

	"pki.internal/lint/crlwalk"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// Form is how revocations were written down.
type Form string

// The forms that Read tells apart by their content.
const (
	FormEmpty       Form = "nothing"
	FormIndex       Form = "openssl index.txt"
	FormCSV         Form = "CSV"
	FormJSON        Form = "JSON lines"
	FormCertificate Form = "certificate"
	FormCRL         Form = "CRL"
)

// ForCertificates says when and why certificates are revoked that are given
// as they are, since they do not say so themselves.
type ForCertificates struct {
	Date   int64
	Reason spec.Reason
	// Given is whether somebody chose the reason. Without it certificates are
	// refused: nobody revokes one by naming the wrong file.
	Given bool
	// Issuer must have signed them; nil accepts any.
	Issuer *x509.Certificate
	// Check says what else is wrong with one; nil finds nothing.
	Check func(*x509.Certificate) error
}

// Limits of the input: a line of any real form has a few hundred octets, and
// certificates come in small numbers.
const (
	maxLine         = 64 << 10
	maxCertificates = 16 << 20
)

// Read reads revocations of any form, told by their content, and hands each
// one to emit.
func Read(r io.Reader, certificates ForCertificates, emit func(*Record) error) (Form, error) {
	b := bufio.NewReaderSize(r, 256<<10)
	start, err := b.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) && len(start) == 0 {
		return "", err
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(text) == 0:
		return FormEmpty, finish(b)
	case start[0] == 0x30 && len(start) > 1 && start[1] >= 0x80: // a SEQUENCE; a text of digits has no such octet
		return readBinary(b, certificates, emit)
	case bytes.Contains(start, []byte("-----BEGIN X509 CRL-----")):
		return FormCRL, readCRL(b, emit)
	case bytes.Contains(start, []byte("-----BEGIN ")):
		return FormCertificate, readPEM(b, certificates, emit)
	case text[0] == '{', bytes.HasPrefix(text, []byte(`\x`)), isHexJSON(text):
		return FormJSON, eachLine(b, jsonLine(emit))
	case isIndex(text):
		return FormIndex, eachLine(b, indexLine(emit))
	}
	return FormCSV, readCSV(b, emit)
}

// finish makes sure that white space is really all there is.
func finish(b *bufio.Reader) error {
	return eachLine(b, func(line []byte) error { return errors.New("text after 4 KiB of white space; is this the right file?") })
}

// eachLine hands out the lines that are not blank, without their ends.
func eachLine(b *bufio.Reader, visit func([]byte) error) error {
	for number := 1; ; number++ {
		line, err := b.ReadSlice('\n')
		if len(line) > maxLine || (err != nil && errors.Is(err, bufio.ErrBufferFull)) {
			return fmt.Errorf("line %d has more than %d octets", number, maxLine)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		if text := withoutEnd(line); len(text) > 0 && (text[0] > ' ' || len(bytes.TrimSpace(text)) > 0) {
			if err := visit(text); err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
		}
		if err != nil {
			return nil
		}
	}
}

func withoutEnd(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	return line
}

// readBinary tells a certificate from a list: both are a SEQUENCE.
func readBinary(b *bufio.Reader, certificates ForCertificates, emit func(*Record) error) (Form, error) {
	start, err := b.Peek(64 << 10)
	if errors.Is(err, io.EOF) {
		if c, err := x509.ParseCertificate(start); err == nil {
			return FormCertificate, revoke(c, certificates, emit)
		}
	}
	return FormCRL, readCRL(b, emit)
}

func readPEM(b *bufio.Reader, certificates ForCertificates, emit func(*Record) error) error {
	text, err := io.ReadAll(io.LimitReader(b, maxCertificates+1))
	if err != nil {
		return err
	}
	if len(text) > maxCertificates {
		return fmt.Errorf("more than %d MiB of certificates; write their serial numbers into a CSV file", maxCertificates>>20)
	}
	found := 0
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		found++
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("PEM block %d is of type %q; certificates and CRLs are expected", found, block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Errorf("PEM block %d: %w", found, err)
		}
		if err := revoke(c, certificates, emit); err != nil {
			return err
		}
	}
	if found == 0 || bytes.Contains(text, []byte("-----BEGIN ")) {
		return errors.New("its PEM is damaged")
	}
	return nil
}

// revoke makes a record of a certificate.
func revoke(c *x509.Certificate, how ForCertificates, emit func(*Record) error) error {
	if !how.Given {
		return fmt.Errorf("the certificate of %q says neither why nor since when it is revoked: give --reason, and --date if it is not now", c.Subject)
	}
	if how.Issuer != nil {
		if err := public.CheckIssued(c, how.Issuer); err != nil {
			return fmt.Errorf("the certificate of %q was not issued by %q, whose CRL this is (%w)", c.Subject, how.Issuer.Subject, err)
		}
	}
	if c.IsCA && c.BasicConstraintsValid {
		if err := CheckCAReason(how.Reason); err != nil {
			return fmt.Errorf("the certificate of %q is a CA's: %w", c.Subject, err)
		}
	}
	if how.Check != nil {
		if err := how.Check(c); err != nil {
			return err
		}
	}
	serial, err := SerialOf(c.SerialNumber.Bytes())
	if err != nil {
		return err
	}
	return emit(&Record{Serial: serial, Date: how.Date, Reason: how.Reason, Expires: c.NotAfter.Unix(), Invalidity: Unknown})
}

// CheckCAReason refuses reasons that a CA certificate's revocation must not
// have (CA/Browser Forum BR §7.2.2).
func CheckCAReason(r spec.Reason) error {
	if r == spec.CertificateHold || r == spec.Unspecified || r == spec.RemoveFromCRL {
		return fmt.Errorf("the revocation of a CA needs a reason that lasts, not %s", r)
	}
	return nil
}

// unfit are the faults that make an entry of somebody's list unusable here.
const unfit = crlwalk.SerialNotPositive | crlwalk.SerialTooLong | crlwalk.ReasonUnknown | crlwalk.ReasonRemove |
	crlwalk.Indirect | crlwalk.CriticalUnknown | crlwalk.ExtensionForm

// readCRL takes the entries of a list over.
func readCRL(b *bufio.Reader, emit func(*Record) error) error {
	der, _, err := crlwalk.DER(b)
	if err != nil {
		return err
	}
	_, err = crlwalk.Walk(der, func(e *crlwalk.Entry) error {
		r, err := FromEntry(e)
		if err != nil {
			return err
		}
		return emit(&r)
	})
	return err
}

// FromEntry makes a record of an entry of a list.
func FromEntry(e *crlwalk.Entry) (Record, error) {
	if e.Faults&unfit != 0 {
		return Record{}, fmt.Errorf("the entry of serial number %x cannot be taken over: %s", e.Serial, strings.Join((e.Faults&unfit).Words(), ", "))
	}
	serial, err := SerialOf(e.Serial)
	r := Record{Serial: serial, Date: e.Date, Reason: spec.Reason(e.Reason), Expires: Unknown, Invalidity: Unknown}
	if e.HasInvalidity {
		r.Invalidity = e.Invalidity
	}
	return r, err
}
