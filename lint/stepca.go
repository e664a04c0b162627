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
)

// stepTree is what a rule sees of a step-ca tree.
type stepTree struct {
	// configPath is where ca.json was found.
	configPath string
	config     stepConfig
	// issuing is the certificate that signs: the first in the file that crt
	// names. It is nil when the tree does not hold it.
	issuing *x509.Certificate
	// roots are the certificates that the files of root hold, and every other
	// self-issued authority in the tree.
	roots []*x509.Certificate
	keys  []stepKey
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
	KMS      struct {
		URI string `json:"uri"`
		PIN string `json:"pin"`
	} `json:"kms"`
	SSH struct {
		HostKey string `json:"hostKey"`
		UserKey string `json:"userKey"`
	} `json:"ssh"`
	Authority struct {
		Claims            stepClaims        `json:"claims"`
		Provisioners      []stepProvisioner `json:"provisioners"`
		CertificateIssuer struct {
			Password string `json:"password"`
		} `json:"certificateIssuer"`
	} `json:"authority"`
}

// stepProvisioner is one entry of authority.provisioners.
type stepProvisioner struct {
	Type                 string          `json:"type"`
	Name                 string          `json:"name"`
	Key                  json.RawMessage `json:"key"`
	Claims               stepClaims      `json:"claims"`
	DecrypterKeyPassword string          `json:"decrypterKeyPassword"`
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

// StepCA judges the tree that a step-ca is started in: config/ca.json, certs,
// secrets and whatever else lies beside them. Paths are relative to the tree.
// The findings are sorted and never show a secret.
func (l *Linter) StepCA(tree []File) []Finding {
	t, findings := readStepTree(tree)
	findings = append(findings, l.run(ObjectStepCA, &object{tree: t})...)
	sortFindings(findings)
	return findings
}

// readStepTree reads what can be read. What cannot is a fatal finding, and the
// rules are applied to the rest.
func readStepTree(tree []File) (*stepTree, []Finding) {
	tree = slices.Clone(tree)
	slices.SortFunc(tree, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	t := &stepTree{}
	var findings []Finding
	if config := findConfig(tree); config == nil {
		findings = append(findings, unparsable().finding("the tree has no config/ca.json"))
	} else {
		t.configPath = config.Path
		if err := json.Unmarshal(config.Data, &t.config); err != nil {
			findings = append(findings, unparsable().finding(fmt.Sprintf("%s cannot be read as step-ca reads it: %v", config.Path, err)))
		}
	}
	for _, f := range tree {
		t.readPEM(f)
	}
	return t, findings
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
		if isIssuing && t.issuing == nil {
			t.issuing = cert
		}
		if isRoot || cert.IsCA && bytes.Equal(cert.RawSubject, cert.RawIssuer) {
			t.roots = append(t.roots, cert)
		}
	}
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
	spki, err := x509.MarshalPKIXPublicKey(signer.Public())
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
