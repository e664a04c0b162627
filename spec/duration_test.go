package spec

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func durations() *rapid.Generator[Duration] {
	return rapid.Custom(func(t *rapid.T) Duration {
		part := rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 100), rapid.IntRange(0, maxDurationUnits))
		d := Duration{part.Draw(t, "y"), part.Draw(t, "mo"), part.Draw(t, "d"), part.Draw(t, "h")}
		if d.IsZero() {
			d.Hours = 1
		}
		return d
	})
}

func TestDurationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := durations().Draw(t, "duration")
		if back, err := ParseDuration(d.String()); err != nil || back != d {
			t.Fatalf("%q reads as %+v, %v; want %+v", d, back, err, d)
		}
	})
}

// TestDurationParse lists what people write. Refusals say what to write.
func TestDurationParse(t *testing.T) {
	for text, want := range map[string]Duration{
		"20y": {Years: 20}, "6mo": {Months: 6}, "400d": {Days: 400}, "12h": {Hours: 12}, "7d12h": {Days: 7, Hours: 12},
		"1y2mo3d4h": {1, 2, 3, 4}, "007d": {Days: 7}, "1y0d": {Years: 1}, "100000h": {Hours: 100_000},
	} {
		if have, err := ParseDuration(text); err != nil || have != want {
			t.Errorf("ParseDuration(%q) = %+v, %v; want %+v", text, have, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "longer than nothing", "0y": "longer than nothing", "0d0h": "longer than nothing",
		"18m": `for months write "mo"`, "20": "no unit", "1y6": "no unit", "1.5y": "whole numbers", "1,5y": "whole numbers",
		"y": "write a number and a unit", "-1y": "write a number and a unit", "+1y": "write a number and a unit", " 1y": "write a number and a unit",
		"1y ": "write a number and a unit", "1 y": "no unit", "1Y": "no unit", "1w": "use y, mo, d or h", "1s": "use y, mo, d or h", "1yr": "use y, mo, d or h",
		"1d1y": "large to small", "1y1y": "large to small", "1mo2mo": "large to small", "1h1mo": "large to small",
		"100001y": "too large", "99999999999999999999y": "too large", "١y": "write a number and a unit", "1y\x00": "write a number and a unit",
	} {
		if have, err := ParseDuration(text); err == nil || !strings.Contains(err.Error(), want) || !have.IsZero() {
			t.Errorf("ParseDuration(%q) = %+v, %v; want an error with %q", text, have, err, want)
		}
	}
}

// TestDurationFollowsTheCalendar crosses leap days, short months and zones.
func TestDurationFollowsTheCalendar(t *testing.T) {
	for _, c := range []struct{ start, duration, from, last string }{
		{"2026-01-01T00:00:00Z", "1y", "2027-01-01T00:00:00Z", "2026-12-31T23:59:59Z"},
		{"2024-02-29T00:00:00Z", "1y", "2025-03-01T00:00:00Z", "2025-02-28T23:59:59Z"},
		{"2024-02-29T00:00:00Z", "4y", "2028-02-29T00:00:00Z", "2028-02-28T23:59:59Z"},
		{"2023-02-28T00:00:00Z", "1y", "2024-02-28T00:00:00Z", "2024-02-27T23:59:59Z"},
		{"2024-02-28T00:00:00Z", "1d", "2024-02-29T00:00:00Z", "2024-02-28T23:59:59Z"},
		{"2024-02-01T00:00:00Z", "1mo", "2024-03-01T00:00:00Z", "2024-02-29T23:59:59Z"},
		{"2100-02-01T00:00:00Z", "1mo", "2100-03-01T00:00:00Z", "2100-02-28T23:59:59Z"}, // 2100 is no leap year
		{"2026-01-31T10:00:00Z", "1mo", "2026-03-03T10:00:00Z", "2026-03-03T09:59:59Z"}, // as Go's AddDate has it
		{"2026-03-29T00:30:00Z", "24h", "2026-03-30T00:30:00Z", "2026-03-30T00:29:59Z"},
		{"2026-01-01T01:00:00+02:00", "1h", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z"},
		{"2026-01-01T00:00:00Z", "1y1mo1d1h", "2027-02-02T01:00:00Z", "2027-02-02T00:59:59Z"},
	} {
		start, err := time.Parse(time.RFC3339, c.start)
		if err != nil {
			t.Fatal(err)
		}
		d, err := ParseDuration(c.duration)
		if err != nil {
			t.Fatal(err)
		}
		if have := d.From(start).Format(time.RFC3339); have != c.from {
			t.Errorf("%s from %s = %s, want %s", c.duration, c.start, have, c.from)
		}
		if have := d.Last(start).Format(time.RFC3339); have != c.last {
			t.Errorf("last second of %s from %s = %s, want %s", c.duration, c.start, have, c.last)
		}
	}
}

// TestDurationNeverWraps keeps sums of large units in order.
func TestDurationNeverWraps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := durations().Draw(t, "duration")
		if !d.From(yardstick).After(yardstick) || d.Last(yardstick).Before(yardstick) {
			t.Fatalf("%s ends at %s", d, d.From(yardstick))
		}
		longer := d
		longer.Hours++
		if !longer.Longer(d) || d.Longer(longer) || d.Longer(d) {
			t.Fatalf("%s is not longer than %s", longer, d)
		}
	})
}

func TestSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "5m": 5 * time.Minute, "24h": 24 * time.Hour, "30d": 720 * time.Hour, "1h30m": 90 * time.Minute,
		"1d1h1m1s": 25*time.Hour + 61*time.Second, "168h0m0s": 168 * time.Hour, "100000d": 2_400_000 * time.Hour,
	} {
		if have, err := ParseSpan(text); err != nil || time.Duration(have) != want {
			t.Errorf("ParseSpan(%q) = %s, %v; want %s", text, have, err, want)
		}
	}
	for _, text := range []string{
		"", "0s", "0d0h", "5", "d", "-5m", "+5m", "+5d", "-1d2d", "1.5h", "1h1d", "5m1h", "5m5m", "1000ms", "1y", "1mo", "5 m", "5M", "100001d", "100000d1s",
		"999999999h", "99999999999999h", "1e3s", "١s", "5m\n",
	} {
		if have, err := ParseSpan(text); err == nil || have != 0 {
			t.Errorf("ParseSpan(%q) = %s", text, have)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := Span(time.Duration(rapid.Int64Range(1, int64(maxSpan/Span(time.Second))).Draw(t, "seconds")) * time.Second)
		if back, err := ParseSpan(s.String()); err != nil || back != s {
			t.Fatalf("%s reads as %s, %v", s, back, err)
		}
		if back, err := time.ParseDuration(s.String()); err != nil || Span(back) != s {
			t.Fatalf("step-ca reads %s as %s, %v", s, back, err)
		}
		if back, err := ParseSpan(s.plain()); err != nil || back != s {
			t.Fatalf("%s reads as %s, %v", s.plain(), back, err)
		}
	})
	for span, want := range map[Span]string{Span(24 * time.Hour): "24h", Span(10 * time.Minute): "10m", Span(90 * time.Second): "1m30s", Span(20 * time.Second): "20s", Span(time.Hour + time.Second): "1h0m1s"} {
		if have := span.plain(); have != want {
			t.Errorf("%s is plainly %q, want %q", span, have, want)
		}
	}
}
