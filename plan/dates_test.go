package plan_test

import (
	"crypto/x509"
	"testing"
	"time"

	"pki.internal/plan"
	"pki.internal/spec"
)

// TestDatesByIntent plans at dates where calendars bite: leap days, the change
// of encoding at 2050 (RFC 5280 §4.1.2.5), and the end of 32 bits unsigned.
func TestDatesByIntent(t *testing.T) {
	day := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct{ at, validity, end string }{
		{"2028-02-29T09:00:00Z", "1y", "2029-03-01T08:59:59Z"},
		{"2028-02-29T09:00:00Z", "4y", "2032-02-29T08:59:59Z"},
		{"2027-01-31T00:00:00Z", "1mo", "2027-03-02T23:59:59Z"},
		{"2026-12-01T09:00:00+02:00", "20y", "2046-12-01T06:59:59Z"},
		{"2049-12-31T23:59:59Z", "1d", "2050-01-01T23:59:58Z"},
		{"2050-01-01T00:00:00Z", "10y", "2059-12-31T23:59:59Z"},
		{"2100-02-28T12:00:00Z", "1d", "2100-03-01T11:59:59Z"},
		{"2106-02-07T06:28:15Z", "2y", "2108-02-07T06:28:14Z"},
	} {
		e := loadExample(t, "two-tier")
		e.Authorities, e.OnlineCAs, e.Provisioners = e.Authorities[:1], nil, nil
		root := e.Authorities[0]
		var err error
		if root.Validity, err = spec.ParseDuration(c.validity); err != nil {
			t.Fatal(err)
		}
		root.CRL = nil
		in := someInputs
		in.At = day(c.at)
		p, diags := plan.Make(e, plan.State{}, in)
		if diags.HasErrors() {
			t.Errorf("%s + %s: %s", c.at, c.validity, diags)
			continue
		}
		made, err := x509.ParseCertificate(p.Actions[1].SignCertificate.Preview)
		if err != nil {
			t.Fatal(err)
		}
		if !made.NotBefore.Equal(day(c.at)) || !made.NotAfter.Equal(day(c.end)) {
			t.Errorf("%s + %s: %s to %s, want the end %s", c.at, c.validity, made.NotBefore, made.NotAfter, c.end)
		}
	}
}

// TestWholePlanShifts plans one ceremony a month later: every date moves with
// it, by the calendar, and nothing else but the derived numbers changes.
func TestWholePlanShifts(t *testing.T) {
	early := mustMake(t, loadExample(t, "two-tier"), plan.State{}, someInputs)
	later := someInputs
	later.At = later.At.AddDate(0, 1, 0)
	late := mustMake(t, loadExample(t, "two-tier"), plan.State{}, later)
	if len(early.Actions) != len(late.Actions) {
		t.Fatalf("%d and %d actions", len(early.Actions), len(late.Actions))
	}
	for i, a := range early.Actions {
		b := late.Actions[i]
		if c := a.SignCertificate; c != nil {
			d := b.SignCertificate.Template
			if !d.NotBefore.Equal(c.Template.NotBefore.AddDate(0, 1, 0)) || !d.NotAfter.Equal(c.Template.NotAfter.AddDate(0, 1, 0)) || d.Serial != c.Template.Serial {
				t.Errorf("%s: %s to %s", a.Address, d.NotBefore, d.NotAfter)
			}
		}
		if c := a.SignCRL; c != nil && !b.SignCRL.Template.ThisUpdate.Equal(c.Template.ThisUpdate.AddDate(0, 1, 0)) {
			t.Errorf("%s: this update %s", a.Address, b.SignCRL.Template.ThisUpdate)
		}
	}
}
