package render

import (
	"cmp"
	"embed"
	"net"
	"path"
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
	Service      string // name in the cluster
	SecretFiles  []string
	Maps         []configMap
}

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
	names := []string{"kustomization.yaml", "kubernetes/service.yaml", "kubernetes/statefulset.yaml", "kubernetes/networkpolicy.yaml"}
	if c.CRLPort != "" {
		names = append(names, "kubernetes/cronjob.yaml")
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
