package lint

import (
	"encoding/json"
	"testing"
)

func TestSeverityText(t *testing.T) {
	for s, word := range map[Severity]string{Notice: "notice", Warn: "warn", Error: "error", Fatal: "fatal"} {
		text, err := json.Marshal(s)
		noError(t, err)
		if string(text) != `"`+word+`"` {
			t.Errorf("%d is written as %s, want %q", s, text, word)
		}
		var back Severity
		noError(t, json.Unmarshal(text, &back))
		if back != s {
			t.Errorf("%s is read back as %d, want %d", text, back, s)
		}
	}
	for _, bad := range []Severity{0, 5, -1} {
		if text, err := json.Marshal(bad); err == nil {
			t.Errorf("severity %d is written as %s", int(bad), text)
		}
	}
	for _, bad := range []string{"", "Error", "info", "severity(0)"} {
		if s, err := ParseSeverity(bad); err == nil || s != 0 {
			t.Errorf("%q is read as %d", bad, s)
		}
	}
}
