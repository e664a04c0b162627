package spec

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Validate holds the estate against every rule that needs no date, key or
// ledger. Warnings do not stop anything.
func (e *Estate) Validate() Diagnostics {
	var d Diagnostics
	if !slices.Contains(Environments(), e.Environment) {
		d.Report(e.Origin, "environment", "Unknown environment",
			"%q is not an environment. Write \"production\", \"rehearsal\" or \"lab\".", e.Environment)
	}
	e.validateNames(&d)
	for _, s := range e.Secrets {
		s.validate(&d, e.Environment)
	}
	for _, k := range e.KeyStores {
		k.validate(&d, e.Environment)
	}
	e.validateAuthorities(&d)
	for _, a := range e.Authorities {
		a.Key.validateAbility(&d)
	}
	for _, t := range e.Templates {
		if t.Kind != "x509" {
			d.Report(t.Origin, "kind", "Unknown kind of template", "%q is not a kind of template. Write \"x509\".", t.Kind)
		}
	}
	used := map[*Provisioner]bool{}
	for _, o := range e.OnlineCAs {
		for _, p := range o.Provisioners {
			used[p] = true
		}
	}
	for _, p := range e.Provisioners {
		p.validate(&d)
		if !used[p] {
			p.Claims.validate(&d, defaultClaims())
		}
	}
	for _, o := range e.OnlineCAs {
		o.validate(&d)
	}
	for _, r := range e.Revocations {
		r.validate(&d)
	}
	e.validateOfficers(&d)
	e.Lint.validate(&d)
	return d.Sorted()
}

// validateNames refuses two blocks whose derived files would be one file.
func (e *Estate) validateNames(d *Diagnostics) {
	seen := map[string]Origin{}
	check := func(o Origin) {
		name := strings.ToLower(o.Address.Kind + "/" + o.Address.FileName())
		if first, taken := seen[name]; taken {
			d.Report(o, "", "Two blocks with one file name",
				"%s and %s (%s line %d) would write the same files. File systems of some laptops do not tell capitals apart. Rename one of them.",
				o.Address, first.Address, first.Block.File, first.Block.Start.Line)
			return
		}
		seen[name] = o
	}
	for _, a := range e.Authorities {
		check(a.Origin)
	}
	for _, o := range e.OnlineCAs {
		check(o.Origin)
	}
}

func (s *Secret) validate(d *Diagnostics, env Environment) {
	switch {
	case s.File != "" && s.Prompt:
		d.Report(s.Origin, "prompt", "Two sources for one secret", "A secret comes from a file or from a prompt, not from both. Remove one of them.")
	case s.File == "" && !s.Prompt:
		d.Report(s.Origin, "", "Secret without a source", "Nothing says where its value comes from. Write prompt = true to be asked on the terminal, or file = \"…\" outside production.")
	case s.File != "" && env == Production:
		d.Report(s.Origin, "file", "Secret in a file", "In production no secret may lie in a file. Write prompt = true instead.")
	}
	if s.File != "" {
		localPath(d, s.Origin, "file", s.File)
	}
}

// localPath refuses paths that leave the estate's folder.
func localPath(d *Diagnostics, o Origin, attribute, p string) {
	if path.IsAbs(p) || p != path.Clean(p) || p == ".." || strings.HasPrefix(p, "../") || strings.Contains(p, `\`) {
		d.Report(o, attribute, "Path outside the estate",
			"%q is not a plain path below the estate's folder. Write it relative to the folder, without \"..\", as in %q.", p, path.Base(p))
	}
}

func (k *KeyStore) validate(d *Diagnostics, env Environment) {
	k.validateKind(d, env)
	if k.Kind != FileStore || k.Path == "" {
		return
	}
	localPath(d, k.Origin, "path", k.Path)
	switch strings.ToLower(strings.Split(k.Path, "/")[0]) { // some file systems do not tell capitals apart
	case "certs", "crls", "rendered", "plans", ".":
		d.Report(k.Origin, "path", "Keys among published files",
			"The folder %q holds derived files that are committed and published. Keep keys in a folder of their own, such as \"keys\".", k.Path)
	}
}

func (p *Provisioner) validate(d *Diagnostics) {
	switch p.Kind {
	case "jwk":
		if p.Password == nil {
			d.Report(p.Origin, "password", "Provisioner without a password",
				"The private key of a JWK provisioner is encrypted with a password. Add password = secret.NAME.")
		}
		p.mustLack(d, "challenges", len(p.Challenges) > 0)
		p.mustLack(d, "force_cn", p.ForceCN)
	case "acme":
		p.mustLack(d, "password", p.Password != nil)
		for _, c := range p.Challenges {
			if !slices.Contains(acmeChallenges(), c) {
				d.Report(p.Origin, "challenges", "Unknown ACME challenge",
					"step-ca disables a provisioner with the challenge %q. Use %s.", c, strings.Join(acmeChallenges(), ", "))
			}
		}
	default:
		d.Report(p.Origin, "", "Unknown type of provisioner",
			"This version configures provisioners of type jwk and acme, and not %q. step-ca silently drops a type that it does not know, so nothing is passed on unread. Use jwk or acme.", p.Kind)
	}
}

func acmeChallenges() []string { return []string{"http-01", "dns-01", "tls-alpn-01"} }

func (p *Provisioner) mustLack(d *Diagnostics, attribute string, present bool) {
	if present {
		d.Report(p.Origin, attribute, "Argument of another provisioner type",
			"A provisioner of type %q has no %s. Remove it.", p.Kind, attribute)
	}
}

// defaultClaims are step-ca's own claims (step-ca 0.30, authority/config).
func defaultClaims() Claims {
	return Claims{MinTLS: new(Span(5 * time.Minute)), MaxTLS: new(Span(24 * time.Hour)), DefaultTLS: new(Span(24 * time.Hour))}
}

// over gives the claims that hold where c is written below others.
func (c *Claims) over(below Claims) Claims {
	if c == nil {
		return below
	}
	return Claims{
		Origin: c.Origin, MinTLS: cmp.Or(c.MinTLS, below.MinTLS),
		MaxTLS: cmp.Or(c.MaxTLS, below.MaxTLS), DefaultTLS: cmp.Or(c.DefaultTLS, below.DefaultTLS),
	}
}

// validate keeps min ≤ default ≤ max, which step-ca checks only by disabling
// the provisioner at start. What is not written counts as inherited.
func (c *Claims) validate(d *Diagnostics, inherited Claims) {
	if c == nil {
		return
	}
	all := c.over(inherited)
	order := []struct {
		low, high         *Span
		lowName, highName string
	}{
		{all.MinTLS, all.MaxTLS, "min_tls_duration", "max_tls_duration"},
		{all.MinTLS, all.DefaultTLS, "min_tls_duration", "default_tls_duration"},
		{all.DefaultTLS, all.MaxTLS, "default_tls_duration", "max_tls_duration"},
	}
	for _, pair := range order {
		if *pair.low <= *pair.high {
			continue
		}
		at := pair.highName
		if _, written := c.Attributes[at]; !written {
			at = pair.lowName
		}
		d.Report(c.Origin, at, "Claims out of order",
			"%s (%s) is shorter than %s (%s), and what is not written is inherited. step-ca would disable the provisioner. Write all three so that min ≤ default ≤ max.",
			pair.highName, pair.high.plain(), pair.lowName, pair.low.plain())
		return
	}
}

func (l *Lint) validate(d *Diagnostics) {
	if l.Profile != "" && !slices.Contains([]string{"private", "webpki", "etsi"}, l.Profile) {
		d.Report(l.Origin, "profile", "Unknown lint profile", "%q is not a profile. Write \"private\", \"webpki\" or \"etsi\".", l.Profile)
	}
	if l.FailOn != "" && l.FailOn != "notice" && l.FailOn != "warn" && l.FailOn != "error" {
		d.Report(l.Origin, "fail_on", "Unknown severity", "%q is not a severity. Write \"notice\", \"warn\" or \"error\".", l.FailOn)
	}
	for _, w := range l.Waivers {
		if _, err := time.Parse(time.DateOnly, w.Until); err != nil {
			d.Report(w.Origin, "until", "Not a date", "%q is not a date. Write it as \"2027-01-31\".", w.Until)
		}
		for _, need := range []struct{ word, value string }{{"lint", w.Lint}, {"reason", w.Reason}, {"citation", w.Citation}} {
			if strings.TrimSpace(need.value) == "" {
				d.Report(w.Origin, need.word, "Waiver without a "+need.word, "A waiver names the lint, a reason and the policy section that allows it. Fill in %s.", need.word)
			}
		}
	}
}

// checkURL refuses URLs that a relying party cannot or must not fetch while
// it validates (RFC 5280 §8: https and ldaps loop; §4.2.1.13).
func checkURL(d *Diagnostics, o Origin, attribute, what, raw string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		d.Report(o, attribute, "Not a URL", "%q is not a URL for %s. Write it as \"http://pki.example.com/root.crl\".", raw, what)
	case u.Scheme != "http":
		d.Report(o, attribute, "URL is not plain http",
			"%q would make a client validate a certificate in order to validate a certificate (RFC 5280 §8). %s are signed: publish them over http.", raw, what)
	case u.User != nil || u.Fragment != "" || !isASCII(raw):
		d.Report(o, attribute, "Not a URL", "%q has user info, a fragment or characters outside ASCII, which certificates cannot carry. Write a plain URL.", raw)
	}
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7e || r < 0x21 })
}

func (o *OnlineCA) validate(d *Diagnostics) {
	if o.Authority.IsRoot() {
		d.Report(o.Origin, "authority", "Root key online",
			"%s is a root. A root key is used in ceremonies only; give the online CA an authority below it.", o.Authority.Address)
	}
	if o.Key == "" && o.Authority.Key == nil {
		d.Report(o.Origin, "key", "Signing key not said",
			"The key of %s lives elsewhere. Say how step-ca reaches it, as in key = \"awskms:key-id=…\".", o.Authority.Address)
	}
	if len(o.DNSNames) == 0 {
		d.Report(o.Origin, "dns_names", "Online CA without a name", "step-ca needs at least one name for its own certificate. Add dns_names = [\"ca.example.internal\"].")
	}
	checkHostPort(d, o.Origin, "address", o.Listen)
	if o.InsecureAddress != "" {
		checkHostPort(d, o.Origin, "insecure_address", o.InsecureAddress)
	}
	o.validateProvisioners(d)
	o.validateDatabase(d)
	o.validateCRL(d)
	o.validateClaims(d)
	if strings.ContainsAny(o.Systemd.User+o.Systemd.Binary, " \t\n%\"'\\") {
		d.Report(o.Systemd.Origin, "user", "Not a plain word", "A systemd unit takes a user name and a binary without spaces, quotes or percent signs. Write plain words.")
	}
	if o.Systemd.Binary != "" && !path.IsAbs(o.Systemd.Binary) {
		d.Report(o.Systemd.Origin, "binary", "Relative path of a binary", "systemd starts nothing by a relative path. Write it as \"/usr/bin/step-ca\".")
	}
}

// validateClaims holds each provisioner's claims against what it inherits
// from this online CA.
func (o *OnlineCA) validateClaims(d *Diagnostics) {
	o.Claims.validate(d, defaultClaims())
	for _, p := range o.Provisioners {
		p.Claims.validate(d, o.Claims.over(defaultClaims()))
	}
}

func checkHostPort(d *Diagnostics, o Origin, attribute, s string) {
	_, port, err := net.SplitHostPort(s)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 1 || n > 65535 {
		d.Report(o, attribute, "Not an address", "%q is not host:port. Write it as \":443\" or \"127.0.0.1:9443\".", s)
	}
}

func (o *OnlineCA) validateProvisioners(d *Diagnostics) {
	seen := map[Address]bool{}
	for _, p := range o.Provisioners {
		if seen[p.Address] {
			d.Report(o.Origin, "provisioners", "Provisioner listed twice", "%s stands twice in the list, and step-ca refuses to start with two of one name. Remove one of them.", p.Address)
		}
		seen[p.Address] = true
		if p.Kind == "acme" && o.Database == nil {
			d.Report(o.Origin, "provisioners", "ACME without a database",
				"step-ca disables ACME without a database, and says so only in its log. Add a database block, such as type = \"badgerv2\".")
		}
	}
	if len(o.Provisioners) == 0 {
		d.Warn(o.Origin, "provisioners", "Online CA without provisioners", "step-ca would start and refuse every request. Add provisioners = [provisioner.NAME].")
	}
}

func (o *OnlineCA) validateDatabase(d *Diagnostics) {
	db := o.Database
	if db == nil {
		return
	}
	switch db.Type {
	case "badgerv2", "bbolt":
		if path.IsAbs(db.DataSource) || strings.Contains(db.DataSource, "..") {
			d.Report(db.Origin, "data_source", "Database outside the service's folder",
				"The unit may write to its own folder only. Write a path relative to /etc/step-ca, such as \"db\".")
		}
	case "mysql", "postgresql":
		if u, err := url.Parse(db.DataSource); err == nil && u.User != nil {
			if _, has := u.User.Password(); has {
				d.Report(db.Origin, "data_source", "Password in the database address",
					"The address is rendered into ca.json, which lies in Git. Leave the password out and use a passfile or peer authentication.")
			}
		}
	default:
		d.Report(db.Origin, "type", "Unknown type of database", "%q is not a database that step-ca opens. Use badgerv2, bbolt, mysql or postgresql.", db.Type)
	}
}

func (o *OnlineCA) validateCRL(d *Diagnostics) {
	if o.CRL == nil || !o.CRL.Enabled {
		return
	}
	if o.Database == nil {
		d.Report(o.CRL.Origin, "enabled", "CRL without a database", "step-ca keeps revocations in its database and does not start without one. Add a database block.")
	}
	if o.Authority.CRL == nil || len(o.Authority.CRL.URLs) == 0 {
		d.Report(o.CRL.Origin, "enabled", "CRL without a URL",
			"The CRL's issuing distribution point and the leaves' CRL distribution point come from the urls of the crl block in %s. Add one there.", o.Authority.Address)
	} else if len(o.Authority.CRL.URLs) > 1 {
		d.Report(o.Authority.CRL.Origin, "urls", "Too many CRL URLs for step-ca",
			"step-ca writes one URL into its CRL, so certificates with another would be refused as of different scope. Keep one URL in %s.", o.Authority.Address)
	}
	if o.InsecureAddress == "" {
		d.Warn(o.CRL.Origin, "enabled", "CRL served over TLS only",
			"step-ca serves its CRL over plain http only with insecure_address. Add one, or fetch /1.0/crl from a trusted host and publish it yourself.")
	}
	c, r := o.CRL.CacheDuration, o.CRL.RenewPeriod
	if r != nil && time.Duration(*r) > time.Duration(*cmp.Or(c, new(Span(24*time.Hour)))) {
		d.Report(o.CRL.Origin, "renew_period", "CRL renewed after it expired", "renew_period is longer than cache_duration (24h when not written). step-ca refuses to start. Shorten it.")
	}
}

// validate refuses name constraints that no verifier reads as meant
// (RFC 5280 §4.2.1.10).
func (n *NameConstraints) validate(d *Diagnostics) {
	if n == nil {
		return
	}
	empty := true
	lists := []struct {
		word   string
		values []string
		check  func(string) error
	}{
		{"permitted_dns", n.PermittedDNS, checkDNS}, {"excluded_dns", n.ExcludedDNS, checkDNS},
		{"permitted_ip", n.PermittedIP, checkCIDR}, {"excluded_ip", n.ExcludedIP, checkCIDR},
		{"permitted_email", n.PermittedEmail, checkEmail}, {"excluded_email", n.ExcludedEmail, checkEmail},
		{"permitted_uri", n.PermittedURI, checkURIHost}, {"excluded_uri", n.ExcludedURI, checkURIHost},
	}
	for _, l := range lists {
		for _, v := range l.values {
			empty = false
			if err := l.check(v); err != nil {
				d.Report(n.Origin, l.word, "Name constraint that cannot work", "%s.", err)
			}
		}
	}
	if empty {
		d.Report(n.Origin, "", "Empty name constraints", "A name_constraints block without a name constrains nothing. Add permitted_dns or remove the block.")
	}
}

func checkDNS(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("An empty DNS name permits or excludes every name. Name a domain, such as \"acme.internal\"")
	case strings.HasPrefix(s, "."):
		return fmt.Errorf("%q begins with a dot: RFC 5280 defines that form for URIs only, and verifiers differ. Write %q", s, s[1:])
	case strings.ContainsAny(s, "*/ ") || !isASCII(s):
		return fmt.Errorf("%q is not a domain name in ASCII. Write it without wildcard, such as \"acme.internal\"", s)
	}
	return nil
}

func checkCIDR(s string) error {
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a network. Write it as \"10.0.0.0/8\" or \"fd00::/8\"", s)
	case p.Masked() != p:
		return fmt.Errorf("%q has bits outside its mask. Write %q", s, p.Masked())
	}
	return nil
}

func checkEmail(s string) error {
	if s == "" || strings.ContainsAny(s, "* ") || !isASCII(s) {
		return fmt.Errorf("%q is not a mailbox or a mail domain. Write \"acme.example\" or \"ca@acme.example\"", s)
	}
	return nil
}

func checkURIHost(s string) error {
	if s == "" || strings.ContainsAny(s, ":/* ") || !isASCII(s) {
		return fmt.Errorf("%q is not a host. Write it without scheme, such as \"acme.internal\" or \".acme.internal\"", s)
	}
	return nil
}
