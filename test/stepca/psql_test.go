package stepca_test

import (
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// signFromDatabase signs a CRL from what step-ca keeps in PostgreSQL, by the very
// query of docs/crl.md and by a plainer one: a revocation is in it.
func (b *bench) signFromDatabase(t *testing.T, port int, password string, bad leaf) {
	t.Helper()
	psql := program(t, "psql")
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "crl.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, query, found := strings.Cut(string(page), `psql -AtX -d "$DSN" -c "`)
	query, _, more := strings.Cut(query, `"`)
	if !found || !more {
		t.Fatal("docs/crl.md has no query for PostgreSQL")
	}
	issuer := filepath.Join(b.estate, "certs", "issuing.crt")
	sign := fmt.Sprintf("%s crl sign --revoked - --issuer %s --key %s --password-file %s --url %s --number 1 --out ", b.pki, issuer,
		filepath.Join(b.estate, "keys", "online", "issuing.key"), filepath.Join(b.estate, "secrets", "online.txt"), b.ports.crlURL())
	for i, q := range []string{query, "SELECT nvalue FROM revoked_x509_certs"} {
		out := filepath.Join(b.folder, fmt.Sprintf("database-%d.crl", i))
		c := exec.Command("bash", "-c", `set -o pipefail; "$PSQL" -AtX -d "$DSN" -c "$QUERY" | `+sign+out)
		c.Dir = b.folder
		c.Env = append(os.Environ(), "PSQL="+psql, "QUERY="+q, "PGPASSWORD="+password,
			fmt.Sprintf("DSN=postgresql://step@127.0.0.1:%d/step_ca?sslmode=disable", port))
		if said, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", q, err, said)
		}
		der, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		listed := false
		for _, entry := range list.RevokedCertificateEntries {
			listed = listed || entry.SerialNumber.Cmp(bad.SerialNumber) == 0
		}
		if !listed {
			t.Errorf("%s: the CRL does not list the revocation", q)
		}
		b.expect(t, "the leaf that was revoked", bad.crt, "certificate revoked", "-crl_check", "-CRLfile", save(t, list))
	}
}
