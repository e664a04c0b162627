package lint

import (
	"crypto/elliptic"
	"testing"

	"github.com/zmap/zlint/v3/lint"
)

// TestPrepareCurve needs the lint that it runs to be zlint's.
func TestPrepareCurve(t *testing.T) {
	if lint.GlobalRegistry().CertificateLints().ByName(smallPrivateKey) == nil {
		t.Fatalf("zlint has no %s any more; nothing is prepared", smallPrivateKey)
	}
	PrepareCurve(elliptic.P224())
}
