package lint

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Lives of SSH certificates that are named: a person logs in anew within a
// quarter, and a host is set up anew within two years.
const (
	longSSHUser = 92 * day
	longSSHHost = 2 * 366 * day
)

// sshLifeRules are about how long an SSH certificate lives, and for whom.
func sshLifeRules() []Rule {
	return []Rule{{
		ID: "w_ssh_lives_long", Severity: Warn, Object: ObjectSSH,
		Title:     "a user's SSH certificate lives for a quarter at most, and a host's for two years",
		Harm:      "nobody distributes lists of revoked SSH keys: whoever has left logs in until the certificate ends",
		Citation:  "step-ca production guide, use short-lived certificates; ssh-keygen(1), -V",
		Effective: openSSH,
		Advice:    "sign for hours or days (ssh-keygen -V, or the claims of step-ca), and renew",
		applies:   func(o *object) bool { return o.ssh.before != sshForever && o.ssh.before > o.ssh.after },
		check: func(o *object) []string {
			longest := longSSHUser
			if o.ssh.kind == sshHost {
				longest = longSSHHost
			}
			if seconds := o.ssh.before - o.ssh.after; seconds > uint64(longest/time.Second) {
				return []string{fmt.Sprintf("valid for %d days", seconds/uint64(day/time.Second))}
			}
			return nil
		},
	}, {
		ID: "e_ssh_weak_key", Severity: Error, Object: ObjectSSH,
		Title:     "RSA keys have 2048 bits, and nothing is DSA",
		Harm:      "servers with RequiredRSASize refuse the key, and whoever factors it logs in until the certificate ends",
		Citation:  "NIST SP 800-131A rev. 2 §3; sshd_config(5), RequiredRSASize; OpenSSH 7.0 release notes, ssh-dss",
		Effective: sp800131a,
		Advice:    "make the key with ssh-keygen -t ed25519, and have it certified",
		applies:   always,
		check:     checkSSHKeys,
	}, {
		ID: "w_ssh_not_yet_valid", Severity: Warn, Object: ObjectSSH,
		Title:     "an SSH certificate has begun",
		Harm:      "a signer whose clock is ahead: every login is refused until the time has come",
		Citation:  "OpenSSH PROTOCOL.certkeys, valid after",
		Effective: openSSH,
		Advice:    "set the signer's clock right, and let the certificate begin some minutes ago (ssh-keygen -V -5m:…)",
		applies:   func(o *object) bool { return !o.now.IsZero() },
		check: func(o *object) []string {
			const last = 1<<63 - 1
			from := o.ssh.after
			if from <= last && time.Unix(int64(from), 0).After(o.now.Add(clockSkew)) {
				return []string{fmt.Sprintf("valid from %s, and it is %s", date(time.Unix(int64(from), 0)), date(o.now))}
			}
			return nil
		},
	}, {
		ID: "w_ssh_principal_matches_nobody", Severity: Warn, Object: ObjectSSH,
		Title:     "a principal is one name, letter for letter",
		Harm:      "OpenSSH compares principals as they are: a pattern or a blank logs nobody in, and somebody then takes the principals away",
		Citation:  "OpenSSH PROTOCOL.certkeys, valid principals; ssh-keygen(1), -n",
		Effective: openSSH,
		Advice:    "list each name, divided by commas, without blanks and patterns",
		applies:   always,
		check: func(o *object) []string {
			var details []string
			for _, name := range o.ssh.principals {
				if name == "" || strings.ContainsAny(name, " \t*?,") {
					details = append(details, fmt.Sprintf("principal %q", name))
				}
			}
			return details
		},
	}}
}

// checkSSHKeys looks at the certified key and at the authority's. The modulus
// stands behind the exponent (RFC 4253 §6.6).
func checkSSHKeys(o *object) []string {
	authority := &sshReader{rest: o.ssh.authority}
	kind := string(authority.text())
	var parts [][]byte
	for kind == "ssh-rsa" && len(authority.rest) > 0 && authority.err == nil {
		parts = append(parts, authority.text())
	}
	var details []string
	for _, key := range []struct {
		whose, algorithm string
		parts            [][]byte
	}{{"certified", o.ssh.algorithm, o.ssh.key}, {"authority's", kind, parts}} {
		switch {
		case key.algorithm == "ssh-dss":
			details = append(details, "the "+key.whose+" key is DSA")
		case key.algorithm == "ssh-rsa" && len(key.parts) > 1:
			if bits := new(big.Int).SetBytes(key.parts[1]).BitLen(); bits < leastRSABits {
				details = append(details, fmt.Sprintf("the %s key is RSA of %d bits", key.whose, bits))
			}
		}
	}
	return details
}

// leastRSABits is the shortest modulus that is still strong enough (NIST SP
// 800-131A rev. 2 §3).
const leastRSABits = 2048
