package spec

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Duration is a length of calendar time: years, months, days and hours, which
// become absolute instants only when a date is known. Years and months follow
// the calendar, so 1y from 29 February ends on 1 March.
type Duration struct {
	Years, Months, Days, Hours int
}

// limits of a duration, so that no sum leaves the years that X.509 can write
// (RFC 5280 §4.1.2.5: 9999-12-31).
const maxDurationUnits = 100_000

// ParseDuration reads "20y", "6mo", "400d", "7d12h". Units go from large to
// small and each stands once.
func ParseDuration(s string) (Duration, error) {
	var d Duration
	rest, last := s, 0
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 {
			return Duration{}, fmt.Errorf("%q is not a duration: write a number and a unit, such as 20y, 6mo, 400d or 12h", s)
		}
		n, err := strconv.Atoi(rest[:digits])
		if err != nil || n > maxDurationUnits {
			return Duration{}, fmt.Errorf("%q is not a duration: %s is too large, and %d is the most", s, rest[:digits], maxDurationUnits)
		}
		rest = rest[digits:]
		if strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, ",") {
			return Duration{}, fmt.Errorf("%q is not a duration: units take whole numbers, so write 1y6mo and not 1.5y", s)
		}
		letters := len(rest) - len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz"))
		rank, err := d.set(rest[:letters], n)
		if err != nil {
			return Duration{}, fmt.Errorf("%q is not a duration: %w", s, err)
		}
		if rank <= last {
			return Duration{}, fmt.Errorf("%q is not a duration: units go from large to small, y mo d h, each once", s)
		}
		rest, last = rest[letters:], rank
	}
	if d == (Duration{}) {
		return Duration{}, fmt.Errorf("%q is not a duration: it must be longer than nothing, such as 20y or 400d", s)
	}
	return d, nil
}

func (d *Duration) set(unit string, n int) (rank int, err error) {
	switch unit {
	case "y":
		d.Years = n
		return 1, nil
	case "mo":
		d.Months = n
		return 2, nil
	case "d":
		d.Days = n
		return 3, nil
	case "h":
		d.Hours = n
		return 4, nil
	case "m":
		return 0, fmt.Errorf("unknown unit %q (use y, mo, d or h); for months write \"mo\"", unit)
	case "":
		return 0, fmt.Errorf("the number %d has no unit (use y, mo, d or h)", n)
	}
	return 0, fmt.Errorf("unknown unit %q (use y, mo, d or h)", unit)
}

// IsZero reports whether no duration was given.
func (d Duration) IsZero() bool { return d == Duration{} }

// From gives the instant that lies d after t, in UTC.
func (d Duration) From(t time.Time) time.Time {
	return t.UTC().AddDate(d.Years, d.Months, d.Days).Add(time.Duration(d.Hours) * time.Hour)
}

// Before gives the instant that lies d before t, in UTC.
func (d Duration) Before(t time.Time) time.Time {
	return t.UTC().AddDate(-d.Years, -d.Months, -d.Days).Add(-time.Duration(d.Hours) * time.Hour)
}

// Last gives the last second of a period that starts with t and lasts d:
// RFC 5280 §4.1.2.5 counts both ends, so one second less than From.
func (d Duration) Last(t time.Time) time.Time { return d.From(t).Add(-time.Second) }

// String gives the shortest form that ParseDuration reads.
func (d Duration) String() string {
	var b strings.Builder
	for _, part := range []struct {
		n    int
		unit string
	}{{d.Years, "y"}, {d.Months, "mo"}, {d.Days, "d"}, {d.Hours, "h"}} {
		if part.n != 0 {
			fmt.Fprintf(&b, "%d%s", part.n, part.unit)
		}
	}
	return b.String()
}

// Span is a length of clock time, as step-ca's claims take it.
type Span time.Duration

var spanPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:([0-9]{1,6})d)?((?:[0-9]{1,9}h)?(?:[0-9]{1,9}m)?(?:[0-9]{1,9}s)?)$`)
})

// plain writes a span without the zeros that Go appends.
func (s Span) plain() string {
	text := s.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// maxSpan is far above any sensible claim and far below an overflow.
const maxSpan = Span(maxDurationUnits * 24 * time.Hour)

// ParseSpan reads "90s", "5m", "24h", "30d" and combinations from large to
// small such as "1h30m". A day is 24 hours.
func ParseSpan(s string) (Span, error) {
	parts := spanPattern().FindStringSubmatch(s)
	if s == "" || parts == nil {
		return 0, fmt.Errorf("%q is not a span of time: write it as 5m, 24h or 30d", s)
	}
	var total time.Duration
	if parts[1] != "" {
		days, err := strconv.Atoi(parts[1])
		if err != nil {
			return 0, err
		}
		total = time.Duration(days) * 24 * time.Hour
	}
	if parts[2] != "" {
		clock, err := time.ParseDuration(parts[2])
		if err != nil {
			return 0, err
		}
		total += clock
	}
	switch {
	case total <= 0:
		return 0, fmt.Errorf("%q is not a span of time: it must be longer than nothing", s)
	case Span(total) > maxSpan:
		return 0, fmt.Errorf("%q is not a span of time: it is longer than %d days", s, maxDurationUnits)
	}
	return Span(total), nil
}

// String gives the form that step-ca parses (Go's time.ParseDuration).
func (s Span) String() string { return time.Duration(s).String() }

// yardstick is a date from which durations are compared when none is known
// yet. Its year and the three after it hold one leap day, as most do.
var yardstick = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

// Longer reports whether d is longer than other from a common day.
func (d Duration) Longer(other Duration) bool { return d.From(yardstick).After(other.From(yardstick)) }
