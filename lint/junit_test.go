package lint

import (
	"encoding/xml"
	"strings"
	"testing"
)

func TestJUnit(t *testing.T) {
	reports := []Report{
		{File: "a.pem", Object: "object 1", Findings: []Finding{
			{Lint: "e_x", Severity: Error, Detail: "it is <bad> & \"quoted\"", Citation: "RFC 5280", Advice: "mend it"},
			{Lint: "n_y", Severity: Notice, Detail: "by the way"},
		}},
		{File: "a.pem", Object: "object 2"},
		{File: "b.crl", Findings: []Finding{{Lint: "w_z", Severity: Warn, Detail: "\x01 a control character", Waived: "CPS 6"}}},
	}
	out, err := JUnit(reports, Warn)
	noError(t, err)
	var back junitSuites
	noError(t, xml.Unmarshal(out, &back))
	if back.Tests != 3 || back.Failures != 1 || len(back.Suites) != 2 || back.Suites[0].Tests != 2 || back.Suites[0].Failures != 1 {
		t.Errorf("counts are wrong:\n%s", out)
	}
	first := back.Suites[0].Cases[0]
	if len(first.Failures) != 1 || first.Failures[0].Message != `it is <bad> & "quoted"` || first.Failures[0].Type != "e_x" || !strings.Contains(first.Output, "by the way") {
		t.Errorf("the first case is %+v", first)
	}
	last := back.Suites[1].Cases[0]
	if last.Name != "b.crl" || len(last.Failures) != 0 || !strings.Contains(last.Output, "waived: CPS 6") {
		t.Errorf("the waived case is %+v", last)
	}
	again, err := JUnit(reports, Error)
	noError(t, err)
	if !strings.HasPrefix(string(again), "<?xml") || strings.Contains(string(again), "\x01") {
		t.Errorf("not XML:\n%s", again)
	}
	if none, err := JUnit(nil, Error); err != nil || !strings.Contains(string(none), `tests="0"`) {
		t.Errorf("nothing: %s, %v", none, err)
	}
}
