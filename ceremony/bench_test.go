package ceremony_test

import "testing"

// BenchmarkCeremony holds the ceremony of examples/two-tier with keys in
// memory: what everything but the key store costs.
func BenchmarkCeremony(b *testing.B) {
	for b.Loop() {
		s := newScene(b, "two-tier")
		if err := s.run(s.makePlan(planTime), false); err != nil {
			b.Fatal(err)
		}
	}
}
