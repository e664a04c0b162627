package spec

import (
	"cmp"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Registration makes an online CA a registration authority: it checks who
// asks, and another CA signs.
type Registration struct {
	Origin
	Type            string // stepcas, cloudcas, vaultcas
	Upstream        string // URL, or the resource name of cloudcas
	CredentialsFile string // cloudcas: path on the host, "" for the host's identity
	Issuer          *RegistrationIssuer
	Vault           *Vault
}

// RegistrationIssuer is how a registration authority proves itself to a
// step-ca.
type RegistrationIssuer struct {
	Origin
	Type        string // jwk, x5c
	Provisioner string // name at the CA
	Certificate string // x5c: path on the host
	Key         string // x5c: path on the host; jwk: "" takes the CA's encrypted key
}

// Vault is how a registration authority proves itself to Vault.
type Vault struct {
	Origin
	MountPath                                     string // of the PKI engine
	RoleDefault, RoleRSA, RoleEC, RoleEd25519     string
	AuthType                                      string // kubernetes, approle, aws
	AuthMountPath, Namespace                      string
	Role, RoleID, SecretIDFile, TokenPath, Region string
	IsWrappingToken                               bool
}

// cloudAuthority is how Google names a CA (cas/cloudcas).
var cloudAuthority = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/caPools/[^/]+/certificateAuthorities/[^/]+$`)

func (r *Registration) validate(d *Diagnostics, o *OnlineCA) {
	if r == nil {
		return
	}
	if o.Key != "" {
		d.Report(o.Origin, "key", "Registration authority with a key", "The key is where the other CA is, and step-ca would ignore this one. Remove key.")
	}
	if o.CRL != nil && o.CRL.Enabled {
		d.Report(o.CRL.Origin, "enabled", "Registration authority with a CRL", "Only whoever signs certificates signs their CRL. Enable it in the online CA that signs, and remove it here.")
	}
	if o.SSH != nil {
		d.Report(o.SSH.Origin, "", "Registration authority with SSH", "step-ca passes no SSH requests on. Enable SSH in the online CA that signs, and remove it here.")
	}
	for _, p := range o.Provisioners {
		if p.Kind == "scep" || p.Kind == "sshpop" {
			d.Report(o.Origin, "provisioners", "Provisioner that needs the CA's key", "%s is of type %q, which works where the key is. List it in the online CA that signs.", p.Address, p.Kind)
		}
	}
	switch r.Type {
	case "stepcas":
		r.validateStepCA(d)
		r.checkItself(d, o)
	case "cloudcas":
		if !cloudAuthority.MatchString(r.Upstream) {
			d.Report(r.Origin, "upstream", "Not a CA of Google Cloud", "%q is not a CA's name. Write it as \"projects/P/locations/L/caPools/POOL/certificateAuthorities/CA\".", r.Upstream)
		}
	case "vaultcas":
		r.validateVault(d)
	default:
		d.Report(r.Origin, "type", "Unknown type of registration authority", "%q is not a CA that step-ca passes requests to. Use stepcas, cloudcas or vaultcas.", r.Type)
	}
	if r.Type != "stepcas" && r.Issuer != nil {
		d.Report(r.Issuer.Origin, "", "Argument of another registration authority", "issuer is for stepcas. Remove it.")
	}
	if r.Type != "vaultcas" && r.Vault != nil {
		d.Report(r.Vault.Origin, "", "Argument of another registration authority", "vault is for vaultcas. Remove it.")
	}
	if r.Type != "cloudcas" && r.CredentialsFile != "" {
		d.Report(r.Origin, "credentials_file", "Argument of another registration authority", "credentials_file is for cloudcas. Remove it.")
	}
}

func (r *Registration) checkUpstream(d *Diagnostics) {
	u, err := url.Parse(r.Upstream)
	if err == nil && u.User != nil {
		d.Report(r.Origin, "upstream", "Password in a URL", "It would stand in ca.json, which lies in Git, and nobody would ask for it. Write the URL without one.")
		d.HideLine()
	} else if err != nil || u.Scheme != "https" || u.Host == "" {
		d.Report(r.Origin, "upstream", "Not an https URL", "%q is not the address of a CA. Write it as \"https://ca.example.internal\".", r.Upstream)
	}
}

// checkItself warns of requests that would go round in a circle.
func (r *Registration) checkItself(d *Diagnostics, o *OnlineCA) {
	u, err := url.Parse(r.Upstream)
	if err != nil || u.Scheme != "https" {
		return
	}
	_, port, _ := net.SplitHostPort(o.Listen)
	if cmp.Or(u.Port(), "443") == port && slices.ContainsFunc(o.DNSNames, func(name string) bool { return strings.EqualFold(name, u.Hostname()) }) {
		d.Warn(r.Origin, "upstream", "Registration authority of itself",
			"%s is one of its own dns_names on its own port, so it would pass every request to itself. Name the CA that has the key, unless the name leads elsewhere from this host.", r.Upstream)
	}
}

func (r *Registration) validateStepCA(d *Diagnostics) {
	r.checkUpstream(d)
	i := r.Issuer
	if i == nil {
		d.Report(r.Origin, "", "Registration authority that cannot prove itself", "Nothing says how it proves itself to the CA. Add issuer { type = \"jwk\", provisioner = \"NAME\" }, one argument a line.")
		return
	}
	if i.Provisioner == "" {
		d.Report(i.Origin, "provisioner", "Issuer without a provisioner", "Nothing says which provisioner of the CA takes its requests. Name it, as in provisioner = \"ra\".")
	}
	switch i.Type {
	case "jwk":
		if i.Certificate != "" {
			d.Report(i.Origin, "certificate", "Argument of another issuer", "A JWK issuer has no certificate. Remove it, or write type = \"x5c\".")
		}
	case "x5c":
		if i.Certificate == "" || i.Key == "" {
			d.Report(i.Origin, "certificate", "Issuer without a certificate", "An X5C issuer shows a certificate and signs with its key. Add certificate and key, as paths on the host.")
		}
	default:
		d.Report(i.Origin, "type", "Unknown type of issuer", "%q is not how step-ca proves itself. Use jwk or x5c.", i.Type)
	}
}

func (r *Registration) validateVault(d *Diagnostics) {
	r.checkUpstream(d)
	v := r.Vault
	if v == nil {
		d.Report(r.Origin, "", "Registration authority that cannot prove itself", "Nothing says how it proves itself to Vault. Add a vault block with auth_type.")
		return
	}
	if _, written := v.Attributes["secret_id"]; written {
		d.Report(v.Origin, "secret_id", "Argument that must not be used", "The secret would stand in ca.json in clear. Write secret_id_file, a path on the host.")
		d.HideLine()
	}
	want := map[string][]struct{ word, value string }{
		"kubernetes": {{"role", v.Role}},
		"approle":    {{"role_id", v.RoleID}, {"secret_id_file", v.SecretIDFile}},
		"aws":        {{"role", v.Role}},
	}
	needs, known := want[v.AuthType]
	if !known {
		d.Report(v.Origin, "auth_type", "Unknown way to log in", "%q is not a way in which step-ca logs in to Vault. Use %s.", v.AuthType, strings.Join(slices.Sorted(slices.Values([]string{"approle", "aws", "kubernetes"})), ", "))
	}
	for _, n := range needs {
		if n.value == "" {
			d.Report(v.Origin, n.word, "Login that is not complete", "Logging in with %s needs %s. Add it.", v.AuthType, n.word)
		}
	}
}
