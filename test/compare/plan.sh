#!/bin/sh
# pki plan of 10,000 authorities beside terraform plan of 10,000 built-in
# resources, in turn. Both write their plan to a file. pki builds, previews and
# lints 10,000 certificates and 10,000 CRLs; terraform has a state and a plan of
# as many strings.
set -eu
runs=${1:-3}
n=${2:-10000}
command -v terraform >/dev/null || { echo "terraform is not installed, so there is nothing to compare with"; exit 0; }
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/pki" "$work/terraform"
echo "for comparison only" >"$work/pki/secret.txt"
awk -v n="$n" 'BEGIN {
	print "estate \"large\" {\n  environment = \"lab\"\n}\nsecret \"keys\" { file = \"secret.txt\" }"
	print "key_store \"file\" \"keys\" {\n  path     = \"keys\"\n  password = secret.keys\n}"
	for (i = 0; i < n; i++) {
		issuer = i == 0 ? "" : "  issuer = authority." (i <= 100 ? "a0" : "a" (1 + i % 100)) "\n"
		validity = i == 0 ? "20y" : (i <= 100 ? "10y" : "5y")
		printf "authority \"a%d\" {\n%s  subject { common_name = \"CA %d\" }\n  key {\n    store     = key_store.keys\n    algorithm = \"ecdsa-p256\"\n  }\n", i, issuer, i
		printf "  validity = \"%s\"\n  crl {\n    urls        = [\"http://pki.example/a%d.crl\"]\n    valid_for   = \"360d\"\n    issue_every = \"330d\"\n  }\n}\n", validity, i
	}
}' >"$work/pki/large.pki.hcl"
awk -v n="$n" 'BEGIN { for (i = 0; i < n; i++) printf "resource \"terraform_data\" \"r%d\" {\n  input = \"value %d\"\n}\n", i, i }' >"$work/terraform/main.tf"
(cd "$work/terraform" && terraform init >/dev/null 2>&1)
seconds() {
	start=$(date +%s%N)
	"$@" >/dev/null 2>&1
	echo $((($(date +%s%N) - start) / 1000000))
}
for run in $(seq "$runs"); do
	cd "$work/terraform"
	t=$(seconds terraform plan -out plan)
	p=$(seconds "$top/pki" -C "$work/pki" plan --out "$work/plan$run.json")
	v=$(seconds "$top/pki" -C "$work/pki" validate)
	echo "terraform plan $t ms, pki plan $p ms, pki validate $v ms"
done
