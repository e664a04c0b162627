package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"pki.internal/lint/crlwalk"
)

func crlCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "crl",
		Short: "Sign, read, compare and check CRLs of any length",
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := knownCommand(c, args); err != nil {
				return &usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
			}
			return c.Help()
		},
	}
	c.AddCommand(crlSignCommand(a), crlShowCommand(a), crlDiffCommand(a), crlVerifyCommand(a), crlReleaseCommand(a), crlTimerCommand(a), crlShardCommand(a))
	return c
}

// crlFile is an open CRL, in DER or in PEM. It can be read from the start as
// often as one likes.
type crlFile struct {
	name  string
	f     *os.File
	isPEM bool
}

func openCRL(name string) (*crlFile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	c := &crlFile{name: name, f: f}
	_, c.isPEM, err = c.der()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

func (c *crlFile) der() (io.Reader, bool, error) {
	if _, err := c.f.Seek(0, io.SeekStart); err != nil {
		return nil, false, fmt.Errorf("it must be a file, not a pipe: %w", err)
	}
	return crlwalk.DER(c.f)
}

// walk reads the CRL from its start.
func (c *crlFile) walk(visit func(*crlwalk.Entry) error) (*crlwalk.List, error) {
	return c.walkThrough(nil, visit)
}

// walkThrough also copies the DER to w.
func (c *crlFile) walkThrough(w io.Writer, visit func(*crlwalk.Entry) error) (*crlwalk.List, error) {
	var r io.Reader = c.f
	_, err := c.f.Seek(0, io.SeekStart)
	if err == nil && c.isPEM {
		r, _, err = c.der()
	}
	if w != nil {
		r = io.TeeReader(r, w)
	}
	var list *crlwalk.List
	if err == nil {
		list, err = crlwalk.Walk(r, visit)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return list, nil
}

func (c *crlFile) Close() error { return c.f.Close() }

// readCertificate reads the one certificate of a file, in PEM or DER.
func readCertificate(name string) (*x509.Certificate, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	der := text
	if block, rest := pem.Decode(text); block != nil {
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%s holds a %s, not a certificate", name, block.Type)
		}
		if more, _ := pem.Decode(rest); more != nil {
			return nil, fmt.Errorf("%s holds several objects; give the issuer's certificate alone", name)
		}
		der = block.Bytes
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}
