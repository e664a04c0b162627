package stepca_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const unit = "step-ca.service"

// host is a machine on which rendered trees are installed, and the estate that
// they come from.
type host struct {
	*machine
	bench *bench
}

// TestUnderSystemd has a real systemd start what is rendered, with INSTALL.txt as
// it is: a start that fails is an error, a broken key is not tried for ever, a wrong
// PIN once, passwords are credentials, and timers run.
func TestUnderSystemd(t *testing.T) {
	found := tools(t)
	cgo := filepath.Join(filepath.Dir(filepath.Dir(found["step-ca"])), "bin-cgo", "step-ca")
	for _, name := range []string{cgo, softHSM} {
		if !exists(name) {
			t.Skipf("%s is not installed, so no unit was started: run make test", name)
		}
	}
	tokens := t.TempDir()
	conf := filepath.Join(tokens, "softhsm2.conf")
	if err := write(conf, fmt.Appendf(nil, "directories.tokendir = %s\nobjectstore.backend = file\n", tokens), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	b := own(t, &bench{hcl: "machine.pki.hcl.tmpl", passwords: []string{"pin", "officer"}, data: map[string]any{"Module": softHSM}, idle: true})
	h := &host{bench: b, machine: boot(t, map[string]string{"step-ca": found["step-ca"], "step-ca-hsm": cgo, "step": found["step"], "pki": b.pki})}
	for name, from := range map[string]string{"root/root_ca.crt": "certs/root.crt", "root/admin.txt": "secrets/admin.txt"} {
		h.put(t, name, h.secret(t, from), 0o600)
	}
	t.Run("file", h.keyInFile)
	t.Run("renewer", h.renewer)
	t.Run("sealed", h.sealed)
	t.Run("token", func(t *testing.T) { h.token(t, tokens) })
	t.Run("crl", h.timedCRL)
}

// secret is a file of the estate.
func (h *host) secret(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(h.bench.estate, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// install does what INSTALL.txt says, on a machine that has nothing of an online
// CA that was there before.
func (h *host) install(t *testing.T, name string) {
	t.Helper()
	h.run("", "systemctl", "stop", unit)
	h.must(t, "sh", "-c", "rm -rf /root/tree /etc/step-ca /etc/systemd/system/step-ca.service*; systemctl reset-failed")
	if out, err := exec.Command("cp", "-r", filepath.Join(h.bench.estate, "rendered", name), filepath.Join(h.root, "root", "tree")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h.must(t, "systemd-sysusers", "/root/tree/systemd/sysusers.conf")
	for line := range strings.Lines(h.secret(t, "rendered/"+name+"/INSTALL.txt")) {
		if words := strings.TrimSpace(line); strings.HasPrefix(line, "   install ") || strings.HasPrefix(line, "   sha256sum ") {
			h.must(t, "sh", "-c", "cd /root/tree && "+words)
		}
	}
	h.must(t, "systemctl", "daemon-reload")
	if out := h.must(t, "systemd-analyze", "verify", unit); strings.TrimSpace(out) != "" {
		t.Errorf("systemd-analyze verify: %s", out)
	}
	h.fails(t, "Assertion failed", "systemctl", "start", unit) // nothing is delivered yet
	h.is(t, unit, "ActiveState=inactive", "AssertResult=no")
	h.soon(t, unit, "")
}

// serves holds that step-ca runs, and serves what the tree says.
func (h *host) serves(t *testing.T, port string) {
	t.Helper()
	h.must(t, "systemctl", "start", unit)
	h.is(t, unit, "ActiveState=active", "SubState=running", "Result=success")
	h.must(t, "sh", "/root/tree/systemd/deploy-check.sh", "https://ca.machine.internal"+port)
}

// confined reads what the kernel says of the running process.
func (h *host) confined(t *testing.T, capabilities string) {
	t.Helper()
	status := h.must(t, "cat", "/proc/"+h.property(unit, "MainPID")+"/status")
	user := strings.TrimSpace(h.must(t, "id", "-u", "step"))
	for _, want := range []string{"Uid:\t" + user + "\t", "NoNewPrivs:\t1\n", "Seccomp:\t2\n", "CapEff:\t" + capabilities + "\n"} {
		if !strings.Contains(status, want) {
			t.Errorf("the process is not %q:\n%s", want, status)
		}
	}
}

func (h *host) keyInFile(t *testing.T) {
	h.install(t, "file")
	h.put(t, "etc/step-ca/secrets/issuing.key", h.secret(t, "keys/online/issuing.key"), 0o644)
	h.put(t, "etc/step-ca/secrets/password", "wrong\n", 0o644)
	h.must(t, "systemd-tmpfiles", "--create", "/root/tree/systemd/tmpfiles.conf")
	for name, want := range map[string]string{
		"secrets": "root step 750", "secrets/issuing.key": "step step 400", "secrets/password": "root root 400", "db": "step step 700", "config/ca.json": "root root 644",
	} {
		if got := strings.TrimSpace(h.must(t, "stat", "-c", "%U %G %a", "/etc/step-ca/"+name)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}

	// A wrong password is tried three times, and then no more.
	h.fails(t, "Job for step-ca.service failed", "systemctl", "start", unit)
	h.until(t, "systemd gives up", func() bool { return h.property(unit, "ActiveState") == "failed" })
	h.is(t, unit, "NRestarts=3", "ExecMainStatus=2")
	h.fails(t, "", "systemctl", "start", unit)

	h.put(t, "etc/step-ca/secrets/password", h.secret(t, "secrets/online.txt"), 0o400)
	h.must(t, "systemctl", "reset-failed")
	h.serves(t, "")
	h.confined(t, "0000000000000400") // CAP_NET_BIND_SERVICE

	// A reload of a broken file exits 0 and changes nothing.
	config := h.secret(t, "rendered/file/config/ca.json")
	h.put(t, "etc/step-ca/config/ca.json", config[:len(config)/2], 0o644)
	h.must(t, "systemctl", "reload", unit)
	h.until(t, "step-ca refuses it", func() bool {
		return strings.Contains(h.must(t, "journalctl", "--no-pager", "--unit", unit), "error reloading server")
	})
	h.put(t, "etc/step-ca/config/ca.json", config, 0o644)
	h.must(t, "systemctl", "reload", unit)
	h.serves(t, "")

	// It comes back when it is killed.
	before := h.property(unit, "MainPID")
	h.must(t, "systemctl", "kill", "--signal=KILL", unit)
	h.until(t, "step-ca is back", func() bool {
		return h.property(unit, "MainPID") != before && h.property(unit, "ActiveState") == "active"
	})
	h.serves(t, "")
}

// renewer renews one certificate whose time has come, leaves one alone whose has
// not, and says when there is none.
func (h *host) renewer(t *testing.T) {
	for _, name := range []string{"cert-renewer@.service", "cert-renewer@.timer"} {
		h.put(t, "etc/systemd/system/"+name, h.secret(t, "rendered/file/systemd/clients/"+name), 0o644)
	}
	h.put(t, "etc/step/certs/root_ca.crt", h.secret(t, "certs/root.crt"), 0o644)
	h.must(t, "systemctl", "daemon-reload")
	h.fails(t, "Assertion failed", "systemctl", "start", "cert-renewer@none.service")
	serial := func(name string) string {
		return h.must(t, "openssl", "x509", "-noout", "-serial", "-in", "/etc/step/certs/"+name+".crt")
	}
	for name, life := range map[string][]string{"fresh": nil, "due": {"--not-before=-4m", "--not-after=330s"}} {
		crt := "/etc/step/certs/" + name
		h.must(t, append([]string{"step", "ca", "certificate", name + ".machine.internal", crt + ".crt", crt + ".key", "--provisioner=admin",
			"--provisioner-password-file=/root/admin.txt", "--ca-url=https://ca.machine.internal", "--root=/root/root_ca.crt"}, life...)...)
		before := serial(name)
		h.must(t, "systemctl", "start", "cert-renewer@"+name+".service")
		h.is(t, "cert-renewer@"+name+".service", "ActiveState=inactive", "Result=success")
		if renewed := serial(name) != before; renewed != (name == "due") {
			t.Errorf("the %s certificate is renewed: %v", name, renewed)
		}
	}
	h.must(t, "systemctl", "start", "cert-renewer@due.timer")
	h.is(t, "cert-renewer@due.timer", "ActiveState=active")
	if next := h.property("cert-renewer@due.timer", "NextElapseUSecRealtime"); next == "" {
		t.Error("the timer has no next time")
	}
}

// sealed has the password as a file that only this machine can read, made by the
// command of INSTALL.txt.
func (h *host) sealed(t *testing.T) {
	h.install(t, "sealed")
	h.put(t, "etc/step-ca/secrets/issuing.key", h.secret(t, "keys/online/issuing.key"), 0o644)
	password := strings.TrimSpace(h.secret(t, "secrets/online.txt"))
	command := ""
	for line := range strings.Lines(h.secret(t, "rendered/sealed/INSTALL.txt")) {
		if strings.HasPrefix(line, "   systemd-creds encrypt ") {
			command = strings.TrimSpace(line)
		}
	}
	h.must(t, "systemd-tmpfiles", "--create", "/root/tree/systemd/tmpfiles.conf")
	// One that was made for another name is not taken.
	if out, err := h.run(password, "sh", "-c", strings.Replace(command, "--name=password", "--name=other", 1)); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	h.fails(t, "Job for step-ca.service failed", "systemctl", "start", unit)
	h.until(t, "systemd gives up", func() bool { return h.property(unit, "ActiveState") == "failed" })
	h.is(t, unit, "ExecMainStatus=243") // EXIT_CREDENTIALS
	h.must(t, "sh", "-c", "rm "+command[strings.LastIndex(command, " ")+1:]+"; systemctl reset-failed")
	if out, err := h.run(password, "sh", "-c", command); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	h.serves(t, ":8443")
	h.confined(t, "0000000000000000")
	if out, err := h.run("", "grep", "-r", password, "/etc/step-ca"); err == nil {
		t.Errorf("the password is there in clear text: %s", out)
	}
}

// token has the key on a token: the module works as confined as it is, and a wrong
// PIN is tried once.
func (h *host) token(t *testing.T, tokens string) {
	h.install(t, "token")
	if out, err := exec.Command("cp", "-r", tokens, filepath.Join(h.root, "var", "tokens")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h.put(t, "etc/softhsm.conf", "directories.tokendir = /var/tokens\nobjectstore.backend = file\n", 0o644)
	h.must(t, "chown", "-R", "step:step", "/var/tokens")
	h.soon(t, unit, "Environment=SOFTHSM2_CONF=/etc/softhsm.conf\nReadWritePaths=/var/tokens\n")
	h.put(t, "etc/step-ca/secrets/pin", "0000", 0o400)
	h.must(t, "mkdir", "-p", "/etc/step-ca/db")
	h.fails(t, "Job for step-ca.service failed", "systemctl", "start", unit)
	h.must(t, "sleep", "1") // ten times RestartSec
	h.is(t, unit, "ActiveState=failed", "NRestarts=0", "ExecMainStatus=2")
	if journal := h.must(t, "journalctl", "--no-pager"); !strings.Contains(journal, "CKR_PIN_INCORRECT") {
		t.Errorf("it is not the PIN that was wrong:\n%s", tail(journal))
	}
	h.put(t, "etc/step-ca/secrets/pin", strings.TrimSpace(h.secret(t, "secrets/pin.txt")), 0o400)
	h.must(t, "systemctl", "reset-failed")
	h.serves(t, "")
	h.confined(t, "0000000000000400")
}

// timedCRL has a timer sign the next CRL of an authority, with the units of pki crl
// timer, and a wrong password tried once.
func (h *host) timedCRL(t *testing.T) {
	units := filepath.Join(h.root, "etc", "systemd", "system")
	h.bench.must(t, h.bench.pki, "-C", h.bench.estate, "crl", "timer", "--out", units)
	h.put(t, "etc/sysusers.d/pki.conf", "u pki - \"CRLs\" /etc/pki\n", 0o644)
	h.must(t, "systemd-sysusers")
	if out, err := exec.Command("cp", "-r", h.bench.estate, filepath.Join(h.root, "etc", "pki")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h.put(t, "var/lib/pki/revoked/issuing", "serial,date,reason\n0abc,2026-11-30,superseded\n", 0o644)
	h.put(t, "var/www/pki/issuing.crl", h.secret(t, "crls/issuing.crl"), 0o644)
	h.put(t, "etc/pki/credentials/issuing", "wrong\n", 0o400)
	h.must(t, "sh", "-c", "rm -rf /etc/pki/secrets /etc/pki/rendered; chown -R pki:pki /etc/pki /var/www/pki; chown root:root /etc/pki/credentials/issuing")
	const service, timer = "pki-crl-sign@issuing.service", "pki-crl-sign@issuing.timer"
	h.soon(t, service, "")
	h.fails(t, "Job for "+service+" failed", "systemctl", "start", service)
	h.must(t, "sleep", "1")
	h.is(t, service, "ActiveState=failed", "NRestarts=0", "ExecMainStatus=5")
	number := func() string {
		return strings.TrimSpace(h.must(t, "openssl", "crl", "-inform", "DER", "-noout", "-crlnumber", "-in", "/var/www/pki/issuing.crl"))
	}
	if got := number(); got != "crlNumber=0x01" {
		t.Errorf("after a refused password the CRL is %s", got)
	}

	// The timer as it is has a next time; one that is due at once brings the CRL.
	h.put(t, "etc/pki/credentials/issuing", h.secret(t, "secrets/online.txt"), 0o400)
	h.must(t, "systemctl", "reset-failed")
	h.must(t, "systemctl", "enable", "--now", timer)
	if next := h.property(timer, "NextElapseUSecRealtime"); next == "" {
		t.Error("the timer has no next time")
	}
	h.must(t, "systemctl", "stop", timer)
	h.put(t, "etc/systemd/system/"+timer+".d/zz-test.conf", "[Timer]\nOnCalendar=\nOnActiveSec=0\nRandomizedDelaySec=0\nAccuracySec=1ms\n", 0o644)
	h.must(t, "systemctl", "daemon-reload")
	h.must(t, "systemctl", "start", timer)
	h.until(t, "the timer has signed", func() bool { return number() == "crlNumber=0x02" })
	h.until(t, "the service is done", func() bool { return h.property(service, "ActiveState") == "inactive" })
	h.is(t, service, "Result=success")
}
