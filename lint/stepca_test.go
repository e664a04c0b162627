package lint

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// stepDetails is what the rule says of a tree of paths and contents.
func stepDetails(t testing.TB, id string, tree map[string]string) []string {
	t.Helper()
	var files []File
	for path, data := range tree {
		files = append(files, File{Path: path, Data: []byte(data)})
	}
	var out []string
	for _, f := range mustNew(t, "private").StepCA(files) {
		if f.Lint == id {
			out = append(out, f.Detail)
		}
	}
	return out
}

func TestRootKeyVariants(t *testing.T) {
	s := certificateScene(t, "", nil)
	issuing, root := string(pem.EncodeToMemory(s.blocks[0])), string(pem.EncodeToMemory(s.blocks[1]))
	key := func(algorithm, name string) string {
		der, err := x509.MarshalPKCS8PrivateKey(testKey(t, algorithm, name).(steady).Signer)
		noError(t, err)
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	rootKey, issuingKey := key("ecdsa-p384", "root"), key("ecdsa-p256", "issuing")
	encrypted := "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n"
	modern := "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
	const config = `{"root": "/etc/step-ca/certs/root.crt", "crt": "certs/ca.crt", "key": %q}`
	for name, c := range map[string]struct {
		tree map[string]string
		want []string
	}{
		"as step ca init leaves it": {map[string]string{
			"config/ca.json": fmt.Sprintf(config, "secrets/intermediate_ca_key"),
			"certs/root.crt": root, "certs/ca.crt": issuing,
			"secrets/root_ca_key": encrypted, "secrets/intermediate_ca_key": encrypted,
		}, []string{"secrets/root_ca_key is a private key that cannot be read and is named after a root"}},
		"modern encryption": {map[string]string{
			"config/ca.json": fmt.Sprintf(config, "x"), "secrets/Root.key": modern,
		}, []string{"secrets/Root.key is a private key that cannot be read and is named after a root"}},
		"crt is the root": {map[string]string{
			"config/ca.json": fmt.Sprintf(config, "x"), "certs/root.crt": root, "certs/ca.crt": root,
		}, []string{`crt is the root "CN=ACME Root CA G1,O=ACME,C=US" itself, so its key signs online`}},
		"key in hardware": {map[string]string{
			"config/ca.json": fmt.Sprintf(config, "pkcs11:object=acme-root-key"),
		}, []string{"key in ca.json is named after a root"}},
		"a root that ca.json does not name": {map[string]string{
			"config/ca.json": fmt.Sprintf(config, "x"), "certs/old.crt": root, "secrets/a": rootKey,
		}, []string{"secrets/a is the private key of a root"}},
		"an anchor that is not self-issued": {map[string]string{
			"config/ca.json": fmt.Sprintf(config, "x"), "certs/root.crt": issuing, "secrets/a": issuingKey,
		}, []string{"secrets/a is the private key of a root"}},
		"by name, without a root to compare": {map[string]string{
			"config/ca.json": fmt.Sprintf(config, "x"), "secrets/root.key": rootKey,
		}, []string{"secrets/root.key is a private key named after a root, and the tree has no root certificate to compare"}},
		"a misleading name": {map[string]string{
			"config/ca.json": fmt.Sprintf(config, "secrets/root_of_trust.key"), "certs/root.crt": root, "secrets/root_of_trust.key": issuingKey,
		}, nil},
		"all is well": {map[string]string{
			"config/ca.json": fmt.Sprintf(config, "pkcs11:object=issuing"), "certs/root.crt": root, "certs/ca.crt": issuing,
			"secrets/key": modern,
		}, nil},
	} {
		if got := stepDetails(t, "e_caj_root_key_on_issuing_host", c.tree); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestNoSecretIsShown looks for the secrets of the failing trees in everything
// that is said about them.
func TestNoSecretIsShown(t *testing.T) {
	seen := 0
	for _, id := range []string{"e_caj_password_inline", "e_caj_jwk_private_key"} {
		tree := readTree(t, filepath.Join("testdata", "step-ca", id+".fail"))
		seen += strings.Count(string(tree[0].Data), "canary-")
		if said := fmt.Sprintf("%+v", mustNew(t, "private").StepCA(tree)); strings.Contains(said, "canary-") {
			t.Errorf("%s: a secret is in %s", id, said)
		}
	}
	if seen != 3 {
		t.Errorf("the trees hold %d secrets, want 3", seen)
	}
}

func TestInlinePasswordPlaces(t *testing.T) {
	for config, want := range map[string]string{
		`{"PASSWORD": "x"}`:                                                                "password",
		`{"kms": {"pin": "x"}}`:                                                            "kms.pin",
		`{"kms": {"uri": "pkcs11:token=t?PIN-VALUE=x"}}`:                                   "kms.uri (pin-value)",
		`{"key": "pkcs11:object=k?pin-value=x"}`:                                           "key (pin-value)",
		`{"ssh": {"hostKey": "pkcs11:object=k?pin-value=x"}}`:                              "ssh.hostKey (pin-value)",
		`{"ssh": {"userKey": "pkcs11:object=k?pin-value=x"}}`:                              "ssh.userKey (pin-value)",
		`{"authority": {"certificateIssuer": {"password": "x"}}}`:                          "authority.certificateIssuer.password",
		`{"authority": {"provisioners": [{"type": "SCEP", "decrypterKeyPassword": "x"}]}}`: "provisioner 1, decrypterKeyPassword",
	} {
		got := stepDetails(t, "e_caj_password_inline", map[string]string{"config/ca.json": config})
		if !slices.Equal(got, []string{"config/ca.json holds a secret in " + want}) {
			t.Errorf("%s: %q, want %s", config, got, want)
		}
	}
}

func TestClaims(t *testing.T) {
	for claims, want := range map[string]string{
		`{}`:                                    "",
		`{"minTLSCertDuration": null}`:          "",
		`{"MINtlsCertDuration": "25h"}`:         "authority: TLSCertDuration: min 25h0m0s, default 24h0m0s, max 24h0m0s are not in this order",
		`{"minTLSCertDuration": "0s"}`:          "authority: TLSCertDuration: min 0s, default 24h0m0s, max 24h0m0s are not in this order",
		`{"defaultUserSSHCertDuration": "25h"}`: "authority: UserSSHCertDuration: min 5m0s, default 25h0m0s, max 24h0m0s are not in this order",
		`{"maxHostSSHCertDuration": "1h"}`:      "authority: HostSSHCertDuration: min 5m0s, default 720h0m0s, max 1h0m0s are not in this order",
		`{"maxTLSCertDuration": "30d"}`:         `authority: maxTLSCertDuration is "30d", not a duration such as "24h"`,
		`{"maxTLSCertDuration": 30}`:            `authority: maxTLSCertDuration is 30, not a string such as "24h"`,
	} {
		got := stepDetails(t, "e_caj_claims_order", map[string]string{"config/ca.json": `{"authority": {"claims": ` + claims + `}}`})
		if strings.Join(got, "|") != want {
			t.Errorf("%s: %q, want %q", claims, got, want)
		}
	}
}

// TestProvisionerInheritsClaims shows that an authority's fault is not repeated
// for provisioners that set nothing.
func TestProvisionerInheritsClaims(t *testing.T) {
	got := stepDetails(t, "e_caj_claims_order", map[string]string{"config/ca.json": `{"authority": {
		"claims": {"maxTLSCertDuration": "1h"},
		"provisioners": [{"type": "ACME", "name": "a"}, {"type": "ACME", "name": "b", "claims": {"defaultTLSCertDuration": "1h"}}]}}`})
	if len(got) != 1 || !strings.HasPrefix(got[0], "authority: ") {
		t.Errorf("details are %q", got)
	}
}

func TestStepCAUnreadable(t *testing.T) {
	for config, want := range map[string]string{
		"":                              "cannot be read as step-ca reads it: unexpected end of JSON input",
		`{"key": 7}`:                    "cannot be read as step-ca reads it",
		`{"root": {"not": "a list"}}`:   "cannot be read as step-ca reads it",
		`{"authority": {"claims": []}}`: "cannot be read as step-ca reads it",
	} {
		got := stepDetails(t, idUnparsable, map[string]string{"config/ca.json": config})
		if len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %q, want %s", config, got, want)
		}
	}
	if got := stepDetails(t, idUnparsable, nil); !slices.Equal(got, []string{"the tree has no config/ca.json"}) {
		t.Errorf("an empty tree: %q", got)
	}
	if got := stepDetails(t, idUnparsable, map[string]string{"etc/ca.json": `{"root": ["a", "b"]}`}); got != nil {
		t.Errorf("ca.json elsewhere: %q", got)
	}
}

func TestSameFile(t *testing.T) {
	for _, c := range []struct {
		configured, inTree string
		want               bool
	}{
		{"certs/a.crt", "certs/a.crt", true}, {"./certs/a.crt", "certs/a.crt", true},
		{"/etc/step-ca/certs/a.crt", "certs/a.crt", true}, {"/etc/step-ca/other-certs/a.crt", "certs/a.crt", false},
		{"", "certs/a.crt", false}, {"a.crt", "certs/a.crt", false}, {"certs/a.crt", "", false},
	} {
		if got := sameFile(c.configured, c.inTree); got != c.want {
			t.Errorf("%q means %q: %t", c.configured, c.inTree, got)
		}
	}
}
