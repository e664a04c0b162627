package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"pki.internal/render"
)

func crlTimerCommand(a *app) *cobra.Command {
	h := render.CRLHost{}
	var out string
	c := &cobra.Command{
		Use:   "timer",
		Short: "Write systemd's units that sign and release CRLs in time",
		Long: `Write systemd's units for the estate's CRLs: pki-crl-sign@NAME for every authority
with on_timer = true, pki-crl-release@NAME for every one with presign = N. They are
the same every time. Copy them to /etc/systemd/system and enable the timers.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.crlTimer(h, out) },
	}
	f := c.Flags()
	f.StringVar(&out, "out", "", "folder for the units (required)")
	f.StringVar(&h.Home, "home", "/etc/pki", "the estate's folder on the machine that publishes")
	f.StringVar(&h.Publish, "publish", "/var/www/pki", "where its web server takes CRLs from")
	f.StringVar(&h.Revoked, "revoked", "/var/lib/pki/revoked", "folder with what is revoked: one file an authority, named like it")
	f.StringVar(&h.Binary, "binary", "/usr/bin/pki", "this program there")
	f.StringVar(&h.User, "user", "pki", "user that the units run as")
	return c
}

func (a *app) crlTimer(h render.CRLHost, out string) error {
	if out == "" {
		return &usageError{fmt.Errorf("--out is needed; see pki crl timer --help")}
	}
	root, estate, _, err := a.statusInputs(variables{})
	if err != nil {
		return err
	}
	defer root.Close()
	if estate == nil {
		return fmt.Errorf("there is no estate here, and what needs a timer stands in it; name the folder with -C")
	}
	files, err := render.CRLUnits(estate, h)
	if err != nil {
		return &usageError{err}
	}
	if len(files) == 0 {
		return fmt.Errorf("no authority here has on_timer or presign in its crl block, so nothing needs a timer")
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	dir, err := os.OpenRoot(out)
	if err != nil {
		return err
	}
	defer dir.Close()
	written, err := writeChanged(dir, files)
	if err != nil {
		return err
	}
	return a.emit("crl timer", map[string]any{"written": written}, func(w io.Writer) {
		fmt.Fprintf(w, "%s in %s, %d written.\n", count(len(files), "file"), out, len(written))
		for _, authority := range estate.Authorities {
			switch {
			case authority.CRL == nil || authority.Key == nil:
			case authority.CRL.OnTimer:
				fmt.Fprintf(w, "  systemctl enable --now pki-crl-sign@%s.timer\n", authority.Address.FileName())
			case authority.CRL.Presign > 0:
				fmt.Fprintf(w, "  systemctl enable --now pki-crl-release@%s.timer\n", authority.Address.FileName())
			}
		}
	})
}
