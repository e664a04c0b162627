package render_test

import (
	"testing"

	"pki.internal/render"
)

// BenchmarkTree renders one online CA.
func BenchmarkTree(b *testing.B) {
	s := twoTier()
	t := &testing.T{}
	s.state = ceremony(t, s.estate, -1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := render.Tree(s.estate, s.state, s.ca); err != nil {
			b.Fatal(err)
		}
	}
}
