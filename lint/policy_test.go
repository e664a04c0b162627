package lint

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestJudgeWaivers(t *testing.T) {
	good := Waiver{Lint: "e_x", Object: "authority.root", Reason: "because", Until: testNow.Add(time.Second)}
	edit := func(change func(*Waiver)) Waiver { w := good; change(&w); return w }
	for name, c := range map[string]struct {
		waiver Waiver
		now    time.Time
		pass   bool
	}{
		"exact":          {good, testNow, true},
		"over":           {good, good.Until, false},
		"no clock":       {good, time.Time{}, false},
		"no end":         {edit(func(w *Waiver) { w.Until = time.Time{} }), testNow, false},
		"no reason":      {edit(func(w *Waiver) { w.Reason = "" }), testNow, false},
		"another object": {edit(func(w *Waiver) { w.Object = "authority.root2" }), testNow, false},
		"another lint":   {edit(func(w *Waiver) { w.Lint = "e_xy" }), testNow, false},
		"a pattern":      {edit(func(w *Waiver) { w.Lint = "e_*" }), testNow, false},
	} {
		p := Policy{Waivers: []Waiver{c.waiver}}
		judged, pass := p.Judge("authority.root", []Finding{{Lint: "e_x", Severity: Error}}, c.now)
		if pass != c.pass || (judged[0].Waived == "because") != c.pass {
			t.Errorf("%s: pass is %t, finding %+v, want pass %t", name, pass, judged[0], c.pass)
		}
	}
}

func TestJudgeFailOn(t *testing.T) {
	for _, c := range []struct {
		failOn, found Severity
		pass          bool
	}{
		{0, Warn, true}, {0, Error, false}, {0, Fatal, false},
		{Warn, Notice, true}, {Warn, Warn, false},
		{Fatal, Error, true}, {Fatal, Fatal, false},
	} {
		if _, pass := (Policy{FailOn: c.failOn}).Judge("x", []Finding{{Severity: c.found}}, testNow); pass != c.pass {
			t.Errorf("fail on %s, found %s: pass is %t", c.failOn, c.found, pass)
		}
	}
}

func TestJudgeSortsACopy(t *testing.T) {
	given := []Finding{
		{Lint: "b", Severity: Warn, Detail: "2"}, {Lint: "b", Severity: Warn, Detail: "1"},
		{Lint: "c", Severity: Error}, {Lint: "a", Severity: Warn, Waived: "a lie"},
	}
	before := append([]Finding(nil), given...)
	judged, _ := Policy{}.Judge("x", given, testNow)
	want := []Finding{
		{Lint: "c", Severity: Error}, {Lint: "a", Severity: Warn},
		{Lint: "b", Severity: Warn, Detail: "1"}, {Lint: "b", Severity: Warn, Detail: "2"},
	}
	if !reflect.DeepEqual(judged, want) {
		t.Errorf("judged are %+v", judged)
	}
	if !reflect.DeepEqual(given, before) {
		t.Errorf("the argument was changed to %+v", given)
	}
}

func TestClearCertificate(t *testing.T) {
	l := mustNew(t, "private")
	s := certificateScene(t, "", nil)
	c := Certificate{DER: withStandIn(t, s.blocks[0].Bytes), Issuer: s.blocks[1].Bytes, Draft: true, Role: RoleIssuing}
	cleared, findings, err := l.ClearCertificate(c, "authority.issuing", Policy{}, testNow)
	noError(t, err)
	if len(loud(findings)) != 0 {
		t.Errorf("findings are %+v", findings)
	}
	tbs := cleared.TBS()
	if want := parse(t, c.DER).RawTBSCertificate; string(tbs) != string(want) || cleared.Kind() != ObjectCertificate {
		t.Errorf("cleared are %x of a %s, want %x", tbs, cleared.Kind(), want)
	}
	tbs[0]++
	if cleared.TBS()[0] == tbs[0] {
		t.Error("the bytes that were cleared can be changed from outside")
	}
}

func TestClearRefuses(t *testing.T) {
	l := mustNew(t, "private")
	s := certificateScene(t, "", func(g *stage) { g.subject.CRLDistributionPoints = nil })
	c := Certificate{DER: s.blocks[0].Bytes, Issuer: s.blocks[1].Bytes, Role: RoleIssuing}
	cleared, _, err := l.ClearCertificate(c, "authority.issuing", Policy{}, testNow)
	var refused *Refused
	if !errors.As(err, &refused) || refused.Object != "authority.issuing" || cleared.TBS() != nil || cleared.Kind() != "" {
		t.Fatalf("cleared %x, error %v", cleared.TBS(), err)
	}
	if text := err.Error(); !strings.HasPrefix(text, "lint refuses authority.issuing: e_ica_cdp_missing_unrevokable: neither") {
		t.Errorf("error is %s", text)
	}
	refused.Findings = append(refused.Findings, Finding{Lint: "w_x"}, Finding{Lint: "w_y", Waived: "yes"})
	if text := err.Error(); !strings.HasSuffix(text, "is published (and 1 more)") {
		t.Errorf("error is %s", text)
	}
	waiver := Waiver{Lint: "e_ica_cdp_missing_unrevokable", Object: "authority.issuing", Reason: "a lab", Until: testNow.AddDate(1, 0, 0)}
	cleared, findings, err := l.ClearCertificate(c, "authority.issuing", Policy{Waivers: []Waiver{waiver}}, testNow)
	if err != nil || cleared.TBS() == nil || findings[0].Waived != "a lab" {
		t.Errorf("with a waiver: %+v, error %v", findings, err)
	}
}

// TestClearNeverWithoutGo shows that no waiver clears what Go cannot read.
func TestClearNeverWithoutGo(t *testing.T) {
	l := mustNew(t, "private")
	p := Policy{Waivers: []Waiver{{Lint: idUnparsable, Object: "x", Reason: "please", Until: testNow.AddDate(1, 0, 0)}}}
	cleared, _, err := l.ClearCertificate(Certificate{DER: []byte{0x30, 0}}, "x", p, testNow)
	var refused *Refused
	if !errors.As(err, &refused) || cleared.TBS() != nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("cleared %x, error %v", cleared.TBS(), err)
	}
	crl, _, err := l.ClearCRL(CRL{DER: []byte{0x30, 0}}, "x", p, testNow)
	if !errors.As(err, &refused) || crl.TBS() != nil {
		t.Errorf("cleared %x, error %v", crl.TBS(), err)
	}
}

func TestClearCRL(t *testing.T) {
	l := mustNew(t, "private")
	s := listScene(t, "", nil, nil)
	c := CRL{DER: withStandIn(t, s.blocks[0].Bytes), Previous: s.blocks[1].Bytes, Issuer: s.blocks[2].Bytes, Draft: true}
	cleared, _, err := l.ClearCRL(c, "authority.root", Policy{}, testNow)
	noError(t, err)
	if cleared.Kind() != ObjectCRL || !strings.Contains(string(c.DER), string(cleared.TBS())) || len(cleared.TBS()) < 100 {
		t.Errorf("cleared are %x of a %s", cleared.TBS(), cleared.Kind())
	}
	c.DER, c.Previous = c.Previous, c.DER
	if _, _, err := l.ClearCRL(c, "authority.root", Policy{}, testNow); err == nil {
		t.Error("an older list was cleared after a newer one")
	}
}
