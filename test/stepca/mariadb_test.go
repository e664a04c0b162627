package stepca_test

import (
	"bytes"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mariadb starts a server of its own, which knows root by the user that asks at
// its socket, as the instructions say, and has no password and no port.
func mariadb(t *testing.T) (socket string) {
	t.Helper()
	install, err := exec.LookPath("mariadb-install-db")
	if err == nil {
		_, err = exec.LookPath("mariadbd")
	}
	if err != nil || os.Getuid() != 0 {
		t.Skip("MariaDB is not installed, or this is not root (MariaDB refuses root, so the test becomes nobody): it was not tested")
	}
	const nobody = 65534
	folder, err := os.MkdirTemp("", "pki-mariadb-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chown(folder, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	as := func(name string, arguments ...string) *exec.Cmd {
		c := exec.Command(name, append([]string{"--no-defaults", "--datadir=" + filepath.Join(folder, "data")}, arguments...)...)
		c.Dir = folder
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return c
	}
	if out, err := as(install, "--auth-root-authentication-method=socket", "--auth-root-socket-user=root", "--skip-test-db", "--skip-name-resolve").CombinedOutput(); err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, out)
	}
	socket = filepath.Join(folder, "socket")
	server := as("mariadbd", "--socket="+socket, "--skip-networking", "--innodb-flush-log-at-trx-commit=0")
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
		show(t, "MariaDB", log.String())
	})
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if exists(socket) {
			return socket
		}
	}
	t.Fatal("MariaDB does not answer")
	return ""
}

// TestMariaDB has a step-ca keep what it knows in MariaDB, by the driver for MySQL:
// it issues, renews, takes a token once, revokes, and knows it after a restart. The
// query of docs/crl.md finds the revocation.
func TestMariaDB(t *testing.T) {
	tools(t)
	socket := mariadb(t)
	data := single(t)
	data["Database"], data["DatabaseName"] = "mysql", "step_ca"
	data["Source"] = "root@unix(" + socket + ")/"
	b := own(t, &bench{hcl: "cluster.pki.hcl.tmpl", passwords: []string{"edge"}, data: data})
	used := b.token(t)
	if _, _, err := b.sign(t, used, x509.CertificateRequest{DNSNames: []string{"once.example.internal"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.sign(t, used, x509.CertificateRequest{DNSNames: []string{"once.example.internal"}}); err == nil || !strings.Contains(b.ca.log(), "token already used") {
		t.Errorf("a used token is not refused because of the database: %v", err)
	}
	bad := b.jwkLeaf(t)
	b.must(t, "step", b.online("ca", "renew", bad.crt, bad.key, "--force")...)
	bad = readLeaf(t, bad.crt, bad.key)
	b.must(t, "step", b.online("ca", "revoke", "--cert", bad.crt, "--key", bad.key)...)

	b.ca.stop()
	if err := b.ca.start(); err != nil {
		t.Fatal(err)
	}
	if err := b.ca.await(b.client); err != nil {
		t.Fatal(err)
	}
	if list := b.crl(t); len(list.RevokedCertificateEntries) != 1 {
		t.Errorf("the CRL has %d entries, want 1", len(list.RevokedCertificateEntries))
	}
	client := program(t, "mariadb") + ` --no-defaults --socket="$SOCKET" step_ca -NB `
	b.signFrom(t, client+`--raw -e "$QUERY"`, []string{documented(t, `mysql -NB --raw step -e "`)}, bad, "SOCKET="+socket)
	b.signFrom(t, client+`--binary-as-hex -e "$QUERY"`, []string{"SELECT nvalue FROM revoked_x509_certs"}, bad, "SOCKET="+socket)
}
