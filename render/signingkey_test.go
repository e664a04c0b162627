package render_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSigningKeys(t *testing.T) {
	for _, c := range []struct{ written, key, kms string }{
		{"", "secrets/issuing.key", "null"},
		{"secrets/other.key", "secrets/other.key", "null"},
		{"/srv/keys/ca.key", "/srv/keys/ca.key", "null"},
		{"pkcs11:module-path=/usr/lib/hsm.so;token=pki;id=01;object=a b?pin-source=secrets/pin&max-sessions=4",
			"pkcs11:id=01;object=a b", `{"type":"pkcs11","uri":"pkcs11:module-path=/usr/lib/hsm.so;token=pki?pin-source=secrets/pin&max-sessions=4"}`},
		{"yubikey:slot-id=9c?pin-source=/run/pin", "yubikey:slot-id=9c", `{"type":"yubikey","uri":"yubikey:?pin-source=/run/pin"}`},
		{"awskms:key-id=1234-ab;region=eu-central-1", "awskms:key-id=1234-ab", `{"type":"awskms","uri":"awskms:region=eu-central-1"}`},
		{"azurekms:name=ca;vault=v?hsm=true", "azurekms:name=ca;vault=v?hsm=true", `{"type":"azurekms"}`},
		{"tpmkms:name=ca", "tpmkms:name=ca", `{"type":"tpmkms"}`},
		{"cloudkms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
			"projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1", `{"type":"cloudkms"}`},
	} {
		s := twoTier()
		s.ca.Key = c.written
		tree := s.mustTree(t)
		config := tree["config/ca.json"]
		kms, err := json.Marshal(at(t, config, "kms"))
		must(t, err)
		var want any
		must(t, json.Unmarshal([]byte(c.kms), &want))
		canonical, err := json.Marshal(want)
		must(t, err)
		if key := at(t, config, "key"); key != c.key || string(kms) != string(canonical) {
			t.Errorf("%q: key %q and kms %s, want %q and %s", c.written, key, kms, c.key, canonical)
		}
		// A password is asked for where step-ca decrypts a file, and only there.
		for _, path := range []string{"systemd/step-ca.service", "INSTALL.txt"} {
			if has := strings.Contains(tree[path], "secrets/password"); has != (c.kms == "null") {
				t.Errorf("%q: %s speaks of a password: %v", c.written, path, has)
			}
			if pin := strings.Contains(c.written, "pin-source"); pin != strings.Contains(tree[path], "/pin") {
				t.Errorf("%q: %s does not speak of the PIN as it should", c.written, path)
			}
		}
	}
}

func TestSigningKeysThatCannotBeTold(t *testing.T) {
	for written, says := range map[string]string{
		"pkcs11:token=a;id=01?pin-value=" + canary:                             "pin-source",
		"yubikey:slot-id=9c;management-key=" + canary + "?pin-source=p":        "management-key-source",
		"azurekms:name=a;client-secret=" + canary:                              "managed identity",
		"pkcs11:token=a;serial=1;id=01?pin-source=p":                           "exactly one",
		"pkcs11:id=01?pin-source=p":                                            "exactly one",
		"pkcs11:token=a?pin-source=p":                                          "which key",
		"pkcs11:token=a;id=01":                                                 "PIN",
		"pkcs11:token=a;id=01;id=02?pin-source=p":                              "twice",
		"pkcs11:token=a;id=01;libary=x?pin-source=p":                           "libary",
		"pkcs11:token=a;id=01;object=\"x\ny\"?pin-source=p":                    "plain value",
		"pkcs11:token=a;id=01?pin-source=config/pin":                           "rendered",
		"/etc/step-ca/config/ca.json":                                          "rendered",
		"certs/a.key":                                                          "rendered",
		"softkms:/etc/step-ca/secrets/a.key":                                   "write a path",
		"file:///etc/step-ca/secrets/a.key":                                    "write a path",
		"vault:secret/" + canary:                                               "write a path",
		"secrets/../../shadow":                                                 "plain path",
		"../shadow":                                                            "plain path",
		"secrets/a b.key":                                                      "plain path",
		"secrets/a%n.key":                                                      "plain path",
		"cloudkms:projects/p/locations/l/keyRings/r/cryptoKeys/k":              "write a path",
		"-----BEGIN EC PRIVATE KEY-----\n" + canary + "\n-----END EC PRIVATE ": "plain path",
	} {
		s := twoTier()
		s.ca.Key = written
		_, err := s.tree(t)
		if err == nil || !strings.HasPrefix(err.Error(), "online_ca.eu: ") || !strings.Contains(err.Error(), says) {
			t.Errorf("%q gave %v, want a refusal with %q", written, err, says)
		} else if strings.Contains(err.Error(), canary) {
			t.Errorf("%q: the refusal shows the secret", written)
		}
	}
}
