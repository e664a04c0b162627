package lint

import (
	"slices"
	"strings"

	"github.com/zmap/zlint/v3/lint"
)

// ZLintRules is the lints of zlint that the profile switches on, in the shape
// of our own rules, sorted by id. They cannot be run by themselves, and zlint
// does not say who was bitten.
func (l *Linter) ZLintRules() []Rule {
	var all []Rule
	add := func(meta lint.LintMetadata, severity Severity, object string) {
		if severity == 0 {
			severity = namedSeverity(meta.Name)
		}
		all = append(all, Rule{
			ID: meta.Name, Severity: severity, Object: object, Title: strings.TrimRight(meta.Description, "."),
			Citation: strings.Join(strings.Fields(string(meta.Source)+": "+meta.Citation), " "), Effective: meta.EffectiveDate,
			Advice: zlintAdvice(meta, ""),
		})
	}
	for _, z := range l.z.certificates {
		add(z.LintMetadata, z.severity, ObjectCertificate)
	}
	for _, z := range l.z.crls {
		add(z.LintMetadata, z.severity, ObjectCRL)
	}
	for _, z := range l.z.responses {
		add(z.LintMetadata, z.severity, ObjectOCSP)
	}
	slices.SortFunc(all, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// namedSeverity is what the first letter of a lint's name promises. Some do not
// keep it, so a finding has the severity that the lint returned.
func namedSeverity(name string) Severity {
	switch name[:2] {
	case "n_":
		return Notice
	case "w_":
		return Warn
	}
	return Error
}
