package lint

import (
	"fmt"
	"time"

	"github.com/zmap/zlint/v3/lint"
	"golang.org/x/crypto/ocsp"
)

// responseLint is a lint of zlint for OCSP responses, as a profile wants it.
type responseLint struct {
	*lint.OcspResponseLint
	severity Severity // replaces the lint's own; zero leaves it
	// undated is the lint without an effective date.
	undated *lint.OcspResponseLint
}

// response runs the lints for OCSP responses. They look at a response as Go
// reads it, and Go reads none with a certificate whose algorithm it does not
// know (ML-DSA): such a response is judged by our own rules alone.
func (z *zlints) response(der []byte, now time.Time) []Finding {
	r, err := guard(func(der []byte) (*ocsp.Response, error) { return ocsp.ParseResponse(der, nil) }, der)
	if err != nil {
		return nil
	}
	var findings []Finding
	for _, l := range z.responses {
		run, coming := l.OcspResponseLint, isComing(l.LintMetadata, now)
		if coming {
			run = l.undated
		}
		found := appendResult(nil, l.LintMetadata, l.severity, executeOCSP(run, r, z.config))
		if coming {
			found = announce(found, now, l.EffectiveDate)
		}
		findings = append(findings, found...)
	}
	return findings
}

// executeOCSP runs one lint and catches its panic, which zlint does not.
func executeOCSP(l *lint.OcspResponseLint, r *ocsp.Response, config lint.Configuration) (result *lint.LintResult) {
	defer func() {
		if reason := recover(); reason != nil {
			result = &lint.LintResult{Status: lint.Fatal, Details: fmt.Sprintf("the lint panicked, so nothing is known: %v", reason)}
		}
	}()
	return l.Execute(r, config)
}
