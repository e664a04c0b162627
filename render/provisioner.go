package render

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"

	"pki.internal/plan"
	"pki.internal/spec"
)

// provisioner is one entry of authority.provisioners: the keys that all kinds
// share, then those of each kind. []byte is base64 in JSON, as step-ca wants
// its PEM.
type provisioner struct {
	Type string `json:"type"`
	Name string `json:"name"`

	Key          json.RawMessage `json:"key,omitempty"` // jwk
	EncryptedKey string          `json:"encryptedKey,omitempty"`

	Challenges         []string `json:"challenges,omitempty"` // acme
	ForceCN            bool     `json:"forceCN,omitempty"`
	TermsOfService     string   `json:"termsOfService,omitempty"`
	Website            string   `json:"website,omitempty"`
	CAAIdentities      []string `json:"caaIdentities,omitempty"`
	AttestationFormats []string `json:"attestationFormats,omitempty"`
	AttestationRoots   []byte   `json:"attestationRoots,omitempty"`

	ClientID              string   `json:"clientID,omitempty"` // oidc
	ClientSecret          string   `json:"clientSecret,omitempty"`
	ConfigurationEndpoint string   `json:"configurationEndpoint,omitempty"`
	TenantID              string   `json:"tenantID,omitempty"` // oidc, azure
	Admins                []string `json:"admins,omitempty"`
	Domains               []string `json:"domains,omitempty"`
	Groups                []string `json:"groups,omitempty"`
	ListenAddress         string   `json:"listenAddress,omitempty"`
	Scopes                []string `json:"scopes,omitempty"`
	AuthParams            []string `json:"authParams,omitempty"`

	Accounts               []string `json:"accounts,omitempty"` // aws, gcp, azure
	ServiceAccounts        []string `json:"serviceAccounts,omitempty"`
	ProjectIDs             []string `json:"projectIDs,omitempty"`
	OrganizationID         string   `json:"organizationID,omitempty"`
	ResourceGroups         []string `json:"resourceGroups,omitempty"`
	SubscriptionIDs        []string `json:"subscriptionIDs,omitempty"`
	ObjectIDs              []string `json:"objectIDs,omitempty"`
	Audience               string   `json:"audience,omitempty"`
	DisableCustomSANs      bool     `json:"disableCustomSANs,omitempty"`
	DisableTrustOnFirstUse bool     `json:"disableTrustOnFirstUse,omitempty"`
	DisableSSHCAUser       *bool    `json:"disableSSHCAUser,omitempty"`
	DisableSSHCAHost       *bool    `json:"disableSSHCAHost,omitempty"`
	IMDSVersions           []string `json:"imdsVersions,omitempty"`
	InstanceAge            string   `json:"instanceAge,omitempty"`
	IIDRoots               string   `json:"iidRoots,omitempty"`

	Roots      []byte `json:"roots,omitempty"`      // x5c, nebula
	PublicKeys []byte `json:"publicKeys,omitempty"` // k8ssa

	Capabilities           []string `json:"capabilities,omitempty"` // scep
	IncludeRoot            bool     `json:"includeRoot,omitempty"`
	ExcludeIntermediate    bool     `json:"excludeIntermediate,omitempty"`
	MinimumPublicKeyLength int      `json:"minimumPublicKeyLength,omitempty"`
	DecrypterCertificate   []byte   `json:"decrypterCertificate,omitempty"`
	DecrypterKey           string   `json:"decrypterKey,omitempty"`
	EncryptionAlgorithm    int      `json:"encryptionAlgorithmIdentifier,omitempty"`

	Claims  *claims  `json:"claims,omitempty"`
	Options *options `json:"options,omitempty"` // nil for sshpop, which has none
}

type options struct {
	X509     *templateOptions `json:"x509,omitempty"`
	SSH      *templateOptions `json:"ssh,omitempty"`
	Webhooks []webhook        `json:"webhooks,omitempty"`
}

type templateOptions struct {
	TemplateFile string                     `json:"templateFile"`
	TemplateData map[string]json.RawMessage `json:"templateData,omitempty"`
}

type webhook struct {
	ID                   string `json:"id"`
	Name                 string `json:"name"`
	URL                  string `json:"url"`
	Kind                 string `json:"kind"`
	DisableTLSClientAuth bool   `json:"disableTLSClientAuth,omitempty"`
	CertType             string `json:"certType"`
}

// typeNames are step-ca's names of the kinds.
func typeNames() map[string]string {
	return map[string]string{
		"jwk": "JWK", "oidc": "OIDC", "aws": "AWS", "gcp": "GCP", "azure": "Azure", "acme": "ACME", "x5c": "X5C",
		"sshpop": "SSHPOP", "k8ssa": "K8sSA", "scep": "SCEP", "nebula": "Nebula",
	}
}

// provisionersOf gives the provisioners of an online CA, in the estate's
// order, and the files that they name.
func provisionersOf(s plan.State, o *spec.OnlineCA) ([]provisioner, []plan.File, error) {
	list := []provisioner{}
	var refused []error
	files := newTemplates(o)
	taken := map[string]spec.Address{}
	for _, p := range o.Provisioners {
		name := p.Address.FileName()
		if first, again := taken[name]; again {
			refused = append(refused, refuse(p.Origin, "step-ca would call it %q like %s, and refuses to start with two of one name; rename one of them", name, first))
			continue
		}
		taken[name] = p.Address
		one, err := provisionerOf(s, p)
		refused = append(refused, err)
		if len(p.Cloud.IIDRoots) > 0 {
			one.IIDRoots = "certs/" + name + "-iid.crt"
			files.files = append(files.files, plan.File{Path: one.IIDRoots, Mode: 0o644, Data: joinPEM(p.Cloud.IIDRoots)})
		}
		if key := p.SCEP.DecrypterKey; p.Kind == "scep" && key != "" {
			_, err := parseSigningKey(p.Origin, "decrypter_key", key)
			refused = append(refused, err)
		}
		if one.Options, err = files.options(p); err != nil {
			refused = append(refused, err)
		}
		list = append(list, one)
	}
	return list, files.files, errors.Join(refused...)
}

func provisionerOf(s plan.State, p *spec.Provisioner) (provisioner, error) {
	rendered := provisioner{Type: typeNames()[p.Kind], Name: p.Address.FileName(), Claims: claimsOf(p.Claims)}
	if !plainName.MatchString(rendered.Name) {
		return rendered, refuse(p.Origin, "step-ca would call it %q, which cannot stand in a URL; use letters, digits, dots, dashes and underscores", rendered.Name)
	}
	switch p.Kind {
	case "jwk":
		recorded, _ := s.Provisioner(p.Address) // Waiting has found it, and the ledger holds public keys only
		rendered.Key, rendered.EncryptedKey = json.RawMessage(recorded.JWK), recorded.JWE
	case "acme":
		rendered.Challenges, rendered.ForceCN = p.Challenges, p.ForceCN
		rendered.TermsOfService, rendered.Website, rendered.CAAIdentities = p.ACME.TermsOfService, p.ACME.Website, p.ACME.CAAIdentities
		rendered.AttestationFormats, rendered.AttestationRoots = p.ACME.AttestationFormats, joinPEM(p.ACME.AttestationRoots)
	case "oidc":
		i := p.OIDC
		rendered.ClientID, rendered.ClientSecret, rendered.ConfigurationEndpoint, rendered.TenantID = i.ClientID, i.ClientSecret, i.Endpoint, i.TenantID
		rendered.Admins, rendered.Domains, rendered.Groups = i.Admins, i.Domains, i.Groups
		rendered.ListenAddress, rendered.Scopes, rendered.AuthParams = i.ListenAddress, i.Scopes, i.AuthParams
	case "aws", "gcp", "azure":
		rendered.cloud(p.Cloud)
		if p.Kind == "azure" {
			rendered.TenantID = p.Cloud.TenantID
		}
	case "x5c":
		rendered.Roots = append(joinPEM(p.Roots), authoritiesPEM(s, p.Authorities)...)
	case "nebula":
		rendered.Roots = joinPEM(p.Roots)
	case "k8ssa":
		rendered.PublicKeys = joinPEM(p.PublicKeys)
	case "scep":
		rendered.ForceCN = p.ForceCN
		rendered.scep(p.SCEP)
	case "sshpop":
	default:
		return rendered, refuse(p.Origin, "%q is not a type of provisioner that step-ca knows; use %s", p.Kind, strings.Join(spec.ProvisionerKinds(), ", "))
	}
	return rendered, nil
}

func (r *provisioner) cloud(c spec.Cloud) {
	r.Accounts, r.IMDSVersions, r.InstanceAge = c.Accounts, c.IMDSVersions, span(c.InstanceAge)
	r.ServiceAccounts, r.ProjectIDs, r.OrganizationID = c.ServiceAccounts, c.ProjectIDs, c.OrganizationID
	r.ResourceGroups, r.SubscriptionIDs, r.ObjectIDs, r.Audience = c.ResourceGroups, c.SubscriptionIDs, c.ObjectIDs, c.Audience
	r.DisableCustomSANs, r.DisableTrustOnFirstUse = c.DisableCustomSANs, c.DisableTrustOnFirstUse
	r.DisableSSHCAUser, r.DisableSSHCAHost = c.DisableSSHCAUser, c.DisableSSHCAHost
}

func (r *provisioner) scep(s spec.SCEP) {
	r.Capabilities, r.IncludeRoot, r.ExcludeIntermediate = s.Capabilities, s.IncludeRoot, s.ExcludeIntermediate
	r.MinimumPublicKeyLength, r.EncryptionAlgorithm = s.MinimumPublicKeyLength, s.CipherNumber()
	r.DecrypterCertificate, r.DecrypterKey = joinPEM(s.DecrypterCertificate), s.DecrypterKey
	if s.DecrypterKey != "" && !scheme.MatchString(s.DecrypterKey) {
		r.DecrypterKey = "softkms:path=" + s.DecrypterKey // step-ca takes no bare path here
	}
}

// joinPEM gives the PEM blocks of files and nothing that stands between them.
func joinPEM(files []spec.PEM) []byte {
	var joined bytes.Buffer
	for _, f := range files {
		for block, rest := pem.Decode(f.Data); block != nil; block, rest = pem.Decode(rest) {
			joined.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
		}
	}
	return joined.Bytes()
}

// authoritiesPEM gives the certificates of authorities, which Waiting has
// found to be signed.
func authoritiesPEM(s plan.State, authorities []*spec.Authority) []byte {
	var joined bytes.Buffer
	for _, a := range authorities {
		have, _ := s.Authority(a.Address)
		joined.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: have.Certificate}))
	}
	return joined.Bytes()
}
