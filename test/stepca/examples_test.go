package stepca_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// secretFile is where an example has a password.
var secretFile = regexp.MustCompile(`"(secrets/[a-z0-9_.-]+)"`)

// elsewhere are the online CAs of examples whose key or signer is not on this
// machine: a cloud's key manager, another online CA.
var elsewhere = []string{"kms", "csr-from-kms", "ra/outer"}

// offline are the provisioners of examples that ask somebody at the start who is
// not there, and are disabled then.
var offline = []string{`OIDC provisioner "staff"`, `OIDC provisioner "people"`}

// TestExamplesStart has a step-ca start from every tree of every example, and serve
// what the tree says to a client that trusts the root. Addresses and shared
// databases are this machine's; all else is as rendered.
func TestExamplesStart(t *testing.T) {
	found := tools(t)
	folder := t.TempDir()
	pki := filepath.Join(folder, "pki")
	build := exec.Command("go", "build", "-o", pki, "./cmd/pki")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sources, err := filepath.Glob(filepath.Join("..", "..", "examples", "*", "*.pki.hcl"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	started := 0
	var tried []string
	for _, source := range sources {
		name := filepath.Base(filepath.Dir(source))
		if text, err := os.ReadFile(source); err != nil || !bytes.Contains(text, []byte("\nonline_ca ")) || slices.Contains(tried, name) || slices.Contains(elsewhere, name) {
			continue
		}
		tried = append(tried, name)
		b := &bench{folder: folder, estate: filepath.Join(folder, name), pki: pki, tools: found}
		trees := b.example(t, name)
		for _, tree := range trees {
			if !slices.Contains(elsewhere, name+"/"+tree) {
				started++
				t.Run(name+"/"+tree, func(t *testing.T) { b.startTree(t, tree) })
			}
		}
	}
	if started < 15 {
		t.Errorf("%d trees of %v were started", started, tried)
	}
}

// example holds the ceremony of an example, all of whose passwords are one, and
// names its trees.
func (b *bench) example(t *testing.T, name string) (trees []string) {
	t.Helper()
	b.must(t, b.pki, "init", b.estate, "--example", name)
	sources, _ := filepath.Glob(filepath.Join(b.estate, "*.pki.hcl"))
	for _, source := range sources {
		for _, found := range secretFile.FindAllStringSubmatch(string(b.file(t, strings.TrimPrefix(source, b.estate))), -1) {
			if err := write(filepath.Join(b.estate, found[1]), []byte("one password for all\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if script := filepath.Join(b.estate, "make-root.sh"); exists(script) { // stands for the root that a user has
		if out, err := exec.Command("sh", script).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	plan := filepath.Join(b.folder, name+".json")
	b.must(t, b.pki, "-C", b.estate, "plan", "--out", plan)
	b.must(t, b.pki, "-C", b.estate, "apply", plan, "--yes")
	b.must(t, b.pki, "-C", b.estate, "apply")
	found, _ := filepath.Glob(filepath.Join(b.estate, "rendered", "*", "config", "ca.json"))
	for _, one := range found {
		trees = append(trees, filepath.Base(filepath.Dir(filepath.Dir(one))))
	}
	if len(trees) == 0 {
		t.Fatalf("%s has no trees", name)
	}
	return trees
}

// startTree starts a step-ca on one tree, reaches it by its first name, and
// compares what it serves.
func (b *bench) startTree(t *testing.T, tree string) {
	own := *b
	own.tree, own.ports = tree, ports{}
	if err := own.takePorts(); err != nil {
		t.Fatal(err)
	}
	s := &server{tools: b.tools, home: filepath.Join(t.TempDir(), "step-ca"), ports: own.ports}
	own.deliver = map[string]string{"keys/online/issuing.key": "", "secrets/online.txt": ""}
	keys, _ := filepath.Glob(filepath.Join(b.estate, "keys", "*", "*.key"))
	for _, key := range keys {
		own.deliver[strings.TrimPrefix(key, b.estate+"/")] = "secrets/" + filepath.Base(key)
	}
	if err := own.install(s.home); err != nil {
		t.Fatal(err)
	}
	name, served := own.local(t, s)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	own.rootPEM, own.chain, own.ca = filepath.Join(s.home, "certs", "root_ca.crt"), filepath.Join(s.home, "certs", "intermediate_ca.crt"), s
	if err := own.trust(); err != nil {
		t.Fatal(err)
	}
	transport := own.client.Transport.(*http.Transport)
	transport.TLSClientConfig.ServerName = name
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", own.ports.CA))
	}
	if err := s.await(own.client); err != nil {
		t.Fatal(err)
	}
	if want, got := own.file(t, "rendered/"+tree+"/certs/intermediate_ca.crt"), own.get(t, own.ports.caURL()+"/intermediates.pem"); !bytes.Equal(want, got) {
		t.Errorf("it signs with\n%s", got)
	}
	lost := slices.DeleteFunc(own.lost(t, s), func(one string) bool {
		return slices.ContainsFunc(offline, func(p string) bool { return strings.Contains(one, p) })
	})
	if len(lost) > 0 || served == 0 {
		t.Errorf("of %d provisioners step-ca dropped or disabled %v", served, lost)
	}
}

// local puts a ca.json on this machine's ports, with a database of its own in the
// place of a shared one, and gives every password file its password.
func (b *bench) local(t *testing.T, s *server) (name string, provisioners int) {
	t.Helper()
	file := filepath.Join(s.home, "config", "ca.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	for word, port := range map[string]int{"address": b.ports.CA, "insecureAddress": b.ports.CRL, "metricsAddress": b.ports.ACMETLS} {
		if config[word] != nil {
			config[word] = fmt.Sprintf("127.0.0.1:%d", port)
		}
	}
	if db, _ := config["db"].(map[string]any); db["type"] == "postgresql" || db["type"] == "mysql" {
		config["db"] = map[string]any{"type": "bbolt", "dataSource": filepath.Join(s.home, "shared.db")}
	}
	if text, err = json.Marshal(config); err == nil {
		err = os.WriteFile(file, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	arguments, err := s.command()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range arguments {
		if filepath.Dir(one) == filepath.Join(s.home, "secrets") {
			if err := write(one, []byte("one password for all\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	names, _ := config["dnsNames"].([]any)
	listed, _ := config["authority"].(map[string]any)["provisioners"].([]any)
	return fmt.Sprint(names[0]), len(listed)
}
