package render

import (
	"encoding/json"
	"errors"
	"strings"

	"pki.internal/plan"
	"pki.internal/spec"
)

// ssh is ca.json's ssh block.
type ssh struct {
	HostKey          string         `json:"hostKey,omitempty"`
	UserKey          string         `json:"userKey,omitempty"`
	Keys             []sshPublicKey `json:"keys,omitempty"`
	AddUserPrincipal string         `json:"addUserPrincipal,omitempty"`
	AddUserCommand   string         `json:"addUserCommand,omitempty"`
	Bastion          *bastion       `json:"bastion,omitempty"`
}

// sshPublicKey is a key that clients trust beside the two that sign.
type sshPublicKey struct {
	Type      string          `json:"type"`
	Federated bool            `json:"federated"`
	Key       json.RawMessage `json:"key"`
}

type bastion struct {
	Hostname string `json:"hostname"`
	User     string `json:"user,omitempty"`
	Port     string `json:"port,omitempty"`
	Command  string `json:"cmd,omitempty"`
	Flags    string `json:"flags,omitempty"`
}

// sshTemplates is ca.json's templates block: what step ssh config writes on
// clients and hosts.
type sshTemplates struct {
	SSH struct {
		User []sshTemplate `json:"user"`
		Host []sshTemplate `json:"host"`
	} `json:"ssh"`
}

type sshTemplate struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Template string   `json:"template"`
	Path     string   `json:"path"`
	Comment  string   `json:"comment"`
	Requires []string `json:"requires,omitempty"`
}

// shell is everything about SSH of one online CA.
type shell struct {
	block     *ssh
	templates *sshTemplates
	keys      []signingKey // in the order of their flags: host, user
	files     []plan.File
}

// sshConfigFolder holds the templates of step ssh config; templates/ssh is for
// those of certificates.
const sshConfigFolder = "templates/ssh-config/"

func shellOf(s plan.State, o *spec.OnlineCA) (shell, error) {
	if o.SSH == nil {
		return shell{}, nil
	}
	block := &ssh{AddUserPrincipal: o.SSH.AddUserPrincipal, AddUserCommand: o.SSH.AddUserCommand}
	if b := o.SSH.Bastion; b != nil {
		block.Bastion = &bastion{Hostname: b.Hostname, User: b.User, Port: b.Port, Command: b.Command, Flags: b.Flags}
	}
	var hosts, users, refused = []string{}, []string{}, []error{}
	add := func(a *spec.SSHAuthority, extra, federated bool) {
		key, err := sshKeyOf(s, a)
		if err != nil {
			refused = append(refused, err)
			return
		}
		if extra {
			block.Keys = append(block.Keys, sshPublicKey{Type: a.Type, Federated: federated, Key: key.jwk})
		}
		if a.Type == "host" {
			hosts = append(hosts, key.line)
		} else {
			users = append(users, key.line)
		}
	}
	for _, a := range o.SSH.Signers() {
		add(a, false, false)
	}
	for _, a := range o.SSH.AlsoTrusted {
		add(a, true, false)
	}
	for _, a := range o.SSH.Federated {
		add(a, true, true)
	}
	sh := shell{block: block, files: sshFiles(o, hosts, users)}
	sh.templates = templatesOfSSH(o)
	if err := errors.Join(refused...); err != nil {
		return shell{}, err
	}
	return sh, sh.signers(o)
}

// signers finds the keys that sign. step-ca knows one key manager, so that all
// keys of an online CA live in the same.
func (sh *shell) signers(o *spec.OnlineCA) error {
	main, err := newSigningKey(o)
	if err != nil {
		return nil // said by Tree itself
	}
	for _, one := range []struct {
		attribute, text string
		authority       *spec.SSHAuthority
		name            *string
	}{
		{"host_key", o.SSH.HostKey, o.SSH.Host, &sh.block.HostKey},
		{"user_key", o.SSH.UserKey, o.SSH.User, &sh.block.UserKey},
	} {
		if one.authority == nil {
			continue
		}
		text := one.text
		if text == "" {
			text = "secrets/" + one.authority.KeyName() + ".key"
		}
		at := o.SSH.Origin
		at.Address = o.Address
		key, err := parseSigningKey(at, one.attribute, text)
		if err != nil {
			return err
		}
		if (main.kms == nil) != (key.kms == nil) || main.kms != nil && *main.kms != *key.kms {
			return refuseAt(at, one.attribute, "step-ca knows one key manager, and the CA's key lives in another place than this one; put both into files, or both into the same token or cloud, with the same words up to the key")
		}
		key.role = strings.TrimSuffix(one.attribute, "_key")
		*one.name = key.name
		sh.keys = append(sh.keys, key)
	}
	return nil
}

// hostPattern is for which hosts a client trusts the host authority: those of
// the policy, or all.
func hostPattern(o *spec.OnlineCA) string {
	if o.Policy != nil && o.Policy.SSH != nil && o.Policy.SSH.Host != nil && o.Policy.SSH.Host.Allow != nil && len(o.Policy.SSH.Host.Allow.DNS) > 0 {
		return strings.Join(o.Policy.SSH.Host.Allow.DNS, ",")
	}
	return "*"
}

// sshFiles are what clients and hosts need, whether they use step or not.
func sshFiles(o *spec.OnlineCA, hosts, users []string) []plan.File {
	var files []plan.File
	add := func(path, text string) {
		files = append(files, plan.File{Path: path, Mode: 0o644, Data: []byte(text)})
	}
	if len(hosts) > 0 {
		known := ""
		for _, line := range hosts {
			known += "@cert-authority " + hostPattern(o) + " " + line + "\n"
		}
		add("ssh/host_ca.pub", strings.Join(hosts, "\n")+"\n")
		add("ssh/known_hosts", known)
		add(sshConfigFolder+"known_hosts.tpl", known)
		add(sshConfigFolder+"config.tpl", clientText)
	}
	host := ""
	if len(users) > 0 {
		host = "TrustedUserCAKeys /etc/ssh/user_ca.pub\n"
		add("ssh/user_ca.pub", strings.Join(users, "\n")+"\n")
		add(sshConfigFolder+"user_ca.tpl", strings.Join(users, "\n")+"\n")
	}
	snippet := host
	if o.SSH.Host != nil {
		host += "HostKey /etc/ssh/ssh_host_ecdsa_key\nHostCertificate /etc/ssh/ssh_host_ecdsa_key-cert.pub\n"
		snippet += "HostKey /etc/ssh/{{ .User.Key }}\nHostCertificate /etc/ssh/{{ .User.Certificate }}\n"
	}
	add("ssh/sshd_config", "# Goes to /etc/ssh/sshd_config.d/ of every host.\n"+host)
	add(sshConfigFolder+"sshd_config.tpl", snippet)
	return files
}

// clientText lets ssh ask step whether a host has a certificate, and get the
// user one before it connects.
const clientText = `Match exec "step ssh check-host %h"
	UserKnownHostsFile "{{ .User.StepPath }}/ssh/known_hosts"
	ProxyCommand step ssh proxycommand %r %h %p
`

func templatesOfSSH(o *spec.OnlineCA) *sshTemplates {
	t := &sshTemplates{}
	t.SSH.User, t.SSH.Host = []sshTemplate{}, []sshTemplate{}
	if o.SSH.Host != nil {
		t.SSH.User = append(t.SSH.User,
			sshTemplate{Name: "config.tpl", Type: "snippet", Template: sshConfigFolder + "config.tpl", Path: "~/.ssh/config", Comment: "#"},
			sshTemplate{Name: "known_hosts.tpl", Type: "file", Template: sshConfigFolder + "known_hosts.tpl", Path: "ssh/known_hosts", Comment: "#"})
	}
	sshd := sshTemplate{Name: "sshd_config.tpl", Type: "snippet", Template: sshConfigFolder + "sshd_config.tpl", Path: "/etc/ssh/sshd_config", Comment: "#"}
	if o.SSH.Host != nil {
		sshd.Requires = []string{"Certificate", "Key"}
	}
	t.SSH.Host = append(t.SSH.Host, sshd)
	if o.SSH.User != nil {
		t.SSH.Host = append(t.SSH.Host,
			sshTemplate{Name: "user_ca.tpl", Type: "file", Template: sshConfigFolder + "user_ca.tpl", Path: "/etc/ssh/user_ca.pub", Comment: "#"})
	}
	return t
}
