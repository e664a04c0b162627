package lint

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestResponsesOfZLint judges the responses that zlint ships, with the results
// that its own tests expect.
func TestResponsesOfZLint(t *testing.T) {
	l := mustNew(t, "private")
	const rsa, ec, dates = "e_ocsp_rsa_signature_encoding_correct", "e_ocsp_ecdsa_signature_encoding_correct", "e_this_update_not_after_produced_at"
	for name, want := range map[string]string{
		"ocspEcdsaP256SHA256": "", "ocspEcdsaP384SHA384": "", "ocspRsaSHA256": "", "ocspRsaSHA512": "", "ocspRsaPSSSHA256": "",
		"ocspEcdsaResponderP256SHA256": "", "ocspEcdsaResponderP384SHA384": "",
		"ocspEcdsaResponderP256SHA384": ec, "ocspEcdsaResponderP384SHA256": ec, "ocspEcdsaP384SHA384NullParams": ec,
		"ocspRsaSHA224": rsa, "ocspRsaSHA256MissingNullParams": rsa,
		"ocspThisUpdateAfterProducedAt": dates, "ocspThisUpdateNotAfterProducedAt": "",
	} {
		text, err := os.ReadFile(filepath.Join(zlintFolder(t), name))
		noError(t, err)
		der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
		noError(t, err)
		var heard []string
		for _, f := range l.OCSP(OCSPResponse{DER: der}, time.Time{}) {
			if f.Source != SourcePKI {
				heard = append(heard, f.Lint)
			}
		}
		if got := strings.Join(slices.Compact(heard), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// zlintFolder is where zlint's module keeps its fixtures.
func zlintFolder(t testing.TB) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/zmap/zlint/v3").Output()
	noError(t, err)
	return filepath.Join(strings.TrimSpace(string(out)), "testdata")
}
