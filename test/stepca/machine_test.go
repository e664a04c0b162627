package stepca_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// machine is a computer whose first process is systemd. Root folder, processes,
// users and network are its own; /usr is this computer's, with a few programs more.
type machine struct {
	root string // its root folder, as this computer sees it
	pid  int    // its first process, as this computer sees it
}

// boot starts a machine in systemd-nspawn and stops it at the end. programs are
// those of its /usr/bin that this computer's does not have.
func boot(t *testing.T, programs map[string]string) *machine {
	t.Helper()
	nspawn, err := exec.LookPath("systemd-nspawn")
	if err != nil || os.Getuid() != 0 {
		t.Skip("systemd-nspawn is not installed, or this is not root: no unit was started by a real systemd")
	}
	folder, err := os.MkdirTemp("", "pki-machine-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	m := &machine{root: filepath.Join(folder, "root")}
	usr := filepath.Join(folder, "usr")
	m.furnish(t, usr, programs)
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c := exec.Command(nspawn, "--quiet", "--register=no", "--keep-unit", "--private-network", "--directory="+m.root,
		"--overlay-ro=/usr:"+usr+":/usr", "--boot", "--console=pipe", "--", "systemd.unit=basic.target", "systemd.log_target=console")
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	said := func() string {
		text, _ := os.ReadFile(log.Name())
		return tail(string(text))
	}
	t.Cleanup(func() { // with the first process of a namespace all others die (pid_namespaces(7))
		if pid := firstChild(c.Process.Pid); pid != 0 {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		c.Process.Kill()
		<-ended
		show(t, "the machine", said())
	})
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-ended:
			ended <- err
			t.Skipf("systemd does not boot in systemd-nspawn here, so no unit was started by it: %v\n%s", err, said())
		default:
		}
		if m.pid = firstChild(c.Process.Pid); m.pid == 0 {
			continue
		}
		if state, _ := m.run("", "systemctl", "is-system-running"); strings.TrimSpace(state) == "running" {
			return m
		}
	}
	t.Fatalf("%s\nthe machine is not up after %s", said(), patience)
	return nil
}

// furnish makes the root folder: what systemd wants to find when it boots, and
// nothing that would have to be changed afterwards.
func (m *machine) furnish(t *testing.T, usr string, programs map[string]string) {
	t.Helper()
	for _, name := range []string{"usr", "etc/systemd/system", "var", "run", "proc", "sys", "dev", "tmp", "root"} {
		if err := os.MkdirAll(filepath.Join(m.root, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+name, filepath.Join(m.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n", "etc/group": "root:x:0:\nnogroup:x:65534:\n",
		"etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n", "etc/hosts": "127.0.0.1 localhost ca.machine.internal\n",
		"etc/hostname": "machine\n", "etc/machine-id": "", "etc/os-release": "ID=machine\n",
	} {
		if err := write(filepath.Join(m.root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if cache, err := os.ReadFile("/etc/ld.so.cache"); err == nil {
		if err := write(filepath.Join(m.root, "etc/ld.so.cache"), cache, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, from := range programs {
		data, err := os.ReadFile(from)
		if err == nil {
			err = write(filepath.Join(usr, "bin", name), data, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// firstChild is the systemd that a process has started, or 0.
func firstChild(parent int) int {
	found, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range found {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		// proc_pid_stat(5): pid (comm) state ppid …
		before, after, ok := strings.Cut(string(text), " (systemd) ")
		words := strings.Fields(after)
		if !ok || len(words) < 2 || words[1] != strconv.Itoa(parent) {
			continue
		}
		pid, _ := strconv.Atoi(before)
		return pid
	}
	return 0
}

// run runs a program on the machine, in /root.
func (m *machine) run(stdin string, arguments ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, "nsenter", append([]string{"--all", "--target", strconv.Itoa(m.pid), "--", "env", "--chdir=/root"}, arguments...)...)
	c.Env = []string{"PATH=/usr/sbin:/usr/bin", "HOME=/root", "LANG=C"}
	c.Stdin = strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	return string(out), err
}

// must runs a program that has to succeed.
func (m *machine) must(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := m.run("", arguments...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return out
}

// fails runs a program that must not succeed, and must say why.
func (m *machine) fails(t *testing.T, says string, arguments ...string) {
	t.Helper()
	out, err := m.run("", arguments...)
	if err == nil || !strings.Contains(out, says) {
		t.Errorf("%s: %v, and not %q\n%s", strings.Join(arguments, " "), err, says, out)
	}
}

// put writes a file of the machine.
func (m *machine) put(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := write(filepath.Join(m.root, name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// is holds properties of a unit, as systemctl show gives them.
func (m *machine) is(t *testing.T, unit string, properties ...string) {
	t.Helper()
	for _, p := range properties {
		name, _, _ := strings.Cut(p, "=")
		if got := strings.TrimSpace(m.must(t, "systemctl", "show", "--property="+name, unit)); got != p {
			t.Errorf("%s: %s, want %s", unit, got, p)
		}
	}
}

// until waits for something that systemd does a moment later.
func (m *machine) until(t *testing.T, what string, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if true() {
			return
		}
	}
	journal, _ := m.run("", "journalctl", "--no-pager", "--lines=30")
	t.Fatalf("%s\n%s went by before %s", journal, patience, what)
}

// property is one property of a unit.
func (m *machine) property(unit, name string) string {
	out, _ := m.run("", "systemctl", "show", "--value", "--property="+name, unit)
	return strings.TrimSpace(out)
}

// soon makes a unit try again at once, for a test that waits for it.
func (m *machine) soon(t *testing.T, unit, more string) {
	t.Helper()
	m.put(t, fmt.Sprintf("etc/systemd/system/%s.d/test.conf", unit), "[Service]\nRestartSec=100ms\n"+more, 0o644)
	m.must(t, "systemctl", "daemon-reload")
}
