package lint

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// schemaRules are about what step-ca reads from ca.json without a word, and
// does not do.
func schemaRules() []Rule {
	return []Rule{{
		ID: "e_caj_unknown_key", Severity: Error, Object: ObjectStepCA,
		Title:     "step-ca knows every key of ca.json",
		Harm:      "a limit with a slip of the pen is no limit, and step-ca says nothing (its issue 475)",
		Citation:  "step-ca configuration, basic configuration options; smallstep/certificates issue 475",
		Effective: stepCA,
		Advice:    "correct the spelling or remove the key: step-ca skips what it does not know",
		applies:   hasConfig,
		check:     checkKnownKeys,
	}, {
		ID: "e_caj_provisioner_disabled", Severity: Error, Object: ObjectStepCA,
		Title:     "every provisioner has what step-ca asks of its type, and a name of its own",
		Harm:      "one line in the log, and requests are refused as disabled due to an initialization error",
		Citation:  "step-ca configuration, provisioners",
		Effective: stepCA,
		Advice:    "complete the provisioner: step-ca starts without it, or does not start at all",
		applies:   hasConfig,
		check:     checkProvisioners,
	}, {
		ID: "e_caj_secret_readable", Severity: Error, Object: ObjectStepCA,
		Title:     "only the service can read its keys and passwords",
		Harm:      "every account on the host could take the key",
		Citation:  "step-ca production guide, safeguard your root and intermediate keys",
		Effective: stepCA,
		Advice:    "chmod 0400 the file and give it to the service's user; then change the secret if anybody else had an account on the host",
		applies:   always,
		check:     checkModes,
	}}
}

// knownKeys is the keys that step-ca v0.30 reads, by place, in lower case:
// encoding/json takes keys in any case.
func knownKeys(place string) []string {
	words := map[string]string{
		"": "root federatedroots crt key address insecureaddress dnsnames kms ssh logger db monitoring authority tls password templates " +
			"commonname crl metricsaddress",
		"authority": "type certificateauthority certificateauthorityfingerprint certificateissuer credentialsfile config authorityid " +
			"deploymenttype provisioners template claims policy disableissuedatcheck backdate enableadmin disablegetsshhosts",
		"claims": "mintlscertduration maxtlscertduration defaulttlscertduration minusersshcertduration maxusersshcertduration " +
			"defaultusersshcertduration minhostsshcertduration maxhostsshcertduration defaulthostsshcertduration enablesshca " +
			"disablerenewal allowrenewalafterexpiry disablesmallstepextensions",
		"crl":     "enabled generateonrevoke cacheduration renewperiod idpurl",
		"tls":     "ciphersuites minversion maxversion renegotiation",
		"db":      "type datasource valuedir database badgerfileloadingmode",
		"options": "x509 ssh webhooks wire",
		"x509":    "template templatefile templatedata",
		"kms":     "type uri credentialsfile pin managementkey region profile storagedirectory",
		"ssh":     "hostkey userkey keys adduserprincipal addusercommand bastion",
		"logger":  "format traceheader", "monitoring": "type name key",
		"certificateissuer": "type provisioner crt key password",
		"template":          "country organization organizationalunit locality province streetaddress serialnumber commonname",
		"policy":            "x509 ssh", "policy.x509": "allow deny allowwildcardnames", "policy.ssh": "user host",
		"policy.x509.names": "cn dns ip email uri", "policy.ssh.side": "allow deny", "policy.ssh.names": "dns ip email principal",
		"webhook": "id name url kind disabletlsclientauth certtype",
	}
	return strings.Fields(words[place])
}

// provisionerKeys is the keys of a provisioner's type, in lower case, besides
// those that all types have.
func provisionerKeys(kind string) ([]string, bool) {
	const common = "type name claims options"
	words, known := map[string]string{
		"JWK":    "key encryptedkey",
		"OIDC":   "clientid clientsecret configurationendpoint tenantid admins domains groups listenaddress scopes authparams",
		"AWS":    "accounts disablecustomsans disabletrustonfirstuse imdsversions instanceage iidroots",
		"GCP":    "serviceaccounts projectids organizationid disablecustomsans disabletrustonfirstuse disablesshcauser disablesshcahost instanceage",
		"AZURE":  "tenantid resourcegroups subscriptionids objectids audience disablecustomsans disabletrustonfirstuse",
		"ACME":   "forcecn termsofservice website caaidentities requireeab challenges attestationformats attestationroots",
		"X5C":    "roots",
		"K8SSA":  "publickeys",
		"SSHPOP": "",
		"NEBULA": "roots",
		"SCEP": "forcecn challenge capabilities includeroot excludeintermediate minimumpublickeylength decryptercertificate decrypterkeypem " +
			"decrypterkey decrypterkeypassword encryptionalgorithmidentifier",
	}[strings.ToUpper(kind)]
	return strings.Fields(common + " " + words), known
}

// checkKnownKeys walks the parts of ca.json whose keys are all known.
func checkKnownKeys(o *object) []string {
	i := slices.IndexFunc(o.tree.files, func(f File) bool { return f.Path == o.tree.configPath })
	var root map[string]json.RawMessage
	if i < 0 || json.Unmarshal(o.tree.files[i].Data, &root) != nil {
		return nil // said elsewhere
	}
	details := strangers(root, knownKeys(""), "ca.json")
	for _, place := range []string{"authority", "crl", "tls", "db", "kms", "ssh", "logger", "monitoring"} {
		details = append(details, strangers(child(root, place), knownKeys(place), place)...)
	}
	authority := child(root, "authority")
	details = append(details, strangers(child(authority, "claims"), knownKeys("claims"), "authority.claims")...)
	for _, place := range []string{"certificateIssuer", "template"} {
		details = append(details, strangers(child(authority, place), knownKeys(strings.ToLower(place)), "authority."+place)...)
	}
	details = append(details, checkPolicyKeys(child(authority, "policy"))...)
	var provisioners []map[string]json.RawMessage
	_ = json.Unmarshal(lookup(authority, "provisioners"), &provisioners)
	for i, p := range provisioners {
		where := stepProvisioner{Name: text(lookup(p, "name"))}.where(i)
		keys, known := provisionerKeys(text(lookup(p, "type")))
		if !known {
			continue // another rule's business
		}
		details = append(details, strangers(p, keys, where)...)
		details = append(details, strangers(child(p, "claims"), knownKeys("claims"), where+", claims")...)
		options := child(p, "options")
		details = append(details, strangers(options, knownKeys("options"), where+", options")...)
		for _, kind := range []string{"x509", "ssh"} {
			details = append(details, strangers(child(options, kind), knownKeys("x509"), where+", options."+kind)...)
		}
		var hooks []map[string]json.RawMessage
		_ = json.Unmarshal(lookup(options, "webhooks"), &hooks)
		for _, hook := range hooks {
			details = append(details, strangers(hook, knownKeys("webhook"), where+", webhook")...)
		}
	}
	return details
}

// checkPolicyKeys walks authority.policy. A key that is not known there opens
// what was meant to be closed.
func checkPolicyKeys(policy map[string]json.RawMessage) []string {
	const place = "authority.policy"
	details := strangers(policy, knownKeys("policy"), place)
	x509 := child(policy, "x509")
	details = append(details, strangers(x509, knownKeys("policy.x509"), place+".x509")...)
	ssh := child(policy, "ssh")
	details = append(details, strangers(ssh, knownKeys("policy.ssh"), place+".ssh")...)
	for _, verdict := range []string{"allow", "deny"} {
		details = append(details, strangers(child(x509, verdict), knownKeys("policy.x509.names"), place+".x509."+verdict)...)
		for _, side := range []string{"user", "host"} {
			details = append(details, strangers(child(child(ssh, side), verdict), knownKeys("policy.ssh.names"), place+".ssh."+side+"."+verdict)...)
		}
	}
	for _, side := range []string{"user", "host"} {
		details = append(details, strangers(child(ssh, side), knownKeys("policy.ssh.side"), place+".ssh."+side)...)
	}
	return details
}

// strangers names the keys that are not known, sorted. Keys that begin with an
// underscore or with two slashes are how people write comments into JSON.
func strangers(object map[string]json.RawMessage, known []string, where string) []string {
	var details []string
	for key := range object {
		comment := strings.HasPrefix(key, "_") || strings.HasPrefix(key, "//") || strings.HasPrefix(key, "#")
		if !comment && !slices.Contains(known, strings.ToLower(key)) {
			details = append(details, fmt.Sprintf("%s: %q", where, key))
		}
	}
	slices.Sort(details)
	return details
}

// lookup finds a key in any case.
func lookup(object map[string]json.RawMessage, key string) json.RawMessage {
	return stepClaims(object).lookup(key)
}

// child is the object under a key; nil where there is none.
func child(object map[string]json.RawMessage, key string) map[string]json.RawMessage {
	var inner map[string]json.RawMessage
	_ = json.Unmarshal(lookup(object, key), &inner)
	return inner
}

// text is a JSON string, or nothing.
func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}

// checkModes looks at private keys and at what is named like a password. The
// group may read where the service's user is only a member of it.
func checkModes(o *object) []string {
	secret := map[string]bool{}
	for _, key := range o.tree.keys {
		secret[key.path] = true
	}
	var details []string
	for _, f := range o.tree.files {
		name := strings.ToLower(path.Base(f.Path))
		named := strings.HasPrefix(name, "password") || strings.HasSuffix(name, ".password") || name == "pin" || name == "pin.txt"
		if mode := f.Mode.Perm(); (secret[f.Path] || named) && mode&0o037 != 0 {
			details = append(details, fmt.Sprintf("%s has mode %04o", f.Path, mode))
		}
	}
	return details
}
