// Package render answers one question: what must online CAs be told?
//
// It turns one online_ca block and what the ledger recorded into the files
// that a step-ca starts from, in memory. The same estate and ledger give the
// same bytes for ever: nothing here reads a file, a clock or a secret.
package render

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"pki.internal/plan"
	"pki.internal/spec"
)

// home is where a tree is installed. step-ca runs there, with STEPPATH set to
// it, because it takes some paths relative to the one and some to the other.
const home = "/etc/step-ca"

// Places in a tree, relative to its root.
const (
	configPath       = "config/ca.json"
	defaultsPath     = "config/defaults.json"
	rootPath         = "certs/root_ca.crt"
	intermediatePath = "certs/intermediate_ca.crt"
	unitPath         = "systemd/step-ca.service"
	installPath      = "INSTALL.txt"
	passwordPath     = "secrets/password" // delivered by hand, never in a tree
)

// Waiting lists what the tree of an online CA still waits for from a
// ceremony: certificates that are not signed, from the root down, then
// provisioner keys that are not made.
func Waiting(s plan.State, o *spec.OnlineCA) []spec.Address {
	var waiting []spec.Address
	for _, a := range certified(o) {
		if have, _ := s.Authority(a.Address); have.Certificate == nil {
			waiting = append(waiting, a.Address)
		}
	}
	for _, a := range o.SSH.Trusted() {
		if _, made := s.SSHKey(a.Address); a.Key != nil && !made {
			waiting = append(waiting, a.Address)
		}
	}
	for _, p := range o.Provisioners {
		if _, made := s.Provisioner(p.Address); p.Kind == "jwk" && !made {
			waiting = append(waiting, p.Address)
		}
	}
	return waiting
}

// certified lists the authorities whose certificates an online CA's tree
// holds, each once: its own from the root down, then those that it trusts.
func certified(o *spec.OnlineCA) []*spec.Authority {
	all := o.Authority.Chain()
	slices.Reverse(all)
	all = slices.Concat(all, o.AdditionalRoots, o.FederatedAuthorities)
	for _, p := range o.Provisioners {
		all = append(all, p.Authorities...)
	}
	var once []*spec.Authority
	for _, a := range all {
		if !slices.Contains(once, a) {
			once = append(once, a)
		}
	}
	return once
}

// Tree gives every file of one online CA, with paths relative to the folder
// that goes to /etc/step-ca, sorted by path. It holds no secret. The estate
// must have passed Validate. What step-ca cannot be told, or would ignore, is
// an error that names the block and the next step; so is a tree that still
// waits for a ceremony.
func Tree(e *spec.Estate, s plan.State, o *spec.OnlineCA) ([]plan.File, error) {
	if waiting := Waiting(s, o); len(waiting) > 0 {
		words := make([]string, 0, len(waiting))
		for _, a := range waiting {
			words = append(words, a.String())
		}
		return nil, fmt.Errorf("%s waits for a ceremony that makes %s: run pki plan --out FILE, and then pki apply FILE",
			o.Origin.Address, strings.Join(words, ", "))
	}
	key, keyErr := newSigningKey(o)
	sh, sshErr := shellOf(s, o)
	provisioners, files, provErr := provisionersOf(s, o)
	if err := errors.Join(keyErr, sshErr, provErr, checkWords(e, o), checkListeners(o), checkDatabase(o), checkHSM(o)); err != nil {
		return nil, err
	}
	h := newHost(e, o, append([]signingKey{key}, sh.keys...))
	h.Provisioners, h.Registers = provisioners, o.Registration != nil
	root, _ := s.Root(o.Authority.Address)
	sum := sha256.Sum256(root.Certificate)
	h.RootHex = hex.EncodeToString(sum[:])
	config, err := encode(configOf(s, o, key, sh, provisioners))
	if err != nil {
		return nil, fmt.Errorf("%s: writing ca.json: %w", o.Origin.Address, err)
	}
	defaults, err := encode(defaultsOf(o, root.Certificate))
	if err != nil {
		return nil, fmt.Errorf("%s: writing defaults.json: %w", o.Origin.Address, err)
	}
	files = slices.Concat(files, sh.files, trustFiles(s, o), h.trustKitFiles(s, o, sh), h.fleet(s, o, sh))
	files = append(files,
		plan.File{Path: configPath, Mode: 0o644, Data: config},
		plan.File{Path: defaultsPath, Mode: 0o644, Data: defaults},
		plan.File{Path: rootPath, Mode: 0o644, Data: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})},
		plan.File{Path: intermediatePath, Mode: 0o644, Data: s.ChainPEM(o.Authority.Address)})
	sortFiles(files)
	files = slices.Concat(files, h.units(o), h.manifestFiles(files))
	files = append(files, plan.File{Path: installPath, Mode: 0o644, Data: h.install(files)})
	sortFiles(files)
	files = append(files, manifestOf(files))
	sortFiles(files)
	return files, nil
}

func sortFiles(files []plan.File) {
	slices.SortFunc(files, func(a, b plan.File) int { return strings.Compare(a.Path, b.Path) })
}

// defaults is config/defaults.json: flags that the step client takes from it.
type defaults struct {
	CAURL       string `json:"ca-url"`
	CAConfig    string `json:"ca-config"`
	Fingerprint string `json:"fingerprint"`
	Root        string `json:"root"`
}

func defaultsOf(o *spec.OnlineCA, root []byte) defaults {
	sum := sha256.Sum256(root)
	return defaults{
		CAURL:       caURL(o),
		CAConfig:    home + "/" + configPath,
		Fingerprint: hex.EncodeToString(sum[:]),
		Root:        home + "/" + rootPath,
	}
}

// caURL is how clients reach the online CA: by its first name, at its port.
func caURL(o *spec.OnlineCA) string {
	name := o.DNSNames[0]
	_, port, _ := net.SplitHostPort(o.Listen) // Validate has checked it
	switch {
	case port != "443":
		return "https://" + net.JoinHostPort(name, port)
	case strings.Contains(name, ":"):
		return "https://[" + name + "]"
	}
	return "https://" + name
}
