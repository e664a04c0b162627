package render_test

import (
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"pki.internal/spec"
)

// grand is twoTier with everything that an online CA can be told.
func grand(t *testing.T) *scene {
	t.Helper()
	s := twoTier()
	public, err := x509.MarshalPKIXPublicKey(fixedKey(t, spec.Address{Kind: "k", Name: "pods"}, spec.ECDSAP256).Public())
	must(t, err)
	publicPEM := spec.PEM{Path: "sa.pub", Data: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})}
	certificate := spec.PEM{Path: "x.crt", Data: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: selfSigned(t)})}
	nebula := spec.PEM{Path: "n.crt", Data: pem.EncodeToMemory(&pem.Block{Type: "NEBULA CERTIFICATE", Bytes: []byte{1, 2, 3}})}
	root := s.estate.Authorities[0]
	second := *root
	second.Origin, second.Subject = named("authority", "root_g2"), spec.NewName(map[string][]string{"common_name": {"Second"}}, nil)
	third := second
	third.Origin, third.Subject = named("authority", "elsewhere"), spec.NewName(map[string][]string{"common_name": {"Third"}}, nil)
	s.estate.Authorities = append(s.estate.Authorities, &second, &third)
	template := s.ca.Provisioners[1].Template
	hook := &spec.Webhook{Name: "devices", URL: "https://hooks.example.internal/", Kind: "scepchallenge", DisableTLSClientAuth: true}
	shell := &spec.Template{Origin: named("template", "shell"), Kind: "ssh", Text: []byte("{}")}
	add := func(kind string, p spec.Provisioner) {
		p.Origin, p.Kind = named("provisioner", kind+"-x"), kind
		s.ca.Provisioners = append(s.ca.Provisioners, &p)
		s.estate.Provisioners = append(s.estate.Provisioners, &p)
	}
	s.ca.Provisioners[1].ACME = spec.ACME{
		TermsOfService: "https://example.internal/terms", Website: "https://example.internal", CAAIdentities: []string{"example.internal"},
		AttestationFormats: []string{"step"}, AttestationRoots: []spec.PEM{certificate},
	}
	add("oidc", spec.Provisioner{SSHTemplate: shell, OIDC: spec.OIDC{
		ClientID: "c", ClientSecret: "public", Endpoint: "https://id.example.internal", TenantID: "t", Admins: []string{"ada@example.internal"},
		Domains: []string{"example.internal"}, Groups: []string{"ops"}, ListenAddress: ":10000", Scopes: []string{"email"}, AuthParams: []string{"a=b"},
	}})
	add("aws", spec.Provisioner{Cloud: spec.Cloud{
		Accounts: []string{"123456789012"}, DisableCustomSANs: true, DisableTrustOnFirstUse: true, IMDSVersions: []string{"v2"}, InstanceAge: span(time.Hour), IIDRoots: []spec.PEM{certificate},
	}})
	add("gcp", spec.Provisioner{Cloud: spec.Cloud{
		ServiceAccounts: []string{"1"}, ProjectIDs: []string{"p"}, OrganizationID: "o", DisableCustomSANs: true, DisableSSHCAUser: new(true), DisableSSHCAHost: new(false),
	}})
	add("azure", spec.Provisioner{Cloud: spec.Cloud{
		TenantID: "t", ResourceGroups: []string{"g"}, SubscriptionIDs: []string{"s"}, ObjectIDs: []string{"o"}, Audience: "a", DisableCustomSANs: true,
	}})
	add("x5c", spec.Provisioner{Roots: []spec.PEM{certificate}, Authorities: []*spec.Authority{root}})
	add("sshpop", spec.Provisioner{Claims: &spec.Claims{EnableSSHCA: new(true)}})
	add("k8ssa", spec.Provisioner{PublicKeys: []spec.PEM{publicPEM}, Template: template})
	add("scep", spec.Provisioner{ForceCN: true, Webhooks: []*spec.Webhook{hook}, SCEP: spec.SCEP{
		Capabilities: []string{"AES"}, IncludeRoot: true, ExcludeIntermediate: true, MinimumPublicKeyLength: 3072,
		DecrypterCertificate: []spec.PEM{certificate}, DecrypterKey: "secrets/scep.key", EncryptionAlgorithm: "aes-128-gcm",
	}})
	add("nebula", spec.Provisioner{Roots: []spec.PEM{nebula}})
	s.withSSH()
	old := &spec.SSHAuthority{Origin: named("ssh_authority", "old"), Type: "host", PublicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g old"}
	s.ca.SSH.AlsoTrusted, s.ca.SSH.Federated = []*spec.SSHAuthority{old}, []*spec.SSHAuthority{old}
	s.ca.SSH.AddUserPrincipal, s.ca.SSH.AddUserCommand = "adder", "useradd"
	s.ca.SSH.Bastion = &spec.Bastion{Hostname: "b.example.internal", User: "u", Port: "22", Command: "c", Flags: "-v"}
	names := &spec.PolicyNames{CommonNames: []string{"a"}, DNS: []string{"*.example.internal"}, IPs: []string{"10.0.0.0/8"}, Emails: []string{"@example.internal"}, URIs: []string{"a.example.internal"}, Principals: []string{"root"}}
	rules := &spec.SSHNames{Allow: names, Deny: names}
	s.ca.Policy = &spec.Policy{X509: &spec.X509Policy{Allow: names, Deny: names, AllowWildcardNames: true}, SSH: &spec.SSHPolicy{User: rules, Host: rules}}
	s.ca.TLS = &spec.TLS{MinVersion: "1.3", CipherSuites: []string{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}}
	s.ca.Logger = &spec.Logger{Format: "text", TraceHeader: "X-Request-Id"}
	s.ca.Database = &spec.Database{Type: "badgerv2", DataSource: "db", ValueDir: "db/values", Name: "ca", FileIO: true}
	s.ca.LeafSubject = &spec.LeafSubject{Country: "US", Organization: "Example", OrganizationalUnit: "Ops", Locality: "X", Province: "Y", StreetAddress: "Z"}
	s.ca.CommonName, s.ca.MetricsAddress, s.ca.Backdate = "Example CA", "127.0.0.1:9090", span(2*time.Minute)
	s.ca.DisableIssuedAtCheck, s.ca.DisableSSHHostListing = true, true
	s.ca.AdditionalRoots, s.ca.FederatedAuthorities, s.ca.FederatedRoots = []*spec.Authority{&second}, []*spec.Authority{&third}, []spec.PEM{certificate}
	s.ca.Claims = &spec.Claims{
		MinTLS: span(time.Minute), MaxTLS: span(72 * time.Hour), DefaultTLS: span(time.Hour),
		MinUserSSH: span(time.Minute), MaxUserSSH: span(72 * time.Hour), DefaultUserSSH: span(time.Hour),
		MinHostSSH: span(time.Minute), MaxHostSSH: span(72 * time.Hour), DefaultHostSSH: span(time.Hour),
		EnableSSHCA: new(true), DisableRenewal: new(false), AllowRenewalAfterExpiry: new(true), DisableSmallstepExtensions: new(true),
	}
	return s
}

// withSSH gives the online CA an SSH authority of each type.
func (s *scene) withSSH() {
	store := s.estate.KeyStores[0]
	host := &spec.SSHAuthority{Origin: named("ssh_authority", "host"), Type: "host", Key: &spec.Key{Store: store, Algorithm: spec.ECDSAP256}}
	user := &spec.SSHAuthority{Origin: named("ssh_authority", "user"), Type: "user", Key: &spec.Key{Store: store, Algorithm: spec.ECDSAP384}}
	s.estate.SSHAuthorities = []*spec.SSHAuthority{host, user}
	s.ca.SSH = &spec.OnlineSSH{Host: host, User: user}
	s.ca.Provisioners[0].Claims.EnableSSHCA = new(true)
}

// selfSigned is any certificate.
func selfSigned(t *testing.T) []byte {
	t.Helper()
	s := twoTier()
	state := ceremony(t, s.estate, -1)
	root, _ := state.Root(s.ca.Authority.Address)
	return root.Certificate
}

// registrations are the registration authorities of every type.
func registrations() map[string]*spec.Registration {
	return map[string]*spec.Registration{
		"a JWK of step-ca": {Type: "stepcas", Upstream: "https://ca.example.internal", Issuer: &spec.RegistrationIssuer{Type: "jwk", Provisioner: "ra"}},
		"X5C of step-ca": {Type: "stepcas", Upstream: "https://ca.example.internal", Issuer: &spec.RegistrationIssuer{
			Type: "x5c", Provisioner: "ra", Certificate: "certs/ra.crt", Key: "secrets/ra.key",
		}},
		"Google": {Type: "cloudcas", Upstream: "projects/p/locations/l/caPools/o/certificateAuthorities/c", CredentialsFile: "secrets/google.json"},
		"Vault": {Type: "vaultcas", Upstream: "https://vault.example.internal", Vault: &spec.Vault{
			MountPath: "pki", RoleDefault: "d", RoleRSA: "r", RoleEC: "e", RoleEd25519: "o", AuthType: "approle",
			AuthMountPath: "approle", Namespace: "n", RoleID: "id", SecretIDFile: "secrets/vault", IsWrappingToken: true,
		}},
		"Vault in Kubernetes": {Type: "vaultcas", Upstream: "https://vault.example.internal", Vault: &spec.Vault{AuthType: "kubernetes", Role: "ca", TokenPath: "/run/token"}},
	}
}
