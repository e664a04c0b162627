#!/bin/sh
# The ceremony of examples/two-tier-hsm beside the same work by openssl, its
# PKCS#11 engine and pkcs11-tool, on SoftHSM: two P-384 keys on two tokens, a
# self-signed root, an issuing certificate, both CRLs, and the checks that chain
# and CRLs verify. Prints the median of RUNS whole-process wall times of each,
# run in turn, and their ratio. It needs pkcs11-tool (opensc) and the engine
# (libengine-pkcs11-openssl), which make test does not install.
set -eu
cd "$(dirname "$0")/../.."
RUNS=${RUNS:-7}
MODULE=${MODULE:-/usr/lib/softhsm/libsofthsm2.so}
for tool in pkcs11-tool openssl softhsm2-util; do
  command -v "$tool" >/dev/null || { echo "$tool is missing; apt-get install opensc libengine-pkcs11-openssl softhsm2" >&2; exit 1; }
done
openssl engine pkcs11 >/dev/null 2>&1 || { echo "openssl has no pkcs11 engine; apt-get install libengine-pkcs11-openssl" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/ca.cnf" <<CNF
openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = p11
[p11]
engine_id = pkcs11
MODULE_PATH = $MODULE
init = 0
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

cat >"$work/openssl.sh" <<SH
set -eu
rm -rf o && mkdir o && cd o
: >index.txt
echo 01 >crlnumber
export OPENSSL_CONF=../ca.cnf
for k in root issuing; do
  pkcs11-tool --module $MODULE --token-label acme-\$k --login --pin "\$(cat ../\$k.pin)" --keypairgen --key-type EC:secp384r1 --label \$k --id 01 --usage-sign >/dev/null 2>&1
done
uri() { echo "pkcs11:token=acme-\$1;object=\$1;type=private;pin-value=\$(cat ../\$1.pin)"; }
openssl req -new -x509 -config ../ca.cnf -extensions root -sha384 -days 7305 -engine pkcs11 -keyform engine -key "\$(uri root)" -out root.crt 2>/dev/null
openssl req -new -config ../ca.cnf -subj "/C=US/O=ACME/CN=ACME Issuing CA G1" -sha384 -engine pkcs11 -keyform engine -key "\$(uri issuing)" -out issuing.csr 2>/dev/null
openssl ca -batch -notext -config ../ca.cnf -extfile ../ca.cnf -extensions issuing -days 1826 -cert root.crt -engine pkcs11 -keyform engine -keyfile "\$(uri root)" -in issuing.csr -out issuing.crt 2>/dev/null
openssl ca -gencrl -config ../ca.cnf -cert root.crt -engine pkcs11 -keyform engine -keyfile "\$(uri root)" -out root.crl 2>/dev/null
openssl ca -gencrl -config ../ca.cnf -cert issuing.crt -engine pkcs11 -keyform engine -keyfile "\$(uri issuing)" -out issuing.crl 2>/dev/null
cat root.crt root.crl >trusted.pem
openssl verify -x509_strict -crl_check -CAfile trusted.pem issuing.crt >/dev/null
openssl crl -in issuing.crl -noout -CAfile issuing.crt -verify 2>/dev/null
SH

export SOFTHSM2_CONF="$work/softhsm2.conf"
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$work" >"$SOFTHSM2_CONF"
mkdir "$work/tokens"
./pki init "$work/e" --example two-tier-hsm >/dev/null
(umask 077 && echo officer-pin >"$work/so")
for t in root issuing; do
  ./pki token init --module "$MODULE" --label "acme-$t" --pin-file "$work/e/secrets/$t-pin.txt" --so-pin-file "$work/so" >/dev/null
  (umask 077 && tr -d '\n' <"$work/e/secrets/$t-pin.txt" >"$work/$t.pin")
done
./pki -C "$work/e" plan --out "$work/plan.json" >/dev/null 2>&1
cp -r "$work/e" "$work/fresh"
cp -r "$work/tokens" "$work/empty"

now() { date +%s%N; }
empty() { rm -rf "$work/tokens" && cp -r "$work/empty" "$work/tokens"; }
: >"$work/times"
i=0
while [ "$i" -lt "$RUNS" ]; do
  rm -rf "$work/e" && cp -r "$work/fresh" "$work/e"
  empty
  a=$(now)
  ./pki -C "$work/e" apply "$work/plan.json" --yes >/dev/null 2>&1
  b=$(now)
  empty
  c=$(now)
  (cd "$work" && sh openssl.sh)
  d=$(now)
  echo "$(((b - a) / 1000)) $(((d - c) / 1000))" >>"$work/times"
  i=$((i + 1))
done
awk '{ a[NR] = $1; b[NR] = $2; r[NR] = $1 / $2 }
function median(x, n,   i, j, t) {
  for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (x[j] < x[i]) { t = x[i]; x[i] = x[j]; x[j] = t }
  return x[int((n + 1) / 2)]
}
END { printf "median of %d: pki %.0f ms, openssl with pkcs11 %.0f ms, ratio %.2f\n", NR, median(a, NR) / 1000, median(b, NR) / 1000, median(r, NR) }' "$work/times"
