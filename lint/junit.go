package lint

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// The elements of a JUnit report that CI systems read. No body owns the form;
// this is the part that Jenkins, GitLab and GitHub actions agree upon.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string         `xml:"name,attr"`
		ClassName string         `xml:"classname,attr"`
		Failures  []junitFailure `xml:"failure"`
		Output    string         `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes reports for CI systems: one suite a file, one case an object.
// Findings at or above failOn that are not waived are its failures; the others
// stand in its output.
func JUnit(reports []Report, failOn Severity) ([]byte, error) {
	all := junitSuites{Name: sarifTool}
	at := map[string]int{}
	for _, r := range reports {
		i, known := at[r.File]
		if !known {
			i = len(all.Suites)
			at[r.File] = i
			all.Suites = append(all.Suites, junitSuite{Name: r.File})
		}
		suite := &all.Suites[i]
		c := junitCase{Name: r.Object, ClassName: r.File}
		if c.Name == "" {
			c.Name = r.File
		}
		var quiet []string
		for _, f := range r.Findings {
			line := fmt.Sprintf("%s %s: %s (%s)", f.Severity, f.Lint, f.Detail, f.Citation)
			switch {
			case f.Waived != "":
				quiet = append(quiet, line+"; waived: "+f.Waived)
			case f.Severity < failOn:
				quiet = append(quiet, line)
			default:
				c.Failures = append(c.Failures, junitFailure{Type: f.Lint, Message: f.Detail, Text: strings.TrimSpace(line + "\n" + f.Advice)})
			}
		}
		c.Output = strings.Join(quiet, "\n")
		suite.Cases = append(suite.Cases, c)
		suite.Tests++
		all.Tests++
		if len(c.Failures) > 0 {
			suite.Failures++
			all.Failures++
		}
	}
	out, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(out, '\n')...), nil
}
