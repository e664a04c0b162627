package spec

import (
	"net"
	"regexp"
	"slices"
	"strings"
)

// Kubernetes runs an online CA in a cluster.
type Kubernetes struct {
	Origin
	Namespace    string
	Image        string
	Replicas     int
	Storage      string // of a local database, "" for 1Gi
	StorageClass string // "" for the cluster's own
}

func (o *OnlineCA) validateNodes(d *Diagnostics) {
	for i, node := range o.Nodes {
		if checkHost(node) != nil {
			d.Report(o.Origin, "nodes", "Not a host name", "%q is neither a host name nor an IP address. Write it as \"ca1.example.internal\".", node)
		}
		if slices.ContainsFunc(o.Nodes[:i], func(other string) bool { return strings.EqualFold(node, other) }) {
			d.Report(o.Origin, "nodes", "Node named twice", "%q stands twice in the list. Remove one of them.", node)
		}
	}
	if len(o.Nodes) > 1 && !o.Database.Shared() {
		d.Report(o.Origin, "nodes", "Nodes without a shared database",
			"A token used at one node could be used again at another, and a revocation would reach one of them. Use a database of type postgresql or mysql, or one node.")
	}
	if len(o.Nodes) > 0 && o.Kubernetes != nil {
		d.Report(o.Origin, "nodes", "Hosts and a cluster at once", "An online CA runs on hosts or in Kubernetes. Remove nodes, and write replicas in the kubernetes block.")
	}
	if host, _, err := net.SplitHostPort(o.Listen); err == nil && len(o.Nodes) > 0 && isLoopback(host) {
		d.Report(o.Origin, "address", "Nodes that listen to themselves", "The balancer could not reach %s. Write \":443\".", o.Listen)
	}
}

// How Kubernetes writes sizes, labels without their length, and images, the
// length of a digest left to isImage.
var (
	kubernetesSize = regexp.MustCompile(`^[1-9][0-9]*(Mi|Gi|Ti)$`)
	kubernetesName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	imageReference = regexp.MustCompile(`^[a-z0-9][a-zA-Z0-9./_-]*(:[0-9]+/[a-zA-Z0-9./_-]+)?(:[A-Za-z0-9_.-]+|@sha256:([0-9a-f]+))$`)
)

// isKubernetesName says whether s is a label (RFC 1123 §2.1), as Kubernetes
// takes it.
func isKubernetesName(s string) bool {
	return len(s) <= 63 && kubernetesName.MatchString(s)
}

// isImage says whether s names an image with a tag or a digest.
func isImage(s string) bool {
	found := imageReference.FindStringSubmatch(s)
	return found != nil && (found[3] == "" || isDigest(found[3]))
}

func (k *Kubernetes) validate(d *Diagnostics, o *OnlineCA) {
	if k == nil {
		return
	}
	if !isKubernetesName(k.Namespace) {
		d.Report(k.Origin, "namespace", "Not a name in Kubernetes", "%q is not a name of small letters, digits and dashes. Write it as \"pki\".", k.Namespace)
	}
	if k.StorageClass != "" && !isKubernetesName(k.StorageClass) {
		d.Report(k.Origin, "storage_class", "Not a name in Kubernetes", "%q is not a name of small letters, digits and dashes. Write it as \"fast\".", k.StorageClass)
	}
	if !isKubernetesName(strings.ReplaceAll(o.Address.FileName(), "_", "-")) {
		d.Report(o.Origin, "", "Not a name in Kubernetes", "%q cannot name objects of a cluster. Call the block with small letters, digits and dashes.", o.Address.FileName())
	}
	if !isImage(k.Image) || strings.HasSuffix(k.Image, ":latest") {
		d.Report(k.Origin, "image", "Image that may change", "%q does not say which version of step-ca runs. Write a tag or, better, a digest, as in \"smallstep/step-ca:0.30.2\".", k.Image)
	}
	if k.Storage != "" && !kubernetesSize.MatchString(k.Storage) {
		d.Report(k.Origin, "storage", "Not a size", "%q is not a size of a volume. Write it as \"1Gi\".", k.Storage)
	}
	if k.Replicas < 1 || k.Replicas > 100 {
		d.Report(k.Origin, "replicas", "Not a number of pods", "%d is not a number of pods that makes sense. Write 1, or 2 and more with a shared database.", k.Replicas)
	}
	if k.Replicas > 1 && !o.Database.Shared() {
		d.Report(k.Origin, "replicas", "Nodes without a shared database",
			"A token used at one pod could be used again at another, and a revocation would reach one of them. Use a database of type postgresql or mysql, or one replica.")
	}
	if strings.HasPrefix(o.Key, "yubikey:") || strings.HasPrefix(o.Key, "tpmkms:") {
		d.Report(o.Origin, "key", "Key of one machine in a cluster", "A pod runs on any machine, and this key is in one. Use a file, a cloud's key manager or a network HSM.")
	}
}
