package lint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zmap/zcrypto/x509"
	_ "github.com/zmap/zlint/v3" // registers every lint in zlint's own registry
	"github.com/zmap/zlint/v3/lint"
)

// zlintConfig is handed to zlint's configurable lints. The lists that a
// ceremony signs cover authorities, so twelve months is the limit, not ten days.
const zlintConfig = `
[e_crl_next_update_invalid]
SubscriberCRL = false
`

// certificateLint is a lint of zlint for certificates, as a profile wants it.
type certificateLint struct {
	*lint.CertificateLint
	severity Severity // replaces the lint's own; zero leaves it
	// undated is the lint without an effective date.
	undated *lint.CertificateLint
	// servers says that the lint is about names of servers, and has nothing to
	// say of a leaf for other purposes.
	servers bool
}

// crlLint is a lint of zlint for revocation lists, as a profile wants it.
type crlLint struct {
	*lint.RevocationListLint
	severity Severity // replaces the lint's own; zero leaves it
	// undated is the lint without an effective date.
	undated *lint.RevocationListLint
}

// zlints is the part of zlint that a profile switches on.
type zlints struct {
	certificates []certificateLint
	crls         []crlLint
	responses    []responseLint
	names        []string
	lines        []string // name, class and severity of each, for the digest
	// terse says that of several lints about one fault the first is enough.
	terse, webPKI bool
	config        lint.Configuration
}

// newZLints picks the lints of a profile from zlint's registry. The lints are
// copied: the registry belongs to the whole process.
func newZLints(profile string, settings []setting) (*zlints, error) {
	config, err := lint.NewConfigFromString(zlintConfig)
	if err != nil {
		return nil, fmt.Errorf("zlint refuses our configuration: %w", err)
	}
	z := &zlints{config: config, terse: profile == profilePrivate, webPKI: profile == profileWebPKI}
	registry := lint.GlobalRegistry()
	settings = slices.Clone(settings)
	slices.SortFunc(settings, func(a, b setting) int { return strings.Compare(a.lint, b.lint) })
	for _, s := range settings {
		qualified := profile == profileETSI && s.class == classOther && sourceOf(registry, s.lint) == lint.EtsiEsi
		if !s.on(profile) && !qualified {
			continue
		}
		if profile == profileWebPKI {
			s.severity = 0
		}
		if !z.add(registry, s) {
			return nil, fmt.Errorf("zlint has no lint %q: the lint table and zlint's version do not belong together", s.lint)
		}
		z.names = append(z.names, s.lint)
		z.lines = append(z.lines, fmt.Sprintf("%s %s %d", s.lint, s.class, s.severity))
	}
	return z, nil
}

// sourceOf is the document that a lint for certificates comes from.
func sourceOf(registry lint.Registry, name string) lint.LintSource {
	if found := registry.CertificateLints().ByName(name); found != nil {
		return found.Source
	}
	return lint.UnknownLintSource
}

// add copies the lint that s names, and says whether zlint has it.
func (z *zlints) add(registry lint.Registry, s setting) bool {
	if found := registry.CertificateLints().ByName(s.lint); found != nil {
		own := *found
		// The gate asks for a server certificate, which an authority for
		// anything else is not.
		own.OverrideFrameworkFilter = own.OverrideFrameworkFilter || s.class == classAdopt
		if s.lint == "e_dnsname_bad_character_in_label" {
			// It compiles an expression each time it is made, and keeps nothing
			// else: one serves all.
			shared := found.Lint()
			own.Lint = func() lint.CertificateLintInterface { return shared }
		}
		undated := own
		undated.EffectiveDate = time.Time{}
		z.certificates = append(z.certificates, certificateLint{&own, s.severity, &undated, s.class == classAdopt && aboutServerNames(s.lint)})
		return true
	}
	if found := registry.RevocationListLints().ByName(s.lint); found != nil {
		undated := *found
		undated.EffectiveDate = time.Time{}
		z.crls = append(z.crls, crlLint{found, s.severity, &undated})
		return true
	}
	if found := registry.OcspResponseLints().ByName(s.lint); found != nil {
		undated := *found
		undated.EffectiveDate = time.Time{}
		z.responses = append(z.responses, responseLint{found, s.severity, &undated})
		return true
	}
	return false
}

// aboutServerNames says whether an adopted lint reads names as a server's.
func aboutServerNames(name string) bool {
	return strings.HasPrefix(name, "e_dnsname_") || name == "e_ext_san_missing" || name == "e_subject_common_name_not_from_san"
}

// mayServe says whether a certificate could be a server's: it is an
// authority's, has server authentication or any purpose among its purposes, or
// has none at all.
func mayServe(c *x509.Certificate) bool {
	return c.IsCA || len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// searchesKey says whether a lint looks for the private half of the key. Those
// are the slow ones.
func searchesKey(name string) bool {
	return name == smallPrivateKey || name == closePrimes
}

// isWeak says whether a search for the private half of a certificate's key may
// find it.
func isWeak(name string, c *x509.Certificate) bool {
	if name == smallPrivateKey {
		return mayBeSmall(c)
	}
	return mayHaveClosePrimes(c)
}

// certificate runs the lints for certificates.
func (z *zlints) certificate(c *x509.Certificate, given Certificate, now time.Time) []Finding {
	var findings []Finding
	for _, l := range z.certificates {
		if l.servers && !mayServe(c) || searchesKey(l.Name) && (given.Preview || !isWeak(l.Name, c)) {
			continue
		}
		run, coming := l.CertificateLint, isComing(l.LintMetadata, now)
		if coming || isDue(l.LintMetadata, given.Draft, now) {
			run = l.undated
		}
		found := appendResult(nil, l.LintMetadata, l.severity, run.Execute(c, z.config))
		if coming {
			found = announce(found, now, l.EffectiveDate)
		}
		findings = append(findings, found...)
	}
	return z.soften(c, findings)
}

// once drops, in profile private, what is said twice. Profile webpki shows every
// lint of zlint that speaks.
func (z *zlints) once(findings []Finding) []Finding {
	if z.terse {
		return onceEach(findings)
	}
	// The WebPKI asks a root for no path length, and zlint says so.
	return slices.DeleteFunc(findings, func(f Finding) bool { return f.Lint == idRootPathLength && z.webPKI })
}

// onceEach drops what a lint says that is also said by another, for the same
// fault of the same extension.
func onceEach(findings []Finding) []Finding {
	const missing, critical, critical2 = "e_ca_key_usage_missing", "e_ca_key_usage_not_critical", "e_root_ca_key_usage_must_be_critical"
	saidBy := map[string][]string{
		"e_root_ca_key_usage_present": {missing}, "w_missing_key_usage": {missing},
		critical2: {critical}, "w_ext_key_usage_not_critical": {critical, critical2},
		"e_superfluous_ku_encoding":        {"e_incorrect_ku_encoding"},
		"e_crl_unique_revoked_certificate": {idEntryDoubled}, "e_crl_revocation_time_after_this_update": {idEntryFuture},
	}
	said := map[string]bool{}
	for _, f := range findings {
		said[f.Lint] = true
	}
	return slices.DeleteFunc(findings, func(f Finding) bool {
		return slices.ContainsFunc(saidBy[f.Lint], func(id string) bool { return said[id] })
	})
}

// isComing says whether a lint does not count yet at the moment now.
func isComing(meta lint.LintMetadata, now time.Time) bool {
	return !now.IsZero() && now.Before(meta.EffectiveDate)
}

// isDue says whether a lint counts for an object that is about to be signed.
// zlint compares a date in the object, which could be written to be older.
func isDue(meta lint.LintMetadata, draft bool, now time.Time) bool {
	over := !meta.IneffectiveDate.IsZero() && !now.Before(meta.IneffectiveDate)
	return draft && !now.IsZero() && !now.Before(meta.EffectiveDate) && !over
}

// crl runs the lints for revocation lists.
func (z *zlints) crl(c *x509.RevocationList, draft bool, now time.Time) []Finding {
	// Two of zlint's lints are one rule. The report is kept of the first.
	const first, second = "e_crl_empty_revoked_certificates", "e_crl_revoked_certificates_field_must_be_empty"
	var findings []Finding
	for _, l := range z.crls {
		run, coming := l.RevocationListLint, isComing(l.LintMetadata, now)
		if coming || isDue(l.LintMetadata, draft, now) {
			run = l.undated
		}
		found := appendResult(nil, l.LintMetadata, l.severity, executeCRL(run, c, z.config))
		if coming {
			found = announce(found, now, l.EffectiveDate)
		}
		findings = append(findings, found...)
	}
	has := func(id string) bool {
		return slices.ContainsFunc(findings, func(f Finding) bool { return f.Lint == id })
	}
	if has(first) {
		findings = slices.DeleteFunc(findings, func(f Finding) bool { return f.Lint == second })
	}
	return findings
}

// executeCRL runs one lint and catches its panic, which zlint does for
// certificates only.
func executeCRL(l *lint.RevocationListLint, c *x509.RevocationList, config lint.Configuration) (result *lint.LintResult) {
	defer func() {
		if reason := recover(); reason != nil {
			result = &lint.LintResult{Status: lint.Fatal, Details: fmt.Sprintf("the lint panicked, so nothing is known: %v", reason)}
		}
	}()
	return l.Execute(c, config)
}

// zlintAdvice says what the lint asks for, where the detail does not: zlint has
// no advice of its own.
func zlintAdvice(meta lint.LintMetadata, detail string) string {
	asked := strings.TrimRight(strings.TrimSpace(meta.Description), ".")
	if asked == "" || detail == meta.Description {
		return "correct the profile, the template or the program that this came from, and make the object again"
	}
	return "make the object again so that this holds: " + asked
}

// appendResult turns a result into a finding, unless the lint passed or had
// nothing to say. The severity is the status that the lint returned, not what
// its name promises: some lints do not keep that promise.
func appendResult(findings []Finding, meta lint.LintMetadata, severity Severity, result *lint.LintResult) []Finding {
	var found Severity
	switch result.Status {
	case lint.Notice:
		found = Notice
	case lint.Warn:
		found = Warn
	case lint.Error:
		found = Error
	case lint.Fatal:
		found = Fatal
	default:
		return findings
	}
	if severity != 0 && found != Fatal {
		found = severity
	}
	detail := result.Details
	if detail == "" {
		detail = meta.Description
	}
	return append(findings, Finding{
		Lint: meta.Name, Severity: found, Detail: detail,
		Citation: meta.Citation, Advice: zlintAdvice(meta, detail), Source: string(meta.Source),
	})
}
