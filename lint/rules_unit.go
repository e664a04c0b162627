package lint

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// unitRules are about the systemd unit that starts step-ca.
func unitRules() []Rule {
	return []Rule{{
		ID: "e_unit_runs_as_root", Severity: Error, Object: ObjectStepCA,
		Title:     "step-ca runs as a user of its own",
		Harm:      "a fault in step-ca is a fault of the whole host",
		Citation:  "systemd.exec(5), User=, DynamicUser=; step-ca production guide, create a service user",
		Effective: stepCA,
		Advice:    "set User= and Group= to a user that owns nothing else; ports below 1024 take CAP_NET_BIND_SERVICE",
		applies:   hasUnit,
		check: eachUnit(func(_ *stepTree, u unit) []string {
			user := u.last("User")
			if user == "" && !u.yes("DynamicUser") {
				return []string{"no User=: the service runs as root"}
			}
			if user == "root" || user == "0" {
				return []string{"User=" + user}
			}
			return nil
		}),
	}, {
		ID: "e_unit_secret_in_environment", Severity: Error, Object: ObjectStepCA,
		Title:     "no secret is in the unit's environment or on its command line",
		Harm:      "systemctl show gives it to every user of the host, over D-Bus",
		Citation:  "systemd.exec(5), Environment=; step-ca production guide, avoid storing passwords in environment variables",
		Effective: stepCA,
		Advice:    "hand the secret over with LoadCredential= and --password-file %d/NAME; then change it: everybody on the host could read it",
		applies:   hasUnit,
		check:     eachUnit(checkUnitSecrets),
	}, {
		ID: "w_unit_sandbox_missing", Severity: Warn, Object: ObjectStepCA,
		Title:     "the unit keeps the service in the sandbox that step-ca's own unit has",
		Harm:      "hardening of the official unit that was lost when the unit was copied",
		Citation:  "systemd.exec(5), sandboxing; step-ca systemd/step-ca.service",
		Effective: stepCA,
		Advice:    "set NoNewPrivileges=yes, ProtectSystem=strict, ProtectHome=yes, PrivateTmp=yes and a CapabilityBoundingSet=",
		applies:   hasUnit,
		check:     eachUnit(checkSandbox),
	}, {
		ID: "e_unit_pkcs11_device_blocked", Severity: Error, Object: ObjectStepCA,
		Title:     "the sandbox leaves a PKCS #11 token within reach",
		Harm:      "step-ca that cannot see its HSM after the unit was hardened",
		Citation:  "systemd.exec(5), PrivateDevices=, MemoryDenyWriteExecute=; step-ca systemd/step-ca.service",
		Effective: stepCA,
		Advice:    "drop PrivateDevices= and MemoryDenyWriteExecute= from this unit, and allow the token with DeviceAllow=",
		applies:   func(o *object) bool { return hasUnit(o) && o.tree.usesToken() },
		check: eachUnit(func(_ *stepTree, u unit) []string {
			var details []string
			for _, key := range []string{"PrivateDevices", "MemoryDenyWriteExecute"} {
				if u.yes(key) {
					details = append(details, key+"= is on, and the key is in a PKCS #11 token: the module may not load, or may not see it")
				}
			}
			return details
		}),
	}, {
		ID: "e_unit_exec_paths_absent", Severity: Error, Object: ObjectStepCA,
		Title:     "what the unit starts with is there, and its password file is its own",
		Harm:      "a boot loop until systemd gives up (StartLimitBurst)",
		Citation:  "systemd.service(5), ExecStart=; systemd.exec(5), WorkingDirectory=",
		Effective: stepCA,
		Advice:    "name the program by an absolute path, set WorkingDirectory= for relative ones, and chmod 0400 the password file",
		applies:   hasUnit,
		check:     eachUnit(checkUnitPaths),
	}}
}

// hasUnit applies where a unit starts step-ca.
func hasUnit(o *object) bool { return slices.ContainsFunc(o.tree.units, unit.startsStepCA) }

// eachUnit judges every unit that starts step-ca, and names it.
func eachUnit(judge func(*stepTree, unit) []string) func(*object) []string {
	return func(o *object) []string {
		var details []string
		for _, u := range o.tree.units {
			if !u.startsStepCA() {
				continue
			}
			for _, detail := range judge(o.tree, u) {
				details = append(details, u.path+": "+detail)
			}
		}
		return details
	}
}

// usesToken says whether the signing key is in a PKCS #11 token. step-ca
// derives the type from the URI where none is written.
func (t *stepTree) usesToken() bool {
	c := t.config
	return strings.EqualFold(c.KMS.Type, "pkcs11") || c.KMS.Type == "" && strings.HasPrefix(strings.ToLower(c.KMS.URI), "pkcs11:")
}

// checkUnitSecrets looks for names that speak of secrets, and never shows what
// they are set to. A path is no secret.
func checkUnitSecrets(_ *stepTree, u unit) []string {
	var details []string
	for _, line := range u.all("Environment") {
		for _, assignment := range strings.Fields(line) {
			name, value, _ := strings.Cut(strings.Trim(assignment, `"'`), "=")
			upper := strings.ToUpper(name)
			speaks := slices.ContainsFunc([]string{"PASSWORD", "PASSPHRASE", "SECRET", "TOKEN_PIN"}, func(word string) bool { return strings.Contains(upper, word) }) ||
				upper == "PIN" || strings.HasSuffix(upper, "_PIN")
			file := strings.HasPrefix(value, "/") || strings.HasPrefix(value, "%d/") || strings.HasSuffix(upper, "_FILE")
			if speaks && value != "" && !file {
				details = append(details, fmt.Sprintf("Environment= sets %s", name))
			}
		}
	}
	for _, line := range u.all("EnvironmentFile") {
		name := strings.ToLower(path.Base(line))
		if strings.Contains(name, "password") || strings.Contains(name, "secret") || path.Base(path.Dir(line)) == "secrets" {
			details = append(details, "EnvironmentFile="+line+" looks like a secret")
		}
	}
	for _, line := range u.all("ExecStart") {
		lower := strings.ToLower(line)
		if strings.Contains(lower, "pin-value=") || strings.Contains(lower, "--password ") || strings.Contains(lower, "--password=") {
			details = append(details, "ExecStart= has a secret")
		}
		if piped := strings.Contains(lower, "echo ") || strings.Contains(lower, "printf "); piped && strings.Contains(line, "|") {
			details = append(details, "ExecStart= hands something over through a shell: everybody on the host can read the line")
		}
	}
	return details
}

// checkSandbox names what the unit of step-ca itself has and this one lacks.
func checkSandbox(_ *stepTree, u unit) []string {
	var missing []string
	if !u.yes("NoNewPrivileges") && !u.yes("DynamicUser") {
		missing = append(missing, "NoNewPrivileges=")
	}
	for _, key := range []string{"ProtectSystem", "ProtectHome"} {
		value := strings.ToLower(u.last(key))
		strong := u.yes(key) || value == "full" || value == "strict" || value == "read-only" || value == "tmpfs"
		if !strong && !u.yes("DynamicUser") {
			missing = append(missing, key+"=")
		}
	}
	if !u.yes("PrivateTmp") && u.last("PrivateTmp") != "disconnected" && !u.yes("DynamicUser") {
		missing = append(missing, "PrivateTmp=")
	}
	// An empty set is the strictest.
	bounded := slices.ContainsFunc(u.settings, func(s unitSetting) bool { return s.key == "CapabilityBoundingSet" })
	if !bounded {
		missing = append(missing, "CapabilityBoundingSet=")
	}
	if len(missing) == 0 {
		return nil
	}
	return []string{"not set, or off: " + strings.Join(missing, ", ")}
}

// checkUnitPaths looks at the words of ExecStart. systemd finds a bare program
// name in fixed folders; step-ca takes relative paths from WorkingDirectory=.
func checkUnitPaths(t *stepTree, u unit) []string {
	var details []string
	command := u.command()
	if strings.Contains(command[0], "/") && !strings.HasPrefix(command[0], "/") {
		details = append(details, fmt.Sprintf("the program %q is a relative path", command[0]))
	}
	home := u.last("WorkingDirectory")
	config := ""
	if len(command) > 1 && !strings.HasPrefix(command[1], "-") {
		config = command[1]
	}
	password, hasPassword := flagValue(command, "password-file")
	for _, file := range []string{config, password} {
		relative := file != "" && !strings.HasPrefix(file, "/") && !strings.HasPrefix(file, "%")
		if relative && home == "" {
			details = append(details, fmt.Sprintf("%q is relative, and WorkingDirectory= is not set: it is looked for in /", file))
		}
	}
	if t.configPath != "" && config != "" && !strings.Contains(config, "$") && !inTree(t, config) {
		details = append(details, fmt.Sprintf("the configuration %q is not in the tree, which has %s", config, t.configPath))
	}
	if i := slices.IndexFunc(t.files, func(f File) bool { return hasPassword && sameFile(password, f.Path) }); i >= 0 {
		if mode := t.files[i].Mode.Perm(); mode&0o077 != 0 {
			details = append(details, fmt.Sprintf("the password file %s has mode %04o: others can read it", t.files[i].Path, mode))
		}
	}
	return details
}

// inTree says whether a configured path means a file of the tree.
func inTree(t *stepTree, configured string) bool {
	return slices.ContainsFunc(t.files, func(f File) bool { return sameFile(configured, f.Path) || path.Clean(configured) == path.Clean(f.Path) })
}
