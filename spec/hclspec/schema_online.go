package hclspec

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pki.internal/spec"
)

// The raw structs of what online CAs are told. An argument whose doc begins
// with "refused" is one that step-ca or Smallstep's documents have and that
// must not be used: it is here so that the answer is the reason.

type rawTemplate struct {
	spec.Origin

	Name   string    `hcl:"name,label"`
	Kind   string    `hcl:"kind" doc:"\"x509\" or \"ssh\""`
	File   string    `hcl:"file,optional" doc:"a step-ca template below the estate's folder"`
	Inline string    `hcl:"inline,optional" doc:"the template's text, instead of a file"`
	Data   cty.Value `hcl:"data,optional" doc:"an object whose keys the template sees"`
}

type rawProvisioner struct {
	spec.Origin

	Kind        string       `hcl:"type,label"`
	Name        string       `hcl:"name,label"`
	Template    ref          `hcl:"template,optional" doc:"a reference to a template, such as template.server" ref:"template"`
	SSHTemplate ref          `hcl:"ssh_template,optional" doc:"a reference to a template of kind \"ssh\"" ref:"template"`
	Claims      *rawClaims   `hcl:"claims,block"`
	Webhooks    []rawWebhook `hcl:"webhook,block"`
	Policy      *rawPolicy   `hcl:"policy,block"`

	Password ref `hcl:"password,optional" doc:"a reference to a secret, such as secret.admin" ref:"secret"`

	Challenges         []string       `hcl:"challenges,optional" doc:"a list, such as [\"http-01\"]"`
	ForceCN            bool           `hcl:"force_cn,optional" doc:"true or false"`
	RequireEAB         hcl.Expression `hcl:"require_eab,optional" doc:"refused"`
	TermsOfService     string         `hcl:"terms_of_service,optional" doc:"a URL"`
	Website            string         `hcl:"website,optional" doc:"a URL"`
	CAAIdentities      []string       `hcl:"caa_identities,optional" doc:"a list of domains, such as [\"pki.example.com\"]"`
	AttestationFormats []string       `hcl:"attestation_formats,optional" doc:"a list of \"apple\", \"step\" and \"tpm\""`
	AttestationRoots   []string       `hcl:"attestation_roots,optional" doc:"a list of PEM files below the estate's folder"`

	ClientID              string   `hcl:"client_id,optional" doc:"as the identity provider gave it"`
	ClientSecret          string   `hcl:"client_secret,optional" doc:"of a native application; step-ca shows it to anybody"`
	ConfigurationEndpoint string   `hcl:"configuration_endpoint,optional" doc:"an https URL, such as \"https://id.example.com/.well-known/openid-configuration\""`
	TenantID              string   `hcl:"tenant_id,optional" doc:"the tenant of Azure or of the identity provider"`
	Admins                []string `hcl:"admins,optional" doc:"a list of mail addresses or groups that may ask for any name"`
	Domains               []string `hcl:"domains,optional" doc:"a list of mail domains"`
	Groups                []string `hcl:"groups,optional" doc:"a list of groups"`
	ListenAddress         string   `hcl:"listen_address,optional" doc:"host:port where step listens during a login, such as \":10000\""`
	Scopes                []string `hcl:"scopes,optional" doc:"a list, such as [\"openid\", \"email\"]"`
	AuthParams            []string `hcl:"auth_params,optional" doc:"a list of name=value"`

	DisableCustomSANs      bool       `hcl:"disable_custom_sans,optional" doc:"true or false"`
	DisableTrustOnFirstUse bool       `hcl:"disable_trust_on_first_use,optional" doc:"true or false"`
	InstanceAge            *spec.Span `hcl:"instance_age,optional" doc:"a span of time, such as \"1h\""`
	Accounts               []string   `hcl:"accounts,optional" doc:"a list of AWS account numbers"`
	IMDSVersions           []string   `hcl:"imds_versions,optional" doc:"a list of \"v1\" and \"v2\""`
	IIDRoots               string     `hcl:"iid_roots,optional" doc:"a PEM file below the estate's folder"`
	ServiceAccounts        []string   `hcl:"service_accounts,optional" doc:"a list of Google service accounts"`
	ProjectIDs             []string   `hcl:"project_ids,optional" doc:"a list of Google Cloud projects"`
	OrganizationID         string     `hcl:"organization_id,optional" doc:"a Google Cloud organization"`
	DisableSSHCAUser       *bool      `hcl:"disable_ssh_ca_user,optional" doc:"true or false"`
	DisableSSHCAHost       *bool      `hcl:"disable_ssh_ca_host,optional" doc:"true or false"`
	ResourceGroups         []string   `hcl:"resource_groups,optional" doc:"a list of Azure resource groups"`
	SubscriptionIDs        []string   `hcl:"subscription_ids,optional" doc:"a list of Azure subscriptions"`
	ObjectIDs              []string   `hcl:"object_ids,optional" doc:"a list of Azure object ids"`
	Audience               string     `hcl:"audience,optional" doc:"the audience of Azure's tokens"`

	Roots       []string `hcl:"roots,optional" doc:"a list of PEM files below the estate's folder"`
	Authorities []ref    `hcl:"authorities,optional" doc:"a list of references, such as [authority.devices]" ref:"authority"`
	PublicKeys  []string `hcl:"public_keys,optional" doc:"a list of PEM files below the estate's folder"`

	Challenge              hcl.Expression `hcl:"challenge,optional" doc:"refused"`
	Capabilities           []string       `hcl:"capabilities,optional" doc:"a list, such as [\"SHA-256\", \"AES\"]"`
	IncludeRoot            bool           `hcl:"include_root,optional" doc:"true or false"`
	ExcludeIntermediate    bool           `hcl:"exclude_intermediate,optional" doc:"true or false"`
	MinimumPublicKeyLength int            `hcl:"minimum_public_key_length,optional" doc:"bits, such as 2048"`
	DecrypterCertificate   string         `hcl:"decrypter_certificate,optional" doc:"a PEM file below the estate's folder"`
	DecrypterKey           string         `hcl:"decrypter_key,optional" doc:"a key manager's URI, or a path on the host"`
	DecrypterKeyPassword   hcl.Expression `hcl:"decrypter_key_password,optional" doc:"refused"`
	EncryptionAlgorithm    string         `hcl:"encryption_algorithm,optional" doc:"such as \"aes-256-cbc\""`
}

type rawWebhook struct {
	spec.Origin

	Name                 string         `hcl:"name,label"`
	URL                  string         `hcl:"url" doc:"an https URL"`
	Kind                 string         `hcl:"kind" doc:"\"enriching\", \"authorizing\", \"scepchallenge\" or \"notifying\""`
	CertType             string         `hcl:"cert_type,optional" doc:"\"all\", \"x509\" or \"ssh\""`
	DisableTLSClientAuth bool           `hcl:"disable_tls_client_auth,optional" doc:"true or false"`
	Secret               hcl.Expression `hcl:"secret,optional" doc:"refused"`
	BearerToken          hcl.Expression `hcl:"bearer_token,optional" doc:"refused"`
	BasicAuth            hcl.Expression `hcl:"basic_auth,optional" doc:"refused"`
}

type rawClaims struct {
	spec.Origin

	MinTLS                     *spec.Span `hcl:"min_tls_duration,optional" doc:"a span of time, such as \"5m\""`
	MaxTLS                     *spec.Span `hcl:"max_tls_duration,optional" doc:"a span of time, such as \"24h\""`
	DefaultTLS                 *spec.Span `hcl:"default_tls_duration,optional" doc:"a span of time, such as \"24h\""`
	MinUserSSH                 *spec.Span `hcl:"min_user_ssh_duration,optional" doc:"a span of time, such as \"5m\""`
	MaxUserSSH                 *spec.Span `hcl:"max_user_ssh_duration,optional" doc:"a span of time, such as \"24h\""`
	DefaultUserSSH             *spec.Span `hcl:"default_user_ssh_duration,optional" doc:"a span of time, such as \"16h\""`
	MinHostSSH                 *spec.Span `hcl:"min_host_ssh_duration,optional" doc:"a span of time, such as \"5m\""`
	MaxHostSSH                 *spec.Span `hcl:"max_host_ssh_duration,optional" doc:"a span of time, such as \"30d\""`
	DefaultHostSSH             *spec.Span `hcl:"default_host_ssh_duration,optional" doc:"a span of time, such as \"30d\""`
	EnableSSHCA                *bool      `hcl:"enable_ssh_ca,optional" doc:"true or false"`
	DisableRenewal             *bool      `hcl:"disable_renewal,optional" doc:"true or false"`
	AllowRenewalAfterExpiry    *bool      `hcl:"allow_renewal_after_expiry,optional" doc:"true or false"`
	DisableSmallstepExtensions *bool      `hcl:"disable_smallstep_extensions,optional" doc:"true or false"`
}

type rawOnlineCA struct {
	spec.Origin

	Name            string           `hcl:"name,label"`
	Authority       ref              `hcl:"authority" doc:"the authority that step-ca signs with, such as authority.issuing" ref:"authority"`
	DNSNames        []string         `hcl:"dns_names" doc:"a list of names, such as [\"ca.acme.internal\"]"`
	CommonName      string           `hcl:"common_name,optional" doc:"of step-ca's own certificate"`
	Address         string           `hcl:"address" doc:"host:port, such as \":443\""`
	InsecureAddress string           `hcl:"insecure_address,optional" doc:"host:port for the CRL and SCEP over plain http"`
	MetricsAddress  string           `hcl:"metrics_address,optional" doc:"host:port for Prometheus over plain http"`
	Key             string           `hcl:"key,optional" doc:"the signing key as step-ca takes it: a path or a KMS URI"`
	Provisioners    []ref            `hcl:"provisioners,optional" doc:"a list of references, such as [provisioner.admin]" ref:"provisioner"`
	Database        *rawDatabase     `hcl:"database,block"`
	CRL             *rawOnlineCRL    `hcl:"crl,block"`
	Claims          *rawClaims       `hcl:"claims,block"`
	Policy          *rawPolicy       `hcl:"policy,block"`
	TLS             *rawTLS          `hcl:"tls,block"`
	Logger          *rawLogger       `hcl:"logger,block"`
	SSH             *rawOnlineSSH    `hcl:"ssh,block"`
	Registration    *rawRegistration `hcl:"registration,block"`
	Systemd         *rawSystemd      `hcl:"systemd,block"`
	Nodes           []string         `hcl:"nodes,optional" doc:"a list of the hosts that run it, behind one balancer"`
	Kubernetes      *rawKubernetes   `hcl:"kubernetes,block"`

	AdditionalRoots       []ref           `hcl:"additional_roots,optional" doc:"a list of roots that clients trust as well, such as [authority.root_g2]" ref:"authority"`
	FederatedAuthorities  []ref           `hcl:"federated_authorities,optional" doc:"a list of roots, such as [authority.other]" ref:"authority"`
	FederatedRoots        []string        `hcl:"federated_roots,optional" doc:"a list of PEM files below the estate's folder"`
	LeafSubject           *rawLeafSubject `hcl:"leaf_subject,block"`
	Backdate              *spec.Span      `hcl:"backdate,optional" doc:"a span of time, such as \"1m\""`
	DisableIssuedAtCheck  bool            `hcl:"disable_issued_at_check,optional" doc:"true or false"`
	DisableSSHHostListing bool            `hcl:"disable_get_ssh_hosts,optional" doc:"true or false"`
	EnableAdmin           hcl.Expression  `hcl:"enable_admin,optional" doc:"refused"`
	Password              hcl.Expression  `hcl:"password,optional" doc:"refused"`
	DeploymentType        hcl.Expression  `hcl:"deployment_type,optional" doc:"refused"`
	Monitoring            hcl.Expression  `hcl:"monitoring,optional" doc:"refused"`
}

type rawDatabase struct {
	spec.Origin

	Type       string `hcl:"type" doc:"\"badgerv2\", \"bbolt\", \"mysql\" or \"postgresql\""`
	DataSource string `hcl:"data_source" doc:"a folder, a file or a database address"`
	Name       string `hcl:"name,optional" doc:"the database's name"`
	ValueDir   string `hcl:"value_dir,optional" doc:"badgerv2: a folder for values"`
	FileIO     bool   `hcl:"file_io,optional" doc:"badgerv2: true for less memory"`
}

type rawOnlineCRL struct {
	spec.Origin

	Enabled          bool       `hcl:"enabled" doc:"true or false"`
	GenerateOnRevoke bool       `hcl:"generate_on_revoke,optional" doc:"true or false"`
	CacheDuration    *spec.Span `hcl:"cache_duration,optional" doc:"a span of time, such as \"24h\""`
	RenewPeriod      *spec.Span `hcl:"renew_period,optional" doc:"a span of time, such as \"16h\""`
}

type rawPolicy struct {
	spec.Origin

	X509 *rawX509Policy `hcl:"x509,block"`
	SSH  *rawSSHPolicy  `hcl:"ssh,block"`
}

type rawX509Policy struct {
	spec.Origin

	Allow              *rawPolicyNames `hcl:"allow,block"`
	Deny               *rawPolicyNames `hcl:"deny,block"`
	AllowWildcardNames bool            `hcl:"allow_wildcard_names,optional" doc:"true or false"`
}

type rawSSHPolicy struct {
	spec.Origin

	User *rawSSHNames `hcl:"user,block"`
	Host *rawSSHNames `hcl:"host,block"`
}

type rawSSHNames struct {
	spec.Origin

	Allow *rawPolicyNames `hcl:"allow,block"`
	Deny  *rawPolicyNames `hcl:"deny,block"`
}

type rawPolicyNames struct {
	spec.Origin

	CommonNames []string `hcl:"cn,optional" doc:"a list of common names"`
	DNS         []string `hcl:"dns,optional" doc:"a list, such as [\"*.acme.internal\"]"`
	IPs         []string `hcl:"ip,optional" doc:"a list of addresses and networks"`
	Emails      []string `hcl:"email,optional" doc:"a list, such as [\"@acme.example\"]"`
	URIs        []string `hcl:"uri,optional" doc:"a list of hosts in URIs"`
	Principals  []string `hcl:"principal,optional" doc:"a list of users or hosts, for SSH"`
}

type rawSSHAuthority struct {
	spec.Origin

	Name      string  `hcl:"name,label"`
	Type      string  `hcl:"type" doc:"what it signs for: \"user\" or \"host\""`
	Key       *rawKey `hcl:"key,block"`
	PublicKey string  `hcl:"public_key,optional" doc:"of a key that lives elsewhere, one line such as \"ssh-ed25519 AAAA…\""`
}

type rawOnlineSSH struct {
	spec.Origin

	Host             ref         `hcl:"host,optional" doc:"a reference, such as ssh_authority.host" ref:"ssh_authority"`
	User             ref         `hcl:"user,optional" doc:"a reference, such as ssh_authority.user" ref:"ssh_authority"`
	HostKey          string      `hcl:"host_key,optional" doc:"the key as step-ca takes it: a path or a KMS URI"`
	UserKey          string      `hcl:"user_key,optional" doc:"the key as step-ca takes it: a path or a KMS URI"`
	AlsoTrusted      []ref       `hcl:"also_trusted,optional" doc:"a list of references to older and newer keys, such as [ssh_authority.host_old]" ref:"ssh_authority"`
	Federated        []ref       `hcl:"federated,optional" doc:"a list of references to keys of others" ref:"ssh_authority"`
	AddUserPrincipal string      `hcl:"add_user_principal,optional" doc:"the principal that may add users"`
	AddUserCommand   string      `hcl:"add_user_command,optional" doc:"what adds a user on a host"`
	Bastion          *rawBastion `hcl:"bastion,block"`
}

type rawBastion struct {
	spec.Origin

	Hostname string `hcl:"hostname" doc:"a host name"`
	User     string `hcl:"user,optional" doc:"a user name"`
	Port     string `hcl:"port,optional" doc:"a port, as text"`
	Command  string `hcl:"command,optional" doc:"a command"`
	Flags    string `hcl:"flags,optional" doc:"flags of ssh"`
}

type rawTLS struct {
	spec.Origin

	MinVersion    string         `hcl:"min_version,optional" doc:"\"1.2\" or \"1.3\""`
	MaxVersion    string         `hcl:"max_version,optional" doc:"\"1.2\" or \"1.3\""`
	CipherSuites  []string       `hcl:"cipher_suites,optional" doc:"a list of suites for TLS 1.2"`
	Renegotiation hcl.Expression `hcl:"renegotiation,optional" doc:"refused"`
}

type rawLogger struct {
	spec.Origin

	Format      string `hcl:"format" doc:"\"json\", \"text\" or \"common\""`
	TraceHeader string `hcl:"trace_header,optional" doc:"a header that holds a request's id"`
}

type rawLeafSubject struct {
	spec.Origin

	Country            string `hcl:"country,optional" doc:"an ISO 3166 code, such as \"US\""`
	Organization       string `hcl:"organization,optional" doc:"a name"`
	OrganizationalUnit string `hcl:"organizational_unit,optional" doc:"a name"`
	Locality           string `hcl:"locality,optional" doc:"a name"`
	Province           string `hcl:"province,optional" doc:"a name"`
	StreetAddress      string `hcl:"street_address,optional" doc:"a street and a number"`
}

type rawRegistration struct {
	spec.Origin

	Type            string                 `hcl:"type" doc:"\"stepcas\", \"cloudcas\" or \"vaultcas\""`
	Upstream        string                 `hcl:"upstream" doc:"the CA that signs: an https URL, or the name of a CA in Google Cloud"`
	CredentialsFile string                 `hcl:"credentials_file,optional" doc:"cloudcas: a path on the host"`
	Issuer          *rawRegistrationIssuer `hcl:"issuer,block"`
	Vault           *rawVault              `hcl:"vault,block"`
}

type rawRegistrationIssuer struct {
	spec.Origin

	Type        string `hcl:"type" doc:"\"jwk\" or \"x5c\""`
	Provisioner string `hcl:"provisioner" doc:"the name of a provisioner at the CA that signs"`
	Certificate string `hcl:"certificate,optional" doc:"x5c: a path on the host"`
	Key         string `hcl:"key,optional" doc:"a path on the host"`
}

type rawVault struct {
	spec.Origin

	MountPath       string         `hcl:"mount_path,optional" doc:"of the PKI engine, \"pki\" when not written"`
	RoleDefault     string         `hcl:"role_default,optional" doc:"a role of the PKI engine"`
	RoleRSA         string         `hcl:"role_rsa,optional" doc:"a role of the PKI engine"`
	RoleEC          string         `hcl:"role_ec,optional" doc:"a role of the PKI engine"`
	RoleEd25519     string         `hcl:"role_ed25519,optional" doc:"a role of the PKI engine"`
	AuthType        string         `hcl:"auth_type" doc:"\"kubernetes\", \"approle\" or \"aws\""`
	AuthMountPath   string         `hcl:"auth_mount_path,optional" doc:"where the login is mounted"`
	Namespace       string         `hcl:"namespace,optional" doc:"a namespace of Vault"`
	Role            string         `hcl:"role,optional" doc:"kubernetes, aws: a role"`
	RoleID          string         `hcl:"role_id,optional" doc:"approle: the role's id"`
	SecretIDFile    string         `hcl:"secret_id_file,optional" doc:"approle: a path on the host"`
	SecretID        hcl.Expression `hcl:"secret_id,optional" doc:"refused"`
	IsWrappingToken bool           `hcl:"is_wrapping_token,optional" doc:"approle: true or false"`
	TokenPath       string         `hcl:"token_path,optional" doc:"kubernetes: a path on the host"`
	Region          string         `hcl:"region,optional" doc:"aws: a region"`
}

type rawKubernetes struct {
	spec.Origin

	Namespace    string `hcl:"namespace" doc:"the namespace that everything is in"`
	Image        string `hcl:"image" doc:"step-ca's image with a tag or digest, such as \"smallstep/step-ca:0.30.2\""`
	Replicas     int    `hcl:"replicas,optional" doc:"how many pods, 1 when not written"`
	Storage      string `hcl:"storage,optional" doc:"the size of a local database's volume, \"1Gi\" when not written"`
	StorageClass string `hcl:"storage_class,optional" doc:"the volume's class"`
}

type rawSystemd struct {
	spec.Origin

	User   string `hcl:"user,optional" doc:"the service's user, \"step\" when not written"`
	Binary string `hcl:"binary,optional" doc:"the path of step-ca, \"/usr/bin/step-ca\" when not written"`

	EncryptedCredentials bool     `hcl:"encrypted_credentials,optional" doc:"true when passwords and PINs come from systemd-creds encrypt"`
	Networks             []string `hcl:"networks,optional" doc:"a list of networks that the service may talk with, such as [\"10.0.0.0/8\"]"`
	HSM                  string   `hcl:"hsm,optional" doc:"how a PKCS#11 module reaches its token: \"usb\", \"network\" or \"pcscd\""`
}
