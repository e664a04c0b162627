package stepca_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// provisioner is what ca.json and /provisioners both say of one.
type provisioner struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

// lost compares the provisioners that ca.json names with those that step-ca
// serves, and reads its log for those that it disabled. step-ca itself is well
// in either case.
func (b *bench) lost(t *testing.T, s *server) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.home, "config", "ca.json"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Authority struct {
			Provisioners []provisioner `json:"provisioners"`
		} `json:"authority"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	var served []provisioner
	for cursor, more := "", true; more; more = cursor != "" {
		var page struct {
			Provisioners []provisioner `json:"provisioners"`
			NextCursor   string        `json:"nextCursor"`
		}
		if err := json.Unmarshal(b.get(t, s.ports.caURL()+"/provisioners?limit=100&cursor="+cursor), &page); err != nil {
			t.Fatal(err)
		}
		served, cursor = append(served, page.Provisioners...), page.NextCursor
	}
	var lost []string
	for _, p := range config.Authority.Provisioners {
		if !slices.Contains(served, p) {
			lost = append(lost, p.Name)
		}
	}
	for line := range strings.Lines(s.log()) {
		if strings.Contains(line, "failed to initialize") {
			lost = append(lost, strings.TrimSpace(line))
		}
	}
	if len(config.Authority.Provisioners) == 0 || len(served) > len(config.Authority.Provisioners) {
		t.Errorf("ca.json has %v and step-ca serves %v", config.Authority.Provisioners, served)
	}
	return lost
}

// TestEveryProvisionerIsThere is about the rendered ca.json. That each is
// usable is shown by the tests that get leaves from them.
func TestEveryProvisionerIsThere(t *testing.T) {
	b := start(t)
	if lost := b.lost(t, b.ca); len(lost) > 0 {
		t.Errorf("step-ca dropped or disabled %v", lost)
	}
}

// TestLostProvisionersAreSeen breaks two provisioners in the two ways that
// step-ca bears in silence, to know that the test above can fail.
func TestLostProvisionersAreSeen(t *testing.T) {
	b := start(t)
	broken := &server{tools: b.tools, home: filepath.Join(t.TempDir(), "step-ca")}
	if err := b.install(broken.home); err != nil {
		t.Fatal(err)
	}
	second := &bench{}
	if err := second.takePorts(); err != nil {
		t.Fatal(err)
	}
	broken.ports = second.ports
	name := filepath.Join(broken.home, "config", "ca.json")
	config, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for old, new := range map[string]string{
		fmt.Sprintf("127.0.0.1:%d\"", b.ports.CA):  fmt.Sprintf("127.0.0.1:%d\"", broken.ports.CA),
		fmt.Sprintf("127.0.0.1:%d\"", b.ports.CRL): fmt.Sprintf("127.0.0.1:%d\"", broken.ports.CRL),
		`"type": "JWK"`: `"type": "JWT"`,
		`"http-01"`:     `"http-02"`,
	} {
		if bytes.Count(config, []byte(old)) != 1 {
			t.Fatalf("ca.json does not have %s once:\n%s", old, config)
		}
		config = bytes.ReplaceAll(config, []byte(old), []byte(new))
	}
	if err := os.WriteFile(name, config, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := broken.start(); err != nil {
		t.Fatal(err)
	}
	defer broken.stop()
	if err := broken.await(b.client); err != nil {
		t.Fatal(err) // a step-ca that is broken so says that it is well
	}
	lost := b.lost(t, broken)
	if len(lost) != 2 || lost[0] != "admin" || !strings.Contains(lost[1], "http-02") {
		t.Errorf("of two broken provisioners these were seen: %q", lost)
	}
}

// TestReload renders the estate again with one more provisioner, as people do
// without a ceremony, has the running step-ca take it, and takes it away again.
func TestReload(t *testing.T) {
	b := start(t)
	if b.servesLate() {
		t.Fatal("the new provisioner is there before it was configured")
	}
	b.rerender(t, true)
	if lost := b.lost(t, b.ca); len(lost) > 0 {
		t.Errorf("step-ca dropped or disabled %v", lost)
	}
	b.check(t, b.jwkLeaf(t), "leaf.example.internal")
	b.crl(t)
	b.rerender(t, false)
}

// servesLate says whether the later provisioner answers.
func (b *bench) servesLate() bool {
	response, err := b.client.Get(b.ports.caURL() + "/acme/late/directory")
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (b *bench) rerender(t *testing.T, late bool) {
	t.Helper()
	b.ports.Late = late
	if err := b.writeEstate(); err != nil {
		t.Fatal(err)
	}
	b.must(t, b.pki, "-C", b.estate, "apply")
	config, err := os.ReadFile(b.published("rendered/eu/config/ca.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.ca.home, "config", "ca.json"), config, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := b.ca.reload("reloading ..."); err != nil {
		t.Fatal(err)
	}
	if err := b.ca.until("the reload shows", func() bool { return b.servesLate() == late }); err != nil {
		t.Fatal(err)
	}
}

// TestBrokenReload gives the running step-ca configurations that it cannot
// take. It must go on with the old one.
func TestBrokenReload(t *testing.T) {
	b := start(t)
	name := filepath.Join(b.ca.home, "config", "ca.json")
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(name, good, 0o644)
	for what, broken := range map[string][]byte{
		"half a file":    good[:len(good)/2],
		"no certificate": bytes.Replace(good, []byte("certs/intermediate_ca.crt"), []byte("certs/missing.crt"), 1),
	} {
		if bytes.Equal(broken, good) {
			t.Fatalf("%s: nothing is broken", what)
		}
		if err := os.WriteFile(name, broken, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := b.ca.reload("error reloading server"); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		b.check(t, b.jwkLeaf(t), "leaf.example.internal")
	}
}
