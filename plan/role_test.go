package plan

import (
	"testing"

	"pki.internal/lint"
	"pki.internal/spec"
)

// TestRole looks at an authority that has nothing below it yet: by its path
// length it is for authorities or for leaves, and an online CA settles it.
func TestRole(t *testing.T) {
	length := func(n int) *int { return &n }
	root := &spec.Authority{}
	below := &spec.Authority{Issuer: root}
	e := &spec.Estate{Authorities: []*spec.Authority{root, below}}
	for name, c := range map[string]struct {
		length *int
		online bool
		want   lint.Role
	}{
		"room for authorities":           {length(1), false, lint.RolePolicy},
		"no room":                        {length(0), false, lint.RoleIssuing},
		"nothing written":                {nil, false, lint.RoleIssuing},
		"room, and step-ca signs leaves": {length(1), true, lint.RoleIssuing},
	} {
		below.PathLength, e.OnlineCAs = c.length, nil
		if c.online {
			e.OnlineCAs = []*spec.OnlineCA{{Authority: below}}
		}
		if got := Role(e, below); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := Role(e, root); got != lint.RoleRoot {
		t.Errorf("the root is %s", got)
	}
}
