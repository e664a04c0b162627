package render_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The chart smallstep/step-certificates has no schema: a value that it does not
// read is dropped in silence. These are the values that the templates of 1.28.1
// read and that we may set. Below chartWhole it copies whatever stands there.
var chartReads = []string{
	"bootstrap.configmaps", "bootstrap.enabled", "bootstrap.secrets",
	"ca.address", "ca.db.enabled", "ca.db.persistent", "ca.db.size", "ca.db.storageClass", "ca.name",
	"existingSecrets.ca", "existingSecrets.certsAsSecret", "existingSecrets.configAsSecret", "existingSecrets.enabled",
	"existingSecrets.issuer", "existingSecrets.sshHostCa", "existingSecrets.sshUserCa",
	"fullnameOverride", "image.repository", "image.tag", "inject.enabled", "replicaCount",
	"service.port", "service.targetPort", "service.type",
}

var chartWhole = []string{"ca.containerSecurityContext", "extraVolumeMounts", "extraVolumes", "podSecurityContext"}

// chartMounts are the objects that the chart mounts by a name made of ours: each
// is a config map, unless a value says that it is a secret, or is not there.
var chartMounts = []struct {
	suffix, kind, when string
}{
	{"-config", "configmap", ""}, {"-certs", "configmap", ""}, {"-secrets", "secret generic", ""},
	{"-ca-password", "secret generic", "ca"}, {"-ssh-host-ca-password", "secret generic", "sshHostCa"},
	{"-ssh-user-ca-password", "secret generic", "sshUserCa"}, {"-certificate-issuer-password", "secret generic", "issuer"},
}

// TestHelmValues holds the rendered values against what the chart reads, and the
// commands above them against what it mounts. Helm itself rendered them with the
// chart's templates once, by hand: the chart is no Go module and no Debian package.
func TestHelmValues(t *testing.T) {
	for what, s := range clusters() {
		tree := s.mustTree(t)
		text := tree["deploy/helm-values.yaml"]
		values := documents(t, what, text)[0]
		for _, p := range leaves("", values) {
			if !slices.Contains(chartReads, p) && !slices.ContainsFunc(chartWhole, func(whole string) bool { return p == whole || strings.HasPrefix(p, whole+".") }) {
				t.Errorf("%s: the chart does not read %s", what, p)
			}
		}
		name := fmt.Sprint(values["fullnameOverride"])
		if len(name)+len("-certificate-issuer-password") > 253 || len(name) > 63 {
			t.Errorf("%s: the chart cuts %s", what, name)
		}
		flags := values["existingSecrets"].(map[string]any)
		for _, o := range chartMounts {
			makes := fmt.Sprintf("create %s %s%s --from-", o.kind, name, o.suffix)
			if want := o.when == "" || flags[o.when] == true; strings.Contains(text, makes) != want {
				t.Errorf("%s: %q is to be there: %v\n%s", what, makes, want, text)
			}
		}
		if folder := s.ca.Database.DataSource; folder != "db" && s.ca.Database.Type == "badgerv2" && !strings.Contains(text, "mountPath: /home/step/"+folder+"\n") {
			t.Errorf("%s: the database in %s is not mounted", what, folder)
		}
		if strings.Contains(tree["config/ca.json"], "/etc/step-ca/secrets/") && !strings.Contains(text, "mountPath: /etc/step-ca/secrets\n") {
			t.Errorf("%s: the secrets are not where ca.json looks for them", what)
		}
		if flags["ca"] != true {
			t.Errorf("%s: older charts ask for the password of the CA always", what)
		}
		mounted := documents(t, what, text)[0]["extraVolumes"]
		list, _ := mounted.([]any)
		for _, v := range list {
			volume := v.(map[string]any)
			if config, ok := volume["configMap"].(map[string]any); ok && !strings.Contains(text, fmt.Sprintf("create configmap %v --from-file=", config["name"])) {
				t.Errorf("%s: nothing makes the config map %v", what, config["name"])
			}
		}
		// Of the folders that the commands take, none is missing, and none is left out.
		for file := range tree {
			folder := path.Dir(file)
			if (folder == "config" || folder == "certs" || strings.HasPrefix(folder, "templates/")) && !strings.Contains(text, " --from-file="+folder+" ") {
				t.Errorf("%s: no command takes %s", what, folder)
			}
		}
	}
}

// TestHelmCommands has kubectl read the commands that need no cluster.
func TestHelmCommands(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("kubectl is not installed, so it read no command: the test above read them")
	}
	s := clusters()["ssh and a digest"]
	folder := t.TempDir()
	tree := s.mustTree(t)
	for name, data := range tree {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(folder, name), []byte(data), 0o644))
	}
	ran := 0
	for line := range strings.Lines(tree["deploy/helm-values.yaml"]) {
		words, made := strings.CutPrefix(strings.TrimSpace(line), "#   kubectl ")
		words, _, dry := strings.Cut(words, " | ")
		if !made || !dry {
			continue
		}
		c := exec.Command(kubectl, strings.Fields(words)...)
		c.Dir = folder
		out, err := c.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "kind: ConfigMap") || !strings.Contains(string(out), "namespace: pki") {
			t.Errorf("%s: %v\n%s", words, err, out)
		}
		ran++
	}
	if ran < 3 {
		t.Errorf("%d commands ran", ran)
	}
}

// leaves are the paths of the values below v, lists as a whole.
func leaves(at string, v map[string]any) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		p := strings.TrimPrefix(at+"."+name, ".")
		if m, ok := v[name].(map[string]any); ok {
			found = append(found, leaves(p, m)...)
			continue
		}
		found = append(found, p)
	}
	return found
}
