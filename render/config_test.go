package render_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/spec"
)

// schema lists, by place, the keys that step-ca v0.30.2 reads; a star stands
// for a list's items. step-ca ignores every other key without a word.
func schema() map[string][]string {
	claims := strings.Fields(`minTLSCertDuration maxTLSCertDuration defaultTLSCertDuration
		minUserSSHCertDuration maxUserSSHCertDuration defaultUserSSHCertDuration
		minHostSSHCertDuration maxHostSSHCertDuration defaultHostSSHCertDuration
		enableSSHCA disableRenewal allowRenewalAfterExpiry disableSmallstepExtensions`)
	template := []string{"template", "templateFile", "templateData"}
	x509, ssh := strings.Fields("cn dns ip email uri"), strings.Fields("dns ip email principal")
	both := []string{"allow", "deny"}
	return map[string][]string{
		"": strings.Fields(`root federatedRoots crt key kms address insecureAddress dnsNames ssh logger db monitoring
			authority tls password templates commonName crl metricsAddress`),
		"kms":    strings.Fields("type uri credentialsFile pin managementKey region profile storageDirectory"),
		"logger": {"format", "traceHeader"},
		"db":     {"type", "dataSource", "valueDir", "database", "badgerFileLoadingMode"},
		"crl":    {"enabled", "generateOnRevoke", "cacheDuration", "renewPeriod", "idpURL"},
		"tls":    {"cipherSuites", "minVersion", "maxVersion", "renegotiation"},
		"authority": strings.Fields(`type certificateAuthority certificateAuthorityFingerprint certificateIssuer credentialsFile config
			authorityId deploymentType provisioners template claims policy disableIssuedAtCheck backdate enableAdmin disableGetSSHHosts`),
		"authority.template": strings.Fields("country organization organizationalUnit locality province streetAddress serialNumber commonName"),
		"authority.claims":   claims,
		"authority.provisioners.*": strings.Fields(`type name claims options key encryptedKey
			forceCN termsOfService website caaIdentities requireEAB challenges attestationFormats attestationRoots
			clientID clientSecret configurationEndpoint tenantID admins domains groups listenAddress scopes authParams
			accounts disableCustomSANs disableTrustOnFirstUse imdsVersions instanceAge iidRoots
			serviceAccounts projectIDs organizationID disableSSHCAUser disableSSHCAHost
			resourceGroups subscriptionIDs objectIDs audience roots publicKeys
			challenge capabilities includeRoot excludeIntermediate minimumPublicKeyLength decrypterCertificate decrypterKeyPEM
			decrypterKey decrypterKeyPassword encryptionAlgorithmIdentifier`),
		"authority.provisioners.*.key":                {"use", "kty", "kid", "crv", "alg", "x", "y"},
		"authority.provisioners.*.claims":             claims,
		"authority.provisioners.*.options":            {"x509", "ssh", "webhooks", "wire"},
		"authority.provisioners.*.options.x509":       template,
		"authority.provisioners.*.options.ssh":        template,
		"authority.provisioners.*.options.webhooks.*": {"id", "name", "url", "kind", "disableTLSClientAuth", "certType"},
		"ssh":                             strings.Fields("hostKey userKey keys addUserPrincipal addUserCommand bastion"),
		"ssh.keys.*":                      {"type", "federated", "key"},
		"ssh.keys.*.key":                  strings.Fields("kty crv x y n e"),
		"ssh.bastion":                     strings.Fields("hostname user port cmd flags"),
		"templates":                       {"ssh", "data"},
		"templates.ssh":                   {"user", "host"},
		"templates.ssh.user.*":            strings.Fields("name type template path comment requires"),
		"templates.ssh.host.*":            strings.Fields("name type template path comment requires"),
		"authority.policy":                {"x509", "ssh"},
		"authority.policy.x509":           {"allow", "deny", "allowWildcardNames"},
		"authority.policy.x509.allow":     x509,
		"authority.policy.x509.deny":      x509,
		"authority.policy.ssh":            {"user", "host"},
		"authority.policy.ssh.user":       both,
		"authority.policy.ssh.user.allow": ssh,
		"authority.policy.ssh.user.deny":  ssh,
		"authority.policy.ssh.host":       both,
		"authority.policy.ssh.host.allow": ssh,
		"authority.policy.ssh.host.deny":  ssh,
	}
}

// registrationSchema is what a registration authority has beside it.
func registrationSchema() map[string][]string {
	return map[string][]string{
		"authority.certificateIssuer": {"type", "provisioner", "crt", "key", "password"},
		"authority.config": strings.Fields(`pkiMountPath pkiRoleDefault pkiRoleRSA pkiRoleEC pkiRoleEd25519
			authType authMountPath namespace authOptions`),
		"authority.config.authOptions": strings.Fields("roleID secretID secretIDFile secretIDEnv isWrappingToken role tokenPath region awsAuthType"),
	}
}

// TestEveryKeyIsStepCAs walks the largest ca.json that there is.
func TestEveryKeyIsStepCAs(t *testing.T) {
	s := grand(t)
	s.ca.Key = "pkcs11:token=a;id=01?pin-source=secrets/pin"
	s.ca.SSH.HostKey, s.ca.SSH.UserKey = "pkcs11:token=a;id=02?pin-source=secrets/pin", "pkcs11:token=a;id=03?pin-source=secrets/pin"
	holdKeys(t, s.mustTree(t)["config/ca.json"], schema(), schema())
}

func TestEveryKeyOfARegistrationAuthorityIsStepCAs(t *testing.T) {
	for name, r := range registrations() {
		s := twoTier()
		s.ca.Registration, s.ca.CRL, s.ca.InsecureAddress, s.ca.Key = r, nil, "", ""
		known := schema()
		maps.Copy(known, registrationSchema())
		config := s.mustTree(t)["config/ca.json"]
		holdKeys(t, config, known, nil)
		for _, key := range []string{"root", "crt", "key"} {
			if at(t, config, key) != nil {
				t.Errorf("%s: it has %s, which is the other CA's", name, key)
			}
		}
		if at(t, config, "authority", "type") != r.Type {
			t.Errorf("%s: it is of type %v", name, at(t, config, "authority", "type"))
		}
	}
}

// holdKeys wants every key of a ca.json to be known at its place, and every
// wanted place to be there.
func holdKeys(t *testing.T, text string, known, wanted map[string][]string) {
	t.Helper()
	var config any
	must(t, json.Unmarshal([]byte(text), &config))
	places := map[string]bool{}
	walkJSON(config, "", func(place, key string) {
		places[place] = true
		if strings.Contains(place, ".templateData") {
			return // free
		}
		keys, found := known[place]
		if !found || !slices.Contains(keys, key) {
			t.Errorf("%q at %q is no key that step-ca reads", key, place)
		}
	})
	for place := range wanted {
		if !places[place] {
			t.Errorf("the scene has nothing at %q: the test no longer sees it", place)
		}
	}
}

func walkJSON(v any, place string, visit func(place, key string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			visit(place, key)
			walkJSON(value, strings.TrimPrefix(place+"."+key, "."), visit)
		}
	case []any:
		for _, value := range v {
			walkJSON(value, place+".*", visit)
		}
	}
}

// at digs in a decoded document by keys and list indexes.
func at(t *testing.T, document string, path ...any) any {
	t.Helper()
	var v any
	must(t, json.Unmarshal([]byte(document), &v))
	for _, step := range path {
		switch step := step.(type) {
		case string:
			v = v.(map[string]any)[step]
		case int:
			v = v.([]any)[step]
		}
	}
	return v
}

// TestOneValueFeedsLeavesAndCRL is the promise that a relying party finds the
// CRL of a leaf to be the CRL for that leaf.
func TestOneValueFeedsLeavesAndCRL(t *testing.T) {
	s := twoTier()
	s.ca.Authority.CRL.URLs = []string{"http://one.example/crl"}
	config := s.mustTree(t)["config/ca.json"]
	if idp := at(t, config, "crl", "idpURL"); idp != "http://one.example/crl" {
		t.Errorf("idpURL is %v", idp)
	}
	for i := range s.ca.Provisioners {
		data := at(t, config, "authority", "provisioners", i, "options", "x509", "templateData", "crl_urls")
		if fmt.Sprint(data) != "[http://one.example/crl]" {
			t.Errorf("provisioner %d is told %v", i, data)
		}
	}
}

func TestProvisionersAsRecorded(t *testing.T) {
	config := twoTier().mustTree(t)["config/ca.json"]
	for _, c := range []struct {
		path []any
		want string
	}{
		{[]any{0, "type"}, "JWK"}, {[]any{0, "name"}, "admin"}, {[]any{0, "key", "kid"}, "k1"}, {[]any{0, "encryptedKey"}, secretJWE},
		{[]any{0, "options", "x509", "templateFile"}, "templates/x509/leaf.tpl"},
		{[]any{1, "type"}, "ACME"}, {[]any{1, "name"}, "web"}, {[]any{1, "challenges"}, "[http-01 tls-alpn-01]"}, {[]any{1, "forceCN"}, "true"},
		{[]any{1, "options", "x509", "templateFile"}, "templates/x509/server.tpl"},
		{[]any{1, "options", "x509", "templateData", "unit"}, "Ops"},
	} {
		path := append([]any{"authority", "provisioners"}, c.path...)
		if have := fmt.Sprint(at(t, config, path...)); have != c.want {
			t.Errorf("%v is %s, want %s", path, have, c.want)
		}
	}
	if !strings.Contains(config, "12345678901234567890") {
		t.Error("a large number in template data lost digits")
	}
}

func TestClaims(t *testing.T) {
	s := twoTier()
	all := &spec.Claims{
		MinTLS: span(time.Minute), DefaultTLS: span(90 * time.Minute), MaxTLS: span(30 * 24 * time.Hour),
		DisableRenewal: new(false), AllowRenewalAfterExpiry: new(true),
	}
	s.ca.Claims, s.ca.Provisioners[1].Claims, s.ca.Provisioners[0].Claims = all, all, nil
	config := s.mustTree(t)["config/ca.json"]
	want := "map[allowRenewalAfterExpiry:true defaultTLSCertDuration:1h30m0s disableRenewal:false maxTLSCertDuration:720h0m0s minTLSCertDuration:1m0s]"
	for _, path := range [][]any{{"authority", "claims"}, {"authority", "provisioners", 1, "claims"}} {
		if have := fmt.Sprint(at(t, config, path...)); have != want {
			t.Errorf("%v are %s, want %s", path, have, want)
		}
	}
	if have := at(t, config, "authority", "provisioners", 0, "claims"); have != nil {
		t.Errorf("claims that nobody wrote: %v", have)
	}
}

// TestFreeTextStaysText puts what could break out into the one place that
// takes any text: template data.
func TestFreeTextStaysText(t *testing.T) {
	s := twoTier()
	hostile := "\"},{\"type\":\"X\n[Service]\nExecStart=/bin/hostile {{ .Subject }} \u2028 %d </script>"
	data, err := json.Marshal(map[string]string{hostile: hostile})
	must(t, err)
	s.ca.Provisioners[1].Template.Data = data
	tree := s.mustTree(t)
	if have := at(t, tree["config/ca.json"], "authority", "provisioners", 1, "options", "x509", "templateData", hostile); have != hostile {
		t.Errorf("it came back as %q", have)
	}
	if n := len(at(t, tree["config/ca.json"], "authority", "provisioners").([]any)); n != 2 {
		t.Errorf("there are %d provisioners", n)
	}
	for path, text := range tree {
		if path != "config/ca.json" && strings.Contains(text, "/bin/hostile") {
			t.Errorf("%s holds it", path)
		}
	}
}
