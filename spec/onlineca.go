package spec

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// OnlineCA is one step-ca, on one host or on several: what the configuration
// in rendered/NAME is for.
type OnlineCA struct {
	Origin
	Authority       *Authority
	DNSNames        []string
	CommonName      string // of step-ca's own certificate, "" for its default
	Listen          string // host:port, host may be empty
	InsecureAddress string // plain HTTP for the CRL and SCEP
	MetricsAddress  string // plain HTTP for Prometheus
	Key             string // as step-ca takes it; empty means secrets/NAME.key
	Provisioners    []*Provisioner
	Database        *Database
	CRL             *OnlineCRL
	Claims          *Claims
	Policy          *Policy
	TLS             *TLS
	Logger          *Logger
	SSH             *OnlineSSH
	Registration    *Registration // nil for a CA that signs itself
	Systemd         Systemd
	Nodes           []string    // hosts that run it, behind one balancer; empty for one host
	Kubernetes      *Kubernetes // nil when it runs on hosts

	AdditionalRoots       []*Authority // roots that clients trust as well, for a rotation
	FederatedAuthorities  []*Authority
	FederatedRoots        []PEM
	LeafSubject           *LeafSubject
	Backdate              *Span
	DisableIssuedAtCheck  bool
	DisableSSHHostListing bool
}

// KeyPath is what ca.json names as the signing key.
func (o *OnlineCA) KeyPath() string {
	if o.Key != "" {
		return o.Key
	}
	return "secrets/" + o.Authority.Address.FileName() + ".key"
}

// OnlineCRL makes step-ca sign the authority's CRL between ceremonies.
type OnlineCRL struct {
	Origin
	Enabled          bool
	GenerateOnRevoke bool
	CacheDuration    *Span
	RenewPeriod      *Span
}

// TLS is how step-ca's own listener speaks.
type TLS struct {
	Origin
	MinVersion, MaxVersion string // "1.2" or "1.3"
	CipherSuites           []string
}

// Logger is step-ca's log of requests.
type Logger struct {
	Origin
	Format      string // json, text or common
	TraceHeader string
}

// LeafSubject fills a leaf's subject where the request leaves it empty.
type LeafSubject struct {
	Origin
	Country, Organization, OrganizationalUnit, Locality, Province, StreetAddress string
}

// Systemd says how the service runs.
type Systemd struct {
	Origin
	User   string // defaults to "step"
	Binary string // defaults to /usr/bin/step-ca

	// EncryptedCredentials takes passwords and PINs from files that
	// systemd-creds has encrypted for the host, instead of plain ones.
	EncryptedCredentials bool
	HSM                  string // how a PKCS#11 module reaches its token: pcscd (or ""), network, usb
	// Networks are those that the service may talk with, beside the host
	// itself; empty means all.
	Networks []string
}

// onlineRefusals are arguments that step-ca has a word for and that must not
// be used, each with the reason and what to do instead.
func onlineRefusals() map[string]string {
	return map[string]string{
		"enable_admin":    "With enableAdmin step-ca moves its provisioners into its database at the first start and ignores ca.json from then on, so that nothing here would count. Change provisioners here, and render.",
		"password":        "The password would stand in ca.json in clear. The unit hands it over as a credential: put it where INSTALL.txt says.",
		"deployment_type": "A linked deployment takes its provisioners from Smallstep's hosted product and not from here. Leave it away.",
		"monitoring":      "step-ca's monitoring is New Relic with its license key in ca.json in clear. Use metrics_address, which Prometheus reads.",
	}
}

func (o *OnlineCA) validate(d *Diagnostics) {
	if o.Authority.IsRoot() {
		d.Report(o.Origin, "authority", "Root key online",
			"%s is a root. A root key is used in ceremonies only; give the online CA an authority below it.", o.Authority.Address)
	}
	if o.Registration == nil && o.Key == "" && o.Authority.Key == nil {
		d.Report(o.Origin, "key", "Signing key not said",
			"The key of %s lives elsewhere. Say how step-ca reaches it, as in key = \"awskms:key-id=…\".", o.Authority.Address)
	}
	for name := range o.Attributes {
		if reason, refused := onlineRefusals()[name]; refused {
			d.Report(o.Origin, name, "Argument that must not be used", "%s", reason)
			d.HideLine()
		}
	}
	if len(o.DNSNames) == 0 {
		d.Report(o.Origin, "dns_names", "Online CA without a name", "step-ca needs at least one name for its own certificate. Add dns_names = [\"ca.example.internal\"].")
	}
	for i, name := range o.DNSNames {
		if checkHost(name) != nil {
			d.Report(o.Origin, "dns_names", "Not a host name", "%q is neither a host name nor an IP address. Write it as \"ca.example.internal\".", name)
		}
		if slices.ContainsFunc(o.DNSNames[:i], func(other string) bool { return strings.EqualFold(name, other) }) {
			d.Warn(o.Origin, "dns_names", "Name written twice", "%q stands twice in the list; names are the same in small letters and capitals (RFC 4343). Remove one of them.", name)
		}
	}
	if o.CommonName != "" {
		if err := NewName(map[string][]string{"common_name": {o.CommonName}}, nil).Check(); err != nil {
			d.Report(o.Origin, "common_name", "Not a common name", "Here, %s. Write it as in \"ACME Online CA\".", err)
		}
	}
	o.validateOwnCertificate(d)
	checkHostPort(d, o.Origin, "address", o.Listen)
	if o.InsecureAddress != "" {
		checkHostPort(d, o.Origin, "insecure_address", o.InsecureAddress)
	}
	if o.MetricsAddress != "" {
		checkHostPort(d, o.Origin, "metrics_address", o.MetricsAddress)
	}
	o.checkListeners(d)
	o.validateAlgorithm(d)
	o.validateProvisioners(d)
	o.validateDatabase(d)
	o.validateCRL(d)
	o.validateClaims(d)
	o.validateRoots(d)
	o.Policy.validate(d, o)
	o.TLS.validate(d)
	o.Logger.validate(d)
	o.SSH.validate(d, o)
	o.Registration.validate(d, o)
	o.Systemd.validate(d)
	o.validateNodes(d)
	o.Kubernetes.validate(d, o)
	if o.DisableIssuedAtCheck {
		d.Warn(o.Origin, "disable_issued_at_check", "Old tokens are taken",
			"A token that was made before step-ca started is taken, too, so one that leaked can be used once more after a restart. Leave it away unless clocks here are wrong.")
	}
}

func (s *Systemd) validate(d *Diagnostics) {
	for _, n := range s.Networks {
		if err := policyIP(n); err != nil {
			d.Report(s.Origin, "networks", "Not a network", "Here, %s. Write it as in \"10.0.0.0/8\".", err)
		}
	}
	if s.HSM != "" && s.HSM != "usb" && s.HSM != "network" && s.HSM != "pcscd" {
		d.Report(s.Origin, "hsm", "Unknown way to a token", "%q is not how a module reaches its token. Write \"usb\", \"network\" or \"pcscd\".", s.HSM)
	}
	if strings.ContainsAny(s.User+s.Binary, " \t\n%\"'\\") {
		d.Report(s.Origin, "user", "Not a plain word", "A systemd unit takes a user name and a binary without spaces, quotes or percent signs. Write plain words.")
	}
	if s.User == "root" {
		d.Report(s.Origin, "user", "Service that runs as root", "step-ca needs nothing that only root may do: the unit gives it its port and its secrets. Write user = \"step\", or leave it away.")
	}
	if s.Binary != "" && !path.IsAbs(s.Binary) {
		d.Report(s.Origin, "binary", "Relative path of a binary", "systemd starts nothing by a relative path. Write it as \"/usr/bin/step-ca\".")
	}
}

// validateClaims holds each provisioner's claims against what it inherits
// from this online CA.
func (o *OnlineCA) validateClaims(d *Diagnostics) {
	o.Claims.validate(d, StepCAClaims())
	o.Claims.withinLife(d, o.Authority)
	for _, p := range o.Provisioners {
		p.Claims.validate(d, o.Claims.Over(StepCAClaims()))
		p.Claims.withinLife(d, o.Authority)
	}
}

func checkHostPort(d *Diagnostics, o Origin, attribute, s string) {
	host, port, err := net.SplitHostPort(s)
	plain := host == "" || checkHost(host) == nil
	if n, bad := strconv.Atoi(port); err != nil || !plain || bad != nil || n < 1 || n > 65535 || strconv.Itoa(n) != port {
		d.Report(o, attribute, "Not an address", "%q is not host:port. Write it as \":443\" or \"127.0.0.1:9443\".", s)
	}
}

// checkListeners refuses two listeners on one port: the second would find it
// taken, and step-ca ends.
func (o *OnlineCA) checkListeners(d *Diagnostics) {
	listeners := []struct{ attribute, address string }{{"address", o.Listen}, {"insecure_address", o.InsecureAddress}, {"metrics_address", o.MetricsAddress}}
	for i, one := range listeners {
		host, port, err := net.SplitHostPort(one.address)
		if err != nil {
			continue
		}
		for _, other := range listeners[:i] {
			otherHost, otherPort, err := net.SplitHostPort(other.address)
			if err == nil && port == otherPort && (host == otherHost || everyHost(host) || everyHost(otherHost)) {
				d.Report(o.Origin, one.attribute, "Two listeners on one port",
					"%s and %s both take port %s, and step-ca ends when it finds one taken. Give %s another port.", other.attribute, one.attribute, port, one.attribute)
			}
		}
	}
}

// everyHost says whether a listener's host stands for all addresses.
func everyHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// checkHost wants a host name, or an IP address that means the same on every
// machine: one with a zone (fe80::1%eth0) does not.
func checkHost(s string) error {
	if _, err := addressOf(s); err == nil {
		return nil
	}
	if err := checkHostName(s); err != nil {
		return err
	}
	// Programs take a name that ends in a number for an address, and not all
	// for the same one (127.1, 0x7f.1).
	last := s[strings.LastIndex(s, ".")+1:]
	if _, err := strconv.ParseUint(last, 0, 64); err == nil || strings.Trim(last, "0123456789") == "" {
		return fmt.Errorf("%q is neither a host name nor an address", s)
	}
	return nil
}

// addressOf reads an IP address without a zone.
func addressOf(s string) (netip.Addr, error) {
	address, err := netip.ParseAddr(s)
	if err == nil && address.Zone() != "" {
		err = fmt.Errorf("%q has a zone, which is one machine's own", s)
	}
	return address, err
}

// checkHostName wants labels of letters, digits and dashes (RFC 1123 §2.1).
func checkHostName(s string) error {
	if len(s) == 0 || len(s) > 253 {
		return fmt.Errorf("%q is not a host name", s)
	}
	for label := range strings.SplitSeq(s, ".") {
		bad := strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
		})
		if label == "" || len(label) > 63 || bad || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return fmt.Errorf("%q is not a host name", s)
		}
	}
	return nil
}

func (o *OnlineCA) validateProvisioners(d *Diagnostics) {
	seen := map[Address]bool{}
	tokens := map[string]*Provisioner{}
	for _, p := range o.Provisioners {
		if seen[p.Address] {
			d.Report(o.Origin, "provisioners", "Provisioner listed twice", "%s stands twice in the list, and step-ca refuses to start with two of one name. Remove one of them.", p.Address)
		}
		seen[p.Address] = true
		if p.Kind == "acme" && o.Database == nil {
			d.Report(o.Origin, "provisioners", "ACME without a database",
				"step-ca disables ACME without a database, and says so only in its log. Add a database block, such as type = \"badgerv2\".")
		}
		if id := p.tokenID(); id != "" {
			if first := tokens[id]; first != nil && first != p {
				d.Report(o.Origin, "provisioners", "Provisioners that step-ca cannot tell apart",
					"%s and %s have the same %s. step-ca finds a provisioner by it and refuses to start. Use another, or give one of them an online CA of its own.", first.Address, p.Address, p.tokenWord())
			}
			tokens[id] = p
		}
		o.validateSCEP(d, p)
	}
	if len(o.Provisioners) == 0 {
		d.Warn(o.Origin, "provisioners", "Online CA without provisioners", "step-ca would start and refuse every request. Add provisioners = [provisioner.NAME].")
	}
}

// tokenID is what step-ca finds a provisioner by, where that is not its name
// (authority/provisioner, GetIDForToken).
func (p *Provisioner) tokenID() string {
	switch p.Kind {
	case "oidc":
		return "oidc " + p.OIDC.ClientID
	case "azure":
		return "azure " + p.Cloud.TenantID
	case "k8ssa":
		return "k8ssa" // step-ca takes one in all
	case "sshpop":
		return ""
	}
	return ""
}

func (p *Provisioner) tokenWord() string {
	return map[string]string{"oidc": "client_id", "azure": "tenant_id", "k8ssa": "issuer of tokens (Kubernetes)"}[p.Kind]
}

// validateSCEP wants what step-ca's SCEP needs of the online CA.
func (o *OnlineCA) validateSCEP(d *Diagnostics, p *Provisioner) {
	if p.Kind != "scep" || len(p.SCEP.DecrypterCertificate) > 0 || o.Authority.Key == nil {
		return
	}
	if !strings.HasPrefix(string(o.Authority.Key.Algorithm), "rsa") {
		d.Report(p.Origin, "decrypter_certificate", "SCEP without an RSA key",
			"SCEP clients encrypt to the CA (RFC 8894 §2.3), and the key of %s is %s. Add decrypter_certificate and decrypter_key, or give %s an RSA key.", o.Authority.Address, o.Authority.Key.Algorithm.Title(), o.Authority.Address)
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

// validateRoots keeps a rotation and a federation to what clients can trust.
func (o *OnlineCA) validateRoots(d *Diagnostics) {
	for _, a := range o.AdditionalRoots {
		if !a.IsRoot() {
			d.Report(o.Origin, "additional_roots", "Not a root", "%s is issued by %s. Clients are given roots to trust; name a root.", a.Address, a.Issuer.Address)
		}
	}
	for _, a := range o.FederatedAuthorities {
		if !a.IsRoot() {
			d.Report(o.Origin, "federated_authorities", "Not a root", "%s is issued by %s. Clients are given roots to trust; name a root.", a.Address, a.Issuer.Address)
		}
	}
	for _, f := range o.FederatedRoots {
		if f.Data == nil {
			continue
		}
		if problem := checkPEMFile(f.Data, []string{"CERTIFICATE"}); problem != "" {
			d.Report(o.Origin, "federated_roots", "File that step-ca cannot read", "%s %s. Put PEM of type CERTIFICATE there.", f.Path, problem)
		}
	}
	chain := o.Authority.Chain()
	if top := chain[len(chain)-1]; slices.Contains(o.AdditionalRoots, top) {
		d.Report(o.Origin, "additional_roots", "Root named twice", "%s is the root of %s, and stands first by itself. Name the other root only.", top.Address, o.Authority.Address)
	}
}

// stepCASuites are the suites that step-ca can speak in TLS 1.2 and that are
// not broken: those with forward secrecy and authenticated encryption.
func stepCASuites() []string {
	return []string{
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
		"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
	}
}

func (t *TLS) validate(d *Diagnostics) {
	if t == nil {
		return
	}
	for _, v := range []struct{ word, value string }{{"min_version", t.MinVersion}, {"max_version", t.MaxVersion}} {
		if v.value != "" && v.value != "1.2" && v.value != "1.3" {
			d.Report(t.Origin, v.word, "Unknown version of TLS", "%q would be taken by step-ca without a word and not count. Write \"1.2\" or \"1.3\".", v.value)
		}
	}
	if cmp.Or(t.MinVersion, "1.2") > cmp.Or(t.MaxVersion, "1.3") {
		d.Report(t.Origin, "min_version", "TLS versions out of order", "min_version is above max_version, and step-ca refuses to start. Turn them round.")
	}
	for _, s := range t.CipherSuites {
		if !slices.Contains(stepCASuites(), s) {
			d.Report(t.Origin, "cipher_suites", "Unknown cipher suite", "step-ca would take %q without a word and not speak it, or it is broken. Use %s.", s, strings.Join(stepCASuites(), ", "))
		}
	}
	if _, written := t.Attributes["renegotiation"]; written {
		d.Report(t.Origin, "renegotiation", "Argument that must not be used", "Renegotiation is how attackers splice requests (RFC 5746), and no client of step-ca needs it. Leave it away.")
	}
}

func (l *Logger) validate(d *Diagnostics) {
	if l != nil && !slices.Contains([]string{"json", "text", "common"}, l.Format) {
		d.Report(l.Origin, "format", "Unknown format of a log", "%q is not a format that step-ca writes. Use json, text or common.", l.Format)
	}
}
