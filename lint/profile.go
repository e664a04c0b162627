package lint

import (
	_ "embed" // private.tsv
	"errors"
	"fmt"
	"strings"
)

// Names of the profiles.
const (
	profilePrivate = "private"
	profileWebPKI  = "webpki"
	profileETSI    = "etsi"
)

// Profiles is the names that [New] takes: private, for a hierarchy whose
// relying parties are one's own, webpki, which adds the rules of public server
// certificates, and etsi, which adds those of qualified certificates.
func Profiles() []string { return []string{profilePrivate, profileWebPKI, profileETSI} }

// class is what a line of the table says about a lint of zlint.
type class string

const (
	classKeep   class = "keep"
	classAdopt  class = "adopt"
	classWebPKI class = "webpki"
	classOff    class = "off"
	classOther  class = "other"
)

// setting is one line of the table.
type setting struct {
	lint  string
	class class
	// severity replaces zlint's own in profile private; zero leaves it alone.
	severity Severity
}

// on says whether the profile switches the lint on.
func (s setting) on(profile string) bool {
	switch s.class {
	case classKeep, classAdopt:
		return true
	case classWebPKI:
		return profile == profileWebPKI
	}
	return false
}

//go:embed private.tsv
var privateTable string

// readTable reads the table of private.tsv.
func readTable(text string) ([]setting, error) {
	var settings []setting
	for number, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s, err := readSetting(strings.Split(line, "\t"))
		if err != nil {
			return nil, fmt.Errorf("line %d of the lint table: %w", number+1, err)
		}
		settings = append(settings, s)
	}
	return settings, nil
}

// readSetting reads the columns of one line: lint, class, and where they are
// there, severity and reason.
func readSetting(columns []string) (setting, error) {
	if len(columns) < 2 || len(columns) > 4 {
		return setting{}, fmt.Errorf("%d columns: give lint, class, severity and reason", len(columns))
	}
	s := setting{lint: columns[0], class: class(columns[1])}
	switch s.class {
	case classKeep, classAdopt, classWebPKI, classOff, classOther:
	default:
		return setting{}, fmt.Errorf("class %q is unknown: use keep, adopt, webpki, off or other", columns[1])
	}
	if len(columns) > 2 && columns[2] != "" {
		severity, err := ParseSeverity(columns[2])
		if err != nil {
			return setting{}, err
		}
		s.severity = severity
	}
	if s.severity != 0 && len(columns) < 4 {
		return setting{}, errors.New("a severity needs a reason: write one in the fourth column")
	}
	return s, nil
}
