// Package stepca_test starts a real step-ca on the tree that pki renders, and
// asks it for everything that a user asks of an online CA.
package stepca_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/template"
)

// bench is what every test of the suite shares: one estate, one ceremony, one
// running step-ca, one client.
type bench struct {
	folder  string // removed at the end
	estate  string // the estate's folder
	pki     string // the binary
	tools   map[string]string
	ports   ports
	ca      *server
	rootPEM string // path
	chain   string // path, the chain without the root
	client  *http.Client

	// What an estate of its own has; the zero values are the shared estate's.
	hcl       string                     // file in testdata
	passwords []string                   // names of secrets
	files     map[string][]byte          // beside the HCL
	data      map[string]any             // for the template, instead of ports
	deliver   map[string]string          // secrets, from the estate to the host
	before    func(*bench, string) error // changes the home before the start
	tree      string                     // below rendered, "eu" when not said
	idle      bool                       // the test starts its own step-ca
}

// own gives a bench of its own for one test, stopped at its end.
func own(t *testing.T, b *bench) *bench {
	t.Helper()
	b.tools = tools(t)
	t.Cleanup(func() {
		if b.ca != nil {
			b.ca.stop()
			show(t, "step-ca", b.ca.log())
		}
		os.RemoveAll(b.folder)
	})
	if err := b.setUp(); err != nil {
		t.Fatal(err)
	}
	return b
}

// ports is what the estate's template takes.
type ports struct {
	CA, CRL, ACMEHTTP, ACMETLS int
	Late                       bool // the online CA has the later provisioner
}

// crlURL is the one value of the HCL that leaves and CRL must carry.
func (p ports) crlURL() string { return fmt.Sprintf("http://127.0.0.1:%d/1.0/crl", p.CRL) }

func (p ports) caURL() string { return fmt.Sprintf("https://localhost:%d", p.CA) }

// shared is started by the first test that asks for it and stopped by
// TestMain. A failure to start is every test's failure.
var shared struct {
	once  sync.Once
	bench *bench
	err   error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if b := shared.bench; b != nil {
		if b.ca != nil {
			b.ca.stop()
		}
		os.RemoveAll(b.folder)
	}
	os.Exit(code)
}

// start gives the shared bench, or skips the test where the tools are missing.
func start(t *testing.T) *bench {
	t.Helper()
	found := tools(t)
	shared.once.Do(func() {
		b := &bench{tools: found}
		shared.bench = b
		shared.err = b.setUp()
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.bench
}

// tools finds the pinned programs, which test/setup.sh installs.
func tools(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, name := range []string{"step-ca", "step"} {
		path, err := filepath.Abs(filepath.Join("..", "..", ".tools", "bin", name))
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			t.Skipf("the pinned %s is not installed, so nothing here was tested: run make test", name)
		}
		found[name] = path
	}
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed, so nothing here was tested: run make test")
	}
	found["openssl"] = path
	return found
}

func (b *bench) setUp() (err error) {
	if b.folder, err = os.MkdirTemp("", "pki-stepca-"); err != nil {
		return err
	}
	b.estate = filepath.Join(b.folder, "estate")
	b.pki = filepath.Join(b.folder, "pki")
	if err := b.takePorts(); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-o", b.pki, "./cmd/pki")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building pki: %w\n%s", err, out)
	}
	if err := b.writeEstate(); err != nil {
		return err
	}
	plan := filepath.Join(b.folder, "plan.json")
	for _, arguments := range [][]string{{"plan", "--out", plan}, {"apply", plan, "--yes"}, {"apply"}} {
		if out, err := b.run(b.pki, append([]string{"-C", b.estate}, arguments...)...); err != nil {
			return fmt.Errorf("pki %s: %w\n%s", strings.Join(arguments, " "), err, out)
		}
	}
	if b.idle {
		return nil
	}
	return b.startCA()
}

// takePorts finds free ports.
func (b *bench) takePorts() error {
	for _, port := range []*int{&b.ports.CA, &b.ports.CRL, &b.ports.ACMEHTTP, &b.ports.ACMETLS} {
		listener, err := listenBelow()
		if err != nil {
			return err
		}
		defer listener.Close() // at the end, so that they differ
		*port = portOf(listener)
	}
	return nil
}

// listenBelow listens at a random port below those that the kernel gives to
// outgoing connections (ip_local_port_range starts at 32768): a port of those
// that is free now may be the other end of a client's connection when step-ca
// wants it.
func listenBelow() (l net.Listener, err error) {
	for range 100 {
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10000+mathrand.IntN(22000))); err == nil {
			return l, nil
		}
	}
	return nil, err
}

// writeEstate writes what people write, and the passwords of a lab.
func (b *bench) writeEstate() error {
	text, err := template.ParseFiles(filepath.Join("testdata", cmp.Or(b.hcl, "estate.pki.hcl.tmpl")))
	if err != nil {
		return err
	}
	var hcl bytes.Buffer
	var data any = b.ports
	if b.data != nil {
		data = b.data
		b.data["CA"], b.data["CRL"] = b.ports.CA, b.ports.CRL
	}
	if err := text.Execute(&hcl, data); err != nil {
		return err
	}
	leaf, err := os.ReadFile(filepath.Join("testdata", "templates", "server.tpl"))
	if err != nil {
		return err
	}
	files := map[string][]byte{"estate.pki.hcl": hcl.Bytes(), "templates/server.tpl": leaf}
	maps.Copy(files, b.files)
	for _, secret := range append([]string{"root", "online", "admin"}, b.passwords...) {
		word := make([]byte, 16)
		rand.Read(word) // never fails
		if name := "secrets/" + secret + ".txt"; !exists(filepath.Join(b.estate, name)) {
			files[name] = []byte(hex.EncodeToString(word) + "\n")
		}
	}
	for name, data := range files {
		if err := write(filepath.Join(b.estate, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func write(path string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, mode)
}

// startCA installs the rendered tree and starts a step-ca on it.
func (b *bench) startCA() error {
	b.ca = &server{tools: b.tools, home: filepath.Join(b.folder, "etc-step-ca"), ports: b.ports}
	if err := b.install(b.ca.home); err != nil {
		return err
	}
	if err := b.trust(); err != nil {
		return err
	}
	if err := b.ca.start(); err != nil {
		return err
	}
	return b.ca.await(b.client)
}

// trust makes the client that trusts the installed root.
func (b *bench) trust() error {
	b.rootPEM = filepath.Join(b.ca.home, "certs", "root_ca.crt")
	b.chain = filepath.Join(b.ca.home, "certs", "intermediate_ca.crt")
	root, err := os.ReadFile(b.rootPEM)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(root) {
		return fmt.Errorf("%s holds no certificate", b.rootPEM)
	}
	b.client = &http.Client{Timeout: patience, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true,
	}}
	return nil
}

// install runs the commands of the rendered INSTALL.txt, below home instead of
// /etc and as the user who runs the tests, and delivers the secrets by hand.
func (b *bench) install(home string) error {
	rendered := filepath.Join(b.estate, "rendered", cmp.Or(b.tree, "eu"))
	text, err := os.ReadFile(filepath.Join(rendered, "INSTALL.txt"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(home, "system"), 0o755); err != nil {
		return err
	}
	here := strings.NewReplacer("/etc/step-ca", home, "/etc/systemd/system", filepath.Join(home, "system"),
		"/etc/sysusers.d", filepath.Join(home, "sysusers.d"), "/etc/tmpfiles.d", filepath.Join(home, "tmpfiles.d"),
		"-o root -g root ", "", "-o root -g step ", "", "-o step -g step ", "")
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "   install ") {
			continue
		}
		c := exec.Command("sh", "-c", here.Replace(line))
		c.Dir = rendered
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.TrimSpace(line), err, out)
		}
	}
	deliver := map[string]string{"keys/online/issuing.key": "secrets/issuing.key", "secrets/online.txt": "secrets/password"}
	maps.Copy(deliver, b.deliver)
	for from, to := range deliver {
		if to == "" { // this estate has no such file
			continue
		}
		data, err := os.ReadFile(filepath.Join(b.estate, from))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(home, to), data, 0o400); err != nil {
			return err
		}
	}
	if b.before != nil {
		return b.before(b, home)
	}
	return nil
}

// run runs a program to its end, with nothing of the developer's own step.
func (b *bench) run(program string, arguments ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, program, arguments...)
	c.Dir = b.folder
	c.Env = append(os.Environ(), "STEPPATH="+filepath.Join(b.folder, "client"), "HOME="+b.folder)
	out, err := c.CombinedOutput()
	return string(out), err
}

// must runs a program that has to succeed.
func (b *bench) must(t *testing.T, program string, arguments ...string) string {
	t.Helper()
	if path, pinned := b.tools[program]; pinned {
		program = path
	}
	out, err := b.run(program, arguments...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(arguments, " "), err, out)
	}
	return out
}

// get fetches a URL and wants it to be there.
func (b *bench) get(t *testing.T, url string) []byte {
	t.Helper()
	response, err := b.client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v\n%s", url, response.Status, err, body)
	}
	return body
}
