package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// hasConfig applies to a tree with a ca.json.
func hasConfig(o *object) bool { return o.tree.configPath != "" }

// stepCARules are about the tree that a step-ca is started in. step-ca itself
// starts with each of these faults except the order of the authority's own
// claims.
func stepCARules() []Rule {
	return []Rule{{
		ID: "e_caj_root_key_on_issuing_host", Severity: Error, Object: ObjectStepCA,
		Title:     "the root's private key is not where the issuing authority runs",
		Harm:      "step ca init leaves root_ca_key beside the intermediate's: one break-in takes both",
		Citation:  "step-ca production guide, safeguard your root and intermediate keys",
		Effective: stepCA,
		Advice:    "take the key offline, wipe it here, and treat it as exposed if the host ever had a network",
		applies:   always,
		check:     checkRootKey,
	}, {
		ID: "e_caj_password_inline", Severity: Error, Object: ObjectStepCA,
		Title:     "ca.json holds no password and no PIN",
		Harm:      "ca.json is world-readable, in Git and in every backup",
		Citation:  "step-ca production guide, use strong passwords and store them well",
		Effective: stepCA,
		Advice:    "hand it over in a file: --password-file, or pin-source in the PKCS #11 URI; then change the secret",
		applies:   hasConfig,
		check:     checkInlinePassword,
	}, {
		ID: "e_caj_claims_order", Severity: Error, Object: ObjectStepCA,
		Title:     "the shortest lifetime is at most the default one, and that at most the longest",
		Harm:      "step-ca does not start, or drops the provisioner with one line in the log",
		Citation:  "step-ca configuration, claims",
		Effective: stepCA,
		Advice:    "correct the claims; what is not set comes from the authority, and then from step-ca (5m, 24h, 24h)",
		applies:   hasConfig,
		check:     checkClaims,
	}, {
		ID: "e_caj_jwk_private_key", Severity: Error, Object: ObjectStepCA,
		Title:     "a JWK provisioner's key is the public key alone",
		Harm:      "/provisioners serves it to the world: anybody signs tokens",
		Citation:  "RFC 7517 §9.2; step-ca configuration, JWK",
		Effective: stepCA,
		Advice:    "make a new key, put only its public part into key, and the encrypted private part into encryptedKey",
		applies:   hasConfig,
		check:     checkPrivateJWK,
	}, {
		ID: "e_caj_unknown_provisioner_type", Severity: Error, Object: ObjectStepCA,
		Title:     "step-ca knows every provisioner's type",
		Harm:      "the provisioner is gone, and the first who needs it finds out",
		Citation:  "step-ca configuration, provisioners",
		Effective: stepCA,
		Advice:    "use one of " + strings.Join(provisionerTypes(), ", "),
		applies:   hasConfig,
		check:     checkProvisionerTypes,
	}}
}

// provisionerTypes is the types that step-ca v0.30 takes, in any case.
func provisionerTypes() []string {
	return []string{"JWK", "OIDC", "AWS", "GCP", "Azure", "ACME", "X5C", "K8sSA", "SSHPOP", "SCEP", "Nebula"}
}

// checkProvisionerTypes looks for types that step-ca does not know.
func checkProvisionerTypes(o *object) []string {
	var details []string
	for i, p := range o.tree.config.Authority.Provisioners {
		known := func(name string) bool { return strings.EqualFold(name, p.Type) }
		if !slices.ContainsFunc(provisionerTypes(), known) {
			details = append(details, fmt.Sprintf("%s has type %q: step-ca drops it without a word", p.where(i), p.Type))
		}
	}
	return details
}

// checkRootKey looks for a root's key as a file, as the signing key, and by
// name where an encrypted key or a key in hardware cannot be compared.
func checkRootKey(o *object) []string {
	t := o.tree
	var details []string
	for _, key := range t.keys {
		switch named := namesRoot(path.Base(key.path)); {
		case key.spki == nil && named:
			details = append(details, fmt.Sprintf("%s is a private key that cannot be read and is named after a root", key.path))
		case key.spki != nil && t.isRootKey(key.spki):
			details = append(details, fmt.Sprintf("%s is the private key of a root", key.path))
		case key.spki != nil && named && len(t.roots) == 0:
			details = append(details, fmt.Sprintf("%s is a private key named after a root, and the tree has no root certificate to compare", key.path))
		}
	}
	if t.issuing != nil && t.isRootKey(t.issuing.RawSubjectPublicKeyInfo) {
		details = append(details, fmt.Sprintf("crt is the root %q itself, so its key signs online", t.issuing.Subject))
	}
	inTree := slices.ContainsFunc(t.keys, func(k stepKey) bool { return sameFile(t.config.Key, k.path) })
	if !inTree && namesRoot(path.Base(t.config.Key)) {
		details = append(details, "key in ca.json is named after a root")
	}
	return details
}

// namesRoot says whether a name speaks of a root.
func namesRoot(name string) bool { return strings.Contains(strings.ToLower(name), "root") }

// isRootKey says whether spki is the key of one of the tree's roots.
func (t *stepTree) isRootKey(spki []byte) bool {
	for _, root := range t.roots {
		if bytes.Equal(root.RawSubjectPublicKeyInfo, spki) {
			return true
		}
	}
	return false
}

// checkInlinePassword names the places of secrets, never the secrets.
func checkInlinePassword(o *object) []string {
	c := o.tree.config
	var details []string
	report := func(found bool, place string) {
		if found {
			details = append(details, fmt.Sprintf("%s holds a secret in %s", o.tree.configPath, place))
		}
	}
	pin := func(uri string) bool { return strings.Contains(strings.ToLower(uri), "pin-value=") }
	report(c.Password != "", "password")
	report(c.DB != nil && hasSecretInDataSource(c.DB.DataSource), "db.dataSource")
	report(c.KMS.PIN != "", "kms.pin")
	report(pin(c.KMS.URI), "kms.uri (pin-value)")
	report(pin(c.Key), "key (pin-value)")
	report(pin(c.SSH.HostKey), "ssh.hostKey (pin-value)")
	report(pin(c.SSH.UserKey), "ssh.userKey (pin-value)")
	report(c.Authority.CertificateIssuer.Password != "", "authority.certificateIssuer.password")
	for i, p := range c.Authority.Provisioners {
		report(p.DecrypterKeyPassword != "", p.where(i)+", decrypterKeyPassword")
		report(p.Challenge != "", p.where(i)+", challenge")
		report(len(p.EncryptedKey) > 2 && !isJWE(p.EncryptedKey), p.where(i)+", encryptedKey (no JWE)")
	}
	return details
}

// checkPrivateJWK looks for the private members of a JWK (RFC 7518 §6): d of
// elliptic curve, RSA and Ed25519 keys, k of symmetric ones. step-ca shows the
// whole provisioner to anybody who asks.
func checkPrivateJWK(o *object) []string {
	var details []string
	for i, p := range o.tree.config.Authority.Provisioners {
		var members map[string]json.RawMessage
		if len(p.Key) == 0 || json.Unmarshal(p.Key, &members) != nil {
			continue
		}
		for _, private := range []string{"d", "k"} {
			if _, found := members[private]; found {
				details = append(details, fmt.Sprintf("the key of %s has the private member %q, which /provisioners serves to anybody", p.where(i), private))
			}
		}
	}
	return details
}
