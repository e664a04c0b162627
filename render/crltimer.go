package render

import (
	"bytes"
	_ "embed"
	"fmt"
	"path"
	"strings"
	"text/template"
	"time"

	"pki.internal/plan"
	"pki.internal/spec"
)

// The units of CRLs on a timer.
var (
	//go:embed text/pki-crl-sign.service
	crlSignService string
	//go:embed text/pki-crl-sign.timer
	crlSignTimer string
	//go:embed text/pki-crl-release.service
	crlReleaseService string
	//go:embed text/pki-crl-release.timer
	crlReleaseTimer string
	//go:embed text/crl-hardening.conf
	crlHardening string
)

// CRLHost is where a machine that publishes CRLs has things. Every path is
// absolute.
type CRLHost struct {
	Home    string // the estate's folder
	Publish string // where the web server takes CRLs from
	Revoked string // folder with what is revoked, one file an authority
	Binary  string // of pki
	User    string
}

// CRLUnits gives systemd's units for the CRLs of an estate: pki crl sign for
// every authority with on_timer, pki crl release for every one with presign.
// Instances are named like the authority's files; what differs from the
// template is in a drop-in. There are none when no authority needs them.
func CRLUnits(e *spec.Estate, h CRLHost) ([]plan.File, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	var sign, release, own []plan.File
	for _, a := range e.Authorities {
		switch {
		case a.CRL == nil || a.Key == nil:
		case a.CRL.OnTimer:
			sign = []plan.File{h.unit("pki-crl-sign@.service", crlSignService), h.unit("pki-crl-sign@.timer", crlSignTimer)}
			own = append(own, h.signDropIns(a)...)
		case a.CRL.Presign > 0:
			release = []plan.File{h.unit("pki-crl-release@.service", crlReleaseService), h.unit("pki-crl-release@.timer", crlReleaseTimer)}
		}
	}
	return append(append(sign, release...), own...), nil
}

// check keeps out what systemd would read as something else.
func (h CRLHost) check() error {
	for _, p := range []string{h.Home, h.Publish, h.Revoked, h.Binary} {
		if !path.IsAbs(p) || path.Clean(p) != p || strings.Trim(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") != "" {
			return fmt.Errorf("%q is not an absolute path of letters, digits, dots and dashes, as units need it", p)
		}
	}
	if h.User == "" || strings.Trim(h.User, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return fmt.Errorf("%q is not the name of a user", h.User)
	}
	return nil
}

// unit fills a template. The templates are the program's own, so what they
// could complain of is a fault of ours that the tests find.
func (h CRLHost) unit(name, text string) plan.File {
	var b bytes.Buffer
	told := struct {
		CRLHost
		Hardening string
	}{h, strings.TrimSuffix(crlHardening, "\n")}
	if err := template.Must(template.New(name).Parse(text)).Execute(&b, told); err != nil {
		b.Reset()
	}
	return plan.File{Path: name, Mode: 0o644, Data: b.Bytes()}
}

// signDropIns gives what is particular to one authority: how often, and how
// its key is opened.
func (h CRLHost) signDropIns(a *spec.Authority) []plan.File {
	name := a.Address.FileName()
	every := a.CRL.IssueEvery
	said := "issue_every = " + every.String()
	if every.IsZero() {
		every, said = half(a.CRL.ValidFor), "half of valid_for, since issue_every is not written"
	}
	files := []plan.File{{
		Path: "pki-crl-sign@" + name + ".timer.d/schedule.conf", Mode: 0o644,
		Data: fmt.Appendf(nil, "[Timer]\n# %s\nOnCalendar=\nOnCalendar=%s\n", said, onCalendar(every)),
	}}
	t := a.Key.Store.Token
	if t == nil {
		return files
	}
	secret, credential := " --pin-file ${CREDENTIALS_DIRECTORY}/secret", "secret:"+h.Home+"/credentials/%i"
	if t.PINPad {
		secret, credential = " --pin-pad", ""
	}
	text := fmt.Sprintf("[Service]\nLoadCredential=\n%sExecStart=\nExecStart=%s -C %s crl sign %%i%s --revoked %s/%%i --out %s/%%i.crl --wait 2m\n",
		unlessEmpty("LoadCredential=", credential), h.Binary, h.Home, secret, h.Revoked, h.Publish)
	// A vendor's module may need its device, its daemon, and code of its own making.
	text += "PrivateDevices=no\nPrivateNetwork=no\nRestrictAddressFamilies=\nMemoryDenyWriteExecute=no\nSystemCallFilter=\n"
	return append(files, plan.File{Path: "pki-crl-sign@" + name + ".service.d/token.conf", Mode: 0o644, Data: []byte(text)})
}

func unlessEmpty(before, value string) string {
	if value == "" {
		return ""
	}
	return before + value + "\n"
}

// half of a length of time leaves the other half to notice that a timer did not
// run.
func half(d spec.Duration) spec.Duration {
	epoch := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	return spec.Duration{Hours: max(1, int(d.From(epoch).Sub(epoch)/(2*time.Hour)))}
}

// onCalendar gives the rarest of systemd's regular times that is at least as
// often as wanted: one CRL too many does no harm, and one too few does.
func onCalendar(d spec.Duration) string {
	epoch := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	every := d.From(epoch).Sub(epoch)
	switch {
	case every >= 7*24*time.Hour:
		return "weekly"
	case every >= 24*time.Hour:
		return "daily"
	}
	for _, hours := range []int{12, 8, 6, 4, 3, 2} {
		if every >= time.Duration(hours)*time.Hour {
			return fmt.Sprintf("*-*-* 00/%d:00:00", hours)
		}
	}
	return "hourly"
}
