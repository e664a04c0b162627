package render

import (
	"bytes"
	"cmp"
	"embed"
	"net"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"text/template"

	"pki.internal/plan"
	"pki.internal/spec"
)

//go:embed text/step-ca.service
var unitText string

//go:embed text/INSTALL.txt
var installText string

//go:embed text/sysusers.conf
var sysusersText string

//go:embed text/tmpfiles.conf
var tmpfilesText string

//go:embed text/deploy-check.sh
var deployCheckText string

// clientUnits are for hosts that hold certificates of the online CA.
//
//go:embed text/clients
var clientUnits embed.FS

// host is what the unit and the operator's instructions are told. Every word
// in it has passed check.go or comes from a ValidName.
type host struct {
	Home      string
	Name      string // of the online_ca block
	Estate    string
	Lab       string // environment, when it is not production
	User      string
	Binary    string
	Scheme    string // of the key manager, "" when the keys are files
	HSM       string // usb, network, pcscd, tpm; "" when no module reaches a device
	LowPort   bool
	Writable  []string // folders of a local database, absolute
	Remote    string   // type of a remote database
	URL       string
	Names     []string // of provisioners
	Encrypted bool     // credentials are
	Networks  []string // that it may talk with; nil for all

	Keys        []keyFile
	Credentials []credential
	PINs        []string // files that step-ca reads itself, absolute

	Registers    bool // it passes requests on and has no key
	Provisioners []provisioner
	Folders      []folder // of the tree
	Unit         string
	Clients, SSH []string // names of files
	Deploy       []string
	Trust        []string // names of files
	RootHex      string   // fingerprint of the root, as step takes it
	ServerName   string   // that a balancer expects in every node's certificate
	Nodes        []node
	Balanced     []balanced
	IPv6         bool   // a node has an IPv6 address, so the balancer listens there, too
	Group        string // of the nodes in an inventory
	manifests    *cluster
}

// keyFile is an encrypted key that the service reads.
type keyFile struct {
	Path string // absolute
	From string // where the estate's folder has it, "" when it is elsewhere
	What string
}

// credential is a secret that systemd hands to the service. It is the only
// one that can read it.
type credential struct {
	Name string
	From string // absolute path on the host
	Flag string // of step-ca, "" when its configuration names the file
	What string
}

// folder is one folder of the tree and the files in it, as they are installed.
type folder struct {
	Target string // absolute
	Files  []string
}

// runtimeCredentials is where systemd puts credentials of this service.
const runtimeCredentials = "/run/credentials/step-ca.service/"

// handedOver finds the credential that a database's address names.
var handedOver = regexp.MustCompile(regexp.QuoteMeta(runtimeCredentials) + `([a-z0-9_-]+)`)

func newHost(e *spec.Estate, o *spec.OnlineCA, keys []signingKey) *host {
	h := &host{
		Home: home, Name: o.Origin.Address.FileName(), Estate: e.Name,
		User: userOf(o), Binary: binaryOf(o), Scheme: keys[0].scheme, HSM: hsmOf(o, keys[0]),
		LowPort: isLow(o.Listen) || isLow(o.InsecureAddress) || isLow(o.MetricsAddress),
		Group:   inventoryGroup(o.Origin.Address.FileName()),
		URL:     caURL(o), Unit: unitPath, Encrypted: o.Systemd.EncryptedCredentials, Networks: o.Systemd.Networks,
	}
	if e.Environment != spec.Production {
		h.Lab = string(e.Environment)
	}
	for _, key := range keys {
		h.takeKey(o, key)
	}
	if r := o.Registration; r != nil && r.Issuer != nil {
		h.takeIssuer(r.Issuer)
	}
	switch {
	case isLocal(o.Database):
		h.Writable = []string{path.Join(home, databaseFolder(o.Database))}
		if values := o.Database.ValueDir; values != "" && !strings.HasPrefix(values+"/", databaseFolder(o.Database)+"/") {
			h.Writable = append(h.Writable, path.Join(home, values))
		}
	case o.Database != nil:
		h.Remote = o.Database.Type
		if handed := handedOver.FindStringSubmatch(o.Database.DataSource); handed != nil {
			h.Remote = ""
			h.Credentials = append(h.Credentials, h.credential(handed[1], "", "the passfile of the "+o.Database.Type+" database (host:port:database:user:password)"))
		}
	}
	for _, p := range o.Provisioners {
		if key := p.SCEP.DecrypterKey; p.Kind == "scep" && key != "" && !scheme.MatchString(key) {
			h.Keys = append(h.Keys, keyFile{Path: absolute(key), What: "the RSA key of SCEP, not encrypted: ca.json has no place for its password that is not in Git"})
		}
		h.Names = append(h.Names, p.Address.FileName())
	}
	return h
}

// takeKey notes what a signing key needs on the host: its file and password,
// or the PIN of its token, which several keys share.
func (h *host) takeKey(o *spec.OnlineCA, key signingKey) {
	what, prefix := "the encrypted signing key", ""
	if key.role != "" {
		what, prefix = "the encrypted key of SSH for "+key.role+"s", "ssh-"+key.role+"-"
	}
	if file := key.file(); file != "" {
		h.Keys = append(h.Keys, keyFile{Path: file, From: keptAt(o, key), What: what})
		h.Credentials = append(h.Credentials, h.credential(prefix+"password", "--"+prefix+"password-file", "the password of "+file))
	}
	if key.pin == "" {
		return
	}
	if name, handed := strings.CutPrefix(key.pin, runtimeCredentials); handed {
		for _, have := range h.Credentials {
			if have.Name == name {
				return
			}
		}
		h.Credentials = append(h.Credentials, h.credential(name, "", "the PIN of the token"))
		return
	}
	for _, have := range h.PINs {
		if have == absolute(key.pin) {
			return
		}
	}
	h.PINs = append(h.PINs, absolute(key.pin))
}

func (h *host) takeIssuer(i *spec.RegistrationIssuer) {
	if i.Key != "" {
		h.Keys = append(h.Keys, keyFile{Path: absolute(i.Key), What: "the encrypted key with which requests are passed on"})
	}
	h.Credentials = append(h.Credentials, h.credential("issuer-password", "--issuer-password-file", "the password of the key with which requests are passed on"))
}

func (h *host) credential(name, flag, what string) credential {
	from := home + "/secrets/" + name
	if h.Encrypted {
		from = "/etc/credstore.encrypted/step-ca." + name
	}
	return credential{Name: name, Flag: flag, From: from, What: what}
}

// keptAt is where a ceremony left a key, "" when it made none.
func keptAt(o *spec.OnlineCA, key signingKey) string {
	switch key.role {
	case "":
		if made := o.Authority.Key; made != nil && o.Key == "" {
			return made.Store.Path + "/" + o.Authority.Address.FileName() + ".key"
		}
	case "host":
		if o.SSH.HostKey == "" {
			return o.SSH.Host.Key.Store.Path + "/" + o.SSH.Host.KeyName() + ".key"
		}
	case "user":
		if o.SSH.UserKey == "" {
			return o.SSH.User.Key.Store.Path + "/" + o.SSH.User.KeyName() + ".key"
		}
	}
	return ""
}

// hsmOf says which of the host's devices the unit must leave open.
func hsmOf(o *spec.OnlineCA, key signingKey) string {
	switch key.scheme {
	case "pkcs11":
		return cmp.Or(o.Systemd.HSM, "pcscd")
	case "yubikey":
		return "pcscd" // the module asks pcscd, which has the device
	case "tpmkms":
		return "tpm"
	}
	return ""
}

func userOf(o *spec.OnlineCA) string { return cmp.Or(o.Systemd.User, "step") }

func binaryOf(o *spec.OnlineCA) string { return cmp.Or(o.Systemd.Binary, "/usr/bin/step-ca") }

// isLow says whether a port needs CAP_NET_BIND_SERVICE.
func isLow(address string) bool {
	_, port, _ := net.SplitHostPort(address)
	n, err := strconv.Atoi(port)
	return err == nil && n < 1024
}

// units are the files of systemd, and what stands beside them.
func (h *host) units(o *spec.OnlineCA) []plan.File {
	files := []plan.File{
		{Path: unitPath, Mode: 0o644, Data: h.fill(unitText)},
		{Path: "systemd/deploy-check.sh", Mode: 0o644, Data: h.fill(deployCheckText)},
		{Path: "systemd/sysusers.conf", Mode: 0o644, Data: h.fill(sysusersText)},
		{Path: "systemd/tmpfiles.conf", Mode: 0o644, Data: h.fill(tmpfilesText)},
	}
	names := []string{"cert-renewer@.service", "cert-renewer@.timer"}
	if o.SSH != nil && o.SSH.Host != nil {
		names = append(names, "ssh-cert-renewer.service", "ssh-cert-renewer.timer")
	}
	for _, name := range names {
		text, err := clientUnits.ReadFile("text/clients/" + name)
		if err != nil {
			panic(err) // it is embedded, and a test asks for each
		}
		files = append(files, plan.File{Path: "systemd/clients/" + name, Mode: 0o644, Data: h.fill(string(text))})
	}
	return files
}

// install gives the instructions for a tree. Every file of it goes where they
// say, so that none is left behind.
func (h *host) install(files []plan.File) []byte {
	h.Folders = nil
	for _, f := range files {
		name := path.Dir(f.Path)
		switch folder := path.Dir(f.Path); {
		case folder == "systemd/clients":
			h.Clients = append(h.Clients, f.Path)
		case folder == "deploy" || folder == "kubernetes":
			h.Deploy = append(h.Deploy, f.Path)
		case folder == "trust":
			h.Trust = append(h.Trust, f.Path)
		case folder == "ssh":
			h.SSH = append(h.SSH, f.Path)
		}
		if strings.HasPrefix(f.Path, "systemd/") || strings.HasPrefix(f.Path, "ssh/") || strings.HasPrefix(f.Path, "deploy/") || strings.HasPrefix(f.Path, "trust/") || strings.HasPrefix(f.Path, "kubernetes/") || !strings.Contains(f.Path, "/") {
			continue // they go elsewhere, and the text says where
		}
		if len(h.Folders) == 0 || h.Folders[len(h.Folders)-1].Target != home+"/"+name {
			h.Folders = append(h.Folders, folder{Target: home + "/" + name})
		}
		last := &h.Folders[len(h.Folders)-1]
		last.Files = append(last.Files, f.Path)
	}
	return h.fill(installText)
}

// fill cannot fail on a template of ours, which a test has run with every
// kind of host; a slip there shows as a panic in that test.
func (h *host) fill(text string) []byte { return fillText(text, h) }

// parsedTexts holds each text of ours as the template that it is: a fleet fills
// the same ones a thousand times.
var parsedTexts sync.Map

func fillText(text string, data any) []byte {
	parsed, known := parsedTexts.Load(text)
	if !known {
		t := template.Must(template.New("").Funcs(template.FuncMap{"dir": path.Dir, "join": strings.Join}).Parse(text))
		parsed, _ = parsedTexts.LoadOrStore(text, t)
	}
	var out bytes.Buffer
	if err := parsed.(*template.Template).Execute(&out, data); err != nil {
		panic(err)
	}
	return out.Bytes()
}
