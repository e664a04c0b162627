package render

import (
	"cmp"
	"crypto/x509"
	_ "embed"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"pki.internal/plan"
	"pki.internal/spec"
)

// SiteName is the folder, beside the trees of online CAs, of the site that
// publishes what the estate's certificates point to.
const SiteName = "site"

var (
	//go:embed text/site/nginx.conf
	siteNginx string
	//go:embed text/site/Caddyfile
	siteCaddy string
	//go:embed text/site/publish.sh
	sitePublish string
	//go:embed text/site/README.txt
	siteReadme string
	//go:embed text/site/urls.tsv
	siteURLs string
)

// How long a cache may keep what it fetched. A list of a ceremony changes
// rarely, but must reach everybody soon when it does; one that step-ca signs
// changes with each revocation; a certificate stays as it is.
const (
	cacheList   = 3600
	cacheOnline = 300
	cacheCert   = 86400
)

// What certificates and lists in DER are called on the web (RFC 5280 §4.2.1.13,
// RFC 2585 §4).
const (
	typeList = "application/pkix-crl"
	typeCert = "application/pkix-cert"
)

// site is what its texts are told.
type site struct {
	Estate, Lab string
	Folder      string // where the web server takes files from
	Hosts       []*siteHost
	Timed       []string // lists that pki crl sign or release brings
	Own         []string // URLs that a step-ca answers itself
}

// siteHost is one name and port in the URLs of certificates.
type siteHost struct {
	Name, Port string
	Objects    []siteObject
}

// Listen is the port as Caddy wants it in an address.
func (h siteHost) Listen() string {
	if h.Port == "80" {
		return h.Name
	}
	return h.Name + ":" + h.Port
}

// siteObject is one URL: a file, or a list that a step-ca signs.
type siteObject struct {
	URL, Path string
	File      string // "" when it is fetched from step-ca
	Nodes     []string
	Type      string
	Cache     int
	What      string
	Upstream  string // of nginx, "" for a single node
}

// pathInURL is what may stand in the configuration of two web servers without
// being quoted in two ways.
var pathInURL = regexp.MustCompile(`^(/[A-Za-z0-9_~+,:@=!&%-][A-Za-z0-9._~+,:@=!&%-]*)+$`)

// Site gives the site that publishes CRLs and issuers' certificates under the
// URLs that the estate's certificates hold: the configuration of nginx and Caddy, and
// a script that copies the files. There is none before the first ceremony.
func Site(e *spec.Estate, s plan.State) ([]plan.File, error) {
	if len(s.Authorities()) == 0 {
		return nil, nil
	}
	t := &site{Estate: e.Name, Folder: "/var/www/pki"}
	if e.Environment != spec.Production {
		t.Lab = string(e.Environment)
	}
	taken := map[string]bool{}
	for _, a := range e.Authorities {
		t.authority(e, s, a, taken)
	}
	t.former(s, taken)
	if len(t.Hosts) == 0 {
		return nil, nil
	}
	slices.SortFunc(t.Hosts, func(a, b *siteHost) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Port, b.Port)) })
	var files []plan.File
	for name, text := range map[string]string{"nginx.conf": siteNginx, "Caddyfile": siteCaddy, "publish.sh": sitePublish, "README.txt": siteReadme, "urls.tsv": siteURLs} {
		files = append(files, plan.File{Path: name, Mode: 0o644, Data: fillText(text, t)})
	}
	sortFiles(files)
	files = append(files, manifestOf(files))
	sortFiles(files)
	return files, nil
}

// authority adds the URLs of one authority as the estate has them.
func (t *site) authority(e *spec.Estate, s plan.State, a *spec.Authority, taken map[string]bool) {
	have, known := s.Authority(a.Address)
	if !known {
		return
	}
	for _, u := range a.CAIssuersURLs {
		t.add(e, u, siteObject{File: a.Address.FileName() + ".cer", Type: typeCert, Cache: cacheCert, What: "certificate of " + a.Address.String()}, taken)
	}
	if a.CRL == nil {
		return
	}
	list := siteObject{File: listName(a.Address, have.Generation), Type: typeList, Cache: cacheList, What: "CRL of " + a.Address.String()}
	for _, o := range e.OnlineCAs {
		if o.Authority == a && signsCRL(o) && o.InsecureAddress != "" {
			list.File, list.Cache, list.Nodes = "", cacheOnline, nodesOf(o)
			list.Upstream = "pki_" + strings.NewReplacer("-", "_", ".", "_").Replace(o.Address.FileName())
			break
		}
	}
	if list.File != "" && (a.CRL.OnTimer || a.CRL.Presign > 0) {
		t.Timed = append(t.Timed, list.File)
	}
	for _, u := range a.CRL.URLs {
		t.add(e, u, list, taken)
	}
}

// listName is the file of the list that one key signs.
func listName(a spec.Address, generation int) string {
	return path.Base(plan.CRLFile(a, generation))
}

// former adds URLs that stand in certificates of the ledger and no longer in
// the estate: whoever holds such a certificate goes on asking.
func (t *site) former(s plan.State, taken map[string]bool) {
	for _, a := range s.Authorities() {
		for _, g := range a.Generations {
			for i := range g.Certificates {
				one := &g.Certificates[i]
				c, err := x509.ParseCertificate(one.DER)
				if err != nil || one.Issuer == a.Address {
					continue
				}
				for _, u := range c.CRLDistributionPoints {
					t.add(nil, u, siteObject{File: listName(one.Issuer, one.IssuerGeneration), Type: typeList, Cache: cacheList, What: "CRL of " + one.Issuer.String()}, taken)
				}
				if file := s.CertificateFile(one.Issuer, one.IssuerGeneration); file != "" {
					for _, u := range c.IssuingCertificateURL {
						t.add(nil, u, siteObject{File: path.Base(file), Type: typeCert, Cache: cacheCert, What: "certificate of " + one.Issuer.String()}, taken)
					}
				}
			}
		}
	}
}

// add puts an object under its host. A URL counts once: that of the estate
// comes first.
func (t *site) add(e *spec.Estate, raw string, object siteObject, taken map[string]bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" || !plainSiteURL(u) {
		return // Check refuses those of the estate; others are of other software
	}
	object.URL, object.Path = raw, u.Path
	name, port := strings.ToLower(u.Hostname()), cmp.Or(u.Port(), "80") // RFC 3986 §6.2.2.1
	key := name + ":" + port + u.RequestURI()
	if taken[key] {
		return
	}
	taken[key] = true
	if e != nil && answersItself(e, name, port, u.Path) != nil {
		t.Own = append(t.Own, raw)
		return
	}
	if u.RawQuery != "" {
		return // a web server finds files by their path alone
	}
	if strings.Contains(name, ":") { // an IPv6 address (RFC 3986 §3.2.2)
		name = "[" + name + "]"
	}
	i := slices.IndexFunc(t.Hosts, func(h *siteHost) bool { return h.Name == name && h.Port == port })
	if i < 0 {
		i, t.Hosts = len(t.Hosts), append(t.Hosts, &siteHost{Name: name, Port: port})
	}
	t.Hosts[i].Objects = append(t.Hosts[i].Objects, object)
}

func plainSiteURL(u *url.URL) bool {
	host := u.Hostname()
	return pathInURL.MatchString(u.Path) && (plainHost.MatchString(host) || net.ParseIP(host) != nil)
}

// answersItself gives the online CA whose plain HTTP listener is the host of a
// URL and serves its path.
func answersItself(e *spec.Estate, name, port, path string) *spec.OnlineCA {
	if o := listensAt(e, name, port); o != nil && servedByStepCA(path) {
		return o
	}
	return nil
}

// listensAt gives the online CA whose plain HTTP listener has a name and port.
func listensAt(e *spec.Estate, name, port string) *spec.OnlineCA {
	for _, o := range e.OnlineCAs {
		if o.InsecureAddress == "" || !slices.ContainsFunc(o.DNSNames, func(n string) bool { return strings.EqualFold(n, name) }) {
			continue
		}
		if host, p, err := net.SplitHostPort(o.InsecureAddress); err == nil && p == port && !isLoopbackHost(host) {
			return o
		}
	}
	return nil
}

func isLoopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// servedByStepCA lists where step-ca has its list on plain HTTP.
func servedByStepCA(path string) bool { return path == "/1.0/crl" || path == "/crl" }

// nodesOf gives host:port of each step-ca that has the list.
func nodesOf(o *spec.OnlineCA) []string {
	host, port, _ := net.SplitHostPort(o.InsecureAddress) // Validate has checked it
	if len(o.Nodes) > 0 {
		var nodes []string
		for _, n := range o.Nodes {
			nodes = append(nodes, net.JoinHostPort(n, port))
		}
		return nodes
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = o.DNSNames[0]
	}
	return []string{net.JoinHostPort(host, port)}
}

// Upstreams gives the groups of nodes that nginx needs, each once.
func (t *site) Upstreams() []siteObject {
	var groups []siteObject
	for _, h := range t.Hosts {
		for _, o := range h.Objects {
			if o.File == "" && !slices.ContainsFunc(groups, func(g siteObject) bool { return g.Upstream == o.Upstream }) {
				groups = append(groups, o)
			}
		}
	}
	return groups
}

// Files lists what is copied from the estate's folder, each once. Lists that a
// timer brings are not among them: a copy would put an old one in the place of a
// newer one.
func (t *site) Files() []string {
	var files []string
	for _, h := range t.Hosts {
		for _, o := range h.Objects {
			folder := "certs/"
			if o.Type == typeList {
				folder = "crls/"
			}
			if o.File != "" && !slices.Contains(t.Timed, o.File) && !slices.Contains(files, folder+o.File) {
				files = append(files, folder+o.File)
			}
		}
	}
	return files
}

// checkPublished warns of URLs that no web server could be told of, and of
// those that lead to a step-ca which does not have what they name.
func checkPublished(e *spec.Estate, d *spec.Diagnostics) {
	lost := map[*spec.OnlineCA][]string{}
	check := func(at spec.Origin, attribute, raw string) {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "http" {
			return // refused by spec
		}
		name, port := strings.ToLower(u.Hostname()), cmp.Or(u.Port(), "80")
		if !plainSiteURL(u) || u.RawQuery != "" && answersItself(e, name, port, u.Path) == nil {
			d.Warn(at, attribute, "URL that a web server cannot be told",
				"%q has a query, or characters in its host or path, that would have to be quoted differently for nginx and for Caddy, so rendered/site leaves it out. Use letters, digits and . _ - / in it, or configure the web server by hand.", raw)
			return
		}
		if o := listensAt(e, name, port); o != nil && !servedByStepCA(u.Path) && !slices.Contains(lost[o], raw) {
			lost[o] = append(lost[o], raw)
		}
	}
	for _, a := range e.Authorities {
		if a.CRL != nil {
			at := a.CRL.Origin
			at.Address = a.Address
			for _, u := range a.CRL.URLs {
				check(at, "urls", u)
			}
		}
		for _, u := range a.CAIssuersURLs {
			check(a.Origin, "ca_issuers_urls", u)
		}
	}
	for _, o := range e.OnlineCAs {
		if urls := lost[o]; len(urls) > 0 {
			d.Warn(o.Origin, "insecure_address", "URLs that step-ca does not answer",
				"Certificates name %s, which lead to this listener, and step-ca has nothing there but /1.0/crl and SCEP: clients would get 404. Give it another address, as in insecure_address = \"127.0.0.1:9080\", and let a web server answer there with the site in rendered/%s; or publish under another name.",
				strings.Join(urls, ", "), SiteName)
		}
	}
}
