package render_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pki.internal/spec"
)

// nodes is twoTier on two hosts and one database.
func nodes() *scene {
	s := twoTier()
	s.ca.Nodes = []string{"ca1.example.internal", "fd00::2"}
	s.ca.Database = &spec.Database{Type: "postgresql", DataSource: "postgresql://step@db/ca?passfile=/run/credentials/step-ca.service/pgpass", Name: "ca"}
	return s
}

// TestBalancers has haproxy and nginx read what is rendered for them.
func TestBalancers(t *testing.T) {
	tree := nodes().mustTree(t)
	folder := t.TempDir()
	// Names that every machine resolves, and files that are there.
	text := strings.NewReplacer("ca1.example.internal:", "127.0.0.1:", "/etc/haproxy/eu-root.crt", filepath.Join(folder, "root.crt")).Replace(tree["deploy/haproxy.cfg"])
	must(t, os.WriteFile(filepath.Join(folder, "haproxy.cfg"), []byte(text), 0o644))
	must(t, os.WriteFile(filepath.Join(folder, "root.crt"), []byte(tree["certs/root_ca.crt"]), 0o644))
	if haproxy, err := exec.LookPath("haproxy"); err != nil {
		t.Log("haproxy is not installed, so it has not read its configuration; apt-get install haproxy")
	} else if out, err := exec.Command(haproxy, "-c", "-f", filepath.Join(folder, "haproxy.cfg")).CombinedOutput(); err != nil || strings.Contains(string(out), "WARN") {
		t.Errorf("haproxy says %v\n%s\n%s", err, out, text)
	}
	streams(t, folder, tree["deploy/nginx-stream.conf"])
	if inventory := tree["deploy/inventory.yml"]; !strings.Contains(inventory, "\"fd00::2\": {}") {
		t.Errorf("Ansible takes brackets for a range:\n%s", inventory)
	}
	if !strings.Contains(text, "bind :::443 v4v6\n") {
		t.Errorf("haproxy does not listen where IPv6 nodes are:\n%s", text)
	}
	for _, want := range []string{"server fd00::2", "server [fd00::2]:443 max_fails=1", "upstream crl_nodes"} {
		if strings.HasPrefix(want, "server fd") == strings.Contains(tree["deploy/nginx-stream.conf"], want) {
			t.Errorf("nginx-stream.conf and %q:\n%s", want, tree["deploy/nginx-stream.conf"])
		}
	}
	if unit := tree["systemd/step-ca.service"]; !strings.Contains(unit, "LoadCredential=pgpass:/etc/step-ca/secrets/pgpass\n") || strings.Contains(unit, "--pgpass") {
		t.Errorf("the unit does not hand over the passfile:\n%s", unit)
	}
}

// TestBalancerOfAnAddress has an address before the name of the online CA, and no
// name at all: haproxy holds a node's certificate against names alone.
func TestBalancerOfAnAddress(t *testing.T) {
	s := nodes()
	s.ca.DNSNames = []string{"10.0.0.1", "ca.example.internal"}
	if text := s.mustTree(t)["deploy/haproxy.cfg"]; !strings.Contains(text, "verifyhost ca.example.internal check-sni ca.example.internal ") {
		t.Errorf("haproxy wants an address in the certificate:\n%s", text)
	}
	s.ca.DNSNames = s.ca.DNSNames[:1]
	if text := s.mustTree(t)["deploy/haproxy.cfg"]; strings.Contains(text, "verifyhost") || !strings.Contains(text, "verify required ca-file") {
		t.Errorf("haproxy wants a name that there is not, or no certificate:\n%s", text)
	}
}

// streams has nginx read its configuration as a balancer.
func streams(t *testing.T, folder, text string) {
	t.Helper()
	const module = "/usr/lib/nginx/modules/ngx_stream_module.so"
	nginx, err := exec.LookPath("nginx")
	if err == nil {
		_, err = os.Stat(module)
	}
	if err != nil {
		t.Log("nginx or its module for streams is not installed, so it has not read its configuration; apt-get install libnginx-mod-stream")
		return
	}
	text = "load_module " + module + ";\npid " + folder + "/pid;\nerror_log stderr;\nevents { }\nstream {\n" +
		strings.ReplaceAll(text, "ca1.example.internal:", "127.0.0.1:") + "}\n"
	must(t, os.WriteFile(filepath.Join(folder, "nginx.conf"), []byte(text), 0o644))
	if out, err := exec.Command(nginx, "-t", "-q", "-p", folder, "-c", filepath.Join(folder, "nginx.conf")).CombinedOutput(); err != nil || strings.Contains(string(out), "warn") {
		t.Errorf("nginx says %v\n%s\n%s", err, out, text)
	}
}

// TestInventoryGroups tries names that Ansible would not take for a group, or take
// for all hosts.
func TestInventoryGroups(t *testing.T) {
	for name, want := range map[string]string{"all": "ca_all", "1st": "ca_1st", "eu-west": "eu_west"} {
		s := nodes()
		s.ca.Address.Name = name
		if inventory := s.mustTree(t)["deploy/inventory.yml"]; !strings.Contains(inventory, "    "+want+":\n") {
			t.Errorf("%s:\n%s", name, inventory)
		}
	}
}

// TestManifests looks at what kubectl apply -k would take.
func TestManifests(t *testing.T) {
	s := twoTier()
	s.withSSH()
	s.ca.Kubernetes = &spec.Kubernetes{Namespace: "pki", Image: "smallstep/step-ca:0.30.2", Replicas: 1, StorageClass: "fast"}
	tree := s.mustTree(t)
	set := tree["kubernetes/statefulset.yaml"]
	for _, want := range []string{
		`command: ["/usr/local/bin/step-ca", "config/ca.json", "--password-file", "/etc/step-ca/secrets/password", "--ssh-host-password-file", "/etc/step-ca/secrets/ssh-host-password"`,
		"storageClassName: fast", "mountPath: /etc/step-ca/db", "mountPath: /etc/step-ca/templates/x509", "secretName: step-ca-eu",
	} {
		if !strings.Contains(set, want) {
			t.Errorf("the stateful set has no %s\n%s", want, set)
		}
	}
	for path := range tree { // everything that step-ca reads becomes a config map
		if folder, _, _ := strings.Cut(path, "/"); (folder == "config" || folder == "certs" || folder == "templates") && !strings.Contains(tree["kustomization.yaml"], "="+path+"\n") {
			t.Errorf("kustomization.yaml leaves out %s", path)
		}
	}
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Log("kubectl is not installed, so it has not put the manifests together")
		return
	}
	folder := t.TempDir()
	for path, text := range tree {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, path)), 0o755))
		must(t, os.WriteFile(filepath.Join(folder, path), []byte(text), 0o644))
	}
	out, err := exec.Command(kubectl, "kustomize", folder).CombinedOutput()
	if err != nil || strings.Count(string(out), "\nkind: ") < 8 {
		t.Errorf("kubectl kustomize: %v\n%s", err, out)
	}
}
