package hclspec

import (
	"encoding/json"

	ctyjson "github.com/zclconf/go-cty/cty/json"

	"pki.internal/spec"
)

func (x *linker) fillTemplate(t *spec.Template, raw *rawTemplate) {
	if raw.File != "" {
		text, err := x.read(raw.File)
		if err != nil {
			x.diags.Report(t.Origin, "file", "Template that cannot be read",
				"%s: %s. step-ca would start without it and fail every request. Put the file there; it is named relative to the estate's folder.", raw.File, plainError(err))
		}
		t.Text = text
	} else if raw.Inline != "" {
		t.Text = []byte(raw.Inline)
	}
	if raw.Data.IsNull() || !raw.Data.IsKnown() {
		return
	}
	if !raw.Data.Type().IsObjectType() && !raw.Data.Type().IsMapType() {
		x.diags.Report(t.Origin, "data", "Template data is not an object", "The template sees the keys of data as variables. Write data = { name = value }.")
		return
	}
	encoded, err := ctyjson.Marshal(raw.Data, raw.Data.Type())
	if err != nil {
		x.diags.Report(t.Origin, "data", "Template data is not JSON", "The template sees data as JSON: %s. Use strings, numbers, booleans, lists and objects.", err)
		return
	}
	t.Data = json.RawMessage(encoded)
}

func (x *linker) fillProvisioner(p *spec.Provisioner, raw *rawProvisioner) {
	p.Template, p.SSHTemplate = x.templates[raw.Template.address], x.templates[raw.SSHTemplate.address]
	p.Claims = raw.Claims.link()
	for _, w := range raw.Webhooks {
		p.Webhooks = append(p.Webhooks, &spec.Webhook{
			Origin: w.Origin, Name: w.Name, URL: w.URL, Kind: w.Kind, CertType: w.CertType, DisableTLSClientAuth: w.DisableTLSClientAuth,
		})
	}
	p.Password = x.secrets[raw.Password.address]
	p.Challenges, p.ForceCN = raw.Challenges, raw.ForceCN
	p.ACME = spec.ACME{
		TermsOfService: raw.TermsOfService, Website: raw.Website, CAAIdentities: raw.CAAIdentities,
		AttestationFormats: raw.AttestationFormats, AttestationRoots: x.pemFiles(p.Origin, "attestation_roots", raw.AttestationRoots),
	}
	p.OIDC = spec.OIDC{
		ClientID: raw.ClientID, ClientSecret: raw.ClientSecret, Endpoint: raw.ConfigurationEndpoint, TenantID: raw.TenantID,
		Admins: raw.Admins, Domains: raw.Domains, Groups: raw.Groups,
		ListenAddress: raw.ListenAddress, Scopes: raw.Scopes, AuthParams: raw.AuthParams,
	}
	p.Cloud = spec.Cloud{
		DisableCustomSANs: raw.DisableCustomSANs, DisableTrustOnFirstUse: raw.DisableTrustOnFirstUse, InstanceAge: raw.InstanceAge,
		Accounts: raw.Accounts, IMDSVersions: raw.IMDSVersions, IIDRoots: x.pemFile(p.Origin, "iid_roots", raw.IIDRoots),
		ServiceAccounts: raw.ServiceAccounts, ProjectIDs: raw.ProjectIDs, OrganizationID: raw.OrganizationID,
		DisableSSHCAUser: raw.DisableSSHCAUser, DisableSSHCAHost: raw.DisableSSHCAHost,
		TenantID: raw.TenantID, ResourceGroups: raw.ResourceGroups, SubscriptionIDs: raw.SubscriptionIDs, ObjectIDs: raw.ObjectIDs, Audience: raw.Audience,
	}
	p.Roots, p.PublicKeys = x.pemFiles(p.Origin, "roots", raw.Roots), x.pemFiles(p.Origin, "public_keys", raw.PublicKeys)
	p.Authorities = x.authoritiesOf(raw.Authorities)
	p.SCEP = spec.SCEP{
		Capabilities: raw.Capabilities, IncludeRoot: raw.IncludeRoot, ExcludeIntermediate: raw.ExcludeIntermediate,
		MinimumPublicKeyLength: raw.MinimumPublicKeyLength, DecrypterCertificate: x.pemFile(p.Origin, "decrypter_certificate", raw.DecrypterCertificate),
		DecrypterKey: raw.DecrypterKey, EncryptionAlgorithm: raw.EncryptionAlgorithm,
	}
}

func (x *linker) authoritiesOf(refs []ref) []*spec.Authority {
	var list []*spec.Authority
	for _, r := range refs {
		list = append(list, x.authorities[r.address])
	}
	return list
}

// pemFile is pemFiles for an argument that takes one.
func (x *linker) pemFile(o spec.Origin, argument, name string) []spec.PEM {
	if name == "" {
		return nil
	}
	return x.pemFiles(o, argument, []string{name})
}

func (x *linker) pemFiles(o spec.Origin, argument string, names []string) []spec.PEM {
	var files []spec.PEM
	for _, name := range names {
		data, err := x.read(name)
		if err != nil {
			x.diags.Report(o, argument, "File that cannot be read", "%s: %s. Put it there; %s names it relative to the estate's folder.", name, plainError(err), argument)
		}
		files = append(files, spec.PEM{Path: name, Data: data})
	}
	return files
}

func (c *rawClaims) link() *spec.Claims {
	if c == nil {
		return nil
	}
	return &spec.Claims{
		Origin: c.Origin, MinTLS: c.MinTLS, MaxTLS: c.MaxTLS, DefaultTLS: c.DefaultTLS,
		MinUserSSH: c.MinUserSSH, MaxUserSSH: c.MaxUserSSH, DefaultUserSSH: c.DefaultUserSSH,
		MinHostSSH: c.MinHostSSH, MaxHostSSH: c.MaxHostSSH, DefaultHostSSH: c.DefaultHostSSH,
		EnableSSHCA: c.EnableSSHCA, DisableRenewal: c.DisableRenewal, AllowRenewalAfterExpiry: c.AllowRenewalAfterExpiry,
		DisableSmallstepExtensions: c.DisableSmallstepExtensions,
	}
}

func (x *linker) onlineCA(raw *rawOnlineCA) *spec.OnlineCA {
	o := &spec.OnlineCA{
		Origin: raw.Origin, Authority: x.authorities[raw.Authority.address], DNSNames: raw.DNSNames, CommonName: raw.CommonName,
		Listen: raw.Address, InsecureAddress: raw.InsecureAddress, MetricsAddress: raw.MetricsAddress, Key: raw.Key,
		Claims: raw.Claims.link(), Policy: raw.Policy.link(), Registration: raw.Registration.link(),
		Systemd:         spec.Systemd{User: "step", Binary: "/usr/bin/step-ca"},
		AdditionalRoots: x.authoritiesOf(raw.AdditionalRoots), FederatedAuthorities: x.authoritiesOf(raw.FederatedAuthorities),
		FederatedRoots: x.pemFiles(raw.Origin, "federated_roots", raw.FederatedRoots), Backdate: raw.Backdate,
		DisableIssuedAtCheck: raw.DisableIssuedAtCheck, DisableSSHHostListing: raw.DisableSSHHostListing,
	}
	for _, r := range raw.Provisioners {
		o.Provisioners = append(o.Provisioners, x.provisioners[r.address])
	}
	if db := raw.Database; db != nil {
		o.Database = &spec.Database{Origin: db.Origin, Type: db.Type, DataSource: db.DataSource, Name: db.Name, ValueDir: db.ValueDir, FileIO: db.FileIO}
	}
	if raw.CRL != nil {
		o.CRL = &spec.OnlineCRL{
			Origin: raw.CRL.Origin, Enabled: raw.CRL.Enabled, GenerateOnRevoke: raw.CRL.GenerateOnRevoke,
			CacheDuration: raw.CRL.CacheDuration, RenewPeriod: raw.CRL.RenewPeriod,
		}
	}
	if t := raw.TLS; t != nil {
		o.TLS = &spec.TLS{Origin: t.Origin, MinVersion: t.MinVersion, MaxVersion: t.MaxVersion, CipherSuites: t.CipherSuites}
	}
	if l := raw.Logger; l != nil {
		o.Logger = &spec.Logger{Origin: l.Origin, Format: l.Format, TraceHeader: l.TraceHeader}
	}
	o.SSH, o.Nodes = x.onlineSSH(raw.SSH), raw.Nodes
	if k := raw.Kubernetes; k != nil {
		o.Kubernetes = &spec.Kubernetes{
			Origin: k.Origin, Namespace: k.Namespace, Image: k.Image, Replicas: max(k.Replicas, 1), Storage: k.Storage, StorageClass: k.StorageClass,
		}
		if _, written := k.Attributes["replicas"]; written {
			o.Kubernetes.Replicas = k.Replicas
		}
	}
	if s := raw.LeafSubject; s != nil {
		o.LeafSubject = &spec.LeafSubject{
			Origin: s.Origin, Country: s.Country, Organization: s.Organization, OrganizationalUnit: s.OrganizationalUnit,
			Locality: s.Locality, Province: s.Province, StreetAddress: s.StreetAddress,
		}
	}
	if raw.Systemd != nil {
		o.Systemd.Origin, o.Systemd.EncryptedCredentials, o.Systemd.HSM = raw.Systemd.Origin, raw.Systemd.EncryptedCredentials, raw.Systemd.HSM
		o.Systemd.Networks = raw.Systemd.Networks
		if raw.Systemd.User != "" {
			o.Systemd.User = raw.Systemd.User
		}
		if raw.Systemd.Binary != "" {
			o.Systemd.Binary = raw.Systemd.Binary
		}
	}
	return o
}

func (x *linker) onlineSSH(raw *rawOnlineSSH) *spec.OnlineSSH {
	if raw == nil {
		return nil
	}
	s := &spec.OnlineSSH{
		Origin: raw.Origin, Host: x.sshAuthorities[raw.Host.address], User: x.sshAuthorities[raw.User.address],
		HostKey: raw.HostKey, UserKey: raw.UserKey, AddUserPrincipal: raw.AddUserPrincipal, AddUserCommand: raw.AddUserCommand,
	}
	for _, r := range raw.AlsoTrusted {
		s.AlsoTrusted = append(s.AlsoTrusted, x.sshAuthorities[r.address])
	}
	for _, r := range raw.Federated {
		s.Federated = append(s.Federated, x.sshAuthorities[r.address])
	}
	if b := raw.Bastion; b != nil {
		s.Bastion = &spec.Bastion{Origin: b.Origin, Hostname: b.Hostname, User: b.User, Port: b.Port, Command: b.Command, Flags: b.Flags}
	}
	return s
}

func (p *rawPolicy) link() *spec.Policy {
	if p == nil {
		return nil
	}
	policy := &spec.Policy{Origin: p.Origin}
	if x := p.X509; x != nil {
		policy.X509 = &spec.X509Policy{Origin: x.Origin, Allow: x.Allow.link(), Deny: x.Deny.link(), AllowWildcardNames: x.AllowWildcardNames}
	}
	if s := p.SSH; s != nil {
		policy.SSH = &spec.SSHPolicy{Origin: s.Origin, User: s.User.link(), Host: s.Host.link()}
	}
	return policy
}

func (n *rawSSHNames) link() *spec.SSHNames {
	if n == nil {
		return nil
	}
	return &spec.SSHNames{Origin: n.Origin, Allow: n.Allow.link(), Deny: n.Deny.link()}
}

func (n *rawPolicyNames) link() *spec.PolicyNames {
	if n == nil {
		return nil
	}
	return &spec.PolicyNames{
		Origin: n.Origin, CommonNames: n.CommonNames, DNS: n.DNS, IPs: n.IPs, Emails: n.Emails, URIs: n.URIs, Principals: n.Principals,
	}
}

func (r *rawRegistration) link() *spec.Registration {
	if r == nil {
		return nil
	}
	registration := &spec.Registration{Origin: r.Origin, Type: r.Type, Upstream: r.Upstream, CredentialsFile: r.CredentialsFile}
	if i := r.Issuer; i != nil {
		registration.Issuer = &spec.RegistrationIssuer{Origin: i.Origin, Type: i.Type, Provisioner: i.Provisioner, Certificate: i.Certificate, Key: i.Key}
	}
	if v := r.Vault; v != nil {
		registration.Vault = &spec.Vault{
			Origin: v.Origin, MountPath: v.MountPath, RoleDefault: v.RoleDefault, RoleRSA: v.RoleRSA, RoleEC: v.RoleEC, RoleEd25519: v.RoleEd25519,
			AuthType: v.AuthType, AuthMountPath: v.AuthMountPath, Namespace: v.Namespace, Role: v.Role, RoleID: v.RoleID,
			SecretIDFile: v.SecretIDFile, TokenPath: v.TokenPath, Region: v.Region, IsWrappingToken: v.IsWrappingToken,
		}
	}
	return registration
}
