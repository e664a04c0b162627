package spec

import (
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"slices"
	"strings"
)

// Provisioner is one way to ask an online CA for certificates. Which fields
// count depends on Kind; an argument of another kind is refused.
type Provisioner struct {
	Origin
	Kind        string // one of ProvisionerKinds
	Template    *Template
	SSHTemplate *Template
	Claims      *Claims
	Webhooks    []*Webhook

	Password   *Secret  // jwk: encrypts the provisioner's private key
	Challenges []string // acme
	ForceCN    bool     // acme, scep

	Roots       []PEM        // x5c, nebula
	Authorities []*Authority // x5c: roots of this estate, beside Roots
	PublicKeys  []PEM        // k8ssa
	ACME        ACME
	OIDC        OIDC
	Cloud       Cloud // aws, gcp, azure
	SCEP        SCEP
}

// PEM is a file of PEM blocks below the estate's folder.
type PEM struct {
	Path string
	Data []byte // nil when it could not be read, which has been reported
}

// ACME is what only ACME provisioners have.
type ACME struct {
	TermsOfService     string // URL
	Website            string // URL
	CAAIdentities      []string
	AttestationFormats []string // apple, step, tpm
	AttestationRoots   []PEM
}

// OIDC is what only OpenID Connect provisioners have.
type OIDC struct {
	ClientID      string
	ClientSecret  string // of a native app, which step-ca serves to anybody
	Endpoint      string // URL of the discovery document
	TenantID      string
	Admins        []string
	Domains       []string
	Groups        []string
	ListenAddress string
	Scopes        []string
	AuthParams    []string
}

// Cloud is what the provisioners of instance identities have.
type Cloud struct {
	DisableCustomSANs      bool
	DisableTrustOnFirstUse bool
	InstanceAge            *Span // aws, gcp

	Accounts     []string // aws
	IMDSVersions []string // aws: v1, v2
	IIDRoots     []PEM    // aws, at most one

	ServiceAccounts  []string // gcp
	ProjectIDs       []string // gcp
	OrganizationID   string   // gcp
	DisableSSHCAUser *bool    // gcp
	DisableSSHCAHost *bool    // gcp

	TenantID        string   // azure
	ResourceGroups  []string // azure
	SubscriptionIDs []string // azure
	ObjectIDs       []string // azure
	Audience        string   // azure
}

// SCEP is what only SCEP provisioners have. A challenge in ca.json would be a
// secret in Git, so there is none.
type SCEP struct {
	Capabilities           []string
	IncludeRoot            bool
	ExcludeIntermediate    bool
	MinimumPublicKeyLength int    // bits, 0 for 2048
	DecrypterCertificate   []PEM  // at most one
	DecrypterKey           string // URI of a key manager, or a path on the host
	EncryptionAlgorithm    string // one of scepCiphers
}

// Webhook asks another server before step-ca signs.
type Webhook struct {
	Origin
	Name                 string
	URL                  string
	Kind                 string // enriching, authorizing, scepchallenge, notifying
	CertType             string // all, x509, ssh
	DisableTLSClientAuth bool
}

// ProvisionerKinds lists the kinds in the order in which help shows them.
func ProvisionerKinds() []string {
	return []string{"jwk", "oidc", "aws", "gcp", "azure", "acme", "x5c", "sshpop", "k8ssa", "scep", "nebula"}
}

// ProvisionerArguments says which kinds take an argument or block. What is
// not listed, every kind takes.
func ProvisionerArguments() map[string][]string {
	cloud := []string{"aws", "gcp", "azure"}
	return map[string][]string{
		"template": {"jwk", "oidc", "aws", "gcp", "azure", "acme", "x5c", "k8ssa", "scep", "nebula"},
		"webhook":  {"jwk", "oidc", "aws", "gcp", "azure", "acme", "x5c", "k8ssa", "scep", "nebula"},
		// step-ca signs SSH certificates for these kinds only.
		"ssh_template": {"jwk", "oidc", "aws", "gcp", "azure", "x5c", "k8ssa", "nebula"},
		"password":     {"jwk"},
		"challenges":   {"acme"}, "terms_of_service": {"acme"}, "website": {"acme"}, "caa_identities": {"acme"},
		"require_eab": {"acme"}, "attestation_formats": {"acme"}, "attestation_roots": {"acme"},
		"force_cn":  {"acme", "scep"},
		"client_id": {"oidc"}, "client_secret": {"oidc"}, "configuration_endpoint": {"oidc"}, "admins": {"oidc"}, "domains": {"oidc"},
		"groups": {"oidc"}, "listen_address": {"oidc"}, "scopes": {"oidc"}, "auth_params": {"oidc"}, "tenant_id": {"oidc", "azure"},
		"disable_custom_sans": cloud, "disable_trust_on_first_use": cloud, "instance_age": {"aws", "gcp"},
		"accounts": {"aws"}, "imds_versions": {"aws"}, "iid_roots": {"aws"},
		"service_accounts": {"gcp"}, "project_ids": {"gcp"}, "organization_id": {"gcp"}, "disable_ssh_ca_user": {"gcp"}, "disable_ssh_ca_host": {"gcp"},
		"resource_groups": {"azure"}, "subscription_ids": {"azure"}, "object_ids": {"azure"}, "audience": {"azure"},
		"roots": {"x5c", "nebula"}, "authorities": {"x5c"}, "public_keys": {"k8ssa"},
		"challenge": {"scep"}, "capabilities": {"scep"}, "include_root": {"scep"}, "exclude_intermediate": {"scep"},
		"minimum_public_key_length": {"scep"}, "decrypter_certificate": {"scep"}, "decrypter_key": {"scep"},
		"decrypter_key_password": {"scep"}, "encryption_algorithm": {"scep"},
	}
}

// provisionerRefusals are arguments that step-ca has a word for and that must
// not be used, each with the reason and what to do instead.
func provisionerRefusals() map[string]string {
	return map[string]string{
		"require_eab":            "step-ca starts with requireEAB, but its keys can be made in Smallstep's hosted product only, so that no client could ever register. Bound who may ask with challenges, a policy block or a webhook.",
		"challenge":              "A SCEP challenge stands in ca.json in clear, and ca.json lies in Git. Check challenges with webhook \"NAME\" { kind = \"scepchallenge\" }, which gives every device its own.",
		"decrypter_key_password": "The password would stand in ca.json in clear. Give decrypter_key as the URI of a key manager, or as a file that only the service's user can read.",
		"policy":                 "step-ca reads no policy of a provisioner from ca.json: it would be dropped without a word. Write a policy block in the online_ca, and give provisioners that need another policy an online CA of their own.",
	}
}

func (p *Provisioner) validate(d *Diagnostics) {
	if !slices.Contains(ProvisionerKinds(), p.Kind) {
		d.Report(p.Origin, "", "Unknown type of provisioner",
			"step-ca has no provisioners of type %q, and drops them without a word. Use %s.", p.Kind, strings.Join(ProvisionerKinds(), ", "))
		return
	}
	for name := range p.Attributes {
		kinds, listed := ProvisionerArguments()[name]
		if listed && !slices.Contains(kinds, p.Kind) {
			d.Report(p.Origin, name, "Argument of another provisioner type",
				"A provisioner of type %q takes no %s, which is for %s only. Remove it.", p.Kind, name, strings.Join(kinds, ", "))
		} else if reason, refused := provisionerRefusals()[name]; refused {
			d.Report(p.Origin, name, "Argument that step-ca does not keep", "%s", reason)
			d.HideLine()
		}
	}
	templateOf(d, p.Origin, "template", p.Template, "x509")
	templateOf(d, p.Origin, "ssh_template", p.SSHTemplate, "ssh")
	for i, w := range p.Webhooks {
		w.validate(d, p)
		if slices.ContainsFunc(p.Webhooks[:i], func(o *Webhook) bool { return o.Name == w.Name }) {
			d.Report(w.Origin, "", "Two webhooks of one name", "A template finds what a webhook said by its name, and %s has two called %q. Rename one of them.", p.Address, w.Name)
		}
	}
	switch p.Kind {
	case "jwk":
		if p.Password == nil {
			d.Report(p.Origin, "password", "Provisioner without a password",
				"The private key of a JWK provisioner is encrypted with a password. Add password = secret.NAME.")
		}
	case "acme":
		p.validateACME(d)
	case "oidc":
		p.validateOIDC(d)
	case "aws", "gcp", "azure":
		p.validateCloud(d)
	case "x5c":
		p.validateX5C(d)
	case "k8ssa":
		p.needsPEM(d, "public_keys", p.PublicKeys, "PUBLIC KEY")
		if p.Template == nil {
			d.Report(p.Origin, "template", "Names that nobody checked",
				"step-ca's own template takes every name from the request, so that any pod could be any host. Name a template that makes the names from .Token, which says the pod's namespace and service account.")
		}
	case "nebula":
		p.needsPEM(d, "roots", p.Roots, "NEBULA CERTIFICATE", "NEBULA CERTIFICATE V2")
	case "scep":
		p.validateSCEP(d)
	}
}

// templateOf refuses a template of the wrong kind.
func templateOf(d *Diagnostics, o Origin, attribute string, t *Template, kind string) {
	if t != nil && t.Kind != kind && t.known() { // an unknown one is reported there
		d.Report(o, attribute, "Template of another kind", "%s is of kind %q, and %s takes one of kind %q. Name another template.", t.Address, t.Kind, attribute, kind)
	}
}

func acmeChallenges() []string {
	return []string{"http-01", "dns-01", "tls-alpn-01", "device-attest-01"}
}

func (p *Provisioner) validateACME(d *Diagnostics) {
	if _, written := p.Attributes["challenges"]; written && len(p.Challenges) == 0 {
		d.Report(p.Origin, "challenges", "ACME without challenges",
			"step-ca takes an empty list for http-01, dns-01 and tls-alpn-01. Name those that are meant, or leave the argument out for these three.")
	}
	for i, c := range p.Challenges {
		if slices.Contains(p.Challenges[:i], c) {
			d.Report(p.Origin, "challenges", "ACME challenge twice", "%q stands twice in the list. Remove one of them.", c)
		}
		if !slices.Contains(acmeChallenges(), c) {
			d.Report(p.Origin, "challenges", "Unknown ACME challenge",
				"step-ca disables a provisioner with the challenge %q. Use %s.", c, strings.Join(acmeChallenges(), ", "))
		}
	}
	formats := []string{"apple", "step", "tpm"}
	for _, f := range p.ACME.AttestationFormats {
		if !slices.Contains(formats, f) {
			d.Report(p.Origin, "attestation_formats", "Unknown attestation format",
				"step-ca disables a provisioner with the attestation format %q. Use %s.", f, strings.Join(formats, ", "))
		}
	}
	attests := slices.Contains(p.Challenges, "device-attest-01")
	if !attests && len(p.ACME.AttestationFormats)+len(p.ACME.AttestationRoots) > 0 {
		at := "attestation_formats"
		if len(p.ACME.AttestationFormats) == 0 {
			at = "attestation_roots"
		}
		d.Report(p.Origin, at, "Attestation that is never asked for",
			"Devices attest their keys in the challenge device-attest-01, which %s does not offer. Add it to challenges, or remove %s.", p.Address, at)
	}
	if attests && slices.Contains(p.ACME.AttestationFormats, "tpm") && len(p.ACME.AttestationRoots) == 0 {
		d.Report(p.Origin, "attestation_formats", "TPM attestation without roots",
			"step-ca knows the roots of Apple and Yubico, and of no maker of TPMs, so every attestation would be refused. Add attestation_roots = [\"…\"].")
	}
	p.checkPEM(d, "attestation_roots", p.ACME.AttestationRoots, "CERTIFICATE")
	for _, one := range []struct{ word, value string }{{"terms_of_service", p.ACME.TermsOfService}, {"website", p.ACME.Website}} {
		if u, err := url.Parse(one.value); one.value != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			d.Report(p.Origin, one.word, "Not a URL", "%q is not a URL. Write it as \"https://pki.example.com/terms\".", one.value)
		}
	}
	for _, host := range p.ACME.CAAIdentities {
		if checkHostName(host) != nil {
			d.Report(p.Origin, "caa_identities", "Not a host name", "%q is not a name that a CAA record can hold (RFC 8659 §4.2). Write it as \"pki.example.com\".", host)
		}
	}
}

func isLoopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

func (p *Provisioner) validateCloud(d *Diagnostics) {
	c := p.Cloud
	switch {
	case p.Kind == "aws" && len(c.Accounts) == 0:
		d.Report(p.Origin, "accounts", "Provisioner that takes anybody", "Every instance of every AWS account would get a certificate. List accounts.")
	case p.Kind == "gcp" && len(c.ProjectIDs)+len(c.ServiceAccounts) == 0 && c.OrganizationID == "":
		d.Report(p.Origin, "project_ids", "Provisioner that takes anybody",
			"Every instance of every project of Google Cloud would get a certificate. List project_ids or service_accounts, or name an organization_id.")
	case p.Kind == "gcp" && len(c.ProjectIDs) > 0 && c.OrganizationID != "":
		d.Report(p.Origin, "organization_id", "Projects and organization at once", "step-ca disables a provisioner with both. Keep one of project_ids and organization_id.")
	case p.Kind == "azure" && c.TenantID == "":
		d.Report(p.Origin, "tenant_id", "Azure provisioner without a tenant", "step-ca disables it. Add tenant_id.")
	case p.Kind == "azure" && checkHostName(c.TenantID) != nil:
		d.Report(p.Origin, "tenant_id", "Not a tenant", "%q is neither an identifier nor a domain, and step-ca makes a URL of it. Write it as \"72f988bf-86f1-41af-91ab-2d7cd011db47\".", c.TenantID)
	}
	if !c.DisableCustomSANs && p.Template == nil {
		d.Report(p.Origin, "disable_custom_sans", "Names that nobody checked",
			"An instance could ask for any name. Write disable_custom_sans = true, so that it gets the names that the cloud vouches for, or name a template that checks them.")
	}
	for _, v := range c.IMDSVersions {
		if v != "v1" && v != "v2" {
			d.Report(p.Origin, "imds_versions", "Unknown version of the metadata service", "%q is not a version. Use v1 or v2; only v2 withstands forged requests.", v)
		}
	}
	for _, account := range c.Accounts {
		if len(account) != 12 || strings.Trim(account, "0123456789") != "" {
			d.Report(p.Origin, "accounts", "Not an AWS account", "%q is not an account number of 12 digits. Write it as \"123456789012\".", account)
		}
	}
	p.checkPEM(d, "iid_roots", c.IIDRoots, "CERTIFICATE")
}

func (p *Provisioner) validateX5C(d *Diagnostics) {
	if len(p.Roots)+len(p.Authorities) == 0 {
		d.Report(p.Origin, "roots", "Provisioner without roots",
			"step-ca disables it: nobody's certificate would be taken. Add roots = [\"file.crt\"], or authorities = [authority.NAME] of this estate.")
	}
	p.checkPEM(d, "roots", p.Roots, "CERTIFICATE")
}

// scepCiphers are step-ca's numbers for the ciphers of its answers (RFC 8894
// §3.5.2 wants AES).
func scepCiphers() map[string]int {
	return map[string]int{"aes-128-cbc": 1, "aes-256-cbc": 2, "aes-128-gcm": 3, "aes-256-gcm": 4}
}

// CipherNumber is step-ca's encryptionAlgorithmIdentifier. When nothing is
// written it is AES-256-CBC; step-ca itself would take DES.
func (s SCEP) CipherNumber() int {
	if n, ok := scepCiphers()[s.EncryptionAlgorithm]; ok {
		return n
	}
	return scepCiphers()["aes-256-cbc"]
}

func (p *Provisioner) validateSCEP(d *Diagnostics) {
	s := p.SCEP
	if _, known := scepCiphers()[s.EncryptionAlgorithm]; s.EncryptionAlgorithm != "" && !known {
		d.Report(p.Origin, "encryption_algorithm", "Unknown SCEP cipher",
			"%q is not a cipher for SCEP. Use aes-128-cbc, aes-256-cbc, aes-128-gcm or aes-256-gcm; DES is broken.", s.EncryptionAlgorithm)
	}
	if n := s.MinimumPublicKeyLength; n != 0 && (n < 2048 || n%8 != 0 || n > 16384) {
		d.Report(p.Origin, "minimum_public_key_length", "Key length that cannot be asked for",
			"%d bits is too short to be safe, too long, or not whole bytes, which step-ca refuses. Write 2048, 3072 or 4096.", n)
	}
	if (s.DecrypterKey == "") != (len(s.DecrypterCertificate) == 0) {
		d.Report(p.Origin, "decrypter_key", "Half of a SCEP decrypter",
			"Clients encrypt to the certificate, and step-ca decrypts with its key. Write decrypter_certificate and decrypter_key together.")
	}
	p.checkPEM(d, "decrypter_certificate", s.DecrypterCertificate, "CERTIFICATE")
	if !slices.ContainsFunc(p.Webhooks, func(w *Webhook) bool { return w.Kind == "scepchallenge" }) {
		d.Report(p.Origin, "webhook", "Provisioner that takes anybody",
			"Without a challenge, whoever reaches the address gets a certificate for any name. Add webhook \"NAME\" { kind = \"scepchallenge\" … } to check each device's challenge.")
	}
}

// needsPEM is checkPEM for a list that must not be empty.
func (p *Provisioner) needsPEM(d *Diagnostics, attribute string, files []PEM, types ...string) {
	if len(files) == 0 {
		d.Report(p.Origin, attribute, "Provisioner without keys", "step-ca disables it: nobody's proof would be taken. Add %s = [\"file.pem\"].", attribute)
	}
	p.checkPEM(d, attribute, files, types...)
}

// checkPEM refuses files that step-ca would not read, and private keys.
func (p *Provisioner) checkPEM(d *Diagnostics, attribute string, files []PEM, types ...string) {
	for _, f := range files {
		if f.Data == nil {
			continue
		}
		if err := checkPEMFile(f.Data, types); err != "" {
			d.Report(p.Origin, attribute, "File that step-ca cannot read", "%s %s. Put PEM of type %s there.", f.Path, err, strings.Join(types, " or "))
		}
	}
}

func checkPEMFile(data []byte, types []string) string {
	found := false
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		found = true
		switch {
		case strings.Contains(block.Type, "PRIVATE KEY"):
			return "holds a private key, which must not lie here"
		case !slices.Contains(types, block.Type):
			return "holds PEM of type " + block.Type
		case block.Type == "CERTIFICATE":
			if _, err := x509.ParseCertificate(block.Bytes); err != nil {
				return "holds a certificate that does not parse"
			}
		case block.Type == "PUBLIC KEY":
			if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
				return "holds a public key that does not parse"
			}
		}
	}
	if !found {
		return "holds no PEM"
	}
	return ""
}

// webhookRefusals are what step-ca does not read from ca.json: each is marked
// there as belonging to the admin database only.
func webhookRefusals() map[string]string {
	const reason = "step-ca reads no secret of a webhook from ca.json, so its requests would go out unsigned without a word. " +
		"The server behind the URL can tell step-ca by the TLS client certificate that it shows: leave disable_tls_client_auth away, and check that certificate there."
	return map[string]string{"secret": reason, "bearer_token": reason, "basic_auth": reason}
}

func (w *Webhook) validate(d *Diagnostics, p *Provisioner) {
	for name, reason := range webhookRefusals() {
		if _, written := w.Attributes[name]; written {
			d.Report(w.Origin, name, "Argument that step-ca does not keep", "%s", reason)
			d.HideLine()
		}
	}
	u, err := url.Parse(w.URL)
	if err == nil && u.User != nil {
		d.Report(w.Origin, "url", "Password in a URL", "It would stand in ca.json, and step-ca refuses it. Let the webhook's server tell step-ca by its client certificate.")
		d.HideLine()
	} else if err != nil || u.Scheme != "https" || u.Host == "" {
		d.Report(w.Origin, "url", "Webhook that cannot be called", "%q is not an https URL, and step-ca disables the provisioner. Write it as \"https://hooks.example.internal/check\".", w.URL)
	}
	kinds := []string{"enriching", "authorizing", "scepchallenge", "notifying"}
	if !slices.Contains(kinds, w.Kind) {
		d.Report(w.Origin, "kind", "Unknown kind of webhook", "%q is not a kind of webhook. Use %s.", w.Kind, strings.Join(kinds, ", "))
	} else if (w.Kind == "scepchallenge" || w.Kind == "notifying") && p.Kind != "scep" {
		d.Report(w.Origin, "kind", "Webhook that is never called", "step-ca calls webhooks of kind %q for SCEP provisioners only, and %s is of type %q. Use enriching or authorizing.", w.Kind, p.Address, p.Kind)
	}
	if types := []string{"", "all", "x509", "ssh"}; !slices.Contains(types, w.CertType) {
		d.Report(w.Origin, "cert_type", "Unknown type of certificate", "%q is not a type of certificate. Use all, x509 or ssh.", w.CertType)
	}
	if w.Name == "" || strings.ContainsAny(w.Name, " \t\n\"") {
		d.Report(w.Origin, "", "Webhook without a name", "A template finds what a webhook said by its name. Write webhook \"name\" { … }.")
	}
}
