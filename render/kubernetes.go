package render

import (
	"bytes"
	"cmp"
	"embed"
	"net"
	"path"
	"regexp"
	"slices"
	"strings"

	"pki.internal/plan"
	"pki.internal/spec"
)

//go:embed text/kubernetes
var clusterText embed.FS

// cluster is what the manifests are told beside the host's words.
type cluster struct {
	*host
	Object       string // name of every object
	Namespace    string
	Image        string
	Replicas     int
	Storage      string
	StorageClass string
	Port         string
	CRLPort      string // "" without plain HTTP
	HelmSecrets  string // where ca.json looks for secrets by an absolute path, which the chart does not have
	Service      string // name in the cluster
	SecretFiles  []string
	Maps         []configMap
}

// ImageRepository and ImageTag are the two words that Helm charts want of an
// image: a digest stands where a tag does.
func (c *cluster) ImageRepository() string { return c.Image[:strings.LastIndex(c.Image, ":")] }

// ImageTag is what follows.
func (c *cluster) ImageTag() string { return c.Image[strings.LastIndex(c.Image, ":")+1:] }

// Has says whether step-ca is handed a password by a name.
func (c *cluster) Has(name string) bool {
	return slices.ContainsFunc(c.Credentials, func(one credential) bool { return one.Name == name })
}

// HasPassword says whether the signing key is a file.
func (c *cluster) HasPassword() bool { return c.Has("password") }

// helmSecret is a secret of the chart that holds one password.
type helmSecret struct{ Secret string }

// HelmPasswords are the secrets of the chart beside that of the signing key.
func (c *cluster) HelmPasswords() []helmSecret {
	var secrets []helmSecret
	for _, one := range []struct{ credential, secret string }{
		{"ssh-host-password", "ssh-host-ca-password"}, {"ssh-user-password", "ssh-user-ca-password"}, {"issuer-password", "certificate-issuer-password"},
	} {
		if c.Has(one.credential) {
			secrets = append(secrets, helmSecret{one.secret})
		}
	}
	return secrets
}

// HelmFiles are the secret files that are no password of the chart's.
func (c *cluster) HelmFiles() []string {
	return slices.DeleteFunc(slices.Clone(c.SecretFiles), func(name string) bool {
		return strings.HasSuffix(name, "password") && c.Has(name)
	})
}

// HelmMaps are the folders of the tree that the chart knows nothing of.
func (c *cluster) HelmMaps() []configMap {
	return slices.DeleteFunc(slices.Clone(c.Maps), func(m configMap) bool { return !strings.HasPrefix(m.Folder(), "templates/") })
}

// HelmFolders are those of the database where the chart does not mount it. The
// chart's home is its image's own.
func (c *cluster) HelmFolders() []string {
	var folders []string
	for _, folder := range c.Writable {
		if below := strings.TrimPrefix(folder, home); below != "/db" {
			folders = append(folders, "/home/step"+below)
		}
	}
	return folders
}

// Folder is where the map's files lie in the tree.
func (m configMap) Folder() string { return strings.TrimPrefix(m.Mount, home+"/") }

// configMap is one folder of the tree.
type configMap struct {
	Name, Mount string
	Files       []string // paths in the tree
}

// Keys pairs the files with their names in the folder.
func (m configMap) Keys() []string {
	var keys []string
	for _, f := range m.Files {
		keys = append(keys, path.Base(f)+"="+f)
	}
	return keys
}

// passfileBelow finds the passfile that a database's address names in the
// folder where the Secret is mounted.
var passfileBelow = regexp.MustCompile(`passfile=(?:` + regexp.QuoteMeta(home) + `/)?secrets/([A-Za-z0-9_-][A-Za-z0-9._-]*)(?:&|\s|$)`)

// cluster prepares the manifests: kubectl apply -k takes the tree as it is. The
// tree's other files become config maps; keys and passwords are referred to.
func (h *host) cluster(o *spec.OnlineCA) {
	k := o.Kubernetes
	c := &cluster{
		host: h, Object: "step-ca-" + strings.ReplaceAll(strings.ToLower(h.Name), "_", "-"),
		Namespace: k.Namespace, Image: k.Image, Replicas: k.Replicas, StorageClass: k.StorageClass,
	}
	if len(h.Writable) > 0 {
		c.Storage = cmp.Or(k.Storage, "1Gi")
	}
	_, c.Port, _ = net.SplitHostPort(o.Listen)
	if o.InsecureAddress != "" {
		_, c.CRLPort, _ = net.SplitHostPort(o.InsecureAddress)
	}
	c.Service = c.Object + "." + c.Namespace + ".svc"
	for _, key := range h.Keys {
		c.SecretFiles = append(c.SecretFiles, path.Base(key.Path))
	}
	for _, one := range h.Credentials {
		c.SecretFiles = append(c.SecretFiles, one.Name)
	}
	for _, pin := range h.PINs {
		c.SecretFiles = append(c.SecretFiles, path.Base(pin))
	}
	if o.Database != nil {
		if found := passfileBelow.FindStringSubmatch(o.Database.DataSource); found != nil {
			c.SecretFiles = append(c.SecretFiles, found[1])
		}
	}
	h.manifests = c
}

// manifestFiles are written once the rest of the tree is known, because its
// folders become config maps.
func (h *host) manifestFiles(tree []plan.File) []plan.File {
	c := h.manifests
	if c == nil {
		return nil
	}
	for _, f := range tree {
		if f.Path == "config/ca.json" && bytes.Contains(f.Data, []byte(home+"/secrets/")) {
			c.HelmSecrets = home + "/secrets"
		}
		folder := path.Dir(f.Path)
		if folder != "config" && folder != "certs" && !strings.HasPrefix(folder, "templates/") {
			continue
		}
		if n := len(c.Maps); n == 0 || c.Maps[n-1].Mount != home+"/"+folder {
			c.Maps = append(c.Maps, configMap{Name: c.Object + "-" + strings.ReplaceAll(folder, "/", "-"), Mount: home + "/" + folder})
		}
		last := &c.Maps[len(c.Maps)-1]
		last.Files = append(last.Files, f.Path)
	}
	names := []string{"deploy/helm-values.yaml", "kustomization.yaml", "kubernetes/service.yaml", "kubernetes/statefulset.yaml", "kubernetes/networkpolicy.yaml"}
	if c.CRLPort != "" {
		names = append(names, "deploy/helm-crl-service.yaml", "kubernetes/cronjob.yaml")
	}
	var files []plan.File
	for _, name := range names {
		text, err := clusterText.ReadFile("text/kubernetes/" + path.Base(name))
		if err != nil {
			panic(err) // it is embedded, and a test asks for each
		}
		files = append(files, plan.File{Path: name, Mode: 0o644, Data: fillText(string(text), c)})
	}
	return files
}
