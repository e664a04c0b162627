package lint

import (
	"fmt"
)

// Severity says how bad a finding is. The zero value is no severity at all;
// values are ordered, are written as words, and are never renumbered.
type Severity int

const (
	// Notice is worth knowing; nothing has to be done.
	Notice Severity = iota + 1
	// Warn is a fault that some relying party may stumble over.
	Warn
	// Error is a fault that breaks a rule or a relying party.
	Error
	// Fatal means that the object could not be judged.
	Fatal
)

// String is the word for s: notice, warn, error or fatal.
func (s Severity) String() string {
	switch s {
	case Notice:
		return "notice"
	case Warn:
		return "warn"
	case Error:
		return "error"
	case Fatal:
		return "fatal"
	}
	return fmt.Sprintf("severity(%d)", int(s))
}

// ParseSeverity reads the word that [Severity.String] writes.
func ParseSeverity(word string) (Severity, error) {
	for s := Notice; s <= Fatal; s++ {
		if word == s.String() {
			return s, nil
		}
	}
	return 0, fmt.Errorf("severity %q is unknown: use notice, warn, error or fatal", word)
}

// MarshalText writes the word for s and refuses a value that has none.
func (s Severity) MarshalText() ([]byte, error) {
	if s < Notice || s > Fatal {
		return nil, fmt.Errorf("severity %d has no name: use notice, warn, error or fatal", int(s))
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads the word that [Severity.MarshalText] writes.
func (s *Severity) UnmarshalText(text []byte) error {
	parsed, err := ParseSeverity(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}
