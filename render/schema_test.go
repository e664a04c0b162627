package render_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"pki.internal/spec"
)

// swagger is the part of Kubernetes' OpenAPI description that manifests are
// judged by.
type swagger struct {
	Definitions map[string]swaggerType `json:"definitions"`
}

type swaggerType struct {
	Ref        string                 `json:"$ref"`
	Type       string                 `json:"type"`
	Format     string                 `json:"format"`
	Required   []string               `json:"required"`
	Properties map[string]swaggerType `json:"properties"`
	Additional *swaggerType           `json:"additionalProperties"`
	Items      *swaggerType           `json:"items"`
	Kinds      []struct {
		Group, Version, Kind string
	} `json:"x-kubernetes-group-version-kind"`
}

// kubernetesSchemas reads what test/setup.sh fetched.
func kubernetesSchemas(t *testing.T) *swagger {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", ".tools", "kubernetes.json"))
	if err != nil {
		t.Skip("the schemas of Kubernetes are not there, so no manifest was judged: run make test")
	}
	s := &swagger{}
	must(t, json.Unmarshal(text, s))
	return s
}

// judge lists what of a manifest the schemas do not allow. What they do not
// name is refused, which Kubernetes itself would drop.
func (s *swagger) judge(manifest map[string]any) []string {
	version, _ := manifest["apiVersion"].(string)
	group, short := path.Split(version)
	for name, d := range s.Definitions {
		for _, k := range d.Kinds {
			if k.Group == strings.TrimSuffix(group, "/") && k.Version == short && k.Kind == manifest["kind"] {
				return s.walk(name, d, manifest)
			}
		}
	}
	return []string{fmt.Sprintf("nothing is called %v %v", version, manifest["kind"])}
}

func (s *swagger) walk(at string, d swaggerType, value any) []string {
	if d.Ref != "" {
		return s.walk(at, s.Definitions[strings.TrimPrefix(d.Ref, "#/definitions/")], value)
	}
	wrong := func(want string) []string { return []string{fmt.Sprintf("%s is %T, and must be %s", at, value, want)} }
	switch v := value.(type) {
	case map[string]any:
		return s.walkObject(at, d, v)
	case []any:
		if d.Type != "array" {
			return wrong(d.Type)
		}
		var found []string
		for i, item := range v {
			found = append(found, s.walk(fmt.Sprintf("%s[%d]", at, i), *d.Items, item)...)
		}
		return found
	case string:
		if d.Type != "string" {
			return wrong(d.Type)
		}
	case bool:
		if d.Type != "boolean" {
			return wrong(d.Type)
		}
	case int:
		if d.Type != "integer" && d.Format != "int-or-string" {
			return wrong(d.Type)
		}
	default:
		return wrong(d.Type)
	}
	return nil
}

func (s *swagger) walkObject(at string, d swaggerType, v map[string]any) []string {
	if d.Type != "object" {
		return []string{fmt.Sprintf("%s is an object, and must be %s", at, d.Type)}
	}
	var found []string
	for _, name := range d.Required {
		if _, has := v[name]; !has {
			found = append(found, at+" has no "+name)
		}
	}
	for name, member := range v {
		one, known := d.Properties[name]
		switch {
		case known:
			found = append(found, s.walk(at+"."+name, one, member)...)
		case d.Additional != nil:
			found = append(found, s.walk(at+"."+name, *d.Additional, member)...)
		default:
			found = append(found, at+" has no field "+name)
		}
	}
	return found
}

// documents reads every document of a YAML file.
func documents(t *testing.T, name, text string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for decoder := yaml.NewDecoder(strings.NewReader(text)); ; {
		var one map[string]any
		err := decoder.Decode(&one)
		if err != nil && err.Error() == "EOF" {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		all = append(all, one)
	}
}

// clusters are online CAs in Kubernetes of every shape.
func clusters() map[string]*scene {
	plain := twoTier()
	plain.ca.Database = &spec.Database{Type: "badgerv2", DataSource: "data"}
	plain.ca.Kubernetes = &spec.Kubernetes{Namespace: "pki", Image: "smallstep/step-ca:0.30.2", Replicas: 1, StorageClass: "fast"}
	shell := twoTier()
	shell.withSSH()
	shell.ca.Kubernetes = &spec.Kubernetes{Namespace: "pki", Image: "registry.example:5000/step-ca@sha256:" + strings.Repeat("ab", 32), Replicas: 1}
	shared := twoTier()
	shared.ca.InsecureAddress, shared.ca.CRL = "", nil
	shared.ca.Database = &spec.Database{Type: "postgresql", DataSource: "postgresql://step@db/ca?passfile=/etc/step-ca/secrets/pgpass", Name: "ca"}
	shared.ca.Kubernetes = &spec.Kubernetes{Namespace: "pki", Image: "smallstep/step-ca:0.30.2", Replicas: 3}
	cloud := twoTier()
	cloud.ca.Key = "awskms:key-id=1234;region=eu-central-1"
	cloud.ca.Kubernetes = &spec.Kubernetes{Namespace: "pki", Image: "smallstep/step-ca:0.30.2", Replicas: 1}
	return map[string]*scene{"plain": plain, "ssh and a digest": shell, "a shared database": shared, "a key in a cloud": cloud}
}

// TestManifestsBySchema judges every rendered object by Kubernetes' own
// description, and what the schemas leave open by hand.
func TestManifestsBySchema(t *testing.T) {
	schemas := kubernetesSchemas(t)
	for what, s := range clusters() {
		tree := s.mustTree(t)
		kinds := map[string]bool{}
		for name, text := range tree {
			if path.Dir(name) != "kubernetes" {
				continue
			}
			for _, one := range documents(t, name, text) {
				kinds[fmt.Sprint(one["kind"])] = true
				for _, wrong := range schemas.judge(one) {
					t.Errorf("%s: %s: %s", what, name, wrong)
				}
				if one["kind"] == "StatefulSet" {
					mounts(t, what, one)
				}
			}
		}
		if len(kinds) < 3 {
			t.Errorf("%s: there are only %v", what, kinds)
		}
		values := documents(t, "helm-values.yaml", tree["deploy/helm-values.yaml"])[0]
		if service, has := tree["deploy/helm-crl-service.yaml"]; has {
			for _, wrong := range schemas.judge(documents(t, "helm-crl-service.yaml", service)[0]) {
				t.Errorf("%s: helm: %s", what, wrong)
			}
		} else if s.ca.InsecureAddress != "" {
			t.Errorf("%s: helm: no service for the CRL", what)
		}
		// What the chart puts into the pod as it is.
		for word, definition := range map[string]string{"podSecurityContext": "PodSecurityContext", "extraVolumes": "Volume", "extraVolumeMounts": "VolumeMount"} {
			list, isList := values[word].([]any)
			if !isList {
				list = []any{values[word]}
			}
			for _, value := range list {
				if value == nil {
					continue
				}
				for _, wrong := range schemas.walk(word, schemas.Definitions["io.k8s.api.core.v1."+definition], value) {
					t.Errorf("%s: helm: %s", what, wrong)
				}
			}
		}
	}
}

// TestSchemasRefuse breaks manifests, to know that the test above can fail.
func TestSchemasRefuse(t *testing.T) {
	schemas := kubernetesSchemas(t)
	for text, want := range map[string]string{
		"apiVersion: v1\nkind: Service\nspec: {ports: [{port: \"80\"}]}":            "must be integer",
		"apiVersion: v1\nkind: Service\nspec: {port: []}":                           "has no field port",
		"apiVersion: v1\nkind: Service\nspec: {ports: [{targetPort: http}]}":        "has no port",
		"apiVersion: apps/v2\nkind: StatefulSet":                                    "nothing is called",
		"apiVersion: apps/v1\nkind: StatefulSet\nspec: {selector: {}}":              "has no template",
		"apiVersion: batch/v1\nkind: CronJob\nspec: {schedule: 5, jobTemplate: {}}": "must be string",
	} {
		if found := schemas.judge(documents(t, "", text)[0]); !slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("%s\nis judged %q", text, found)
		}
	}
}

// mounts holds what a pod mounts against its volumes, and the selector against
// its labels; no schema does.
func mounts(t *testing.T, what string, set map[string]any) {
	t.Helper()
	at := func(v any, names ...string) any {
		for _, n := range names {
			m, _ := v.(map[string]any)
			v = m[n]
		}
		return v
	}
	have := map[any]bool{}
	for _, list := range []any{at(set, "spec", "template", "spec", "volumes"), at(set, "spec", "volumeClaimTemplates")} {
		items, _ := list.([]any)
		for _, v := range items {
			have[at(v, "name")], have[at(v, "metadata", "name")] = true, true
		}
	}
	containers, _ := at(set, "spec", "template", "spec", "containers").([]any)
	for _, c := range containers {
		list, _ := at(c, "volumeMounts").([]any)
		for _, m := range list {
			if name := at(m, "name"); !have[name] || len(fmt.Sprint(name)) > 63 {
				t.Errorf("%s: %v is mounted, and is no volume", what, name)
			}
		}
		// A file with a capability does not start without it (capabilities(7)).
		if added, _ := at(c, "securityContext", "capabilities", "add").([]any); len(added) != 1 || added[0] != "NET_BIND_SERVICE" {
			t.Errorf("%s: the image's step-ca would not start: %v", what, added)
		}
	}
	labels, _ := at(set, "spec", "template", "metadata", "labels").(map[string]any)
	selector, _ := at(set, "spec", "selector", "matchLabels").(map[string]any)
	if len(selector) == 0 {
		t.Errorf("%s: nothing is selected", what)
	}
	for name, value := range selector {
		if labels[name] != value {
			t.Errorf("%s: the selector's %s=%v is not a label", what, name, value)
		}
	}
}
