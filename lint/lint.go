package lint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Linter judges objects under one profile. It holds no state between calls and
// may be used by many goroutines at once.
type Linter struct {
	profile string
	rules   []Rule
	z       *zlints
	memory  *memory
}

// New makes the linter of a profile; see [Profiles].
func New(profile string) (*Linter, error) {
	if !slices.Contains(Profiles(), profile) {
		return nil, fmt.Errorf("lint profile %q is unknown: use one of %s", profile, strings.Join(Profiles(), ", "))
	}
	settings, err := readTable(privateTable)
	if err != nil {
		return nil, err
	}
	z, err := newZLints(profile, settings)
	if err != nil {
		return nil, err
	}
	return &Linter{profile: profile, rules: allRules(), z: z, memory: &memory{}}, nil
}

// Profile is the name that the linter was made with.
func (l *Linter) Profile() string { return l.profile }

// Rules is our own rules, in a fixed order.
func (l *Linter) Rules() []Rule { return slices.Clone(l.rules) }

// ZLints is the sorted names of the lints of zlint that the profile switches
// on.
func (l *Linter) ZLints() []string { return slices.Clone(l.z.names) }

// SetDigest is the SHA-256, in hexadecimal, of the profile's name and of every
// lint in it with the severity that the profile gives it. A plan that records
// it can tell later whether it was judged by the same lints.
func (l *Linter) SetDigest() string {
	h := sha256.New()
	fmt.Fprintf(h, "profile %s\n", l.profile)
	for _, r := range l.rules {
		fmt.Fprintf(h, "%s %s %s\n", SourcePKI, r.ID, r.Severity)
	}
	for _, line := range l.z.lines {
		fmt.Fprintf(h, "zlint %s\n", line)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// run applies our own rules of one kind of object.
func (l *Linter) run(kind string, o *object) []Finding {
	var findings []Finding
	for _, r := range l.rules {
		if r.Object != kind {
			continue
		}
		found := runRule(r, o)
		if !o.now.IsZero() && o.now.Before(r.Effective) {
			found = announce(found, o.now, r.Effective)
		}
		findings = append(findings, found...)
	}
	return findings
}

// announce turns the findings of a lint that does not count yet into notices
// that say when it will. The finding of a panic stays what it is.
func announce(findings []Finding, now, effective time.Time) []Finding {
	days := int((effective.Sub(now) + day - 1) / day)
	for i, f := range findings {
		if f.Severity == Fatal {
			continue
		}
		findings[i].Detail = fmt.Sprintf("%s (%s from %s on, in %d days)", f.Detail, f.Severity, effective.UTC().Format(time.DateOnly), days)
		findings[i].Severity = Notice
	}
	return findings
}

// runRule applies one rule. A rule that panics on a hostile object is a
// finding, not a crash.
func runRule(r Rule, o *object) (findings []Finding) {
	defer func() {
		if reason := recover(); reason != nil {
			findings = []Finding{panicked(r.ID, SourcePKI, r.Citation, reason)}
		}
	}()
	if !r.applies(o) {
		return nil
	}
	for _, detail := range r.check(o) {
		findings = append(findings, r.finding(detail))
	}
	return findings
}

// panicked is the finding for a lint that could not cope with an object.
func panicked(id, source, citation string, reason any) Finding {
	return Finding{
		Lint: id, Severity: Fatal, Citation: citation, Source: source,
		Detail: fmt.Sprintf("the lint panicked, so nothing is known: %v", reason),
		Advice: "treat the object as hostile and report the object together with this message",
	}
}

// date writes an instant as findings show it.
func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }
