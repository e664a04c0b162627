package lint

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// sshRules are about OpenSSH certificates.
func sshRules() []Rule {
	return []Rule{{
		ID: "e_ssh_ca_key_shared_with_x509", Severity: Error, Object: ObjectSSH,
		Title:     "an SSH authority has a key of its own, for users or for hosts",
		Harm:      "who may name hosts can then name users",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.2; OpenSSH PROTOCOL.certkeys",
		Effective: sp80057,
		Advice:    "make one key for users, one for hosts and others for X.509: whoever may name hosts could name users",
		applies:   func(o *object) bool { return len(o.ssh.given.OtherKeys) > 0 },
		check: func(o *object) []string {
			spki := sshSPKI(o.ssh.authority)
			var details []string
			for _, other := range o.ssh.given.OtherKeys {
				if spki != nil && bytes.Equal(spki, other.SPKI) {
					details = append(details, fmt.Sprintf("the key that signed is also the key of %s", other.Owner))
				}
			}
			return details
		},
	}, {
		ID: "e_ssh_cert_forever", Severity: Error, Object: ObjectSSH,
		Title:     "an SSH certificate has an end, and none beyond what is allowed",
		Harm:      "ssh-keygen without -V: a certificate that is good for ever",
		Citation:  "OpenSSH PROTOCOL.certkeys, valid before; step-ca production guide, use short-lived certificates",
		Effective: openSSH,
		Advice:    "sign with ssh-keygen -V: without it a certificate is good for ever",
		applies:   always,
		check:     checkSSHLife,
	}, {
		ID: "e_ssh_empty_principals", Severity: Error, Object: ObjectSSH,
		Title:     "an SSH certificate says for which users or hosts it is",
		Harm:      "one certificate that logs in as everybody",
		Citation:  "OpenSSH PROTOCOL.certkeys, valid principals",
		Effective: openSSH,
		Advice:    "sign with ssh-keygen -n: a certificate without principals is good for every one of them",
		applies:   always,
		check: func(o *object) []string {
			if len(o.ssh.principals) == 0 {
				return []string{"there are no principals: the certificate stands for everybody"}
			}
			return nil
		},
	}, {
		ID: "e_ssh_sha1_ca_signature", Severity: Error, Object: ObjectSSH,
		Title:     "the authority's signature is one that OpenSSH still takes",
		Harm:      "OpenSSH 8.2: servers were upgraded, and every certificate was refused",
		Citation:  "OpenSSH 8.2 release notes, CASignatureAlgorithms; NIST SP 800-131A rev. 2 §3",
		Effective: openSSH82,
		Advice:    "sign with ssh-keygen -t rsa-sha2-512, or with a key of Ed25519 or ECDSA",
		applies:   always,
		check: func(o *object) []string {
			if format := o.ssh.signatureFormat; format == "ssh-rsa" || format == "ssh-dss" {
				return []string{fmt.Sprintf("signed with %s, which means SHA-1", format)}
			}
			return nil
		},
	}}
}

// sshSignatureRules are about who signed.
func sshSignatureRules() []Rule {
	return []Rule{{
		ID: "e_ssh_signature_invalid", Severity: Error, Object: ObjectSSH,
		Title:     "the certificate is signed by the authority that it names",
		Harm:      "every server refuses it; somebody may have tried to change it",
		Citation:  "OpenSSH PROTOCOL.certkeys, signature",
		Effective: openSSH,
		Advice:    "sign the certificate again: it was changed after it was signed, or another key signed",
		applies:   always,
		check: func(o *object) []string {
			if good, known := o.ssh.sshVerified(); good || !known {
				return nil
			}
			return []string{fmt.Sprintf("the signature (%s) does not verify under the authority's key in the certificate", o.ssh.signatureFormat)}
		},
	}, {
		ID: "e_ssh_expired", Severity: Error, Object: ObjectSSH,
		Title:     "an SSH certificate has not ended",
		Harm:      "hosts whose certificate had ended ask every user to trust a new key",
		Citation:  "OpenSSH PROTOCOL.certkeys, valid after, valid before",
		Effective: openSSH,
		Advice:    "sign a new one; if it is new, correct the clock",
		applies:   func(o *object) bool { return !o.now.IsZero() },
		check: func(o *object) []string {
			c := o.ssh
			if now := o.now.Unix(); now > 0 && uint64(now) >= c.before {
				return []string{fmt.Sprintf("valid until %s, and it is %s", date(time.Unix(int64(c.before), 0)), date(o.now))}
			}
			return nil
		},
	}}
}

// sshContentRules are about what an SSH certificate lets its holder do.
func sshContentRules() []Rule {
	return []Rule{{
		ID: "w_ssh_user_cert_extensions", Severity: Warn, Object: ObjectSSH,
		Title:     "a user's certificate forwards nothing that gives the server power over the user",
		Harm:      "a server that was broken into uses the agent of whoever logs in",
		Citation:  "OpenSSH PROTOCOL.certkeys, extensions, critical options",
		Effective: openSSH,
		Advice:    "leave permit-agent-forwarding and permit-X11-forwarding out, and give programs a source-address",
		applies:   func(o *object) bool { return o.ssh.kind == sshUser },
		check:     checkSSHExtensions,
	}, {
		ID: "e_ssh_serial_or_keyid_missing", Severity: Error, Object: ObjectSSH,
		Title:     "an SSH certificate can be revoked by its number and found by its name",
		Harm:      "a KRL can then revoke by key only, and logs do not say who it was",
		Citation:  "OpenSSH PROTOCOL.krl; ssh-keygen(1), -z, -I",
		Effective: openSSH,
		Advice:    "sign with ssh-keygen -z and -I: otherwise only the whole key can be revoked",
		applies:   always,
		check: func(o *object) []string {
			var details []string
			if o.ssh.serial == 0 {
				details = append(details, "the serial number is zero, which means that there is none")
			}
			if o.ssh.keyID == "" {
				details = append(details, "the key id is empty")
			}
			return details
		},
	}, {
		ID: "e_ssh_unknown_critical_option", Severity: Error, Object: ObjectSSH,
		Title:     "OpenSSH knows every critical option",
		Harm:      "every server refuses the login",
		Citation:  "OpenSSH PROTOCOL.certkeys, critical options",
		Effective: openSSH,
		Advice:    "remove the option: a server that does not know it refuses the certificate, and hosts have none",
		applies:   always,
		check:     checkSSHCritical,
	}}
}

// checkSSHLife looks at the two dates.
func checkSSHLife(o *object) []string {
	c := o.ssh
	if c.before == sshForever {
		return []string{"valid before is not set: the certificate has no end"}
	}
	if c.before <= c.after {
		return []string{fmt.Sprintf("valid from %d and before %d: never", c.after, c.before)}
	}
	seconds := c.before - c.after
	if limit := c.given.Longest; limit > 0 && seconds > uint64(limit/time.Second) {
		return []string{fmt.Sprintf("valid for %d seconds, and %s is allowed", seconds, limit)}
	}
	return nil
}

// checkSSHExtensions names what hands power to the server.
func checkSSHExtensions(o *object) []string {
	c := o.ssh
	var details []string
	for _, name := range []string{"permit-agent-forwarding", "permit-X11-forwarding"} {
		if slices.Contains(c.extensions, name) {
			details = append(details, "the certificate has "+name)
		}
	}
	if c.given.Automation && !slices.Contains(c.critical, "source-address") {
		details = append(details, "a program uses the certificate, and no source-address says from where")
	}
	return details
}

// checkSSHCritical compares with what OpenSSH knows. Options are for users.
func checkSSHCritical(o *object) []string {
	known := []string{"force-command", "source-address", "verify-required"}
	if o.ssh.kind == sshHost {
		known = nil
	}
	unknown := slices.DeleteFunc(slices.Clone(o.ssh.critical), func(name string) bool { return slices.Contains(known, name) })
	if len(unknown) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("critical option %q", strings.Join(unknown, " "))}
}
