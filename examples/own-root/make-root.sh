#!/bin/sh
# Stands for the root that you have, and takes the place of the one in import/,
# whose key nobody has: openssl makes one, with its last list, and its
# key is encrypted under the password of key_store.root. With a root of your own,
# put its certificate and list into import/, and its key as this script does:
#   openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 ...
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p import keys/root
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/root.cnf" <<'END'
[req]
distinguished_name = name
prompt = no
[name]
O = ACME
CN = ACME Root CA 2020
[root]
basicConstraints = critical, CA:TRUE, pathlen:1
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ca]
default_ca = own
[own]
database = index.txt
crlnumber = number
default_md = sha384
default_crl_days = 360
crl_extensions = list
[list]
authorityKeyIdentifier = keyid
END
cd "$work"
openssl ecparam -name secp384r1 -genkey -noout -out root.key
openssl req -x509 -new -sha384 -days 7300 -config root.cnf -extensions root -key root.key -out root.crt
: >index.txt
echo 01 >number
openssl ca -config root.cnf -gencrl -cert root.crt -keyfile root.key -out root.crl 2>/dev/null
cd - >/dev/null
openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 \
	-in "$work/root.key" -passout file:secrets/root.txt -out keys/root/root.key
cp "$work/root.crt" "$work/root.crl" "$work/index.txt" import/
