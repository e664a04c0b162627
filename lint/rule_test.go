package lint

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	zlint "github.com/zmap/zlint/v3/lint"
)

// TestRules walks every rule and keeps the shape that all of them share.
func TestRules(t *testing.T) {
	id := regexp.MustCompile(`^[ewn]_[a-z0-9_]+$`)
	prefixes := map[string][]string{
		ObjectCertificate: {"ca_", "root_", "ica_", "xsign_", "rekey_", "ocspsig_"},
		ObjectCRL:         {"crlx_"},
		ObjectCSR:         {"csr_"},
		ObjectStepCA:      {"caj_", "tmpl_", "unit_"},
		ObjectOCSP:        {"ocsp_"},
		ObjectSSH:         {"ssh_"},
		ObjectEstate:      {"spec_", "plan_", "ledger_"},
	}
	seen := map[string]bool{}
	for _, r := range mustNew(t, "private").Rules() {
		t.Run(r.ID, func(t *testing.T) {
			if !id.MatchString(r.ID) || seen[r.ID] {
				t.Errorf("the id is malformed or taken")
			}
			seen[r.ID] = true
			if want := prefixSeverity(r.ID); r.Severity != want && r.ID != idUnparsable {
				t.Errorf("severity is %s, the prefix says %s", r.Severity, want)
			}
			if r.Object != ObjectAny && !slices.ContainsFunc(prefixes[r.Object], func(p string) bool { return strings.HasPrefix(r.ID[2:], p) }) {
				t.Errorf("the id does not say that it judges a %s", r.Object)
			}
			for field, text := range map[string]string{"title": r.Title, "harm": r.Harm, "citation": r.Citation, "advice": r.Advice} {
				if len(text) < 8 || strings.HasSuffix(text, ".") || strings.Contains(text, "\n") {
					t.Errorf("%s %q is missing, or not one clause", field, text)
				}
			}
			if r.Effective.IsZero() || r.Effective.After(testNow) || r.Effective.Before(time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("the effective date %s is implausible", date(r.Effective))
			}
			if r.applies == nil || r.check == nil {
				t.Errorf("the rule applies to nothing or checks nothing")
			}
			for _, verdict := range []string{"pass", "fail"} {
				if found, _ := filepath.Glob(filepath.Join("testdata", "*", r.ID+"."+verdict+"*")); len(found) != 1 {
					t.Errorf("%d fixtures for %s, want one", len(found), verdict)
				}
			}
		})
	}
}

// TestNoStrayFixtures finds fixtures whose rule is gone.
func TestNoStrayFixtures(t *testing.T) {
	known := map[string]bool{}
	for _, r := range mustNew(t, "private").Rules() {
		known[r.ID] = true
	}
	count := 0
	for _, kind := range []string{ObjectCertificate, ObjectCRL, ObjectCSR, ObjectStepCA, ObjectOCSP, ObjectSSH, ObjectEstate} {
		entries, err := os.ReadDir(filepath.Join("testdata", kind))
		noError(t, err)
		for _, entry := range entries {
			count++
			if id, _, _ := strings.Cut(entry.Name(), "."); !known[id] {
				t.Errorf("%s/%s belongs to no rule", kind, entry.Name())
			}
		}
	}
	if count != 2*len(known) {
		t.Errorf("%d fixtures for %d rules, want two for each", count, len(known))
	}
}

// registered is the names of all lints of zlint.
func registered() []string {
	r := zlint.GlobalRegistry()
	names := slices.Concat(r.CertificateLints().Names(), r.RevocationListLints().Names(), r.OcspResponseLints().Names())
	slices.Sort(names)
	return names
}

// TestTable keeps the table and zlint's registry equal, so that a new version
// of zlint cannot bring a lint that nobody has judged.
func TestTable(t *testing.T) {
	settings, err := readTable(privateTable)
	noError(t, err)
	var names []string
	for _, s := range settings {
		names = append(names, s.lint)
	}
	if !slices.IsSorted(names) {
		t.Error("the table is not sorted")
	}
	if want := registered(); !slices.Equal(names, want) {
		for _, n := range want {
			if !slices.Contains(names, n) {
				t.Errorf("the table lacks %s", n)
			}
		}
		for _, n := range names {
			if !slices.Contains(want, n) {
				t.Errorf("zlint lacks %s", n)
			}
		}
	}
}

// TestNoNameCollides keeps our ids out of zlint's way: findings and waivers go
// by name alone.
func TestNoNameCollides(t *testing.T) {
	names := registered()
	for _, r := range allRules() {
		if slices.Contains(names, r.ID) {
			t.Errorf("zlint has a lint %s too", r.ID)
		}
	}
}

func TestReadTableRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"e_x":                         "line 1 of the lint table: 1 columns",
		"e_x\tkeep\n\ne_y\tmaybe":     `line 3 of the lint table: class "maybe" is unknown`,
		"e_x\tkeep\tloud\treason":     `severity "loud" is unknown`,
		"e_x\tkeep\twarn":             "a severity needs a reason",
		"e_x\tkeep\twarn\treason\t\t": "6 columns",
	} {
		if _, err := readTable(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want %s", text, err, want)
		}
	}
}

func TestNewZLintsRefusesUnknownLint(t *testing.T) {
	_, err := newZLints("private", []setting{{lint: "e_of_the_future", class: classKeep}})
	if err == nil || !strings.Contains(err.Error(), `zlint has no lint "e_of_the_future"`) {
		t.Errorf("error is %v", err)
	}
}

func TestProfiles(t *testing.T) {
	private, webpki := mustNew(t, "private"), mustNew(t, "webpki")
	for _, n := range private.ZLints() {
		if !slices.Contains(webpki.ZLints(), n) {
			t.Errorf("webpki lacks %s of private", n)
		}
	}
	for name, want := range map[string][2]bool{
		"e_ca_key_usage_missing":                            {true, true},
		"e_root_ca_key_usage_present":                       {true, true},
		"e_sub_ca_certificate_policies_missing":             {false, true},
		"e_tls_server_cert_valid_time_longer_than_398_days": {false, true},
		"e_cert_issued_by_compromised_emudhra_ca":           {false, false},
		"e_smime_legacy_multipurpose_eku_check":             {false, false},
	} {
		got := [2]bool{slices.Contains(private.ZLints(), name), slices.Contains(webpki.ZLints(), name)}
		if got != want {
			t.Errorf("%s is on in private, webpki: %v, want %v", name, got, want)
		}
	}
	etsi := mustNew(t, "etsi")
	qualified := 0
	for _, n := range etsi.ZLints() {
		if strings.Contains(n, "qc") {
			qualified++
		}
	}
	if more := len(etsi.ZLints()) - len(private.ZLints()); more < 20 || qualified < 10 {
		t.Errorf("etsi has %d lints more than private, %d of them about qualified certificates", more, qualified)
	}
	_, err := New("public")
	if err == nil || err.Error() != `lint profile "public" is unknown: use one of private, webpki, etsi` {
		t.Errorf("error is %v", err)
	}
}

func TestSetDigest(t *testing.T) {
	l := mustNew(t, "private")
	first := l.SetDigest()
	if len(first) != 64 || first != mustNew(t, "private").SetDigest() {
		t.Errorf("digest %q is not a SHA-256 that stays the same", first)
	}
	if first == mustNew(t, "webpki").SetDigest() {
		t.Error("two profiles have one digest")
	}
	l.rules = l.rules[1:]
	if l.SetDigest() == first {
		t.Error("the digest does not see a missing rule")
	}
	l = mustNew(t, "private")
	l.z.lines[0] += "!"
	if l.SetDigest() == first {
		t.Error("the digest does not see another lint of zlint")
	}
}

// TestEffective shows that a rule counts from its day, by the clock that was
// handed in, and always when there is none. Before its day it is a notice that
// says when it will count.
func TestEffective(t *testing.T) {
	l := &Linter{rules: []Rule{{
		ID: "e_ca_test", Severity: Error, Object: ObjectCertificate, Effective: testNow,
		applies: always, check: func(*object) []string { return []string{"x"} },
	}}}
	for name, c := range map[string]struct {
		now  time.Time
		want Finding
	}{
		"a second before": {testNow.Add(-time.Second), Finding{Severity: Notice, Detail: "x (error from 2026-03-15 on, in 1 days)"}},
		"days before":     {testNow.AddDate(0, 0, -30), Finding{Severity: Notice, Detail: "x (error from 2026-03-15 on, in 30 days)"}},
		"the day":         {testNow, Finding{Severity: Error, Detail: "x"}},
		"no clock":        {time.Time{}, Finding{Severity: Error, Detail: "x"}},
	} {
		got := l.run(ObjectCertificate, &object{now: c.now})
		if len(got) != 1 || got[0].Severity != c.want.Severity || got[0].Detail != c.want.Detail {
			t.Errorf("%s: findings are %+v, want %+v", name, got, c.want)
		}
	}
}

// TestPanic shows that a rule that panics is a finding that stops the object.
func TestPanic(t *testing.T) {
	r := Rule{ID: "e_ca_test", applies: always, check: func(*object) []string { panic("out of cheese") }}
	got := runRule(r, &object{})
	if len(got) != 1 || got[0].Severity != Fatal || !strings.Contains(got[0].Detail, "panicked") || !strings.Contains(got[0].Detail, "out of cheese") {
		t.Errorf("findings are %+v", got)
	}
}

// prefixSeverity is the severity that a lint's name promises by its first two
// letters: n_, w_ or e_. It is zero for a name without such a prefix.
func prefixSeverity(id string) Severity {
	switch {
	case strings.HasPrefix(id, "n_"):
		return Notice
	case strings.HasPrefix(id, "w_"):
		return Warn
	case strings.HasPrefix(id, "e_"):
		return Error
	}
	return 0
}
