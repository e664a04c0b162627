package lint

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"pki.internal/plan/tbs/public"
)

// stepTree is what a rule sees of a step-ca tree.
type stepTree struct {
	memory *memory
	// configPath is where ca.json was found.
	configPath string
	config     stepConfig
	// malformed says that ca.json could not be read as a whole.
	malformed bool
	// issuing is the certificate that signs: the first in the file that crt
	// names. It is nil when the tree does not hold it.
	issuing *x509.Certificate
	// roots are the certificates that the files of root hold, and every other
	// self-issued authority in the tree.
	roots []*x509.Certificate
	keys  []stepKey
	// chain is every certificate in the file that crt names.
	chain []*x509.Certificate
	// files is the whole tree, sorted by path.
	files []File
	// now is the clock that was handed in; zero when time rules do not apply.
	now time.Time
	// clientURL is ca-url of config/defaults.json, and fingerprint its
	// fingerprint; empty when the tree does not say.
	clientURL, fingerprint string
	units                  []unit
	templates              []stepTemplate
}

// stepKey is a private key found in the tree. Its secret part is not kept.
type stepKey struct {
	path string
	// spki is nil when the key is encrypted or of a form that Go does not
	// read.
	spki []byte
}

// stepConfig is the part of ca.json that rules ask about. Like step-ca's own
// reader it takes keys in any case and ignores what it does not know.
type stepConfig struct {
	Root     stringOrList `json:"root"`
	Crt      string       `json:"crt"`
	Key      string       `json:"key"`
	Password string       `json:"password"`
	Address  string       `json:"address"`
	Insecure string       `json:"insecureAddress"`
	Metrics  string       `json:"metricsAddress"`
	DNSNames []string     `json:"dnsNames"`
	KMS      struct {
		Type string `json:"type"`
		URI  string `json:"uri"`
		PIN  string `json:"pin"`
	} `json:"kms"`
	DB *struct {
		Type       string `json:"type"`
		DataSource string `json:"dataSource"`

		BadgerFileLoadingMode string `json:"badgerFileLoadingMode"`
	} `json:"db"`
	CRL struct {
		Enabled       bool   `json:"enabled"`
		IDPURL        string `json:"idpURL"`
		CacheDuration string `json:"cacheDuration"`
		RenewPeriod   string `json:"renewPeriod"`
	} `json:"crl"`
	TLS struct {
		MinVersion    json.Number `json:"minVersion"`
		MaxVersion    json.Number `json:"maxVersion"`
		CipherSuites  []string    `json:"cipherSuites"`
		Renegotiation bool        `json:"renegotiation"`
	} `json:"tls"`
	SSH struct {
		HostKey string `json:"hostKey"`
		UserKey string `json:"userKey"`
		Keys    []struct {
			Type string `json:"type"`
		} `json:"keys"`
	} `json:"ssh"`
	FederatedRoots []string `json:"federatedRoots"`
	Templates      struct {
		SSH  map[string][]stepSSHFile   `json:"ssh"`
		Data map[string]json.RawMessage `json:"data"`
	} `json:"templates"`
	Logger struct {
		Format string `json:"format"`
	} `json:"logger"`
	Authority struct {
		EnableAdmin       bool              `json:"enableAdmin"`
		DeploymentType    string            `json:"deploymentType"`
		Backdate          *string           `json:"backdate"`
		Type              string            `json:"type"`
		Claims            stepClaims        `json:"claims"`
		Policy            json.RawMessage   `json:"policy"`
		Provisioners      []stepProvisioner `json:"provisioners"`
		CertificateIssuer struct {
			Type        string `json:"type"`
			Provisioner string `json:"provisioner"`
			Crt         string `json:"crt"`
			Key         string `json:"key"`
			Password    string `json:"password"`
		} `json:"certificateIssuer"`
		CertificateAuthority            string `json:"certificateAuthority"`
		CertificateAuthorityFingerprint string `json:"certificateAuthorityFingerprint"`
	} `json:"authority"`
}

// stepSSHFile is one file that step-ca writes for SSH clients or hosts.
type stepSSHFile struct {
	Template string `json:"template"`
}

// stepProvisioner is one entry of authority.provisioners.
type stepProvisioner struct {
	Type                 string          `json:"type"`
	Name                 string          `json:"name"`
	Key                  json.RawMessage `json:"key"`
	Claims               stepClaims      `json:"claims"`
	DecrypterKeyPassword string          `json:"decrypterKeyPassword"`

	ClientID              string       `json:"clientID"`
	ConfigurationEndpoint string       `json:"configurationEndpoint"`
	TenantID              string       `json:"tenantID"`
	Domains               []string     `json:"domains"`
	Groups                []string     `json:"groups"`
	Accounts              []string     `json:"accounts"`
	ServiceAccounts       []string     `json:"serviceAccounts"`
	ProjectIDs            []string     `json:"projectIDs"`
	OrganizationID        string       `json:"organizationID"`
	RequireEAB            bool         `json:"requireEAB"`
	Challenges            []string     `json:"challenges"`
	Roots                 string       `json:"roots"`
	PublicKeys            string       `json:"publicKeys"`
	Options               *stepOptions `json:"options"`

	EncryptedKey           json.RawMessage `json:"encryptedKey"`
	Challenge              string          `json:"challenge"`
	EncryptionAlgorithm    int             `json:"encryptionAlgorithmIdentifier"`
	MinimumPublicKeyLength int             `json:"minimumPublicKeyLength"`
	DisableCustomSANs      bool            `json:"disableCustomSANs"`
	DisableTrustOnFirstUse bool            `json:"disableTrustOnFirstUse"`
	DecrypterCertificate   string          `json:"decrypterCertificate"`
	AttestationRoots       string          `json:"attestationRoots"`
	AttestationFormats     []string        `json:"attestationFormats"`
	ClientSecret           string          `json:"clientSecret"`
	ListenAddress          string          `json:"listenAddress"`
	IMDSVersions           []string        `json:"imdsVersions"`
	InstanceAge            string          `json:"instanceAge"`
}

// stepOptions are the templates of a provisioner.
type stepOptions struct {
	X509 *stepTemplateOptions `json:"x509"`
	SSH  *stepTemplateOptions `json:"ssh"`

	Webhooks []struct {
		Name string `json:"name"`
		URL  string `json:"url"`
		Kind string `json:"kind"`

		CertType string `json:"certType"`
	} `json:"webhooks"`
	Wire json.RawMessage `json:"wire"`
}

// stepTemplateOptions say where a template is and what it is given.
type stepTemplateOptions struct {
	Template     string          `json:"template"`
	TemplateFile string          `json:"templateFile"`
	TemplateData json.RawMessage `json:"templateData"`
}

// stepClaims are the claims as written; a value may be anything.
type stepClaims map[string]json.RawMessage

// stringOrList reads a JSON string as a list of one.
type stringOrList []string

// UnmarshalJSON reads a string, or a list of strings.
func (s *stringOrList) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*s = stringOrList{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(s))
}

// StepCA is [Linter.StepCAAt] without a clock.
func (l *Linter) StepCA(tree []File) []Finding { return l.StepCAAt(tree, time.Time{}) }

// StepCAAt judges the tree that a step-ca is started in: config/ca.json, certs,
// templates, units, secrets and whatever else lies beside them. Paths are
// relative to the tree. When the clock is zero, rules about time do not apply.
// The findings are sorted and never show a secret.
func (l *Linter) StepCAAt(tree []File, now time.Time) []Finding {
	t, findings := readStepTree(tree, now, l.memory)
	if t.configPath == "" {
		findings = append(findings, unparsable().finding("the tree has no config/ca.json"))
	}
	findings = append(findings, l.run(ObjectStepCA, &object{now: now, tree: t})...)
	sortFindings(findings)
	return findings
}

// StepCAConfig judges a ca.json by itself. What it names is not looked for.
func (l *Linter) StepCAConfig(f File, now time.Time) []Finding {
	f.Path = "ca.json"
	t, findings := readStepTree([]File{f}, now, l.memory)
	for i := range t.templates {
		t.templates[i].missing = ""
	}
	findings = append(findings, l.run(ObjectStepCA, &object{now: now, tree: t})...)
	sortFindings(findings)
	return findings
}

// Unit judges one systemd unit of a step-ca by itself.
func (l *Linter) Unit(f File) []Finding {
	t := &stepTree{files: []File{f}, units: []unit{readUnit(f)}}
	findings := l.run(ObjectStepCA, &object{tree: t})
	sortFindings(findings)
	return findings
}

// readStepTree reads what can be read. What cannot is a fatal finding, and the
// rules are applied to the rest.
func readStepTree(tree []File, now time.Time, known *memory) (*stepTree, []Finding) {
	tree = slices.Clone(tree)
	slices.SortFunc(tree, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	t := &stepTree{files: tree, now: now, memory: known}
	var findings []Finding
	if config := findConfig(tree); config != nil {
		t.configPath = config.Path
		if err := json.Unmarshal(config.Data, &t.config); err != nil {
			t.malformed = true
			findings = append(findings, unparsable().finding(fmt.Sprintf("%s cannot be read as step-ca reads it: %v", config.Path, err)))
		}
	}
	for _, f := range tree {
		t.readPEM(f)
		if strings.HasSuffix(f.Path, ".service") {
			t.units = append(t.units, readUnit(f))
		}
		if path.Base(f.Path) == "defaults.json" {
			t.readDefaults(f)
		}
	}
	t.readTemplates()
	return t, findings
}

// readDefaults reads what clients are told.
func (t *stepTree) readDefaults(f File) {
	var defaults struct {
		CAURL       string `json:"ca-url"`
		Fingerprint string `json:"fingerprint"`
	}
	if json.Unmarshal(f.Data, &defaults) == nil {
		t.clientURL, t.fingerprint = defaults.CAURL, defaults.Fingerprint
	}
}

// findConfig is config/ca.json, or else the first ca.json of the tree.
func findConfig(tree []File) *File {
	var found *File
	for i, f := range tree {
		switch {
		case path.Clean(f.Path) == "config/ca.json":
			return &tree[i]
		case path.Base(f.Path) == "ca.json" && found == nil:
			found = &tree[i]
		}
	}
	return found
}

// readPEM collects the certificates and private keys of one file.
func (t *stepTree) readPEM(f File) {
	isRoot := slices.ContainsFunc(t.config.Root, func(name string) bool { return sameFile(name, f.Path) })
	isIssuing := sameFile(t.config.Crt, f.Path)
	for block, rest := pem.Decode(f.Data); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			t.keys = append(t.keys, stepKey{path: f.Path, spki: publicPart(block)})
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue
		}
		if isIssuing {
			t.chain = append(t.chain, cert)
			t.issuing = t.chain[0]
		}
		if isRoot || cert.IsCA && bytes.Equal(cert.RawSubject, cert.RawIssuer) {
			t.roots = append(t.roots, cert)
		}
	}
}

// certificatesOf is the certificates in PEM that Go can read.
func certificatesOf(data []byte) []*x509.Certificate {
	var all []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			all = append(all, cert)
		}
	}
	return all
}

// sameFile says whether a path in ca.json means the file of the tree. step-ca
// takes absolute paths and paths relative to where it is started; the tree may
// stand anywhere.
func sameFile(configured, inTree string) bool {
	if configured == "" {
		return false
	}
	configured, inTree = path.Clean("/"+configured), path.Clean("/"+inTree)
	return configured == inTree || strings.HasSuffix(configured, inTree)
}

// publicPart is the SubjectPublicKeyInfo of a private key, or nil when it
// cannot be told without a password.
func publicPart(block *pem.Block) []byte {
	if block.Headers["DEK-Info"] != "" {
		return nil
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil
	}
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil
	}
	spki, err := public.Marshal(signer.Public())
	if err != nil {
		return nil
	}
	return spki
}

// where names a provisioner in a detail.
func (p stepProvisioner) where(index int) string {
	if p.Name == "" {
		return fmt.Sprintf("provisioner %d", index+1)
	}
	return fmt.Sprintf("provisioner %q", p.Name)
}
