package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// valueRules are about values that step-ca refuses, or takes and does not
// heed.
func valueRules() []Rule {
	return []Rule{{
		ID: "e_caj_value_unknown", Severity: Error, Object: ObjectStepCA,
		Title:     "step-ca knows every value of ca.json",
		Harm:      "step-ca takes 1.4, an unknown suite or junk as a URL, and goes on as if nothing had been said",
		Citation:  "step-ca configuration, tls, db, kms, crl, ssh, ACME",
		Effective: stepCA,
		Advice:    "correct the value: step-ca does not start with it, drops the provisioner, or takes the value for none",
		applies:   hasConfig,
		check:     checkValues,
	}, {
		ID: "e_caj_key_twice", Severity: Error, Object: ObjectStepCA,
		Title:     "no key of ca.json stands twice",
		Harm:      "the reviewer read the first, and the machine took the second",
		Citation:  "RFC 8259 §4; Go encoding/json, Unmarshal",
		Effective: stepCA,
		Advice:    "leave one of them: step-ca takes the last, in whatever case it is written, and a reviewer reads the first",
		applies:   hasConfig,
		check:     checkKeysTwice,
	}, {
		ID: "w_caj_tls_weak_suite", Severity: Warn, Object: ObjectStepCA,
		Title:     "every cipher suite keeps what was said secret for ever, and is not broken",
		Harm:      "what was recorded today can be read when the server's key is stolen",
		Citation:  "NIST SP 800-52 rev. 2 §3.3.1; RFC 9325 §4.1, §4.2; step-ca configuration, tls",
		Effective: stepCA,
		Advice:    "leave the suites with ECDHE and AES-GCM or ChaCha20, or drop cipherSuites",
		applies:   hasConfig,
		check: func(o *object) []string {
			var weak []string
			for _, suite := range o.tree.config.TLS.CipherSuites {
				if known, sound := cipherSuite(suite); known && !sound {
					weak = append(weak, suite)
				}
			}
			if len(weak) == 0 {
				return nil
			}
			return []string{"tls.cipherSuites has " + strings.Join(weak, ", ")}
		},
	}, {
		ID: "w_caj_ssh_unused", Severity: Warn, Object: ObjectStepCA,
		Title:     "SSH certificates are either wanted, with keys and a provisioner that gives them, or not",
		Harm:      "SSH that was configured and does nothing: found out when hosts cannot renew",
		Citation:  "step-ca configuration, ssh, claims (enableSSHCA), SSHPOP",
		Effective: stepCA,
		Advice:    "set ssh.hostKey and ssh.userKey and enableSSHCA in the claims of a provisioner, or drop both",
		applies:   func(o *object) bool { return hasConfig(o) && !o.tree.malformed },
		check:     checkSSHUse,
	}}
}

// cipherSuite says whether Go has a suite of that name for TLS 1.2, and whether
// it is one that RFC 9325 §4.2 recommends.
func cipherSuite(name string) (known, sound bool) {
	exchange, cipher, found := strings.Cut(strings.TrimPrefix(name, "TLS_"), "_WITH_")
	if !found || !slices.Contains([]string{"RSA", "ECDHE_RSA", "ECDHE_ECDSA"}, exchange) {
		return slices.Contains([]string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}, name), true
	}
	strong := []string{"AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305"}
	old := []string{"RC4_128_SHA", "3DES_EDE_CBC_SHA", "AES_128_CBC_SHA", "AES_256_CBC_SHA", "AES_128_CBC_SHA256"}
	return slices.Contains(strong, cipher) || slices.Contains(old, cipher), exchange != "RSA" && slices.Contains(strong, cipher)
}

// checkValues looks at values of which step-ca takes only a few.
func checkValues(o *object) []string {
	c := o.tree.config
	var details []string
	unknown := func(place, value string, known ...string) {
		if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, value) }) {
			details = append(details, fmt.Sprintf("%s is %q", place, value))
		}
	}
	for _, suite := range c.TLS.CipherSuites {
		if known, _ := cipherSuite(suite); !known {
			details = append(details, fmt.Sprintf("tls.cipherSuites has %q", suite))
		}
	}
	if low, high := c.TLS.MinVersion, c.TLS.MaxVersion; high != "" {
		unknown("tls.maxVersion", string(high), "1.0", "1", "1.1", "1.2", "1.3")
		if low != "" && low > high {
			details = append(details, fmt.Sprintf("tls.minVersion is %s, and tls.maxVersion is %s", low, high))
		}
	}
	if c.DB != nil {
		unknown("db.type", c.DB.Type, "badger", "badgerv1", "badgerv2", "bbolt", "mysql", "postgresql")
		unknown("db.badgerFileLoadingMode", c.DB.BadgerFileLoadingMode, "", "FileIO", "MemoryMap")
	}
	unknown("authority.type", c.Authority.Type, "", "softcas", "stepcas", "cloudcas", "vaultcas")
	unknown("kms.type", c.KMS.Type, "", "softkms", "pkcs11", "awskms", "cloudkms", "azurekms", "tpmkms", "yubikey", "sshagentkms", "capi", "mackms", "kms")
	for _, key := range c.SSH.Keys {
		unknown("ssh.keys, type", key.Type, "user", "host")
	}
	unknown("logger.format", c.Logger.Format, "", "text", "json", "common")
	for i, p := range c.Authority.Provisioners {
		for _, challenge := range p.Challenges {
			if strings.EqualFold(p.Type, "ACME") {
				unknown(p.where(i)+", challenges", challenge, "http-01", "dns-01", "tls-alpn-01", "device-attest-01", "wire-oidc-01", "wire-dpop-01")
			}
		}
	}
	return append(details, checkListValues(o)...)
}

// checkListValues looks at the URL and the durations of crl.
func checkListValues(o *object) []string {
	crl := o.tree.config.CRL
	var details []string
	if u, err := url.Parse(crl.IDPURL); crl.IDPURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		details = append(details, fmt.Sprintf("crl.idpURL is %q, which is no http URL", crl.IDPURL))
	}
	for name, text := range map[string]string{"cacheDuration": crl.CacheDuration, "renewPeriod": crl.RenewPeriod} {
		// step-ca renews after two thirds of the duration, and stops at a period of
		// nothing.
		if d, err := time.ParseDuration(text); text != "" && (err != nil || d < 3) {
			details = append(details, fmt.Sprintf("crl.%s is %q", name, text))
		}
	}
	cache, err := time.ParseDuration(crl.CacheDuration)
	if err != nil {
		cache = day // what step-ca takes
	}
	if renew, err := time.ParseDuration(crl.RenewPeriod); err == nil && renew > cache && cache > 0 {
		details = append(details, fmt.Sprintf("crl.renewPeriod is %s, and a list ends after %s (crl.cacheDuration)", renew, cache))
	}
	slices.Sort(details)
	return details
}

// checkKeysTwice reads the text once more, because a decoder keeps one of two.
func checkKeysTwice(o *object) []string {
	i := slices.IndexFunc(o.tree.files, func(f File) bool { return f.Path == o.tree.configPath })
	if i < 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(o.tree.files[i].Data))
	var twice []string
	if err := walkKeys(d, "", 0, &twice); err != nil {
		return nil // said where the file is read
	}
	return twice
}

// deepestJSON is how deep ca.json is looked into: it has no more than ten.
const deepestJSON = 100

// walkKeys goes through one value and notes the keys that stand twice in one
// object, whatever their case.
func walkKeys(d *json.Decoder, path string, depth int, twice *[]string) error {
	token, err := d.Token()
	delimiter, opens := token.(json.Delim)
	if err != nil || !opens {
		return err
	}
	if depth > deepestJSON {
		return fmt.Errorf("deeper than %d", deepestJSON)
	}
	seen := map[string]bool{}
	for d.More() {
		below := path
		if delimiter == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name := fmt.Sprint(key)
			below = strings.TrimPrefix(path+"."+name, ".")
			if seen[strings.ToLower(name)] {
				*twice = append(*twice, fmt.Sprintf("%s stands twice", below))
			}
			seen[strings.ToLower(name)] = true
		}
		if err := walkKeys(d, below, depth+1, twice); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// checkSSHUse compares the ssh block with the claims and with SSHPOP.
func checkSSHUse(o *object) []string {
	c := o.tree.config
	keys := c.SSH.HostKey != "" || c.SSH.UserKey != ""
	on := func(claims stepClaims) bool { return string(claims.lookup("enableSSHCA")) == "true" }
	var details []string
	enabled := on(c.Authority.Claims)
	for i, p := range c.Authority.Provisioners {
		enabled = enabled || on(p.Claims)
		switch {
		case keys:
		case strings.EqualFold(p.Type, "SSHPOP"):
			details = append(details, p.where(i)+" is of type SSHPOP, and ssh has no keys: there is nothing that it could verify")
		case on(p.Claims):
			details = append(details, p.where(i)+" enables SSH certificates, and ssh has no keys to sign them with")
		}
	}
	if keys && !enabled && !c.Authority.EnableAdmin {
		details = append(details, "ssh has keys, and no claims enable SSH certificates (enableSSHCA)")
	}
	return details
}
