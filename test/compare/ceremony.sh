#!/bin/sh
# The ceremony of examples/two-tier beside the same work by an openssl script:
# two P-384 keys in encrypted PKCS#8 files (PBKDF2-HMAC-SHA256, 600,000
# rounds), a self-signed root, an issuing certificate, both CRLs, and the
# checks that chain and CRLs verify. Prints the median of RUNS whole-process
# wall times of each, run in turn, and their ratio.
set -eu
cd "$(dirname "$0")/../.."
RUNS=${RUNS:-7}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/ca.cnf" <<'CNF'
[ca]
default_ca = c
[c]
database = index.txt
crlnumber = crlnumber
default_md = sha384
default_crl_days = 360
crl_extensions = crlx
policy = p
rand_serial = yes
new_certs_dir = .
unique_subject = no
[p]
commonName = supplied
organizationName = optional
countryName = optional
[crlx]
authorityKeyIdentifier = keyid
[req]
distinguished_name = dn
prompt = no
[dn]
C = US
O = ACME
CN = ACME Root CA G1
[root]
basicConstraints = critical, CA:TRUE, pathlen:1
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[issuing]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
authorityInfoAccess = caIssuers;URI:http://pki.acme.example/root.cer
crlDistributionPoints = URI:http://pki.acme.example/root.crl
CNF

cat >"$work/openssl.sh" <<'SH'
set -eu
rm -rf o && mkdir o && cd o
: >index.txt
echo 01 >crlnumber
for k in root issuing; do
  openssl ecparam -name secp384r1 -genkey -noout |
    openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 -passout file:../pw -out $k.key
done
openssl req -new -x509 -config ../ca.cnf -extensions root -sha384 -days 7305 -key root.key -passin file:../pw -out root.crt
openssl req -new -config ../ca.cnf -subj "/C=US/O=ACME/CN=ACME Issuing CA G1" -sha384 -key issuing.key -passin file:../pw -out issuing.csr
openssl ca -batch -notext -config ../ca.cnf -extfile ../ca.cnf -extensions issuing -days 1826 -cert root.crt -keyfile root.key -passin file:../pw -in issuing.csr -out issuing.crt 2>/dev/null
openssl ca -gencrl -config ../ca.cnf -cert root.crt -keyfile root.key -passin file:../pw -out root.crl 2>/dev/null
openssl ca -gencrl -config ../ca.cnf -cert issuing.crt -keyfile issuing.key -passin file:../pw -out issuing.crl 2>/dev/null
cat root.crt root.crl >trusted.pem
openssl verify -x509_strict -crl_check -CAfile trusted.pem issuing.crt >/dev/null
openssl crl -in issuing.crl -noout -CAfile issuing.crt -verify 2>/dev/null
SH

echo correct-horse-battery-staple >"$work/pw"
./pki init "$work/e" --example two-tier >/dev/null
# The provisioner's key is not part of the comparison.
rm "$work/e/online.pki.hcl"
./pki -C "$work/e" plan --out "$work/plan.json" >/dev/null 2>&1
cp -r "$work/e" "$work/fresh"

now() { date +%s%N; }
: >"$work/times"
i=0
while [ "$i" -lt "$RUNS" ]; do
  rm -rf "$work/e" && cp -r "$work/fresh" "$work/e"
  a=$(now)
  ./pki -C "$work/e" apply "$work/plan.json" --yes >/dev/null 2>&1
  b=$(now)
  (cd "$work" && sh openssl.sh)
  c=$(now)
  echo "$(((b - a) / 1000)) $(((c - b) / 1000))" >>"$work/times"
  i=$((i + 1))
done
awk '{ a[NR] = $1; b[NR] = $2; r[NR] = $1 / $2 }
function median(x, n,   i, j, t) {
  for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (x[j] < x[i]) { t = x[i]; x[i] = x[j]; x[j] = t }
  return x[int((n + 1) / 2)]
}
END { printf "median of %d: pki %.0f ms, openssl %.0f ms, ratio %.2f\n", NR, median(a, NR) / 1000, median(b, NR) / 1000, median(r, NR) }' "$work/times"
