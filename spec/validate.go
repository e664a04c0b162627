package spec

import (
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
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
	e.validateCustodians(&d)
	for _, k := range e.KeyStores {
		k.validate(&d, e.Environment)
	}
	e.validateAuthorities(&d)
	e.validatePresign(&d)
	for _, a := range e.Authorities {
		a.Key.validateAbility(&d)
		a.Key.validateBackup(&d)
		a.warnWithoutBackup(&d, e.Environment)
	}
	for _, t := range e.Templates {
		t.validate(&d)
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
			p.Claims.validate(&d, StepCAClaims())
		}
	}
	e.validateSSHAuthorities(&d)
	for _, a := range e.SSHAuthorities {
		a.Key.validateAbility(&d)
	}
	for _, o := range e.OnlineCAs {
		o.validate(&d)
	}
	e.validateMoves(&d)
	e.validateCrosses(&d)
	e.validateResponders(&d)
	for _, r := range e.Revocations {
		r.validate(&d)
	}
	e.validateOfficers(&d)
	e.validateCeremony(&d)
	e.Lint.validate(&d)
	return d.Sorted()
}

// validateNames refuses two blocks whose derived files would be one file.
func (e *Estate) validateNames(d *Diagnostics) {
	seen := map[string]Origin{}
	check := func(o Origin) {
		folder := o.Address.Kind
		if folder == "cross_certificate" || folder == "ocsp_responder" {
			folder = "authority" // their certificates lie in one folder
		}
		if deviceNames.MatchString(o.Address.FileName()) {
			d.Report(o, "", "Name that no file can have on Windows",
				"%s would write files that Windows takes for a device, and the folder could not be cloned there. Rename it.", o.Address)
		}
		name := strings.ToLower(folder + "/" + o.Address.FileName())
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
		a.validateKept(d)
	}
	for _, x := range e.Crosses {
		check(x.Origin)
		x.validateKept(d)
	}
	for _, r := range e.Responders {
		check(r.Origin)
		r.validateKept(d)
	}
	for _, o := range e.OnlineCAs {
		check(o.Origin)
	}
	for _, t := range e.Templates {
		check(t.Origin)
	}
}

// deviceNames are those that no file of Windows has, whatever stands behind the
// first dot.
var deviceNames = regexp.MustCompile(`^(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])$`)

func (s *Secret) validate(d *Diagnostics, env Environment) {
	switch {
	case s.Custodians != nil && (s.File != "" || s.Prompt):
		d.Report(s.Origin, "custodians", "Two sources for one secret", "A secret that custodians hold is made in the ceremony, and no file or person gives it. Remove file and prompt, or custodians.")
	case s.Custodians != nil && (s.Length < MinSecretLength || s.Length > MaxSecretLength):
		d.Report(s.Origin, "length", "Length of a secret", "A made secret has from %d characters, which are %d bits, to %d, and not %d. Leave length out for %d.",
			MinSecretLength, SecretBits(MinSecretLength), MaxSecretLength, s.Length, DefaultSecret)
	case s.Custodians != nil:
	case s.Length != 0 || s.Dice:
		d.Report(s.Origin, "", "Argument of another kind of secret", "length and dice belong to a secret that is made in the ceremony. Remove them, or write custodians = custodians.NAME.")
	case s.File != "" && s.Prompt:
		d.Report(s.Origin, "prompt", "Two sources for one secret", "A secret comes from a file or from a prompt, not from both. Remove one of them.")
	case s.File == "" && !s.Prompt:
		d.Report(s.Origin, "", "Secret without a source", "Nothing says where its value comes from. Write custodians = custodians.NAME to have it made in the ceremony, prompt = true to be asked on the terminal, or file = \"…\" outside production.")
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

func (l *Lint) validate(d *Diagnostics) {
	if l.Profile != "" && !slices.Contains([]string{"private", "webpki", "etsi"}, l.Profile) {
		d.Report(l.Origin, "profile", "Unknown lint profile", "%q is not a profile. Write \"private\", \"webpki\" or \"etsi\".", l.Profile)
	}
	if l.FailOn != "" && l.FailOn != "notice" && l.FailOn != "warn" && l.FailOn != "error" {
		d.Report(l.Origin, "fail_on", "Unknown severity", "%q is not a severity. Write \"notice\", \"warn\" or \"error\".", l.FailOn)
	}
	for _, c := range l.Clients {
		if !slices.Contains(Clients(), c) {
			d.Report(l.Origin, "clients", "Unknown client", "%q is not a client that lint knows. Use %s.", c, strings.Join(Clients(), ", "))
		}
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
		{"permitted_directory", n.PermittedDirectory, checkDirectory}, {"excluded_directory", n.ExcludedDirectory, checkDirectory},
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
