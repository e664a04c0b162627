package lint

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// longestWithoutList is how long a leaf may live that nobody can revoke: the
// month that the production guide gives to hosts.
const longestWithoutList = 31 * 24 * time.Hour

// serviceRules are about what a step-ca serves and to whom.
func serviceRules() []Rule {
	return []Rule{{
		ID: "e_caj_chain_does_not_build", Severity: Error, Object: ObjectStepCA,
		Title:     "root, crt and key belong together",
		Harm:      "old and new intermediate swapped: step-ca starts, and every client refuses what it issues",
		Citation:  "RFC 5280 §6.1; step-ca configuration, root, crt, key",
		Effective: stepCA,
		Advice:    "put the issuing certificate first into crt, with what lies between it and root after it, and the key that it certifies into key",
		applies:   func(o *object) bool { return hasConfig(o) && o.tree.issuing != nil },
		check:     checkTreeChain,
	}, {
		ID: "e_caj_issuer_expired", Severity: Error, Object: ObjectStepCA,
		Title:     "the certificate that signs is valid",
		Harm:      "step-ca starts with an intermediate that has ended (its issue 670) and issues dead leaves",
		Citation:  "RFC 5280 §6.1.3 (a)(2)",
		Effective: stepCA,
		Advice:    "renew the issuing certificate; step-ca starts with an old one, and no client takes what it signs",
		applies:   func(o *object) bool { return hasConfig(o) && o.tree.issuing != nil && !o.now.IsZero() },
		check: func(o *object) []string {
			if c := o.tree.issuing; o.now.After(c.NotAfter) || o.now.Before(c.NotBefore) {
				return []string{fmt.Sprintf("%q is valid from %s until %s, and it is %s", c.Subject, date(c.NotBefore), date(c.NotAfter), date(o.now))}
			}
			return nil
		},
	}, {
		ID: "e_caj_fingerprint_not_of_root", Severity: Error, Object: ObjectStepCA,
		Title:     "clients are given the fingerprint of the root that is served",
		Harm:      "machines that bootstrap with it trust nobody, or somebody else",
		Citation:  "step-ca configuration, defaults.json; RFC 5280 §6.1.1 (d)",
		Effective: stepCA,
		Advice:    "write the SHA-256 of the root's DER into fingerprint of defaults.json",
		applies:   func(o *object) bool { return hasConfig(o) && o.tree.fingerprint != "" && len(o.tree.roots) > 0 },
		check:     checkFingerprint,
	}, {
		ID: "e_caj_crl_not_served", Severity: Error, Object: ObjectStepCA,
		Title:     "a list that is made can be fetched",
		Harm:      "a distribution point in every certificate, and a 404 behind it",
		Citation:  "step-ca production guide, enable CRL for leaf certificates; step-ca configuration, crl",
		Effective: stepCA,
		Advice:    "set insecureAddress, crl.idpURL and db, or switch crl off",
		applies:   func(o *object) bool { return hasConfig(o) && o.tree.config.CRL.Enabled },
		check:     checkListServed,
	}, {
		ID: "e_caj_idp_url_not_in_certs", Severity: Error, Object: ObjectStepCA,
		Title:     "leaves look for the list where the list says that it is",
		Harm:      "clients that compare both refuse the list as one for other certificates",
		Citation:  "RFC 5280 §5.2.5, §6.3.3 (b)(2)(i)",
		Effective: stepCA,
		Advice:    "write one URL into crl.idpURL and into crlDistributionPoints of every template, letter for letter",
		applies:   func(o *object) bool { return hasConfig(o) && o.tree.config.CRL.Enabled },
		check:     checkListURL,
	}}
}

// grantingRules are about what an online CA gives, to whom and for how long.
func grantingRules() []Rule {
	return []Rule{{
		ID: "w_caj_long_claims", Severity: Warn, Object: ObjectStepCA,
		Title:     "leaves are short-lived, or can be revoked, and end before their issuer",
		Harm:      "stolen keys that work for a year, because nothing can revoke them",
		Citation:  "step-ca production guide, use short-lived certificates; RFC 5280 §6.1.3 (a)(2)",
		Effective: stepCA,
		Advice:    "lower maxTLSCertDuration or enable crl; renew the issuing certificate before a leaf can outlive it",
		applies:   hasConfig,
		check:     checkLongClaims,
	}, {
		ID: "e_caj_provisioner_unbounded", Severity: Error, Object: ObjectStepCA,
		Title:     "a provisioner that trusts a public service says whom of its users it means",
		Harm:      "any Google account, or any instance of anybody's cloud, got a certificate",
		Citation:  "step-ca configuration, OIDC, AWS, GCP; step-ca policies",
		Effective: stepCA,
		Advice:    "list domains or groups (OIDC), accounts (AWS), projectIDs, serviceAccounts or organizationID (GCP), or set authority.policy",
		applies:   func(o *object) bool { return hasConfig(o) && !o.tree.hasPolicy() },
		check:     checkBounds,
	}, {
		ID: "e_caj_ssh_template_any_principal", Severity: Error, Object: ObjectStepCA,
		Title:     "no requester chooses the principals of an SSH certificate freely",
		Harm:      "any user asks for root, and logs in everywhere",
		Citation:  "step-ca templates, SSH templates; OpenSSH PROTOCOL.certkeys, valid principals",
		Effective: stepCA,
		Advice:    "use .Principals, which the provisioner has checked, or compare with a list first",
		applies:   hasTemplate,
		check: eachTemplate(func(t stepTemplate) []string {
			for _, u := range t.uses {
				if t.ssh && u.written && !u.guarded && u.under("Insecure", "CR", "Principals") {
					return []string{"the principals are those that the requester asks for: " + u.text}
				}
			}
			return nil
		}),
	}, {
		ID: "w_caj_allow_renewal_after_expiry", Severity: Warn, Object: ObjectStepCA,
		Title:     "what has ended is not renewed",
		Harm:      "an old key out of a backup becomes a new certificate",
		Citation:  "step-ca configuration, claims, allowRenewalAfterExpiry",
		Effective: stepCA,
		Advice:    "drop the claim: with it, whoever finds an old key gets a new certificate for it",
		applies:   hasConfig,
		check:     checkLateRenewal,
	}, {
		ID: "w_caj_tls_min_version", Severity: Warn, Object: ObjectStepCA,
		Title:     "clients are spoken to in TLS 1.2 or later, without renegotiation",
		Harm:      "scanners report it, and clients of 2008 are the only ones that need it",
		Citation:  "NIST SP 800-52 rev. 2 §3.1; RFC 8996; step-ca configuration, tls",
		Effective: stepCA,
		Advice:    "set tls.minVersion to 1.2 or 1.3, a number without quotation marks, and drop renegotiation",
		applies:   hasConfig,
		check:     checkTLS,
	}, {
		ID: "e_caj_dnsnames_missing_address", Severity: Error, Object: ObjectStepCA,
		Title:     "the name by which clients call is one of dnsNames",
		Harm:      "step ca bootstrap fails with a TLS error on every new machine",
		Citation:  "step-ca configuration, dnsNames, defaults.json",
		Effective: stepCA,
		Advice:    "add the host of ca-url to dnsNames: its certificate and its tokens are made for those names only",
		applies:   func(o *object) bool { return hasConfig(o) && o.tree.clientURL != "" && !o.tree.malformed },
		check:     checkNames,
	}, {
		ID: "w_caj_db_volatile", Severity: Warn, Object: ObjectStepCA,
		Title:     "revocations and used tokens outlive a restart",
		Harm:      "revocations that were gone after a restart; ACME that was switched off without a database",
		Citation:  "step-ca configuration, db; step-ca production guide, high availability",
		Effective: stepCA,
		Advice:    "set db to a folder that is kept and backed up, or to PostgreSQL or MySQL",
		// An authority that only passes requests on has nothing to keep.
		applies: func(o *object) bool { return hasConfig(o) && o.tree.config.Crt != "" },
		check:   checkDatabase,
	}}
}

// hasPolicy says whether the authority's policy allows or denies anything for
// X.509.
func (t *stepTree) hasPolicy() bool {
	var policy struct {
		X509 *struct {
			Allow map[string]json.RawMessage `json:"allow"`
		} `json:"x509"`
	}
	return json.Unmarshal(t.config.Authority.Policy, &policy) == nil && policy.X509 != nil && len(policy.X509.Allow) > 0
}

// checkTreeChain builds the chain at the moment when all of it is young, so
// that a certificate that has ended is another rule's business.
func checkTreeChain(o *object) []string {
	t := o.tree
	var details []string
	if i := slices.IndexFunc(t.keys, func(k stepKey) bool { return sameFile(t.config.Key, k.path) }); i >= 0 {
		if spki := t.keys[i].spki; spki != nil && !bytes.Equal(spki, t.issuing.RawSubjectPublicKeyInfo) {
			details = append(details, fmt.Sprintf("%s is not the key of %q", t.keys[i].path, t.issuing.Subject))
		}
	}
	anchors := t.anchors()
	if len(anchors) == 0 {
		return details
	}
	if fault := t.chainFault(anchors); fault != "" {
		details = append(details, fmt.Sprintf("%q, the first certificate of crt, does not lead to root: %s", t.issuing.Subject, fault))
	}
	return details
}

// chainFault says why the chain does not lead to one of the anchors, "" when it
// does.
func (t *stepTree) chainFault(anchors []*x509.Certificate) string {
	if t.memory == nil {
		return t.verifyChain(anchors)
	}
	parts := [][]byte{t.issuing.Raw}
	for _, c := range t.chain {
		parts = append(parts, c.Raw)
	}
	parts = append(parts, nil)
	for _, c := range anchors {
		parts = append(parts, c.Raw)
	}
	return recall(&t.memory.chains, parts, func() string { return t.verifyChain(anchors) })
}

func (t *stepTree) verifyChain(anchors []*x509.Certificate) string {
	roots, between, at := x509.NewCertPool(), x509.NewCertPool(), t.issuing.NotBefore
	for _, root := range anchors {
		roots.AddCert(root)
		if root.NotBefore.After(at) {
			at = root.NotBefore
		}
	}
	for _, c := range t.chain[1:] {
		between.AddCert(c)
	}
	_, err := t.issuing.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return err.Error()
	}
	return ""
}

// anchors is the certificates in the files that root names.
func (t *stepTree) anchors() []*x509.Certificate {
	var all []*x509.Certificate
	for _, f := range t.files {
		if slices.ContainsFunc(t.config.Root, func(name string) bool { return sameFile(name, f.Path) }) {
			all = append(all, certificatesOf(f.Data)...)
		}
	}
	return all
}

// checkFingerprint compares with every root of the tree.
func checkFingerprint(o *object) []string {
	want := strings.ToLower(strings.ReplaceAll(o.tree.fingerprint, ":", ""))
	var have []string
	for _, root := range o.tree.roots {
		sum := sha256.Sum256(root.Raw)
		have = append(have, hex.EncodeToString(sum[:]))
	}
	if slices.Contains(have, want) {
		return nil
	}
	return []string{fmt.Sprintf("defaults.json has the fingerprint %s, and the root's is %s", want, strings.Join(have, " or "))}
}

// checkListServed looks for what a list needs to reach its readers.
func checkListServed(o *object) []string {
	c := o.tree.config
	var details []string
	if c.Insecure == "" {
		details = append(details, "crl is enabled, and insecureAddress is not set: the list is served through TLS only, whose certificate has to be checked first")
	}
	if c.CRL.IDPURL == "" {
		details = append(details, "crl is enabled, and crl.idpURL is not set: the list names an https URL without a port")
	}
	if c.DB == nil {
		details = append(details, "crl is enabled, and db is not set: step-ca does not start")
	}
	return details
}

// checkListURL compares what the templates give with the list's own URL. A
// template without a distribution point asks for no list.
func checkListURL(o *object) []string {
	want := o.tree.config.CRL.IDPURL
	var details []string
	for _, template := range o.tree.templates {
		for _, rendered := range template.rendered {
			points := rendered.texts("crlDistributionPoints")
			if len(points) > 0 && want != "" && !slices.Contains(points, want) {
				details = append(details, fmt.Sprintf("%s: certificates look for the list at %s, and crl.idpURL is %q", template.where, quoteAll(points), want))
				break
			}
		}
	}
	return details
}

// checkLongClaims looks at the longest life of a leaf.
func checkLongClaims(o *object) []string {
	t := o.tree
	family := claimFamilies()[0]
	authority, _ := family.merge(t.config.Authority.Claims, "authority")
	lives := []struct {
		where string
		life  time.Duration
		set   bool
	}{{"authority", authority.longest, authority.touchedBy(t.config.Authority.Claims)}}
	for i, p := range t.config.Authority.Provisioners {
		own, _ := authority.merge(p.Claims, p.where(i))
		lives = append(lives, struct {
			where string
			life  time.Duration
			set   bool
		}{p.where(i), own.longest, authority.touchedBy(p.Claims)})
	}
	var details []string
	for _, l := range lives {
		if l.set && l.life > longestWithoutList && !t.config.CRL.Enabled {
			details = append(details, fmt.Sprintf("%s: leaves may live for %s, and crl is off", l.where, l.life))
		}
		if t.issuing == nil || o.now.IsZero() || !l.set && l.where != "authority" {
			continue
		}
		if left := t.issuing.NotAfter.Sub(o.now); left > 0 && l.life > left {
			details = append(details, fmt.Sprintf("%s: leaves may live for %s, and the issuing certificate ends in %s", l.where, l.life, left.Round(time.Hour)))
		}
	}
	return details
}

// checkBounds looks for provisioners that take anybody.
func checkBounds(o *object) []string {
	var details []string
	for i, p := range o.tree.config.Authority.Provisioners {
		open := ""
		switch strings.ToUpper(p.Type) {
		case "OIDC":
			if len(p.Domains)+len(p.Groups) == 0 && p.TenantID == "" {
				open = "every account of the identity provider"
			}
		case "AWS":
			if len(p.Accounts) == 0 {
				open = "every instance of every AWS account"
			}
		case "GCP":
			if len(p.ProjectIDs)+len(p.ServiceAccounts) == 0 && p.OrganizationID == "" {
				open = "every instance of every Google Cloud project"
			}
		}
		if open != "" {
			details = append(details, fmt.Sprintf("%s takes %s", p.where(i), open))
		}
	}
	return details
}

// checkLateRenewal looks for the claim at the authority and at provisioners.
func checkLateRenewal(o *object) []string {
	on := func(claims stepClaims) bool { return string(claims.lookup("allowRenewalAfterExpiry")) == "true" }
	var details []string
	if on(o.tree.config.Authority.Claims) {
		details = append(details, "authority: allowRenewalAfterExpiry is on")
	}
	for i, p := range o.tree.config.Authority.Provisioners {
		if on(p.Claims) {
			details = append(details, p.where(i)+": allowRenewalAfterExpiry is on")
		}
	}
	return details
}

// checkTLS looks at the versions. step-ca takes 1.2 where none is set.
func checkTLS(o *object) []string {
	tls := o.tree.config.TLS
	var details []string
	if tls.MinVersion != "" {
		if version, err := strconv.ParseFloat(string(tls.MinVersion), 64); err != nil || version != 1.2 && version != 1.3 {
			details = append(details, fmt.Sprintf("tls.minVersion is %s", tls.MinVersion))
		}
	}
	if tls.Renegotiation {
		details = append(details, "tls.renegotiation is on")
	}
	return details
}

// checkNames looks for the host of ca-url.
func checkNames(o *object) []string {
	names := o.tree.config.DNSNames
	if names == nil {
		names = []string{"localhost", "127.0.0.1", "::1"} // what step-ca takes then
	}
	u, err := url.Parse(o.tree.clientURL)
	if err != nil || u.Hostname() == "" {
		return []string{fmt.Sprintf("ca-url %q names no host", o.tree.clientURL)}
	}
	if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, u.Hostname()) }) {
		return []string{fmt.Sprintf("clients call %q, and dnsNames has %s", u.Hostname(), quoteAll(names))}
	}
	return nil
}

// checkDatabase looks for a database that a restart would empty.
func checkDatabase(o *object) []string {
	db := o.tree.config.DB
	if db == nil {
		return []string{"db is not set: revocations and used tokens are kept in memory"}
	}
	kind := strings.ToLower(db.Type)
	local := strings.HasPrefix(kind, "badger") || kind == "bbolt"
	switch {
	case local && db.DataSource == "":
		return []string{fmt.Sprintf("db is %s without dataSource", db.Type)}
	case local && slices.ContainsFunc([]string{"/tmp/", "/run/", "/dev/shm/", "/var/run/"}, func(dir string) bool { return strings.HasPrefix(db.DataSource+"/", dir) }):
		return []string{fmt.Sprintf("db lies in %s, which a restart empties", db.DataSource)}
	}
	return nil
}
