package lint

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// looseRules are about what step-ca does as it is told, and nobody wants.
func looseRules() []Rule {
	return []Rule{{
		ID: "w_caj_renewal_disabled", Severity: Warn, Object: ObjectStepCA,
		Title:     "machines may renew their certificates",
		Harm:      "every service stops when its first certificate ends: step ca renew and the cert-renewer units get 401",
		Citation:  "step-ca configuration, claims, disableRenewal",
		Effective: stepCA,
		Advice:    "drop disableRenewal; set it at a provisioner for people (OIDC) or for cloud instances, where nothing renews",
		applies:   hasConfig,
		check:     checkRenewalDisabled,
	}, {
		ID: "w_caj_configuration_elsewhere", Severity: Warn, Object: ObjectStepCA,
		Title:     "what ca.json says is what step-ca does",
		Harm:      "provisioners that were removed from ca.json, reviewed and deployed went on issuing out of the database",
		Citation:  "step-ca configuration, authority.enableAdmin; step-ca provisioners, remote provisioner management",
		Effective: stepCA,
		Advice:    "drop enableAdmin and keep provisioners in ca.json; otherwise back the database up, and review with step ca provisioner list",
		applies:   hasConfig,
		check: func(o *object) []string {
			var details []string
			a := o.tree.config.Authority
			if a.EnableAdmin {
				details = append(details, "authority.enableAdmin: from the second start on, provisioners come from the database")
			}
			if a.DeploymentType != "" && !strings.EqualFold(a.DeploymentType, "standalone") {
				details = append(details, fmt.Sprintf("authority.deploymentType is %q: the configuration comes from elsewhere", a.DeploymentType))
			}
			return details
		},
	}, {
		ID: "e_caj_keys_fetched_in_clear", Severity: Error, Object: ObjectStepCA,
		Title:     "the keys that prove a login are fetched by https",
		Harm:      "whoever sits on the network answers with a key of his own, and is everybody",
		Citation:  "OpenID Connect Discovery 1.0 §4; step-ca configuration, OIDC, configurationEndpoint",
		Effective: stepCA,
		Advice:    "write the configurationEndpoint as https",
		applies:   hasConfig,
		check: func(o *object) []string {
			var details []string
			for i, p := range o.tree.config.Authority.Provisioners {
				u, err := url.Parse(p.ConfigurationEndpoint)
				if err == nil && strings.EqualFold(u.Scheme, "http") && !onThisHost(u.Hostname()) {
					details = append(details, fmt.Sprintf("%s: configurationEndpoint is %q", p.where(i), p.ConfigurationEndpoint))
				}
			}
			return details
		},
	}}
}

// openRules are about what step-ca lets anybody have.
func openRules() []Rule {
	return []Rule{{
		ID: "w_caj_instances_choose_names", Severity: Warn, Object: ObjectStepCA,
		Title:     "a cloud's instance gets its own names only, and once",
		Harm:      "any instance asks for the name of the database server",
		Citation:  "step-ca configuration, AWS, GCP, Azure: disableCustomSANs, disableTrustOnFirstUse",
		Effective: stepCA,
		Advice:    "set disableCustomSANs to true, and leave disableTrustOnFirstUse out",
		applies:   hasConfig,
		check:     checkInstances,
	}, {
		ID: "w_caj_database_in_clear", Severity: Warn, Object: ObjectStepCA,
		Title:     "the database is spoken to in TLS, with its server's certificate verified",
		Harm:      "whoever sits between step-ca and its database takes revocations out",
		Citation:  "PostgreSQL libpq, sslmode; go-sql-driver/mysql, tls",
		Effective: stepCA,
		Advice:    "set sslmode=verify-full for PostgreSQL, tls=true for MySQL; a socket on the same host needs neither",
		applies:   func(o *object) bool { return hasConfig(o) && o.tree.config.DB != nil },
		check:     checkDatabaseTLS,
	}, {
		ID: "e_caj_policy_invalid", Severity: Error, Object: ObjectStepCA,
		Title:     "every name of a policy is one that step-ca reads",
		Harm:      "step-ca does not start after the policy was changed",
		Citation:  "step-ca policies; smallstep/certificates policy, NamePolicyOption",
		Effective: stepCA,
		Advice:    "write host names or *. and a domain, addresses or networks as 10.0.0.0/8, ada@acme.example or @acme.example, and for URIs the host alone",
		applies:   func(o *object) bool { return len(o.tree.config.Authority.Policy) > 0 },
		check:     checkPolicyNames,
	}, {
		ID: "e_caj_scep_open", Severity: Error, Object: ObjectStepCA,
		Title:     "who asks by SCEP proves something",
		Harm:      "anybody who reaches the port gets a certificate of any name",
		Citation:  "RFC 8894 §2.3, §7.3; step-ca configuration, SCEP, challenge",
		Effective: stepCA,
		Advice:    "add a webhook of kind SCEPCHALLENGE that checks one challenge for each device",
		applies:   hasConfig,
		check: func(o *object) []string {
			var details []string
			for i, p := range o.tree.config.Authority.Provisioners {
				if strings.EqualFold(p.Type, "SCEP") && p.Challenge == "" && !p.hasWebhook("SCEPCHALLENGE") {
					details = append(details, p.where(i)+" has neither a challenge nor a webhook that checks one")
				}
			}
			return details
		},
	}, {
		ID: "w_caj_scep_weak", Severity: Warn, Object: ObjectStepCA,
		Title:     "SCEP takes keys of 2048 bits, and answers in AES",
		Harm:      "step-ca answers in DES where nothing is written: certificate and challenge can be read",
		Citation:  "RFC 8894 §3.5.2; NIST SP 800-131A rev. 2 §2; step-ca configuration, SCEP",
		Effective: stepCA,
		Advice:    "set encryptionAlgorithmIdentifier to 2 (AES-256-CBC) and minimumPublicKeyLength to 2048",
		applies:   hasConfig,
		check:     checkSCEP,
	}}
}

// hasWebhook says whether a provisioner has a webhook of the kind.
func (p stepProvisioner) hasWebhook(kind string) bool {
	if p.Options == nil {
		return false
	}
	for _, w := range p.Options.Webhooks {
		if strings.EqualFold(w.Kind, kind) {
			return true
		}
	}
	return false
}

// isOn says whether a claim is set.
func (c stepClaims) isOn(name string) bool { return string(c.lookup(name)) == "true" }

// checkRenewalDisabled looks at the authority, and at the provisioners of
// machines that renew: ACME's clients order anew, people log in again, and an
// instance is replaced.
func checkRenewalDisabled(o *object) []string {
	a := o.tree.config.Authority
	var details []string
	if a.Claims.isOn("disableRenewal") {
		details = append(details, "authority: disableRenewal is on, for every provisioner that does not say otherwise")
	}
	for i, p := range a.Provisioners {
		machines := slices.Contains([]string{"JWK", "X5C", "K8SSA", "NEBULA", "SCEP"}, strings.ToUpper(p.Type))
		if machines && p.Claims.isOn("disableRenewal") {
			details = append(details, p.where(i)+": disableRenewal is on")
		}
	}
	return details
}

// checkInstances looks at the provisioners of clouds.
func checkInstances(o *object) []string {
	var details []string
	for i, p := range o.tree.config.Authority.Provisioners {
		switch strings.ToUpper(p.Type) {
		case "AWS", "GCP", "AZURE":
			if !p.DisableCustomSANs {
				details = append(details, p.where(i)+": disableCustomSANs is off")
			}
			if p.DisableTrustOnFirstUse {
				details = append(details, p.where(i)+": disableTrustOnFirstUse is on: one instance document gives any number of certificates")
			}
		}
	}
	return details
}

// checkDatabaseTLS looks at the address of a database on another host.
func checkDatabaseTLS(o *object) []string {
	db := o.tree.config.DB
	lower := strings.ToLower(db.DataSource)
	switch strings.ToLower(db.Type) {
	case "postgresql":
		for _, mode := range []string{"disable", "allow", "prefer"} {
			if strings.Contains(lower, "sslmode="+mode) {
				return []string{fmt.Sprintf("db.dataSource has sslmode=%s", mode)}
			}
		}
	case "mysql":
		remote := strings.Contains(lower, "@tcp(") && !strings.Contains(lower, "@tcp(127.") && !strings.Contains(lower, "@tcp(localhost")
		if remote && !strings.Contains(lower, "tls=") {
			return []string{"db.dataSource reaches MySQL over TCP without tls="}
		}
		if strings.Contains(lower, "tls=skip-verify") || strings.Contains(lower, "tls=preferred") {
			return []string{"db.dataSource takes any certificate of MySQL"}
		}
	}
	return nil
}

// checkSCEP looks at key lengths and at the cipher of the answer, which step-ca
// counts from DES-CBC (0) on.
func checkSCEP(o *object) []string {
	const leastBits = 2048
	var details []string
	for i, p := range o.tree.config.Authority.Provisioners {
		if !strings.EqualFold(p.Type, "SCEP") {
			continue
		}
		if p.EncryptionAlgorithm == 0 {
			details = append(details, p.where(i)+": answers are encrypted with DES")
		}
		if p.MinimumPublicKeyLength > 0 && p.MinimumPublicKeyLength < leastBits {
			details = append(details, fmt.Sprintf("%s: minimumPublicKeyLength is %d", p.where(i), p.MinimumPublicKeyLength))
		}
	}
	return details
}

// onThisHost says whether a host name never leaves the machine (RFC 6761 §6.3,
// RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
func onThisHost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}
