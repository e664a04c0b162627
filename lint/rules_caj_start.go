package lint

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// startRules are about what step-ca asks of ca.json before it starts, and about
// the names that it takes without a word.
func startRules() []Rule {
	return []Rule{{
		ID: "e_caj_does_not_start", Severity: Error, Object: ObjectStepCA,
		Title:     "ca.json has everything that step-ca asks for when it starts",
		Harm:      "step-ca ends at once, and systemd starts it again until it gives up",
		Citation:  "step-ca configuration, basic configuration options; smallstep/certificates authority/config, Config.Validate",
		Effective: stepCA,
		Advice:    "complete or correct it: step-ca ends with an error where a value is missing, of another type, or names a file that is not there",
		applies:   hasConfig,
		check:     checkStarts,
	}, {
		ID: "e_caj_dns_name_unusable", Severity: Error, Object: ObjectStepCA,
		Title:     "what clients call step-ca is a host name or an address",
		Harm:      "step-ca shows a certificate that no client accepts, under a name that nobody calls",
		Citation:  "step-ca configuration, dnsNames; RFC 5280 §4.2.1.6",
		Effective: stepCA,
		Advice:    "write host names and addresses alone, without scheme, port or path",
		applies:   hasConfig,
		check: func(o *object) []string {
			var details []string
			for _, name := range o.tree.config.DNSNames {
				if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err != nil && isOddHost(name) {
					details = append(details, fmt.Sprintf("dnsNames has %q, which is no host", name))
				}
			}
			return details
		},
	}, {
		ID: "e_caj_client_url_not_https", Severity: Error, Object: ObjectStepCA,
		Title:     "clients call step-ca by https",
		Harm:      "step refuses to talk, and curl sends its token in clear text",
		Citation:  "step-ca configuration, defaults.json, ca-url",
		Effective: stepCA,
		Advice:    "write ca-url as https://NAME:PORT",
		applies:   func(o *object) bool { return o.tree.clientURL != "" },
		check: func(o *object) []string {
			if strings.HasPrefix(strings.ToLower(o.tree.clientURL), "http://") {
				return []string{fmt.Sprintf("ca-url in defaults.json is %q", o.tree.clientURL)}
			}
			return nil
		},
	}, {
		ID: "w_caj_key_not_encrypted", Severity: Warn, Object: ObjectStepCA,
		Title:     "the key that signs is encrypted, or in a token",
		Harm:      "a backup of the host is the authority",
		Citation:  "step-ca production guide, safeguard your root and intermediate keys",
		Effective: stepCA,
		Advice:    "encrypt it (step crypto change-pass) and hand the password over as a credential, or move it to a token",
		applies:   func(o *object) bool { return hasConfig(o) && len(o.tree.keys) > 0 },
		check: func(o *object) []string {
			var details []string
			c := o.tree.config
			for _, key := range o.tree.keys {
				signs := sameFile(c.Key, key.path) || sameFile(c.SSH.HostKey, key.path) || sameFile(c.SSH.UserKey, key.path)
				if signs && key.spki != nil {
					details = append(details, key.path+" is in clear text")
				}
			}
			return details
		},
	}}
}

// checkStarts is what step-ca asks in the order in which it asks. Where another
// service signs, root, crt and key are not asked for.
func checkStarts(o *object) []string {
	c := o.tree.config
	if o.tree.malformed {
		return nil // what cannot be read is named already
	}
	var details, empties []string
	missing := func(is bool, key string) {
		if is {
			empties = append(empties, key)
		}
	}
	missing(c.Address == "", "address")
	missing(len(c.DNSNames) == 0, "dnsNames")
	if kind := strings.ToLower(c.Authority.Type); kind == "" || kind == "softcas" {
		empty := len(c.Root) == 0
		for _, root := range c.Root {
			empty = empty || root == ""
		}
		missing(empty, "root")
		missing(c.Crt == "", "crt")
		missing(c.Key == "", "key")
	}
	if len(empties) > 0 {
		details = append(details, "empty, or not there: "+strings.Join(empties, ", "))
	}
	for _, listener := range []struct{ key, address string }{{"address", c.Address}, {"insecureAddress", c.Insecure}, {"metricsAddress", c.Metrics}} {
		if listener.address == "" {
			continue
		}
		_, port, err := net.SplitHostPort(listener.address)
		switch n, numErr := strconv.Atoi(port); {
		case err != nil:
			details = append(details, fmt.Sprintf("%s %q has no port", listener.key, listener.address))
		case numErr == nil && (n < 0 || n > 1<<16-1):
			details = append(details, fmt.Sprintf("%s %q has no port that exists", listener.key, listener.address))
		}
	}
	if c.Insecure != "" && c.Insecure == c.Address {
		details = append(details, fmt.Sprintf("address and insecureAddress are both %q: one of them cannot listen", c.Address))
	}
	details = append(details, o.tree.typeFaults()...)
	details = append(details, checkService(o.tree)...)
	details = append(details, o.tree.absentFiles()...)
	if c.Authority.Backdate != nil {
		if d, err := time.ParseDuration(*c.Authority.Backdate); err != nil || d < 0 {
			details = append(details, fmt.Sprintf("authority.backdate is %q, not a duration of zero or more", *c.Authority.Backdate))
		}
	}
	return details
}

// hasSecretInDataSource says whether a database's address holds a password: in
// the user part of a URL, in MySQL's user:password@, or as password=.
func hasSecretInDataSource(source string) bool {
	lower := strings.ToLower(source)
	if i := strings.Index(lower, "password="); i >= 0 && strings.TrimLeft(lower[i+len("password="):], "'\" ") != "" {
		return true
	}
	rest := source
	if _, after, url := strings.Cut(source, "://"); url {
		rest = after
	}
	user, _, found := cutLast(rest, "@")
	_, password, colon := strings.Cut(user, ":")
	return found && colon && password != "" && !strings.Contains(user, "/")
}

// cutLast is strings.Cut at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// isJWE says whether a text is a JWE in compact form: five parts.
func isJWE(raw json.RawMessage) bool {
	var text string
	return json.Unmarshal(raw, &text) == nil && strings.Count(text, ".") == 4
}
