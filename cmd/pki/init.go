package main

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"pki.internal/ceremony"
	"pki.internal/examples"
	"pki.internal/plan"
	"pki.internal/shamir"
	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

func initCommand(a *app) *cobra.Command {
	var example string
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Start an estate from an example",
		Long: "Start an estate in DIR (or the folder of -C) from an example: " + strings.Join(examples.Names(), ", ") + `.
On a terminal, without --example, it asks which, and whose PKI it is.

It writes the example's files, a .gitignore that keeps keys and passwords out
of Git, and, for secrets that come from files, fresh random passwords. A file
that is already there is never overwritten.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				a.dir = path.Join(a.dir, args[0])
				if path.IsAbs(args[0]) {
					a.dir = args[0]
				}
			}
			if c.Flags().Changed("example") || a.json || !term.IsTerminal(int(os.Stdin.Fd())) {
				return a.initEstate(example, nil)
			}
			asked, err := askEstate(c.Context())
			if err != nil {
				return err
			}
			return a.initEstate(asked.example, asked.change)
		},
	}
	c.Flags().StringVar(&example, "example", "two-tier", "which example to start from: "+strings.Join(examples.Names(), ", "))
	return c
}

// gitignore keeps what must never be committed out of Git.
const gitignore = "# Keys and passwords never go into Git.\n/keys/\n/secrets/\n/shares/\n*.new\n"

// ownRoot is the script of an example that stands for a root which is there
// already: what lies in import/ is a root whose key nobody has.
const ownRoot = "make-root.sh"

// initEstate writes an example; change makes other names of it, nil none.
func (a *app) initEstate(example string, change func(text string) string) error {
	files, err := examples.Files(example)
	if err != nil {
		return &usageError{err}
	}
	if err := os.MkdirAll(a.dir, 0o755); err != nil {
		return err
	}
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	for i := range files {
		if change != nil && strings.HasSuffix(files[i].Path, hclspec.Suffix) {
			files[i].Data = []byte(change(string(files[i].Data)))
		}
	}
	files = append(files, plan.File{Path: ".gitignore", Mode: 0o644, Data: []byte(gitignore)})
	for _, f := range files {
		if _, err := root.Lstat(f.Path); !errors.Is(err, fs.ErrNotExist) {
			return &ceremony.Refusal{Fact: path.Join(a.dir, f.Path) + " is already there, and init never overwrites", Next: "choose an empty folder"}
		}
	}
	written := []string{}
	for _, f := range files {
		if err := (folderFiles{root}).Write(f); err != nil {
			return err
		}
		written = append(written, f.Path)
	}
	loaded, diags := hclspec.Load(root.FS(), nil)
	if diags.HasErrors() {
		a.sources = loaded.Sources
		return diags
	}
	passwords, err := writePasswords(root, loaded.Estate.Secrets)
	if err != nil {
		return err
	}
	people, err := writeIdentities(root, loaded.Estate.Custodians)
	if err != nil {
		return err
	}
	passwords = append(passwords, people...)
	written = append(written, passwords...)
	slices.Sort(written)
	return a.emit("init", map[string]any{"dir": a.dir, "written": written}, func(w io.Writer) {
		fmt.Fprintf(w, "The %s estate %q is in %s:\n", loaded.Estate.Environment, loaded.Estate.Name, a.dir)
		for _, name := range written {
			fmt.Fprintf(w, "  %s\n", name)
		}
		fmt.Fprintf(w, "\nNext: read and change the *%s files, then\n", hclspec.Suffix)
		if slices.Contains(written, ownRoot) {
			fmt.Fprintf(w, "  sh %s    # or put the root that you have into import/, and its key into keys/root\n", path.Join(a.dir, ownRoot))
		}
		fmt.Fprintf(w, "  pki -C %s plan --out plan.json\n", a.dir)
	})
}

// writePasswords draws a password of 160 bits for every secret that comes
// from a file.
func writePasswords(root *os.Root, secrets []*spec.Secret) ([]string, error) {
	var written []string
	for _, s := range secrets {
		if s.File == "" {
			continue
		}
		if _, err := root.Lstat(s.File); err == nil {
			continue
		}
		raw := make([]byte, 20)
		if _, err := rand.Read(raw); err != nil {
			return nil, err
		}
		if err := root.MkdirAll(path.Dir(s.File), 0o700); err != nil {
			return nil, err
		}
		text := strings.ToLower(base32.StdEncoding.EncodeToString(raw)) + "\n"
		if err := (folderFiles{root}).Write(plan.File{Path: s.File, Mode: 0o600, Data: []byte(text)}); err != nil {
			return nil, err
		}
		written = append(written, s.File)
	}
	return written, nil
}

// writeIdentities makes an age identity for every holder whom a file stands
// for.
func writeIdentities(root *os.Root, custodians []*spec.Custodians) ([]string, error) {
	var written []string
	for _, c := range custodians {
		for _, h := range c.Holders {
			if h.Identity == "" {
				continue
			}
			if _, err := root.Lstat(h.Identity); err == nil {
				continue
			}
			text, err := shamir.NewIdentity()
			if err != nil {
				return nil, err
			}
			if err := root.MkdirAll(path.Dir(h.Identity), 0o700); err != nil {
				return nil, err
			}
			if err := (folderFiles{root}).Write(plan.File{Path: h.Identity, Mode: 0o600, Data: text}); err != nil {
				return nil, err
			}
			written = append(written, h.Identity)
		}
	}
	return written, nil
}
