package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pki.internal/ceremony/ledger"
	"pki.internal/hsm/filestore"
	"pki.internal/plan"
	"pki.internal/plan/tbs/public"
)

// headOptions are what pki verify does with tree heads.
type headOptions struct {
	since, head, out, key, passwordFile, public string
}

func (o *headOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.since, "since", "", "prove that the ledger extends an earlier one: a tree head's file, or a head or tree hash in hex")
	f.StringVar(&o.out, "head-out", "", "write the tree head that was verified to a new file, with --since and the proof in it")
	f.StringVar(&o.key, "sign-head", "", "sign the tree head of --head-out with this key: ECDSA P-256 or RSA, in PEM")
	f.StringVar(&o.passwordFile, "password-file", "", "file with the password of the key")
	f.StringVar(&o.public, "head-key", "", "public key or certificate, in PEM, that tree heads must be signed with")
	f.StringVar(&o.head, "head", "", "check a tree head's file and the proof in it, without a ledger")
}

func (o *headOptions) sound() error {
	switch {
	case o.key != "" && o.out == "":
		return errors.New("--sign-head signs the tree head of --head-out FILE, which is missing")
	case o.passwordFile != "" && o.key == "":
		return errors.New("--password-file belongs to --sign-head KEY")
	case o.head != "" && (o.out != "" || o.key != ""):
		return errors.New("--head checks a file without a ledger, so there is nothing to write with --head-out")
	case o.public != "" && o.head == "" && o.since == "":
		return errors.New("--head-key belongs to --since FILE or --head FILE")
	case o.public != "" && o.head == "" && isHash(o.since):
		return errors.New("--head-key checks the signature of a file, and --since names a hash")
	}
	return nil
}

func isHash(text string) bool {
	raw, err := hex.DecodeString(text)
	return err == nil && len(raw) == 32
}

func readTreeHead(name string) (ledger.TreeHead, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return ledger.TreeHead{}, err
	}
	h, err := ledger.ReadTreeHead(text)
	if err != nil {
		return ledger.TreeHead{}, fmt.Errorf("%s: %w", name, err)
	}
	return h, nil
}

// checkSignature reports on the signature of a head from a file.
func (o *headOptions) checkSignature(v *verification, name string, h ledger.TreeHead) error {
	switch {
	case o.public == "" && len(h.Signature) == 0:
		v.pass(name, "it has no signature, so it is worth what its keeper is")
		return nil
	case o.public == "":
		v.pass(name, "its signature was NOT checked; give the key with --head-key FILE")
		return nil
	}
	public, err := readPublicKey(o.public)
	if err != nil {
		return err
	}
	if err := h.Verify(public); err != nil {
		v.fail(name, "%s (%s)", err, o.public)
	} else {
		v.pass(name, "signed by the key in %s at %s", o.public, instant(h.Time()))
	}
	return nil
}

// verifySince proves that the ledger extends the one of an earlier head.
func (o *headOptions) verifySince(v *verification, book *ledger.Book) (before *ledger.TreeHead, err error) {
	if o.since == "" {
		return nil, nil
	}
	var kept ledger.TreeHead
	if isHash(o.since) {
		if kept, err = book.Find(o.since); err != nil {
			v.fail("since", "%s", err)
			return nil, nil
		}
	} else {
		if kept, err = readTreeHead(o.since); err != nil {
			return nil, err
		}
		if err := o.checkSignature(v, filepath.Base(o.since), kept); err != nil {
			return nil, err
		}
	}
	if _, err := book.HeadSince(kept, kept.Time()); err != nil {
		v.fail("since", "%s", err)
		return nil, nil
	}
	v.pass("since", "the first %s are those of the head that was kept; %s new since", count(int(kept.Size), "entry"), areIs(len(book.Entries)-int(kept.Size)))
	return &kept, nil
}

func areIs(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}

// writeHead writes the tree head of a ledger that has been verified.
func (a *app) writeHead(ctx context.Context, o *headOptions, book *ledger.Book, before *ledger.TreeHead) error {
	head, err := book.TreeHead(a.now())
	if before != nil {
		head, err = book.HeadSince(*before, a.now())
	}
	if err != nil {
		return err
	}
	if o.key != "" {
		if head, err = o.sign(ctx, head, book.State()); err != nil {
			return err
		}
	}
	text, err := head.Encode()
	if err != nil {
		return err
	}
	dir, err := os.OpenRoot(filepath.Dir(o.out))
	if err != nil {
		return err
	}
	defer dir.Close()
	name := filepath.Base(o.out)
	if _, err := dir.Lstat(name); err == nil {
		return fmt.Errorf("%s is already there, and heads that were kept are never overwritten; name another file", o.out)
	}
	return folderFiles{dir}.Write(plan.File{Path: name, Mode: 0o644, Data: text})
}

// sign signs a head with a key from a file, which must not be a CA's.
func (o *headOptions) sign(ctx context.Context, head ledger.TreeHead, s plan.State) (ledger.TreeHead, error) {
	text, err := os.ReadFile(o.key)
	if err != nil {
		return head, err
	}
	defer clear(text)
	key, _, err := filestore.Load(text, func() ([]byte, error) {
		if o.passwordFile == "" {
			return nil, &personError{"the key " + o.key + " is encrypted", "give its password with --password-file"}
		}
		password, err := os.ReadFile(o.passwordFile)
		return bytes.TrimRight(password, "\r\n"), err
	})
	if err != nil {
		return head, fmt.Errorf("%s: %w", o.key, err)
	}
	spki, err := public.Marshal(key.Public())
	if err != nil {
		return head, err
	}
	if a, taken := s.OwnerOf(spki); taken {
		return head, fmt.Errorf("%s is the key of %s, and a CA's key signs certificates and CRLs alone; use an auditor's key", o.key, a.Address)
	}
	return head.Sign(key.Public(), func(digest []byte) ([]byte, error) { return key.Sign(ctx, digest, crypto.SHA256) })
}

// readPublicKey reads a public key, or a certificate that has one.
func readPublicKey(name string) (crypto.PublicKey, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM; give a public key (openssl pkey -pubout) or a certificate", name)
	}
	if c, err := x509.ParseCertificate(block.Bytes); err == nil {
		return public.Of(c)
	}
	key, err := public.Parse(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s is neither a public key nor a certificate: %w", name, err)
	}
	return key, nil
}

// verifyHead checks a tree head without a ledger.
func (a *app) verifyHead(o *headOptions) error {
	head, err := readTreeHead(o.head)
	if err != nil {
		return err
	}
	v := &verification{Head: plan.Head{Entries: int(head.Size)}, TreeHash: hex.EncodeToString(head.Root)}
	if err := o.checkSignature(v, filepath.Base(o.head), head); err != nil {
		return err
	}
	if err := o.extendsKept(v, head); err != nil {
		return err
	}
	if err := a.emit("verify", v, func(w io.Writer) { printHead(w, v, head) }); err != nil {
		return err
	}
	return a.verdict(v)
}

// extendsKept holds the proof in a head against the head that was kept.
func (o *headOptions) extendsKept(v *verification, head ledger.TreeHead) error {
	if o.since == "" {
		if head.Since != nil {
			v.pass("since", "it comes with a proof about an earlier head; give that one with --since")
		}
		return nil
	}
	var size uint64
	var root []byte
	if isHash(o.since) {
		root, _ = hex.DecodeString(o.since) // isHash has read it
		if head.Since != nil {
			size = head.Since.Size
		}
	} else {
		kept, err := readTreeHead(o.since)
		if err != nil {
			return err
		}
		if len(kept.Signature) > 0 {
			if err := o.checkSignature(v, filepath.Base(o.since), kept); err != nil {
				return err
			}
		}
		size, root = kept.Size, kept.Root
		if size == head.Size && bytes.Equal(root, head.Root) {
			v.pass("since", "it is the same tree of %s", count(int(size), "entry"))
			return nil
		}
	}
	switch {
	case head.Since == nil:
		v.fail("since", "the head carries no proof; ask for one that was made with --since and --head-out")
	case head.Since.Size != size || !bytes.Equal(head.Since.Root, root):
		v.fail("since", "the proof is about another earlier tree, of %s and root %x", count(int(head.Since.Size), "entry"), head.Since.Root)
	default:
		if err := head.ExtendsSince(); err != nil {
			v.fail("since", "%s", err)
			return nil
		}
		v.pass("since", "the first %s are those of the head that was kept; %s new since", count(int(size), "entry"), areIs(int(head.Size-size)))
	}
	return nil
}

func printHead(w io.Writer, v *verification, head ledger.TreeHead) {
	printChecks(w, v)
	fmt.Fprintf(w, "\nTree of %s at %s\nTree hash    %s\n", count(int(head.Size), "entry"), instant(head.Time()), v.TreeHash)
	fmt.Fprintf(w, `
Not proved by this: what the entries say. That takes the ledger, or a copy.
`)
}
