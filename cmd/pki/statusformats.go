package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// printPrometheus writes the text format of Prometheus, for node_exporter's
// textfile collector.
func printPrometheus(w io.Writer, r *calendarReport) {
	metric := func(name, help string, value func(appointment) int64) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
		for _, p := range r.Appointments {
			fmt.Fprintf(w, "%s{estate=%s,kind=%s,object=%s,what=%s} %d\n", name, label(r.Estate), label(p.Kind), label(p.Object), label(p.What), value(p))
		}
	}
	metric("pki_too_late_timestamp_seconds", "When it is too late for the next action, in seconds since 1970.", func(p appointment) int64 { return p.Until.Unix() })
	metric("pki_next_action_timestamp_seconds", "When the next action may begin, in seconds since 1970.", func(p appointment) int64 { return p.From.Unix() })
	fmt.Fprintf(w, "# HELP pki_status_timestamp_seconds When this file was written, in seconds since 1970.\n# TYPE pki_status_timestamp_seconds gauge\n")
	fmt.Fprintf(w, "pki_status_timestamp_seconds{estate=%s} %d\n", label(r.Estate), r.At.Unix())
}

// label quotes a label's value: backslash, quote and newline are escaped, and
// nothing else.
func label(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(s, "\uFFFD")) + `"`
}

// printICal writes a calendar of whole-day events (RFC 5545): one where each
// action may begin, and one where it is too late.
func printICal(w io.Writer, r *calendarReport) {
	line := func(format string, args ...any) { icalLine(w, fmt.Sprintf(format, args...)) }
	line("BEGIN:VCALENDAR")
	line("VERSION:2.0")
	line("PRODID:-//pki//status//EN")
	line("X-WR-CALNAME:%s", icalText("PKI "+r.Estate))
	event := func(kind string, on time.Time, p appointment, summary string) {
		id := sha256.Sum256([]byte(strings.Join([]string{r.Estate, kind, p.Kind, p.Object, p.What, p.Until.Format(time.RFC3339)}, "\x00")))
		line("BEGIN:VEVENT")
		line("UID:%s@pki", hex.EncodeToString(id[:16]))
		line("DTSTAMP:%s", r.At.Format("20060102T150405Z"))
		line("DTSTART;VALUE=DATE:%s", on.Format("20060102"))
		line("SUMMARY:%s", icalText(summary))
		line("DESCRIPTION:%s", icalText(fmt.Sprintf("%s %s. Next: %s. Too late on %s.", p.Object, p.What, p.Action, instant(p.Until))))
		line("TRANSP:TRANSPARENT")
		line("END:VEVENT")
	}
	for _, p := range r.Appointments {
		if p.From.Before(p.Until) {
			event("from", p.From, p, p.Object+": "+p.Action)
		}
		event("until", p.Until, p, p.Object+": "+p.What+" ends")
	}
	line("END:VCALENDAR")
}

// icalText escapes a value of type TEXT (RFC 5545 §3.3.11).
func icalText(s string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r", "", "\n", `\n`).Replace(s)
}

// icalLine writes a line, folded after at most 75 octets and never inside a
// character (RFC 5545 §3.1).
func icalLine(w io.Writer, s string) {
	for limit := 75; len(s) > limit; limit = 74 {
		cut := limit
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		fmt.Fprintf(w, "%s\r\n ", s[:cut])
		s = s[cut:]
	}
	fmt.Fprintf(w, "%s\r\n", s)
}
