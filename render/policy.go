package render

import "pki.internal/spec"

// policy is authority.policy.
type policy struct {
	X509 *x509Policy `json:"x509,omitempty"`
	SSH  *sshPolicy  `json:"ssh,omitempty"`
}

type x509Policy struct {
	Allow              *x509Names `json:"allow,omitempty"`
	Deny               *x509Names `json:"deny,omitempty"`
	AllowWildcardNames bool       `json:"allowWildcardNames,omitempty"`
}

type x509Names struct {
	CN    []string `json:"cn,omitempty"`
	DNS   []string `json:"dns,omitempty"`
	IP    []string `json:"ip,omitempty"`
	Email []string `json:"email,omitempty"`
	URI   []string `json:"uri,omitempty"`
}

type sshPolicy struct {
	User *sshRules `json:"user,omitempty"`
	Host *sshRules `json:"host,omitempty"`
}

type sshRules struct {
	Allow *sshNames `json:"allow,omitempty"`
	Deny  *sshNames `json:"deny,omitempty"`
}

type sshNames struct {
	DNS       []string `json:"dns,omitempty"`
	IP        []string `json:"ip,omitempty"`
	Email     []string `json:"email,omitempty"`
	Principal []string `json:"principal,omitempty"`
}

func policyOf(p *spec.Policy) *policy {
	if p == nil {
		return nil
	}
	rendered := &policy{}
	if x := p.X509; x != nil {
		rendered.X509 = &x509Policy{Allow: x509NamesOf(x.Allow), Deny: x509NamesOf(x.Deny), AllowWildcardNames: x.AllowWildcardNames}
	}
	if s := p.SSH; s != nil {
		rendered.SSH = &sshPolicy{User: sshRulesOf(s.User), Host: sshRulesOf(s.Host)}
	}
	return rendered
}

func x509NamesOf(n *spec.PolicyNames) *x509Names {
	if n == nil {
		return nil
	}
	return &x509Names{CN: n.CommonNames, DNS: n.DNS, IP: n.IPs, Email: n.Emails, URI: n.URIs}
}

func sshRulesOf(n *spec.SSHNames) *sshRules {
	if n == nil {
		return nil
	}
	return &sshRules{Allow: sshNamesOf(n.Allow), Deny: sshNamesOf(n.Deny)}
}

func sshNamesOf(n *spec.PolicyNames) *sshNames {
	if n == nil {
		return nil
	}
	return &sshNames{DNS: n.DNS, IP: n.IPs, Email: n.Emails, Principal: n.Principals}
}
