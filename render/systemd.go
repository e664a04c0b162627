package render

import (
	"bytes"
	_ "embed"
	"net"
	"path"
	"strconv"
	"strings"
	"text/template"

	"pki.internal/plan"
	"pki.internal/spec"
)

//go:embed text/step-ca.service
var unitText string

//go:embed text/INSTALL.txt
var installText string

// host is what the unit and the operator's instructions are told. Every word
// in it has passed check.go or comes from a ValidName.
type host struct {
	Home     string
	Name     string // of the online_ca block
	Estate   string
	Lab      string // environment, when it is not production
	User     string
	Binary   string
	KeyFile  string // absolute, "" when a key manager has the key
	KeyFrom  string // where the estate's folder has it, "" when it is elsewhere
	Scheme   string // of the key manager
	PIN      string // absolute path of the PIN's file, "" when none
	Device   bool
	Password string // absolute, "" when no key file is encrypted
	LowPort  bool
	Writable string // folder of a local database, absolute, "" without one
	Remote   string // type of a remote database
	URL      string
	Names    []string // of provisioners
	Files    []string // templates

	Unit, RootFile, ChainFile string
}

func newHost(e *spec.Estate, o *spec.OnlineCA, key signingKey) *host {
	h := &host{
		Home: home, Name: o.Origin.Address.FileName(), Estate: e.Name,
		User: userOf(o), Binary: binaryOf(o),
		KeyFile: key.file(), Scheme: key.scheme, Device: key.device,
		LowPort: isLow(o.Listen) || isLow(o.InsecureAddress),
		URL:     caURL(o), Unit: unitPath, RootFile: rootPath, ChainFile: intermediatePath,
	}
	if e.Environment != spec.Production {
		h.Lab = string(e.Environment)
	}
	if h.KeyFile != "" {
		h.Password = absolute(passwordPath)
		if made := o.Authority.Key; made != nil && o.Key == "" {
			h.KeyFrom = made.Store.Path + "/" + o.Authority.Address.FileName() + ".key"
		}
	}
	if key.pin != "" {
		h.PIN = absolute(key.pin)
	}
	switch {
	case isLocal(o.Database):
		h.Writable = path.Join(home, databaseFolder(o.Database))
	case o.Database != nil:
		h.Remote = o.Database.Type
	}
	for _, p := range o.Provisioners {
		h.Names = append(h.Names, p.Address.FileName())
	}
	return h
}

func userOf(o *spec.OnlineCA) string {
	if o.Systemd.User == "" {
		return "step"
	}
	return o.Systemd.User
}

func binaryOf(o *spec.OnlineCA) string {
	if o.Systemd.Binary == "" {
		return "/usr/bin/step-ca"
	}
	return o.Systemd.Binary
}

// isLow says whether a port needs CAP_NET_BIND_SERVICE.
func isLow(address string) bool {
	_, port, _ := net.SplitHostPort(address)
	n, err := strconv.Atoi(port)
	return err == nil && n < 1024
}

func (h *host) unit() []byte { return h.fill(unitText) }

func (h *host) install(templates []plan.File) []byte {
	for _, f := range templates {
		h.Files = append(h.Files, f.Path)
	}
	return h.fill(installText)
}

// fill cannot fail on a template of ours, which a test has run with every
// kind of host; a slip there shows as a panic in that test.
func (h *host) fill(text string) []byte {
	var out bytes.Buffer
	t := template.Must(template.New("").Funcs(template.FuncMap{"dir": path.Dir, "join": strings.Join}).Parse(text))
	if err := t.Execute(&out, h); err != nil {
		panic(err)
	}
	return out.Bytes()
}
