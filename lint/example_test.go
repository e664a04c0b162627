package lint_test

import (
	"errors"
	"fmt"
	"time"

	"pki.internal/lint"
)

// What cannot be read is refused, and nothing comes out that could be signed.
func ExampleLinter_ClearCertificate() {
	linter, err := lint.New("private")
	if err != nil {
		fmt.Println(err)
		return
	}
	ceremony := time.Date(2026, time.March, 15, 12, 0, 0, 0, time.UTC)
	draft := lint.Certificate{DER: []byte("not a certificate"), Draft: true, Role: lint.RoleRoot}
	cleared, _, err := linter.ClearCertificate(draft, "authority.root", lint.Policy{}, ceremony)

	var refused *lint.Refused
	fmt.Println(errors.As(err, &refused), refused.Findings[0].Lint, refused.Findings[0].Severity)
	fmt.Println(cleared.TBS() == nil)
	// Output:
	// true e_unparsable fatal
	// true
}
