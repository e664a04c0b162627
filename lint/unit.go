package lint

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// unit is a systemd unit file.
type unit struct {
	path     string
	settings []unitSetting
}

// unitSetting is one assignment, with the section that it stands in.
type unitSetting struct{ section, key, value string }

// IsUnit says whether a text looks like a systemd unit of a service.
func IsUnit(text []byte) bool {
	return bytes.Contains(text, []byte("[Service]")) && bytes.Contains(text, []byte("ExecStart="))
}

// readUnit reads a unit file as systemd does (systemd.syntax(7)): a line that
// ends in a backslash goes on, # and ; begin a comment, and a comment may stand
// between the parts of a line. What is no assignment is skipped.
func readUnit(f File) unit {
	u := unit{path: f.Path}
	section, line, open := "", "", false
	for _, part := range strings.Split(string(f.Data), "\n") {
		text := strings.TrimSpace(part)
		if strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") {
			continue
		}
		more := strings.HasSuffix(text, "\\")
		text = strings.TrimSuffix(text, "\\")
		if open {
			line += " " + strings.TrimSpace(text)
		} else {
			line = text
		}
		if open = more; open {
			continue
		}
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			section = line[1 : len(line)-1]
			continue
		}
		if key, value, found := strings.Cut(line, "="); found {
			u.settings = append(u.settings, unitSetting{section, strings.TrimSpace(key), strings.TrimSpace(value)})
		}
	}
	return u
}

// all is the values of a key of [Service]. An empty value takes back those
// before it.
func (u unit) all(key string) []string {
	var values []string
	for _, s := range u.settings {
		if s.section != "Service" || s.key != key {
			continue
		}
		if s.value == "" {
			values = nil
			continue
		}
		values = append(values, s.value)
	}
	return values
}

// last is the value of a key of [Service] that counts, or nothing.
func (u unit) last(key string) string {
	if values := u.all(key); len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// yes says whether a switch is on, as systemd reads switches.
func (u unit) yes(key string) bool {
	return slices.Contains([]string{"1", "yes", "y", "true", "t", "on"}, strings.ToLower(u.last(key)))
}

// startsStepCA says whether the unit runs step-ca.
func (u unit) startsStepCA() bool { return len(u.command()) > 0 }

// command is the words of the line that starts step-ca, without the characters
// that systemd takes from the first; nil when the unit starts something else.
func (u unit) command() []string {
	for _, line := range u.all("ExecStart") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		words[0] = strings.TrimLeft(words[0], "@-:+!|")
		for i, word := range words {
			words[i] = strings.Trim(word, `"'`)
		}
		// A shell may start it, with a line in quotation marks.
		for i, word := range words {
			if path.Base(word) == "step-ca" && (i == 0 || path.IsAbs(word) || words[i-1] == "|") {
				return words[i:]
			}
		}
	}
	return nil
}

// flagValue is the value of a command-line flag, as --name value or --name=value.
func flagValue(command []string, name string) (string, bool) {
	for i, word := range command {
		if value, ok := strings.CutPrefix(word, "--"+name+"="); ok {
			return value, true
		}
		if word == "--"+name && i+1 < len(command) {
			return command[i+1], true
		}
	}
	return "", false
}
