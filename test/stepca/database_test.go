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

// signFromPostgreSQL signs a CRL from what step-ca keeps in PostgreSQL, by the very
// query of docs/crl.md and by a plainer one.
func (b *bench) signFromPostgreSQL(t *testing.T, port int, password string, bad leaf) {
	t.Helper()
	queries := []string{documented(t, `psql -AtX -d "$DSN" -c "`), "SELECT nvalue FROM revoked_x509_certs"}
	b.signFrom(t, program(t, "psql")+` -AtX -d "$DSN" -c "$QUERY"`, queries, bad, "PGPASSWORD="+password,
		fmt.Sprintf("DSN=postgresql://step@127.0.0.1:%d/step_ca?sslmode=disable", port))
}

// documented is the query that docs/crl.md gives to a database's client.
func documented(t *testing.T, client string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "crl.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, query, found := strings.Cut(string(page), client)
	query, _, more := strings.Cut(query, `"`)
	if !found || !more {
		t.Fatalf("docs/crl.md has no query for %s", client)
	}
	return query
}

// signFrom signs a CRL of what a database's client prints for each query: the
// revocation is in it.
func (b *bench) signFrom(t *testing.T, client string, queries []string, bad leaf, env ...string) {
	t.Helper()
	issuer := filepath.Join(b.estate, "certs", "issuing.crt")
	sign := fmt.Sprintf("%s crl sign --revoked - --issuer %s --key %s --password-file %s --url %s --number 1 --out ", b.pki, issuer,
		filepath.Join(b.estate, "keys", "online", "issuing.key"), filepath.Join(b.estate, "secrets", "online.txt"), b.ports.crlURL())
	for _, q := range queries {
		out := filepath.Join(t.TempDir(), "database.crl")
		c := exec.Command("bash", "-c", "set -o pipefail; "+client+" | "+sign+out)
		c.Dir = b.folder
		c.Env = append(append(os.Environ(), "QUERY="+q), env...)
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
