package lint

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// serviceConfig is a ca.json in which parts are put over a good one.
func serviceConfig(t *testing.T, over string) string {
	t.Helper()
	const good = `{"root": "/etc/step-ca/certs/root.crt", "crt": "/etc/step-ca/certs/ca.crt", "key": "/etc/step-ca/secrets/key", "address": ":443",
		"dnsNames": ["ca.acme.internal"], "db": {"type": "badgerv2", "dataSource": "/etc/step-ca/db"}, "authority": {"provisioners": []}}`
	var config, parts map[string]json.RawMessage
	noError(t, json.Unmarshal([]byte(good), &config))
	noError(t, json.Unmarshal([]byte(over), &parts))
	for key, value := range parts {
		config[key] = value
	}
	text, err := json.Marshal(config)
	noError(t, err)
	return string(text)
}

// TestServiceThatDoesNotStart is what step-ca v0.30.2 was seen to end with, and
// beside it what looks alike and starts.
func TestServiceThatDoesNotStart(t *testing.T) {
	s := certificateScene(t, "", nil)
	issuing, root := string(pem.EncodeToMemory(s.blocks[0])), string(pem.EncodeToMemory(s.blocks[1]))
	for over, want := range map[string]string{
		`{}`:                               "",
		`{"tls": {"minVersion": "1.2"}}`:   `tls.minVersion is "1.2", and step-ca reads a number`,
		`{"tls": {"minVersion": 1.2}}`:     "",
		`{"tls": {"renegotiation": "no"}}`: "fatal",
		`{"authority": {"provisioners": [{"type": "ACME", "name": "a"}, {"type": "ACME", "name": "b", "forceCN": "true"}]}}`:                                                                         `provisioner "b".forceCN is "true", and step-ca reads true or false`,
		`{"authority": {"provisioners": [{"type": "X5C", "name": "x", "roots": "-----BEGIN CERTIFICATE-----\nAAAA\n"}]}}`:                                                                            `provisioner "x".roots is a text, and step-ca reads base64`,
		`{"authority": {"provisioners": [], "backdate": 60}}`:                                                                                                                                        "fatal",
		`{"authority": {"provisioners": [], "claims": {"enableSSHCA": "true"}}}`:                                                                                                                     `authority.claims.enableSSHCA is "true", and step-ca reads true or false`,
		`{"authority": {"provisioners": [], "type": "vaultcas"}}`:                                                                                                                                    "authority.type is vaultcas, and certificateAuthority is not set",
		`{"authority": {"type": "cloudcas", "certificateAuthority": "projects/p/locations/l/caPools/c/certificateAuthorities/a"}}`:                                                                   "",
		`{"authority": {"type": "cloudcas", "certificateAuthority": "p/a"}}`:                                                                                                                         `authority.type is cloudcas, and certificateAuthority "p/a" is not projects/*/locations/*/caPools/*/certificateAuthorities/*`,
		`{"authority": {"type": "stepcas", "certificateAuthority": "https://ca.acme.internal", "certificateAuthorityFingerprint": "00", "certificateIssuer": {"type": "x5c", "provisioner": "ra"}}}`: "certificateIssuer.type is x5c, and crt or key is not set",
		`{"authority": {"enableAdmin": true}, "db": null}`:                                                                                                                                           "authority.enableAdmin is on, and db is not set: there is nowhere to keep provisioners",
		`{"key": "pkcs11:id=01;object=x"}`:                                                                                                                                                           "key is in a token or a service, and kms is not set: step-ca looks for a file of that name",
		`{"key": "awskms:key-id=x", "kms": {"type": "awskms"}}`:                                                                                                                                      "",
		`{"key": "yubikey:slot-id=9c", "kms": {"uri": "yubikey:"}}`:                                                                                                                                  "",
		`{"kms": {"type": "pkcs11", "uri": "pkcs11:module-path=/x.so;token=t?pin-source=/run/pin"}}`:                                                                                                 "key is a file, and kms.type is pkcs11: step-ca has one kms for all keys",
		`{"crt": "/etc/step-ca/certs/gone.crt"}`:                                                                                                                                                     "crt is /etc/step-ca/certs/gone.crt, and the tree has no such file",
		`{"federatedRoots": ["/etc/ssl/certs/partner.pem"]}`:                                                                                                                                         "",
		`{"federatedRoots": ["/etc/step-ca/certs/partner.pem"]}`:                                                                                                                                     "federatedRoots 1 is /etc/step-ca/certs/partner.pem, and the tree has no such file",
		`{"templates": {"ssh": {"user": [{"name": "config.tpl", "template": "templates/ssh/config.tpl"}]}}}`:                                                                                         "templates.ssh.user names templates/ssh/config.tpl, and the tree has no such file",
		`{"templates": {"data": {"Step": {}}}}`:                                                                                                                                                      `templates.data has "Step", which step-ca sets itself`,
	} {
		got := stepDetails(t, "e_caj_does_not_start", map[string]string{"config/ca.json": serviceConfig(t, over), "certs/ca.crt": issuing, "certs/root.crt": root})
		if want == "fatal" {
			fatal := stepDetails(t, "e_unparsable", map[string]string{"config/ca.json": serviceConfig(t, over)})
			if len(fatal) != 1 || len(got) != 0 {
				t.Errorf("%s: %q and %q, want one that it cannot be read", over, fatal, got)
			}
			continue
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%s: %q, want %q", over, got, want)
		}
	}
}

// TestSharedKeys looks at keys that have two names, and at open ones that have
// one.
func TestSharedKeys(t *testing.T) {
	open := "-----BEGIN PRIVATE KEY-----\n" // not a key: nothing to compare
	for over, want := range map[string]int{
		`{"ssh": {"hostKey": "/etc/step-ca/secrets/h", "userKey": "/etc/step-ca/secrets/u"}}`:             0,
		`{"ssh": {"hostKey": "/etc/step-ca/secrets/h", "userKey": "/etc/step-ca/secrets/h"}}`:             1,
		`{"ssh": {"hostKey": "/etc/step-ca/secrets/key"}}`:                                                1,
		`{"ssh": {"hostKey": "pkcs11:object=a", "userKey": "pkcs11:object=a"}, "key": "pkcs11:object=a"}`: 3,
		`{"ssh": {}}`: 0,
	} {
		got := stepDetails(t, "e_caj_ssh_key_shared", map[string]string{"config/ca.json": serviceConfig(t, over), "secrets/h": open, "secrets/u": open})
		if len(got) != want {
			t.Errorf("%s: %q, want %d", over, got, want)
		}
	}
}

// TestFixedNames tells a template that gives everybody one name from one that
// looks at who asks.
func TestFixedNames(t *testing.T) {
	for body, want := range map[string]bool{
		`"sans": {{ toJson .SANs }}`:                                                                                    false,
		`"dnsNames": ["api.acme.internal"]`:                                                                             true,
		`"sans": [{"type": "dns", "value": "api.acme.internal"}]`:                                                       true,
		`"dnsNames": [{{ toJson .Subject.CommonName }}]`:                                                                false,
		`"emailAddresses": [{{ toJson .Token.email }}]`:                                                                 false,
		`"dnsNames": ["api.acme.internal", {{ toJson (first .SANs).Value }}]`:                                           false,
		`{{ if ne .Subject.CommonName "api.acme.internal" }}{{ fail "no" }}{{ end }} "dnsNames": ["api.acme.internal"]`: false,
		`"dnsNames": [{{ toJson .Name }}]`:                                                                              true,
		`"uris": ["spiffe://acme.internal/api"], "dnsNames": []`:                                                        true,
	} {
		template := fmt.Sprintf(`{"subject": {{ toJson .Subject }}, %s, "keyUsage": ["digitalSignature"], "extKeyUsage": ["clientAuth"]}`, body)
		options, err := json.Marshal(map[string]any{"x509": map[string]any{"template": template, "templateData": map[string]string{"Name": "api.acme.internal"}}})
		noError(t, err)
		config := serviceConfig(t, fmt.Sprintf(`{"authority": {"provisioners": [{"type": "ACME", "name": "a", "options": %s}]}}`, options))
		if got := stepDetails(t, "w_tmpl_names_fixed", map[string]string{"config/ca.json": config}); len(got) > 0 != want {
			t.Errorf("%s: %q, want a finding: %t", body, got, want)
		}
	}
}

// TestPolicyNames are the names that step-ca v0.30.2 refuses, and those that it
// takes.
func TestPolicyNames(t *testing.T) {
	for policy, want := range map[string]int{
		`{"x509": {"allow": {"dns": ["*.acme.internal", "acme.internal", "localhost"]}}}`:                         0,
		`{"x509": {"allow": {"dns": ["*", "*.", ".acme.internal", "a.*.internal", "a_b.internal", "a..b", ""]}}}`: 7,
		`{"x509": {"deny": {"ip": ["10.0.0.1", "10.0.0.0/8", "fd00::/8", "::1"]}}}`:                               0,
		`{"x509": {"deny": {"ip": ["10.0.0.0/33", "10.0.0", "host"]}}}`:                                           3,
		`{"x509": {"allow": {"email": ["ada@acme.example", "@acme.example", "acme.example"]}}}`:                   0,
		`{"ssh": {"user": {"allow": {"email": ["@", "*@acme.example", "a@b@c", ".acme.example", ""]}}}}`:          5,
		`{"x509": {"allow": {"uri": ["acme.example", "*.acme.example"]}}}`:                                        0,
		`{"x509": {"allow": {"uri": ["https://acme.example", "10.0.0.1", "[::1]", "acme.example:443"]}}}`:         4,
		`{"x509": {"allow": {"cn": ["Some Service"]}}, "ssh": {"host": {"deny": {"dns": [".x"]}}}}`:               1,
		`{"x509": {"allow": {"cn": ["*"]}}}`:                                                                      1,
		`{"x509": {"allow": {"dns": "*.acme.internal"}}}`:                                                         1,
		`{"ssh": {"user": {"allow": {"principal": ["*"]}}}}`:                                                      0,
	} {
		config := serviceConfig(t, fmt.Sprintf(`{"authority": {"provisioners": [], "policy": %s}}`, policy))
		got := stepDetails(t, "e_caj_policy_invalid", map[string]string{"config/ca.json": config})
		if len(got) != want {
			t.Errorf("%s: %q, want %d", policy, got, want)
		}
	}
}

// TestSCEPDecryption: an issuer with an elliptic key cannot decrypt requests.
func TestSCEPDecryption(t *testing.T) {
	s := certificateScene(t, "", nil)
	issuing, root := string(pem.EncodeToMemory(s.blocks[0])), string(pem.EncodeToMemory(s.blocks[1]))
	scep := func(more string) []string {
		config := serviceConfig(t, fmt.Sprintf(`{"authority": {"provisioners": [{"type": "SCEP", "name": "s", "encryptionAlgorithmIdentifier": 2%s}]}}`, more))
		return stepDetails(t, "e_caj_provisioner_disabled", map[string]string{"config/ca.json": config, "certs/ca.crt": issuing, "certs/root.crt": root})
	}
	if got := scep(""); len(got) != 1 || !strings.Contains(got[0], "has no decrypterCertificate") {
		t.Errorf("without a decrypter: %q", got)
	}
	if got := scep(`, "decrypterCertificate": "AAAA"`); len(got) != 0 {
		t.Errorf("with one: %q", got)
	}
	if got := scep(`, "decrypterCertificate": "AAAA", "minimumPublicKeyLength": 2047, "encryptionAlgorithmIdentifier": 5`); !slices.ContainsFunc(got, func(d string) bool { return strings.Contains(d, "no multiple of 8") }) {
		t.Errorf("2047 bits: %q", got)
	}
}
