package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/plan"
	"pki.internal/render"
	"pki.internal/shamir"
	"pki.internal/spec"
)

type deliverOptions struct {
	to, out string
	vars    variables
}

func deliverCommand(a *app) *cobra.Command {
	var o deliverOptions
	c := &cobra.Command{
		Use:   "deliver NAME --to RECIPIENT --out DIR",
		Short: "Encrypt an online CA's passwords to the operator of its host",
		Long: `Write one age file for each password that the host of an online CA needs: those of
the keys that a ceremony made for it. Only the operator, whose age recipient is
given, can open them, so they travel as the keys do. The output says how each gets
into its place on the host. Where custodians hold a password, enough of them are
asked for their shares.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeFrom(onlineCAAddresses, spec.Address.FileName),
		RunE:              func(c *cobra.Command, args []string) error { return a.deliver(c.Context(), args[0], o) },
	}
	c.Flags().StringVar(&o.to, "to", "", "the operator's age recipient, age1…, as age-keygen prints it")
	c.Flags().StringVar(&o.out, "out", "", "write the files into this folder, which is not the estate's tree")
	o.vars.flags(c)
	return c
}

// deliver encrypts what is asked for, and writes nothing before all of it is
// there.
func (a *app) deliver(ctx context.Context, name string, o deliverOptions) error {
	if o.to == "" || o.out == "" {
		return &usageError{fmt.Errorf("deliver needs --to RECIPIENT and --out DIR")}
	}
	to, err := shamir.ParseRecipient(o.to, shamir.Person{})
	if err != nil {
		return &usageError{err}
	}
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	vars, err := parseVars(o.vars)
	if err != nil {
		return err
	}
	estate, err := a.load(root, vars)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(estate.OnlineCAs, func(c *spec.OnlineCA) bool {
		return c.Address.FileName() == name || c.Address.String() == name
	})
	if at < 0 {
		return &usageError{fmt.Errorf("there is no online CA %q in the estate", name)}
	}
	online := estate.OnlineCAs[at]
	passwords := render.Passwords(online)
	if len(passwords) == 0 {
		return &ceremony.Refusal{Fact: online.Address.String() + " uses no key that a ceremony makes in a file", Next: "deliver its PIN the way that the token came"}
	}
	files, err := a.sealPasswords(ctx, root, estate, online, passwords, to)
	if err != nil {
		return err
	}
	return a.writeDelivery(o.out, online, passwords, files, to)
}

// sealPasswords asks for each key store's password once.
func (a *app) sealPasswords(ctx context.Context, root *os.Root, estate *spec.Estate, online *spec.OnlineCA, passwords []render.Password, to shamir.Recipient) ([]plan.File, error) {
	opened := map[spec.Address][]byte{}
	defer func() {
		for _, secret := range opened {
			clear(secret)
		}
	}()
	var files []plan.File
	for _, p := range passwords {
		secret, have := opened[p.Store.Password.Address]
		if !have {
			var err error
			if secret, err = a.keyStoreSecret(ctx, root, estate, p.Store); err != nil {
				return nil, err
			}
			opened[p.Store.Password.Address] = secret
		}
		sealed, err := to.Seal(secret)
		if err != nil {
			return nil, err
		}
		files = append(files, plan.File{Path: online.Address.FileName() + "-" + p.Name + ".age", Mode: 0o600, Data: sealed})
	}
	return files, nil
}

// writeDelivery writes the files, none over another, and says what the operator
// does with them.
func (a *app) writeDelivery(dir string, online *spec.OnlineCA, passwords []render.Password, files []plan.File, to shamir.Recipient) error {
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(dir, f.Path)); err == nil {
			return &ceremony.Refusal{Fact: filepath.Join(dir, f.Path) + " is already there, and is not overwritten", Next: "choose another folder with --out"}
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	target, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer target.Close()
	var written, steps []string
	for i, f := range files {
		if err := (folderFiles{target}).Write(f); err != nil {
			return err
		}
		written, steps = append(written, f.Path), append(steps, passwords[i].Unpack(f.Path))
	}
	result := map[string]any{"online_ca": online.Address.String(), "to": to.String(), "dir": dir, "written": written, "on_the_host": steps}
	return a.emit("deliver", result, func(w io.Writer) {
		fmt.Fprintf(w, "%s for %s, encrypted to %s, in %s:\n  %s\n", count(len(files), "password"), online.Address, to, dir, strings.Join(written, "\n  "))
		fmt.Fprintf(w, "\nOn the host, as root, with the identity that belongs to the recipient:\n  %s\n", strings.Join(steps, "\n  "))
	})
}
