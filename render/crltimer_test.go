package render_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pki.internal/plan"
	"pki.internal/render"
	"pki.internal/spec"
)

func crlHost() render.CRLHost {
	return render.CRLHost{Home: "/etc/pki/estate", Publish: "/var/www/pki", Revoked: "/var/lib/pki/revoked", Binary: "/bin/true", User: "root"}
}

// timed gives an estate with an authority on a timer and a root with a stack.
func timed(every spec.Duration, token *spec.Token) *spec.Estate {
	address := func(name string) spec.Origin {
		return spec.Origin{Address: spec.Address{Kind: "authority", Name: name}}
	}
	store := &spec.KeyStore{Kind: spec.FileStore, Path: "keys", Token: token}
	root := &spec.Authority{Origin: address("root"), Key: &spec.Key{Store: store}, CRL: &spec.CRL{Presign: 3}}
	issuing := &spec.Authority{Origin: address("issuing"), Issuer: root, Key: &spec.Key{Store: store}, CRL: &spec.CRL{OnTimer: true, IssueEvery: every, ValidFor: spec.Duration{Days: 30}}}
	return &spec.Estate{Name: "acme", Authorities: []*spec.Authority{root, issuing, {Origin: address("other")}}}
}

func TestCRLUnits(t *testing.T) {
	for name, c := range map[string]struct {
		every spec.Duration
		token *spec.Token
		files []string
		says  string
	}{
		"file": {spec.Duration{Days: 1}, nil, []string{
			"pki-crl-sign@.service", "pki-crl-sign@.timer", "pki-crl-release@.service", "pki-crl-release@.timer", "pki-crl-sign@issuing.timer.d/schedule.conf",
		}, "OnCalendar=daily\n"},
		"token": {spec.Duration{Hours: 5}, &spec.Token{Label: "x"}, []string{
			"pki-crl-sign@.service", "pki-crl-sign@.timer", "pki-crl-release@.service", "pki-crl-release@.timer",
			"pki-crl-sign@issuing.timer.d/schedule.conf", "pki-crl-sign@issuing.service.d/token.conf",
		}, "--pin-file ${CREDENTIALS_DIRECTORY}/secret"},
		"pin pad": {spec.Duration{Hours: 1}, &spec.Token{Label: "x", PINPad: true}, []string{
			"pki-crl-sign@.service", "pki-crl-sign@.timer", "pki-crl-release@.service", "pki-crl-release@.timer",
			"pki-crl-sign@issuing.timer.d/schedule.conf", "pki-crl-sign@issuing.service.d/token.conf",
		}, "--pin-pad"},
	} {
		files, err := render.CRLUnits(timed(c.every, c.token), crlHost())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		var all strings.Builder
		for _, f := range files {
			names = append(names, f.Path)
			all.Write(f.Data)
			if len(f.Data) == 0 || f.Mode != 0o644 {
				t.Errorf("%s: %s has %d bytes and mode %o", name, f.Path, len(f.Data), f.Mode)
			}
		}
		if !slices.Equal(names, c.files) || !strings.Contains(all.String(), c.says) {
			t.Errorf("%s: %q, or no %q in\n%s", name, names, c.says, all.String())
		}
		verifyUnits(t, files)
	}
}

// verifyUnits has systemd read them, drop-ins as well.
func verifyUnits(t *testing.T, files []plan.File) {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed, so nobody has checked the units; apt-get install systemd")
	}
	dir := t.TempDir()
	var units []string
	for _, f := range files {
		// An instance of every template, beside its drop-ins.
		name := filepath.Join(dir, f.Path)
		must(t, os.MkdirAll(filepath.Dir(name), 0o755))
		must(t, os.WriteFile(name, f.Data, 0o644))
		if instance := strings.Replace(f.Path, "@.", "@issuing.", 1); instance != f.Path {
			units = append(units, filepath.Join(dir, instance))
		}
	}
	c := exec.Command(tool, append([]string{"verify", "--man=no"}, units...)...)
	c.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	if out, err := c.CombinedOutput(); err != nil || strings.Contains(string(out), dir) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

func TestCRLUnitsRefuse(t *testing.T) {
	for name, change := range map[string]func(*render.CRLHost){
		"relative":  func(h *render.CRLHost) { h.Home = "estate" },
		"specifier": func(h *render.CRLHost) { h.Publish = "/var/%i" },
		"space":     func(h *render.CRLHost) { h.Revoked = "/var/a b" },
		"newline":   func(h *render.CRLHost) { h.Binary = "/bin/true\nExecStart=/bin/sh" },
		"not clean": func(h *render.CRLHost) { h.Home = "/etc/../etc" },
		"no user":   func(h *render.CRLHost) { h.User = "" },
		"odd user":  func(h *render.CRLHost) { h.User = "root\nGroup=root" },
	} {
		h := crlHost()
		change(&h)
		if files, err := render.CRLUnits(timed(spec.Duration{Days: 1}, nil), h); err == nil || files != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
