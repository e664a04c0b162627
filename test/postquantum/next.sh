#!/bin/sh
# The second step of CI: the same code under a Go that knows ML-DSA by itself.
# There filippo.io/mldsa stands for the standard library's own crypto/mldsa, and
# crypto/x509 reads and verifies ML-DSA. It downloads that Go once, through the
# Go module proxy.
set -eu
cd "$(dirname "$0")/../.."
next=${NEXT_GO:-go1.27.4}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CGO_ENABLED=0 go build -trimpath -o "$work/pki" ./cmd/pki
"$work/pki" init "$work/e" --example post-quantum >/dev/null
"$work/pki" -C "$work/e" plan --out "$work/plan.json" >/dev/null
"$work/pki" -C "$work/e" apply "$work/plan.json" --yes >/dev/null
export GOTOOLCHAIN=$next
go run -trimpath ./test/postquantum/testdata/stdlib "$work/e/certs/root_pq.crt" "$work/e/certs/issuing_pq.crt" \
	"$work/e/crls/root_pq.crl.pem" "$work/e/crls/issuing_pq.crl.pem"
go vet ./plan/tbs/... ./hsm/filestore
go test ./plan/tbs/... ./hsm/filestore ./lint/crlwalk
# And the program of that Go reads what this one made.
CGO_ENABLED=0 go build -trimpath -o "$work/pki-next" ./cmd/pki
"$work/pki-next" -C "$work/e" verify >/dev/null
"$work/pki-next" lint --fail-on error "$work/e/certs" "$work/e/crls" >/dev/null
echo "$next: the same"
