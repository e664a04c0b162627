package stepca_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// single is one node with a database of its own.
func single(t *testing.T) map[string]any {
	t.Helper()
	ra := listen(t)
	ra.Close()
	return map[string]any{
		"Use": "issuing", "Host": "127.0.0.1", "Database": "badgerv2", "Source": "db", "DatabaseName": "", "Nodes": "", "RA": portOf(ra),
	}
}

// renewer renews one leaf by its own TLS connection, as clients do, and gives
// the name of the authority that signed the new one.
func (b *bench) renewer(t *testing.T, l leaf) func() (issuer string, err error) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(l.crt, l.key)
	if err != nil {
		t.Fatal(err)
	}
	roots := b.client.Transport.(*http.Transport).TLSClientConfig.RootCAs
	client := &http.Client{Timeout: patience, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}, DisableKeepAlives: true,
	}}
	return func() (string, error) {
		response, err := client.Post(b.ports.caURL()+"/1.0/renew", "application/json", nil)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusCreated {
			err = fmt.Errorf("%s: %s", response.Status, text)
		}
		if err != nil {
			return "", err
		}
		renewed, err := issued(text)
		if err != nil {
			return "", err
		}
		return renewed.Issuer.CommonName, nil
	}
}

// load is clients that renew without a pause until they are told to stop.
type load struct {
	stop       chan struct{}
	group      sync.WaitGroup
	failures   atomic.Int64
	unanswered atomic.Int64 // connections closed before step-ca had read a request
	mutex      sync.Mutex
	issuers    map[string]int // how many certificates each has signed
}

// closed says that a server closed a connection without a word.
func closed(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) }

// renewals starts n clients. A request that fails is the test's failure. One
// whose connection was closed without an answer is sent again, once: net/http
// closes, at the moment of a reload, connections that are open and have no
// request yet ((*http.conn).serve looks at shuttingDown after it has read one),
// and step-ca cannot change that.
func renewals(t *testing.T, n int, renew func() (string, error)) *load {
	l := &load{stop: make(chan struct{}), issuers: map[string]int{}}
	for range n {
		l.group.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				issuer, err := renew()
				if closed(err) {
					l.unanswered.Add(1)
					issuer, err = renew()
				}
				if err != nil {
					if l.failures.Add(1) <= 3 { // the others say the same
						t.Error(err)
					}
					continue
				}
				l.mutex.Lock()
				l.issuers[issuer]++
				l.mutex.Unlock()
			}
		})
	}
	return l
}

func (l *load) signedBy(issuer string) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.issuers[issuer]
}

// TestRotationUnderLoad gives a running step-ca a new intermediate while
// clients renew without a pause. No request may fail, and no client may have to
// repeat more than the one that was on its way at the moment of the reload.
// There is load before the change and after it, however slow the machine is: the
// test waits for both.
func TestRotationUnderLoad(t *testing.T) {
	const first, second = "Cluster Issuing CA G1", "Cluster Issuing CA G2"
	b := own(t, &bench{
		hcl: "cluster.pki.hcl.tmpl", passwords: []string{"edge"}, data: single(t),
		deliver: map[string]string{"keys/online/issuing_g2.key": "secrets/issuing_g2.key"},
	})
	const many = 4
	clients := renewals(t, many, b.renewer(t, b.jwkLeaf(t)))
	end := sync.OnceFunc(func() {
		close(clients.stop)
		clients.group.Wait()
	})
	defer end()
	b.data["Use"] = "issuing_g2"
	if err := b.writeEstate(); err != nil {
		t.Fatal(err)
	}
	b.must(t, b.pki, "-C", b.estate, "render")
	for _, name := range []string{"certs/intermediate_ca.crt", "config/ca.json"} {
		data, err := os.ReadFile(b.published("rendered/eu/" + name))
		if err == nil {
			err = os.WriteFile(filepath.Join(b.ca.home, name), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	script := []string{filepath.Join(b.published("rendered/eu"), "systemd", "deploy-check.sh"), b.ports.caURL()}
	if out, err := b.run("sh", script...); err == nil || !strings.Contains(out, "does not sign with") {
		t.Errorf("before the reload the check says %v\n%s", err, out)
	}
	if err := b.ca.until("20 renewals under the first intermediate", func() bool { return clients.signedBy(first) >= 20 || clients.failures.Load() > 0 }); err != nil {
		t.Fatal(err)
	}
	if n := clients.signedBy(second); n > 0 {
		t.Errorf("%d certificates are of the second intermediate before the reload", n)
	}
	if err := b.ca.reload("reloading ..."); err != nil {
		t.Fatal(err)
	}
	if err := b.ca.until("20 renewals under the second intermediate", func() bool { return clients.signedBy(second) >= 20 || clients.failures.Load() > 0 }); err != nil {
		t.Fatal(err)
	}
	if out, err := b.run("sh", script...); err != nil {
		t.Errorf("after the reload the check says %v\n%s", err, out)
	}
	end()
	t.Logf("%d certificates of the first intermediate, %d of the second, %d requests repeated, %d failed", clients.signedBy(first), clients.signedBy(second), clients.unanswered.Load(), clients.failures.Load())
	if n := clients.unanswered.Load(); n > many {
		t.Errorf("one reload closed %d connections of %d clients", n, many)
	}
	if l := b.jwkLeaf(t); l.Issuer.CommonName != second {
		t.Errorf("a leaf is issued by %q", l.Issuer.CommonName)
	}
}

// TestRegistrationAuthority gets a leaf from a step-ca that has no key.
func TestRegistrationAuthority(t *testing.T) {
	b := own(t, &bench{hcl: "cluster.pki.hcl.tmpl", passwords: []string{"edge"}, data: single(t)})
	ra := *b
	ra.tree, ra.deliver = "ra", map[string]string{"secrets/admin.txt": "secrets/issuer-password"}
	ra.ports.CA = b.data["RA"].(int)
	ra.ca = &server{tools: b.tools, home: filepath.Join(b.folder, "etc-step-ra"), ports: ra.ports}
	if err := ra.install(ra.ca.home); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"issuing.key", "password"} { // the harness delivers them, and nothing may need them
		if err := os.Remove(filepath.Join(ra.ca.home, "secrets", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := ra.ca.start(); err != nil {
		t.Fatal(err)
	}
	defer ra.ca.stop()
	if err := ra.ca.await(b.client); err != nil {
		t.Fatal(err)
	}
	if lost := ra.lost(t, ra.ca); len(lost) > 0 {
		t.Errorf("step-ca dropped or disabled %v", lost)
	}
	crt := filepath.Join(t.TempDir(), "leaf.crt")
	b.must(t, "step", "ca", "certificate", "edge.example.internal", crt, crt+".key", "--provisioner", "edge",
		"--provisioner-password-file", filepath.Join(b.estate, "secrets", "edge.txt"), "--ca-url", ra.ports.caURL(), "--root", b.rootPEM)
	b.expect(t, "a leaf by way of the registration authority", crt, ": OK")
	if out, err := ra.run("sh", filepath.Join(b.published("rendered/ra"), "systemd", "deploy-check.sh"), ra.ports.caURL()); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// postgres starts a server of its own, which asks for a password.
func postgres(t *testing.T, password string) (port int) {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	account, err := user.Lookup("postgres")
	if len(found) == 0 || err != nil || os.Getuid() != 0 {
		t.Skip("PostgreSQL is not installed, or this is not root (PostgreSQL refuses root, so the test becomes its user): no shared database was tested")
	}
	bin := filepath.Dir(found[len(found)-1])
	folder, err := os.MkdirTemp("", "pki-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	secret := filepath.Join(folder, "password")
	if err := os.WriteFile(secret, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, secret} {
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	l := listen(t)
	port = portOf(l)
	l.Close()
	as := func(name string, arguments ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), arguments...)
		c.Dir = folder
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		return c
	}
	data := filepath.Join(folder, "data")
	if out, err := as("initdb", "-D", data, "-U", "step", "--pwfile", secret, "-A", "scram-sha-256", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	server := as("postgres", "-D", data, "-p", strconv.Itoa(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off")
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Signal(syscall.SIGINT)
		server.Wait()
	})
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			return port
		}
	}
	t.Fatalf("%s\nPostgreSQL does not answer", tail(log.String()))
	return 0
}

// TestNodes runs one online CA on two nodes with one PostgreSQL, behind the
// haproxy that is rendered, and kills one of them while it issues.
func TestNodes(t *testing.T) {
	tools(t)
	haproxy := program(t, "haproxy")
	const password = "a password that is nowhere in ca.json"
	port := postgres(t, password)
	passfile := filepath.Join(t.TempDir(), "pgpass")
	if err := os.WriteFile(passfile, []byte("*:*:*:step:"+password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := single(t)
	data["Host"], data["Nodes"], data["Database"], data["DatabaseName"] = "", `["127.0.0.2", "127.0.0.3"]`, "postgresql", "step_ca"
	data["Source"] = fmt.Sprintf("postgresql://step@127.0.0.1:%d/?sslmode=disable&passfile=%s", port, passfile)
	b := own(t, &bench{hcl: "cluster.pki.hcl.tmpl", passwords: []string{"edge"}, data: data, idle: true})
	nodes := []*server{b.node(t, "127.0.0.2"), b.node(t, "127.0.0.3")}
	b.balance(t, haproxy)
	if err := nodes[0].await(b.client); err != nil { // through the balancer
		t.Fatal(err)
	}

	// A token counts once, whichever node sees it.
	used := b.token(t)
	if _, _, err := b.sign(t, used, x509.CertificateRequest{DNSNames: []string{"once.example.internal"}}); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, _, err := b.sign(t, used, x509.CertificateRequest{DNSNames: []string{"once.example.internal"}}); err == nil {
			t.Error("a used token was taken again")
		}
	}

	// A revocation at one node is in the list of the other.
	bad := b.jwkLeaf(t)
	b.must(t, "step", b.online("ca", "revoke", "--cert", bad.crt, "--key", bad.key)...)

	renew := b.renewer(t, b.jwkLeaf(t))
	var done, again atomic.Int64
	var group sync.WaitGroup
	killed := make(chan struct{})
	for range 4 {
		group.Go(func() {
			for i := range 12 {
				if i == 4 {
					<-killed
				}
				// What was under way at the node that died is asked for again, as every
				// client does; haproxy finds out within seconds.
				var err error
				for try := 0; try < 20; try++ {
					if _, err = renew(); err == nil {
						break
					}
					again.Add(1)
					time.Sleep(250 * time.Millisecond)
				}
				if err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	nodes[0].process.Process.Kill()
	<-nodes[0].ended
	close(killed)
	group.Wait()
	t.Logf("%d certificates issued, %d requests repeated", done.Load(), again.Load())
	if done.Load() != 48 {
		t.Errorf("%d of 48 certificates were issued", done.Load())
	}
	list := b.crl(t) // from the node that is left
	found := false
	for _, entry := range list.RevokedCertificateEntries {
		found = found || entry.SerialNumber.Cmp(bad.SerialNumber) == 0
	}
	if !found {
		t.Error("the node that is left does not know the revocation")
	}
	b.signFromPostgreSQL(t, port, password, bad)
	for _, s := range nodes {
		config, err := os.ReadFile(filepath.Join(s.home, "config", "ca.json"))
		if err != nil || bytes.Contains(config, []byte(password)) {
			t.Errorf("ca.json holds the password (%v)", err)
		}
	}
}

// node installs the tree on one address of this machine, which stands for a
// host, and starts a step-ca there.
func (b *bench) node(t *testing.T, host string) *server {
	t.Helper()
	s := &server{tools: b.tools, home: filepath.Join(b.folder, "node-"+host), ports: b.ports}
	if err := b.install(s.home); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(s.home, "config", "ca.json")
	config, err := os.ReadFile(name)
	if err == nil {
		config = bytes.ReplaceAll(config, []byte(`ddress": ":`), []byte(`ddress": "`+host+`:`))
		err = os.WriteFile(name, config, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if b.ca == nil {
		b.ca = s
		b.rootPEM, b.chain = filepath.Join(s.home, "certs", "root_ca.crt"), filepath.Join(s.home, "certs", "intermediate_ca.crt")
		if err := b.trust(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	// The second must not make the tables while the first does.
	if err := s.until("the node answers", func() bool {
		c, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(b.ports.CA)))
		if err == nil {
			c.Close()
		}
		return err == nil
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

// balance starts haproxy with the rendered configuration, on the one address
// that the nodes have left.
func (b *bench) balance(t *testing.T, haproxy string) {
	t.Helper()
	text, err := os.ReadFile(b.published("rendered/eu/deploy/haproxy.cfg"))
	if err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer("bind :", "bind 127.0.0.1:", "/etc/haproxy/eu-root.crt", b.rootPEM, "inter 2s", "inter 200ms").Replace(string(text))
	name := filepath.Join(b.folder, "haproxy.cfg")
	if err := os.WriteFile(name, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(haproxy, "-db", "-f", name)
	var log bytes.Buffer
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
		show(t, "haproxy", log.String())
	})
}

// token is a one-time token of the JWK provisioner.
func (b *bench) token(t *testing.T) string {
	t.Helper()
	out := b.must(t, "step", b.online("ca", "token", "once.example.internal", "--provisioner", "admin",
		"--provisioner-password-file", filepath.Join(b.estate, "secrets", "admin.txt"))...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1] // above it step says what it does
}
