package lint

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// exposedRules are about what step-ca shows to everybody, and whose word it
// takes.
func exposedRules() []Rule {
	return []Rule{{
		ID: "e_caj_ssh_key_shared", Severity: Error, Object: ObjectStepCA,
		Title:     "the SSH authorities for hosts and for users and the X.509 authority have a key each",
		Harm:      "whoever may certify a host certifies users too: every server that trusts the one trusts the other",
		Citation:  "NIST SP 800-57 part 1 rev. 5 §5.2; step-ca configuration, ssh",
		Effective: stepCA,
		Advice:    "make a key for each of key, ssh.hostKey and ssh.userKey",
		applies:   hasConfig,
		check:     checkSharedKeys,
	}, {
		ID: "n_caj_client_secret_public", Severity: Notice, Object: ObjectStepCA,
		Title:     "an OIDC client secret in ca.json is no secret",
		Harm:      "step-ca hands it to whoever asks for /provisioners: a confidential client's secret was read there",
		Citation:  "step-ca production guide, exposing step-ca to the internet; RFC 8252 §8.5",
		Effective: stepCA,
		Advice:    "register the client as a native application, whose secret is known to everybody, and use it for nothing else",
		applies:   hasConfig,
		check: func(o *object) []string {
			var details []string
			for i, p := range o.tree.config.Authority.Provisioners {
				if strings.EqualFold(p.Type, "OIDC") && p.ClientSecret != "" {
					details = append(details, p.where(i)+" has a clientSecret")
				}
			}
			return details
		},
	}, {
		ID: "n_caj_metrics_public", Severity: Notice, Object: ObjectStepCA,
		Title:     "metrics are for those who watch the service",
		Harm:      "who is certified by whom, and how often, in clear text and without a login",
		Citation:  "step-ca configuration, metricsAddress",
		Effective: stepCA,
		Advice:    "listen on 127.0.0.1 or on the address of the monitoring network",
		applies:   func(o *object) bool { return hasConfig(o) && o.tree.config.Metrics != "" },
		check: func(o *object) []string {
			host, _, err := net.SplitHostPort(o.tree.config.Metrics)
			address, _ := netip.ParseAddr(host)
			if err != nil || host != "" && !address.IsUnspecified() {
				return nil
			}
			return []string{fmt.Sprintf("metricsAddress is %q: every interface", o.tree.config.Metrics)}
		},
	}, {
		ID: "w_caj_attestation_of_anybody", Severity: Warn, Object: ObjectStepCA,
		Title:     "devices that attest are one's own",
		Harm:      "any Mac and any YubiKey that was ever sold attests as well, and gets a certificate",
		Citation:  "step-ca production guide, proxying an ACME provisioner; step-ca configuration, ACME, attestationRoots",
		Effective: stepCA,
		Advice:    "set a policy or an AUTHORIZING webhook that knows the devices, or attestationRoots of your own",
		applies:   func(o *object) bool { return hasConfig(o) && !o.tree.hasPolicy() },
		check: func(o *object) []string {
			var details []string
			for i, p := range o.tree.config.Authority.Provisioners {
				attests := slices.ContainsFunc(p.Challenges, func(c string) bool { return strings.EqualFold(c, "device-attest-01") })
				if strings.EqualFold(p.Type, "ACME") && attests && p.AttestationRoots == "" && !p.hasWebhook("AUTHORIZING") {
					details = append(details, p.where(i)+" offers device-attest-01 without attestationRoots: step-ca takes Apple's and Yubico's")
				}
			}
			return details
		},
	}}
}

// checkSharedKeys compares the keys by their names in ca.json, and where they
// lie open also by what they are.
func checkSharedKeys(o *object) []string {
	c := o.tree.config
	keys := []struct{ name, path string }{{"key", c.Key}, {"ssh.hostKey", c.SSH.HostKey}, {"ssh.userKey", c.SSH.UserKey}}
	var details []string
	for i, a := range keys {
		for _, b := range keys[i+1:] {
			x, y := o.tree.openKey(a.path), o.tree.openKey(b.path)
			if a.path != "" && a.path == b.path || x != nil && bytes.Equal(x, y) {
				details = append(details, fmt.Sprintf("%s and %s are one key", a.name, b.name))
			}
		}
	}
	return details
}

// openKey is the public part of a key of the tree that needs no password; nil
// when there is none.
func (t *stepTree) openKey(name string) []byte {
	i := slices.IndexFunc(t.keys, func(k stepKey) bool { return sameFile(name, k.path) })
	if i < 0 {
		return nil
	}
	return t.keys[i].spki
}
