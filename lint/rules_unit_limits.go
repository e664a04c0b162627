package lint

import (
	"fmt"
	"path"
	"strings"
)

// unitLimitRules are about what a unit may do, and how often.
func unitLimitRules() []Rule {
	return []Rule{{
		ID: "e_unit_restart_without_limit", Severity: Error, Object: ObjectStepCA,
		Title:     "a service that cannot start is not started for ever",
		Harm:      "three wrong PINs in a second, and the token is locked",
		Citation:  "systemd.unit(5), StartLimitIntervalSec=; systemd.service(5), RestartSec=",
		Effective: stepCA,
		Advice:    "set StartLimitIntervalSec= and StartLimitBurst= so that it gives up before the token does, and RestartPreventExitStatus=1",
		applies:   hasUnit,
		check: eachUnit(func(_ *stepTree, u unit) []string {
			restarts := u.last("Restart") != "" && u.last("Restart") != "no"
			for _, key := range []string{"StartLimitIntervalSec", "StartLimitInterval", "StartLimitBurst"} {
				if value := u.last(key); restarts && (value == "0" || value == "0s") {
					return []string{fmt.Sprintf("Restart=%s, and %s=%s: it is started again without end", u.last("Restart"), key, value)}
				}
			}
			return nil
		}),
	}, {
		ID: "n_unit_condition_skips", Severity: Notice, Object: ObjectStepCA,
		Title:     "a file that is missing is a failure, and not a reason to skip the service",
		Harm:      "systemctl start ends with 0, and nothing runs: found days later",
		Citation:  "systemd.unit(5), Conditions and Asserts",
		Effective: stepCA,
		Advice:    "write AssertFileNotEmpty= and AssertPathExists= in place of Condition…=",
		applies:   hasUnit,
		check: eachUnit(func(_ *stepTree, u unit) []string {
			var details []string
			for _, s := range u.settings {
				if strings.HasPrefix(s.key, "ConditionPath") || strings.HasPrefix(s.key, "ConditionFile") || strings.HasPrefix(s.key, "ConditionDirectory") {
					details = append(details, fmt.Sprintf("%s=%s: without it the service is skipped, and that counts as success", s.key, s.value))
				}
			}
			return details
		}),
	}, {
		ID: "w_unit_more_rights_than_needed", Severity: Warn, Object: ObjectStepCA,
		Title:     "step-ca has the right to listen below 1024, and to write into its database, and no other",
		Harm:      "a fault in step-ca is a fault of the whole host",
		Citation:  "systemd.exec(5), CapabilityBoundingSet=, ReadWritePaths=; capabilities(7)",
		Effective: stepCA,
		Advice:    "keep CAP_NET_BIND_SERVICE alone, and name the database's folder in ReadWritePaths=",
		applies:   hasUnit,
		check:     eachUnit(checkRights),
	}}
}

// checkRights looks at capabilities and writable paths.
func checkRights(_ *stepTree, u unit) []string {
	var details []string
	for _, key := range []string{"AmbientCapabilities", "CapabilityBoundingSet"} {
		for _, line := range u.all(key) {
			for _, word := range strings.Fields(line) {
				if strings.HasPrefix(word, "~") || strings.HasPrefix(word, "CAP_") && word != "CAP_NET_BIND_SERVICE" {
					details = append(details, fmt.Sprintf("%s=%s", key, line))
					break
				}
			}
		}
	}
	for _, line := range u.all("ReadWritePaths") {
		for _, word := range strings.Fields(line) {
			switch where := path.Clean(strings.TrimLeft(word, "-+")); where {
			case "/", "/etc", "/usr", "/var", "/home", "/root":
				details = append(details, "ReadWritePaths= has "+where)
			}
		}
	}
	return details
}
