package render

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net"
	"slices"
	"strings"

	"pki.internal/plan"
	"pki.internal/spec"
)

//go:embed text/haproxy.cfg
var haproxyText string

//go:embed text/nginx-stream.conf
var streamText string

//go:embed text/inventory.yml
var inventoryText string

// facts is deploy/facts.json: what other programs want to know of an online
// CA, such as Terraform with jsondecode(file("…")).
type facts struct {
	Name            string            `json:"name"`
	Estate          string            `json:"estate"`
	URL             string            `json:"url"`
	DNSNames        []string          `json:"dns_names"`
	Nodes           []string          `json:"nodes"`
	RootFingerprint string            `json:"root_fingerprint"`
	RootPEM         string            `json:"root_pem"`
	ChainPEM        string            `json:"chain_pem"`
	CRLURL          string            `json:"crl_url,omitempty"`
	Provisioners    []factProvisioner `json:"provisioners"`
	ACMEDirectories map[string]string `json:"acme_directories"`
	SSHUserCA       string            `json:"ssh_user_ca,omitempty"`
	SSHHostCA       string            `json:"ssh_host_ca,omitempty"`
}

type factProvisioner struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

// fleet gives what a machine park wants beside the tree of each host: facts
// for other programs, an inventory, and a balancer before several nodes.
func (h *host) fleet(s plan.State, o *spec.OnlineCA, sh shell) []plan.File {
	root, _ := s.Root(o.Authority.Address)
	sum := sha256.Sum256(root.Certificate)
	f := facts{
		Name: h.Name, Estate: h.Estate, URL: h.URL, DNSNames: o.DNSNames, Nodes: append([]string{}, o.Nodes...),
		RootFingerprint: hex.EncodeToString(sum[:]),
		RootPEM:         string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})),
		ChainPEM:        string(s.ChainPEM(o.Authority.Address)),
		Provisioners:    []factProvisioner{}, ACMEDirectories: map[string]string{},
	}
	if o.Authority.CRL != nil && len(o.Authority.CRL.URLs) > 0 {
		f.CRLURL = o.Authority.CRL.URLs[0]
	}
	for _, p := range o.Provisioners {
		name := p.Address.FileName()
		f.Provisioners = append(f.Provisioners, factProvisioner{Type: typeNames()[p.Kind], Name: name})
		if p.Kind == "acme" {
			f.ACMEDirectories[name] = h.URL + "/acme/" + name + "/directory"
		}
	}
	for _, file := range sh.files {
		switch file.Path {
		case "ssh/user_ca.pub":
			f.SSHUserCA = string(file.Data)
		case "ssh/host_ca.pub":
			f.SSHHostCA = string(file.Data)
		}
	}
	text, err := encode(f)
	if err != nil {
		panic(err) // strings always encode
	}
	files := []plan.File{{Path: "deploy/facts.json", Mode: 0o644, Data: text}}
	if len(o.Nodes) > 0 {
		h.takeNodes(o)
		files = append(files,
			plan.File{Path: "deploy/haproxy.cfg", Mode: 0o644, Data: h.fill(haproxyText)},
			plan.File{Path: "deploy/nginx-stream.conf", Mode: 0o644, Data: h.fill(streamText)},
			plan.File{Path: "deploy/inventory.yml", Mode: 0o644, Data: h.fill(inventoryText)})
	}
	if o.Kubernetes != nil {
		h.cluster(o)
	}
	return files
}

// balanced is a port that a balancer passes on, as it is, to every node.
type balanced struct {
	Name, Port string
	TLS        bool
}

// node is one host behind a balancer.
type node struct {
	Name string // without dots
	Host string // with brackets where it is an IPv6 address
	// Inventory is the host as Ansible wants it: there, brackets are a range.
	Inventory string
}

// inventoryGroup is how Ansible may call a group of hosts: letters, digits and
// underscores, no digit first, and not one of its own two.
func inventoryGroup(name string) string {
	name = strings.NewReplacer("-", "_", ".", "_").Replace(name)
	if name == "all" || name == "ungrouped" || strings.Trim(name[:1], "0123456789") == "" {
		return "ca_" + name
	}
	return name
}

func (h *host) takeNodes(o *spec.OnlineCA) {
	h.ServerName = "" // haproxy compares with names alone, and an address would never match
	if i := slices.IndexFunc(o.DNSNames, func(name string) bool { return net.ParseIP(name) == nil }); i >= 0 {
		h.ServerName = o.DNSNames[i]
	}
	for i, host := range o.Nodes {
		n := node{Name: fmt.Sprintf("node%d", i+1), Host: host, Inventory: host}
		if strings.Contains(host, ":") {
			n.Host, h.IPv6 = "["+host+"]", true
		}
		h.Nodes = append(h.Nodes, n)
	}
	_, port, _ := net.SplitHostPort(o.Listen)
	h.Balanced = []balanced{{Name: "ca", Port: port, TLS: true}}
	if o.InsecureAddress != "" {
		_, port, _ := net.SplitHostPort(o.InsecureAddress)
		h.Balanced = append(h.Balanced, balanced{Name: "crl", Port: port})
	}
}
