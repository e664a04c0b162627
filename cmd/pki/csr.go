package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/hsm/filestore"
	"pki.internal/lint"
	"pki.internal/plan"
	"pki.internal/plan/tbs"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

func csrCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "csr",
		Short: "Ask somebody else's authority for a certificate",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(csrCreateCommand(a), csrVerifyCommand(a))
	return c
}

type csrOptions struct {
	key, passwordFile, publicKey, out string
	subject                           string
	pathLength                        int
	token                             tokenOptions
	vars                              variables
}

func csrCreateCommand(a *app) *cobra.Command {
	var o csrOptions
	c := &cobra.Command{
		Use:   "create [AUTHORITY]",
		Short: "Make the signing request of an authority that somebody else certifies",
		Long: `Make a PKCS#10 request for an authority's certificate, which somebody else's
authority signs. The key is there already: a file, or a key on a token as RFC
7512 names it. With AUTHORITY, name, path length and algorithm are those of the
estate. Without, --subject and --path-length say them, and no estate is read.
What comes back is taken in by an import block.`,
		Example: `  pki csr create --subject "C=DE, O=ACME, CN=ACME Issuing G1" --path-length 0 \
    --key keys/issuing.key --password-file pw --out issuing.csr`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeFrom(authorityAddresses, spec.Address.String),
		RunE:              func(c *cobra.Command, args []string) error { return a.csrCreate(c.Context(), o, args) },
	}
	f := c.Flags()
	f.StringVar(&o.key, "key", "", "the private key: a file in PEM, or a pkcs11: URI (required)")
	f.StringVar(&o.passwordFile, "password-file", "", "file that holds the password of a key in a file")
	f.StringVar(&o.subject, "subject", "", "the name, the widest part first, such as \"C=DE, O=ACME, CN=ACME Issuing G1\"")
	f.IntVar(&o.pathLength, "path-length", 0, "how many authorities may stand below; -1 for no limit")
	f.StringVar(&o.publicKey, "public-key", "", "file with the public key of a key on a token")
	f.StringVar(&o.out, "out", "", "where the request goes, in PEM, which must not exist (required)")
	o.token.moduleFlags(c)
	o.token.pinFlags(c)
	o.vars.flags(c)
	return c
}

// madeRequest is what pki csr create says as JSON.
type madeRequest struct {
	Out    string  `json:"out"`
	SHA256 string  `json:"sha256"` // of the request in DER
	Fields []field `json:"fields"`
}

func (a *app) csrCreate(ctx context.Context, o csrOptions, args []string) error {
	switch {
	case o.out == "":
		return &usageError{errors.New("--out is needed; see pki csr create --help")}
	case o.key == "":
		return &usageError{errors.New("--key is needed; see pki csr create --help")}
	case len(args) == 0 && o.subject == "":
		return &usageError{errors.New("name an authority of the estate, or say whose request it is with --subject")}
	case len(args) == 1 && o.subject != "":
		return &usageError{errors.New("the estate says the name of an authority; leave --subject out")}
	}
	s := &crlSigner{app: a, o: crlSignOptions{key: o.key, passwordFile: o.passwordFile, token: o.token}}
	wanted := asked{title: o.subject, profile: "private", pathLength: o.pathLength}
	var err error
	if len(args) == 1 {
		wanted, err = a.askedByEstate(o, args[0])
	} else {
		wanted.subject, err = spec.ParseDirectoryName(o.subject)
	}
	if err != nil {
		return err
	}
	if err := s.openRequestKey(ctx, o.publicKey); err != nil {
		return err
	}
	defer s.closeKey()
	der, err := wanted.sealed(ctx, s)
	if err != nil {
		return err
	}
	folder, err := os.OpenRoot(filepath.Dir(o.out))
	if err != nil {
		return fmt.Errorf("the folder of %s cannot be opened: %w; make it first", o.out, err)
	}
	defer folder.Close()
	if _, err := folder.Lstat(filepath.Base(o.out)); err == nil {
		return &ceremony.Refusal{Fact: o.out + " is already there, and a request is never overwritten", Next: "choose another name, or remove it"}
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	if err := (folderFiles{folder}).Write(plan.File{Path: filepath.Base(o.out), Mode: 0o644, Data: text}); err != nil {
		return err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return err
	}
	made := madeRequest{Out: o.out, SHA256: sha256Hex(der), Fields: describeCSR(request)}
	return a.emit("csr create", made, func(w io.Writer) {
		fmt.Fprintf(w, "Request in %s, SHA-256 %s\n\n", made.Out, made.SHA256)
		printFields(w, made.Fields)
		fmt.Fprintf(w, "\nNext: have it signed by the other authority, and take the certificate in with an\nimport block (docs/plan.md).\n")
	})
}

// asked is what a request asks for.
type asked struct {
	title, profile string
	subject        spec.Name
	algorithm      spec.Algorithm // empty: that of the key
	pathLength     int
}

// askedByEstate takes it from an authority of the estate.
func (a *app) askedByEstate(o csrOptions, name string) (asked, error) {
	root, err := a.folder()
	if err != nil {
		return asked{}, err
	}
	defer root.Close()
	vars, err := parseVars(o.vars)
	if err != nil {
		return asked{}, err
	}
	estate, err := a.load(root, vars)
	if err != nil {
		return asked{}, err
	}
	var known []string
	for _, one := range estate.Authorities {
		if one.Address.String() != name && one.Address.String() != "authority."+name {
			known = append(known, one.Address.String())
			continue
		}
		if one.Key == nil {
			return asked{}, fmt.Errorf("%s has no key block, so its key is not ours to ask with; whoever has the key makes the request", one.Address)
		}
		return asked{one.Address.String(), estate.Lint.Profile, one.Subject, one.Key.Algorithm, estate.PathLen(one)}, nil
	}
	return asked{}, &usageError{fmt.Errorf("there is no authority %q; the estate has %s", name, strings.Join(known, ", "))}
}

// openRequestKey opens the key that the request is for.
func (s *crlSigner) openRequestKey(ctx context.Context, publicKey string) error {
	s.issuer = &x509.Certificate{}
	if strings.HasPrefix(s.o.key, "pkcs11:") {
		if publicKey == "" {
			return &usageError{errors.New("--key names a token; give its public key with --public-key FILE, as pkcs11-tool --read-object --type pubkey writes it")}
		}
		text, err := os.ReadFile(publicKey)
		if err != nil {
			return err
		}
		if block, _ := pem.Decode(text); block != nil {
			text = block.Bytes
		}
		if _, err := public.Parse(text); err != nil {
			return fmt.Errorf("%s is no public key in PEM or DER: %w", publicKey, err)
		}
		s.issuer.RawSubjectPublicKeyInfo = text
		return s.openTokenKey(ctx)
	}
	text, err := os.ReadFile(s.o.key)
	if err != nil {
		return err
	}
	defer clear(text)
	s.key, _, err = filestore.Load(text, func() ([]byte, error) {
		if s.o.passwordFile == "" {
			return nil, &personError{"the key is encrypted", "give its password with --password-file"}
		}
		return readPassword(s.o.passwordFile)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", s.o.key, err)
	}
	s.issuer.RawSubjectPublicKeyInfo, err = public.Marshal(s.key.Public())
	return err
}

// sealed builds the request, has it judged, and lets the key sign it.
func (r asked) sealed(ctx context.Context, s *crlSigner) ([]byte, error) {
	spki := s.issuer.RawSubjectPublicKeyInfo
	have, err := tbs.AlgorithmOfSPKI(spki)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.o.key, err)
	}
	if r.algorithm == "" {
		r.algorithm = have
	}
	if have != r.algorithm.KeyType() {
		return nil, fmt.Errorf("%s is a key of %s, and the estate says %s for %s; correct one of them", s.o.key, have.Title(), r.algorithm.Title(), r.title)
	}
	name, err := tbs.EncodeName(r.subject)
	if err != nil {
		return nil, err
	}
	info, err := tbs.Request{Subject: name, PathLength: r.pathLength}.Build(spki)
	if err != nil {
		return nil, err
	}
	draft, err := tbs.Draft(info, r.algorithm)
	if err != nil {
		return nil, err
	}
	linter, err := lint.New(cmp.Or(r.profile, "private"))
	if err != nil {
		return nil, err
	}
	cleared, _, err := linter.ClearCSR(draft, r.title, lint.Policy{}, s.app.now())
	if err != nil {
		return nil, err
	}
	der, err := ceremony.SealRequest(ctx, s.key, r.algorithm, spki, cleared)
	if err != nil {
		return nil, err
	}
	if found, pass := (lint.Policy{}).Judge(r.title, linter.CSR(der), s.app.now()); !pass {
		return nil, &lint.Refused{Object: r.title, Findings: found}
	}
	return der, nil
}

func csrVerifyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify FILE…",
		Short: "Check that whoever made a request holds its key, and say what it asks for",
		Args:  cobra.MinimumNArgs(1),
		RunE:  func(_ *cobra.Command, args []string) error { return a.csrVerify(args) },
	}
}

func (a *app) csrVerify(files []string) error {
	type checked struct {
		File   string  `json:"file"`
		Fields []field `json:"fields"`
	}
	var all []checked
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if block, _ := pem.Decode(text); block != nil {
			if !slices.Contains([]string{"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"}, block.Type) {
				return fmt.Errorf("%s holds a PEM block of type %q; a request is needed", name, block.Type)
			}
			text = block.Bytes
		}
		request, err := x509.ParseCertificateRequest(text)
		if err != nil {
			return fmt.Errorf("%s is no PKCS#10 request in PEM or DER; ask for it again", name)
		}
		if err := public.CheckRequest(request); err != nil {
			return fmt.Errorf("%s is not shown to be signed by its own key: %w; have its holder make it again", name, err)
		}
		all = append(all, checked{name, describeCSR(request)})
	}
	return a.emit("csr verify", all, func(w io.Writer) {
		for i, one := range all {
			if i > 0 {
				fmt.Fprintln(w)
			}
			fmt.Fprintf(w, "ok   %s\n\n", one.File)
			printFields(w, one.Fields)
		}
	})
}

func printFields(w io.Writer, fields []field) {
	var rows []string
	for _, f := range fields {
		rows = append(rows, "  "+f.Name+"\t"+f.Value)
	}
	table(w, rows...)
}
