package render

import (
	"crypto/sha256"
	"encoding/hex"

	"pki.internal/plan"
	"pki.internal/spec"
)

// registration is what authority holds of a registration authority: the CA
// that signs, and how to prove oneself to it. The zero value is a CA that
// signs itself.
type registration struct {
	Type                            string             `json:"type,omitempty"`
	CertificateAuthority            string             `json:"certificateAuthority,omitempty"`
	CertificateAuthorityFingerprint string             `json:"certificateAuthorityFingerprint,omitempty"`
	CertificateIssuer               *certificateIssuer `json:"certificateIssuer,omitempty"`
	CredentialsFile                 string             `json:"credentialsFile,omitempty"`
	Config                          *vaultConfig       `json:"config,omitempty"`
}

type certificateIssuer struct {
	Type        string `json:"type"`
	Provisioner string `json:"provisioner"`
	Crt         string `json:"crt,omitempty"`
	Key         string `json:"key,omitempty"`
}

type vaultConfig struct {
	PKIMountPath   string    `json:"pkiMountPath,omitempty"`
	PKIRoleDefault string    `json:"pkiRoleDefault,omitempty"`
	PKIRoleRSA     string    `json:"pkiRoleRSA,omitempty"`
	PKIRoleEC      string    `json:"pkiRoleEC,omitempty"`
	PKIRoleEd25519 string    `json:"pkiRoleEd25519,omitempty"`
	AuthType       string    `json:"authType"`
	AuthMountPath  string    `json:"authMountPath,omitempty"`
	Namespace      string    `json:"namespace,omitempty"`
	AuthOptions    vaultAuth `json:"authOptions"`
}

type vaultAuth struct {
	Role            string `json:"role,omitempty"`
	TokenPath       string `json:"tokenPath,omitempty"`
	Region          string `json:"region,omitempty"`
	RoleID          string `json:"roleID,omitempty"`
	SecretIDFile    string `json:"secretIDFile,omitempty"`
	IsWrappingToken bool   `json:"isWrappingToken,omitempty"`
}

// registrationOf pins the root by which the other CA is known: that of the
// authority whose certificates come out.
func registrationOf(s plan.State, o *spec.OnlineCA) registration {
	r := o.Registration
	if r == nil {
		return registration{}
	}
	rendered := registration{Type: r.Type, CertificateAuthority: r.Upstream, CredentialsFile: r.CredentialsFile}
	if r.Type != "cloudcas" {
		root, _ := s.Root(o.Authority.Address)
		sum := sha256.Sum256(root.Certificate)
		rendered.CertificateAuthorityFingerprint = hex.EncodeToString(sum[:])
	}
	if i := r.Issuer; i != nil {
		rendered.CertificateIssuer = &certificateIssuer{Type: i.Type, Provisioner: i.Provisioner, Crt: i.Certificate, Key: i.Key}
	}
	if v := r.Vault; v != nil {
		rendered.Config = &vaultConfig{
			PKIMountPath: v.MountPath, PKIRoleDefault: v.RoleDefault, PKIRoleRSA: v.RoleRSA, PKIRoleEC: v.RoleEC, PKIRoleEd25519: v.RoleEd25519,
			AuthType: v.AuthType, AuthMountPath: v.AuthMountPath, Namespace: v.Namespace,
			AuthOptions: vaultAuth{
				Role: v.Role, TokenPath: v.TokenPath, Region: v.Region,
				RoleID: v.RoleID, SecretIDFile: v.SecretIDFile, IsWrappingToken: v.IsWrappingToken,
			},
		}
	}
	return rendered
}
