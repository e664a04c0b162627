package spec

import (
	"encoding/base64"
	"slices"
	"strings"
)

// SSHAuthority is an SSH CA: a key that signs certificates of users or of
// hosts. It has no certificate of its own; what others trust is its public key.
type SSHAuthority struct {
	Origin
	Type      string // "user" or "host"
	Key       *Key   // nil when the key lives elsewhere
	PublicKey string // of a key that lives elsewhere, one line as OpenSSH writes it
}

// KeyName is what the key is called in a store, and its file without the end.
func (a *SSHAuthority) KeyName() string { return "ssh-" + a.Address.FileName() }

// OnlineSSH makes an online CA sign SSH certificates.
type OnlineSSH struct {
	Origin
	Host, User       *SSHAuthority
	HostKey, UserKey string          // as step-ca takes them; empty means secrets/ssh-NAME.key
	AlsoTrusted      []*SSHAuthority // older or newer keys of this CA, while keys are changed
	Federated        []*SSHAuthority // keys of others
	AddUserPrincipal string
	AddUserCommand   string
	Bastion          *Bastion
}

// Signers lists the authorities that the online CA signs with.
func (s *OnlineSSH) Signers() []*SSHAuthority {
	if s == nil {
		return nil
	}
	return slices.DeleteFunc([]*SSHAuthority{s.Host, s.User}, func(a *SSHAuthority) bool { return a == nil })
}

// Trusted lists every SSH authority that clients of the online CA trust, its
// own signers first.
func (s *OnlineSSH) Trusted() []*SSHAuthority {
	if s == nil {
		return nil
	}
	return slices.Concat(s.Signers(), s.AlsoTrusted, s.Federated)
}

// Bastion is the host through which step's SSH clients go.
type Bastion struct {
	Origin
	Hostname, User, Port, Command, Flags string
}

func (e *Estate) validateSSHAuthorities(d *Diagnostics) {
	for _, a := range e.SSHAuthorities {
		a.validate(d)
		for _, other := range e.Authorities {
			if strings.EqualFold(other.Address.FileName(), a.KeyName()) {
				d.Report(a.Origin, "", "Two blocks with one file name", "The keys of %s and %s would have one file name. Rename one of them.", a.Address, other.Address)
			}
		}
	}
}

func (a *SSHAuthority) validate(d *Diagnostics) {
	if a.Type != "user" && a.Type != "host" {
		d.Report(a.Origin, "type", "Unknown type of SSH authority", "%q is not what an SSH authority signs for. Write \"user\" or \"host\"; OpenSSH never takes one key for both.", a.Type)
	}
	switch {
	case a.Key == nil && a.PublicKey == "":
		d.Report(a.Origin, "key", "Authority without a key",
			"Nothing says where the key of %s is. Add a key block to make it in the ceremony, or public_key when it lives elsewhere.", a.Address)
	case a.Key != nil && a.PublicKey != "":
		d.Report(a.Origin, "public_key", "Two keys for one authority", "The key is made here (key block) or lives elsewhere (public_key), not both. Remove one of them.")
	case a.Key != nil && !slices.Contains(sshAlgorithms(), a.Key.Algorithm):
		d.Report(a.Key.Origin, "algorithm", "Unknown algorithm", "%q is not an algorithm whose certificates OpenSSH takes. Use ed25519, ecdsa-p256 or rsa-3072.", a.Key.Algorithm)
	}
	if a.Key != nil && (len(a.Key.Backup) > 0 || a.Key.BackupPolicy != "") {
		d.Report(a.Key.Origin, "", "Backup of an SSH key",
			"Only keys of authorities are backed up. Remove backup; an SSH authority whose key may be lost gets a second one beside it, and clients trust both.")
	}
	if a.PublicKey != "" {
		if _, _, err := ParseSSHPublicKey(a.PublicKey); err != "" {
			d.Report(a.Origin, "public_key", "Not an SSH public key", "It %s. Write the line of the .pub file, such as \"ssh-ed25519 AAAA…\".", err)
		}
	}
}

// sshAlgorithms are those whose keys OpenSSH reads (RFC 4253 §6.6, RFC 5656,
// RFC 8709).
func sshAlgorithms() []Algorithm {
	return []Algorithm{Ed25519, ECDSAP256, ECDSAP384, ECDSAP521, RSA3072, RSA4096}
}

// ParseSSHPublicKey takes a line as OpenSSH writes it apart. The problem is
// empty when the line is one.
func ParseSSHPublicKey(line string) (algorithm string, blob []byte, problem string) {
	words := strings.Fields(line)
	if len(words) < 2 || strings.ContainsAny(line, "\n\r") {
		return "", nil, "is not one line of a type and a key"
	}
	known := []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"}
	if !slices.Contains(known, words[0]) {
		return "", nil, "is of a type that cannot sign certificates"
	}
	blob, err := base64.StdEncoding.DecodeString(words[1])
	// RFC 4253 §6.6: the key begins with its type as a counted string.
	if n := len(words[0]); err != nil || len(blob) < 4+n || string(blob[:4]) != string([]byte{0, 0, 0, byte(n)}) || string(blob[4:4+n]) != words[0] {
		return "", nil, "holds a key that does not decode"
	}
	return words[0], blob, ""
}

func (s *OnlineSSH) validate(d *Diagnostics, o *OnlineCA) {
	enabled := func(p *Provisioner) bool {
		all := p.Claims.Over(o.Claims.Over(StepCAClaims()))
		return *all.EnableSSHCA
	}
	if s == nil {
		for _, p := range o.Provisioners {
			if p.Kind == "sshpop" {
				d.Report(o.Origin, "provisioners", "SSH provisioner without SSH", "%s takes SSH certificates, and the online CA has no SSH keys to check them with. Add an ssh block, or take it off the list.", p.Address)
			} else if enabled(p) {
				d.Report(o.Origin, "provisioners", "SSH provisioner without SSH", "%s has enable_ssh_ca, and the online CA has no SSH keys to sign with. Add an ssh block, or remove the claim.", p.Address)
			}
		}
		return
	}
	if s.Host == nil && s.User == nil {
		d.Report(s.Origin, "", "SSH without an authority", "Nothing says what signs. Add host = ssh_authority.NAME or user = ssh_authority.NAME.")
	}
	for _, one := range []struct {
		word, key, kind string
		authority       *SSHAuthority
	}{{"host", s.HostKey, "host", s.Host}, {"user", s.UserKey, "user", s.User}} {
		switch {
		case one.authority == nil && one.key != "":
			d.Report(s.Origin, one.word+"_key", "SSH key without an authority", "Nothing says what its public key is. Add %s = ssh_authority.NAME.", one.word)
		case one.authority == nil:
		case one.authority.Type != one.kind:
			d.Report(s.Origin, one.word, "SSH authority of the other type", "%s signs for a %s. Name one of type %q.", one.authority.Address, one.authority.Type, one.kind)
		case one.authority.Key == nil && one.key == "":
			d.Report(s.Origin, one.word, "Signing key not said", "The key of %s lives elsewhere. Say how step-ca reaches it with %s_key.", one.authority.Address, one.word)
		}
	}
	if len(o.Provisioners) > 0 && !slices.ContainsFunc(o.Provisioners, enabled) {
		d.Report(s.Origin, "", "SSH that no provisioner may use", "step-ca signs for SSH where enable_ssh_ca is true only. Add claims { enable_ssh_ca = true } to the online CA, or to a provisioner.")
	}
	for _, t := range s.AlsoTrusted {
		if slices.Contains(s.Signers(), t) {
			d.Report(s.Origin, "also_trusted", "SSH authority named twice", "%s signs here, and is trusted by itself. Name older and newer keys only.", t.Address)
		}
	}
}
