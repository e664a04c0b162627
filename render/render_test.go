package render_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pki.internal/lint"
	"pki.internal/plan"
	"pki.internal/render"
	"pki.internal/spec"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// TestTreeGolden holds a whole tree against testdata/tree.
func TestTreeGolden(t *testing.T) {
	files, err := twoTier().tree(t)
	must(t, err)
	golden := filepath.Join("testdata", "tree")
	if *update {
		must(t, os.RemoveAll(golden))
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
		name := filepath.Join(golden, filepath.FromSlash(f.Path))
		if *update {
			must(t, os.MkdirAll(filepath.Dir(name), 0o755))
			must(t, os.WriteFile(name, f.Data, 0o644))
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Errorf("%v (go test ./render -update writes it)", err)
			continue
		}
		if !bytes.Equal(want, f.Data) {
			t.Errorf("%s is\n%s\nand the golden file has\n%s", f.Path, f.Data, want)
		}
		if f.Mode != 0o644 {
			t.Errorf("%s has mode %v: nothing in a tree is secret, and everything is read by the service", f.Path, f.Mode)
		}
	}
	if !slices.IsSorted(paths) {
		t.Errorf("paths are not sorted: %v", paths)
	}
	if have := walk(t, golden); !slices.Equal(have, paths) {
		t.Errorf("the tree has %v, and the golden folder %v", paths, have)
	}
}

func walk(t *testing.T, root string) []string {
	t.Helper()
	var paths []string
	must(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			relative, _ := filepath.Rel(root, path)
			paths = append(paths, filepath.ToSlash(relative))
		}
		return err
	}))
	slices.Sort(paths)
	return paths
}

func TestTreeTwiceGivesTheSameBytes(t *testing.T) {
	first, err := twoTier().tree(t)
	must(t, err)
	for range 20 { // a map on the way to output would show
		again, err := twoTier().tree(t)
		must(t, err)
		if !slices.EqualFunc(first, again, func(a, b plan.File) bool {
			return a.Path == b.Path && a.Mode == b.Mode && bytes.Equal(a.Data, b.Data)
		}) {
			t.Fatal("the same estate and ledger gave other bytes")
		}
	}
}

// TestTreePassesOurOwnLint asks the judge that users have.
func TestTreePassesOurOwnLint(t *testing.T) {
	files, err := twoTier().tree(t)
	must(t, err)
	linter, err := lint.New("private")
	must(t, err)
	var tree []lint.File
	for _, f := range files {
		tree = append(tree, lint.File{Path: f.Path, Data: f.Data})
	}
	for _, finding := range linter.StepCA(tree) {
		t.Errorf("%+v", finding)
	}
}

// TestWaiting goes through a ceremony one action at a time.
func TestWaiting(t *testing.T) {
	s := twoTier()
	last := []spec.Address{}
	for actions := 0; ; actions++ {
		state := ceremony(t, s.estate, actions)
		waiting := render.Waiting(state, s.ca)
		if actions == 0 {
			want := "authority.root authority.issuing provisioner.admin"
			if have := join(waiting); have != want {
				t.Fatalf("before the ceremony it waits for %s, want %s", have, want)
			}
		} else if len(waiting) > len(last) {
			t.Fatalf("after action %d it waits for %s, and before for %s only", actions, join(waiting), join(last))
		}
		last = waiting
		_, err := render.Tree(s.estate, state, s.ca)
		if len(waiting) == 0 {
			must(t, err)
			return
		}
		if err == nil || !strings.Contains(err.Error(), waiting[0].String()) || !strings.Contains(err.Error(), "pki plan") {
			t.Fatalf("while it waits for %s, Tree says %v", join(waiting), err)
		}
	}
}

func join(addresses []spec.Address) string {
	words := make([]string, 0, len(addresses))
	for _, a := range addresses {
		words = append(words, a.String())
	}
	return strings.Join(words, " ")
}

func TestDefaultsURL(t *testing.T) {
	for _, c := range []struct{ name, address, want string }{
		{"ca.example.internal", ":443", "https://ca.example.internal"},
		{"ca.example.internal", "127.0.0.1:9443", "https://ca.example.internal:9443"},
		{"::1", ":443", "https://[::1]"},
		{"::1", ":9443", "https://[::1]:9443"},
	} {
		s := twoTier()
		s.ca.DNSNames, s.ca.Listen = []string{c.name}, c.address
		var have map[string]string
		must(t, json.Unmarshal([]byte(s.mustTree(t)["config/defaults.json"]), &have))
		if have["ca-url"] != c.want {
			t.Errorf("%s at %s: ca-url %s, want %s", c.name, c.address, have["ca-url"], c.want)
		}
	}
}

// TestRefusals holds every estate that step-ca cannot be told, or would
// misunderstand in silence, against the text that says so.
func TestRefusals(t *testing.T) {
	for name, c := range refusals() {
		t.Run(name, func(t *testing.T) {
			s := twoTier()
			s.state = ceremony(t, s.estate, -1)
			c.change(s)
			files, err := s.tree(t)
			switch {
			case err == nil:
				t.Fatalf("it rendered %d files", len(files))
			case files != nil:
				t.Error("files came with an error")
			case !strings.HasPrefix(err.Error(), c.address+": "), !strings.Contains(err.Error(), c.says):
				t.Errorf("it says %q, want it to begin with %s and to hold %q", err, c.address, c.says)
			case strings.Contains(err.Error(), canary):
				t.Errorf("it shows the secret: %q", err)
			}
		})
	}
}

// canary is a secret that no message may show.
const canary = "hunter2"

type refusal struct {
	address, says string
	change        func(*scene)
}

func refusals() map[string]refusal {
	ca, template := "online_ca.eu", "template.server"
	source := func(kind, source string) func(*scene) {
		return func(s *scene) { s.ca.Database = &spec.Database{Type: kind, DataSource: source} }
	}
	return map[string]refusal{
		"insecure address without a CRL": {ca, "crl { enabled = true }", func(s *scene) { s.ca.CRL = nil }},
		"database in the root":           {ca, "plain path", source("badgerv2", ".")},
		"bbolt file in the root":         {ca, "db/ca.db", source("bbolt", "ca.db")},
		"database among the secrets":     {ca, "/etc/step-ca/secrets writable", source("badgerv2", "secrets/db")},
		"database with a space":          {ca, "plain path", source("badgerv2", "d b")},
		"database without a place":       {ca, "data_source", source("badgerv2", "")},
		"password in a URL":              {ca, "holds a password", source("postgresql", "postgresql://step:"+canary+"@db/ca")},
		"password in a query":            {ca, "holds a password", source("postgresql", "postgresql://db/ca?password="+canary)},
		"password in libpq's words":      {ca, "holds a password", source("postgresql", "host=db password="+canary)},
		"password for MySQL":             {ca, "holds a password", source("mysql", "step:"+canary+"@tcp(db:3306)/")},
		"estate with a line break":       {"estate", "plain name", func(s *scene) { s.estate.Name = "a\nb" }},
		"online CA that leaves a folder": {`online_ca.eu["../x"]`, "folder's name", func(s *scene) { s.ca.Origin.Address.Key = "../x" }},
		"host name with a line break":    {ca, "neither a host name", func(s *scene) { s.ca.DNSNames[0] = "ca\nExecStartPre=/bin/sh" }},
		"user with a line break":         {ca, "system user", func(s *scene) { s.ca.Systemd.User = "step\rX=1" }},
		"binary with a dollar":           {ca, "path of a binary", func(s *scene) { s.ca.Systemd.Binary = "/usr/bin/$HOME" }},
		"binary with a second word":      {ca, "path of a binary", func(s *scene) { s.ca.Systemd.Binary = "/bin/sh -c" }},
		"provisioner with a slash":       {`provisioner.web["a/b"]`, "cannot stand in a URL", func(s *scene) { s.ca.Provisioners[1].Origin.Address.Key = "a/b" }},
		"two provisioners of one name": {`provisioner.web["x"]`, "rename", func(s *scene) {
			first, second := *s.ca.Provisioners[1], *s.ca.Provisioners[1]
			first.Origin, second.Origin = named("provisioner", "web-x"), named("provisioner", "web")
			second.Origin.Address.Key = "x"
			s.ca.Provisioners = []*spec.Provisioner{&first, &second}
		}},
		"template with the built-in name": {"template.leaf", "built-in", func(s *scene) { s.ca.Provisioners[1].Template.Origin = named("template", "leaf") }},
		"template that leaves the folder": {`template.server["../x"]`, "file's name", func(s *scene) { s.ca.Provisioners[1].Template.Origin.Address.Key = "../x" }},
		"data that is no object":          {template, "not an object", func(s *scene) { s.ca.Provisioners[1].Template.Data = []byte("[1]") }},
		"data that is null":               {template, "not an object", func(s *scene) { s.ca.Provisioners[1].Template.Data = []byte("null") }},
		"data with our key":               {template, "crl_urls", func(s *scene) { s.ca.Provisioners[1].Template.Data = []byte(`{"crl_urls":["http://other/crl"]}`) }},
	}
}
