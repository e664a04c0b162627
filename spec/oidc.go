package spec

import (
	"net/url"
	"strings"
)

func (p *Provisioner) validateOIDC(d *Diagnostics) {
	if p.OIDC.ClientID == "" {
		d.Report(p.Origin, "client_id", "OIDC provisioner without a client", "step-ca disables it. Add client_id, as the identity provider gave it.")
	}
	u, err := url.Parse(p.OIDC.Endpoint)
	switch {
	case err == nil && u.User != nil:
		d.Report(p.Origin, "configuration_endpoint", "Password in a URL", "step-ca shows the URL to whoever asks for /provisioners, and it lies in Git. A discovery document needs no password; write the URL without one.")
		d.HideLine()
	case err != nil || u.Host == "" || u.Scheme != "https" && !isLoopback(u.Hostname()) || strings.Contains(p.OIDC.Endpoint, " "):
		d.Report(p.Origin, "configuration_endpoint", "OIDC provisioner without a discovery document",
			"step-ca fetches it at start, and trusts the keys that it names, so it must be an https URL. Write it as \"https://id.example.com/.well-known/openid-configuration\".")
	}
	if p.OIDC.ListenAddress != "" {
		checkHostPort(d, p.Origin, "listen_address", p.OIDC.ListenAddress)
	}
	if p.OIDC.ClientSecret != "" {
		d.Warn(p.Origin, "client_secret", "Client secret that everybody can read",
			"step-ca shows it to whoever asks for /provisioners, and it lies in Git. Keep it only when the identity provider says that it is no secret, as for native applications; else ask for a client without one (PKCE).")
	}
	if len(p.OIDC.Domains)+len(p.OIDC.Groups) == 0 && p.OIDC.TenantID == "" {
		d.Report(p.Origin, "domains", "Provisioner that takes anybody",
			"Every account of the identity provider would get a certificate. List domains or groups, or name a tenant_id.")
	}
	p.validateLogins(d)
}

// validateLogins is about words that step-ca compares with those of a login, letter
// by letter: a pattern lets nobody in.
func (p *Provisioner) validateLogins(d *Diagnostics) {
	for _, domain := range p.OIDC.Domains {
		if checkHostName(domain) != nil {
			d.Report(p.Origin, "domains", "Not a host name", "%q is compared with the domain of each login's address as it stands, so nobody has it. Write it as \"acme.example\".", domain)
		}
	}
	for _, admin := range p.OIDC.Admins {
		if policyEmail(admin) != nil || strings.HasPrefix(admin, "@") {
			d.Report(p.Origin, "admins", "Not an address", "%q is compared with the address of each login as it stands, so nobody has it. Write it as \"ada@acme.example\".", admin)
		}
	}
	for _, list := range []struct {
		word   string
		values []string
	}{{"groups", p.OIDC.Groups}, {"scopes", p.OIDC.Scopes}, {"auth_params", p.OIDC.AuthParams}} {
		for _, value := range list.values {
			if value == "" || list.word != "groups" && strings.Contains(value, " ") || strings.ContainsFunc(value, invisible) {
				d.Report(p.Origin, list.word, "Not a plain word", "%q in %s is empty, or has spaces or control characters. Write one word to an element.", value, list.word)
			}
		}
	}
}
