#!/bin/sh
# One million revocations, whole processes in pairs: pki crl sign and verify
# beside the same work by openssl and by Go's standard library. It prints the
# medians of RUNS pairs: wall and CPU seconds, peak memory, and how many times
# the first of each job the others take. openssl reads the same records in no
# order and in order: it is twice as fast with the second.
#
#   N=1000000 RUNS=3 LONG=5000000 sh test/compare/crl.sh
#
# LONG=N adds lists of so many entries, by pki alone.
set -eu
cd "$(dirname "$0")/../.."
N=${N:-1000000} RUNS=${RUNS:-3} LONG=${LONG:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -trimpath -ldflags '-s -w' -o "$work/pki" ./cmd/pki
go build -o "$work/stdlib" test/compare/stdlibcrl.go
go run test/compare/genindex.go -n "$N" >"$work/unsorted.txt"
go run test/compare/genindex.go -n "$N" -sorted >"$work/sorted.txt"
cd "$work"
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -subj "/CN=Compared CA" -days 3650 -out ca.crt -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
cat >openssl.cnf <<'CNF'
[ca]
default_ca = c
[c]
database = DATABASE
crlnumber = number
certificate = ca.crt
private_key = ca.key
default_md = sha256
default_crl_days = 7
crl_extensions = x
[x]
authorityKeyIdentifier = keyid
CNF
echo 01 >number
for order in unsorted sorted; do sed "s/DATABASE/$order.txt/" openssl.cnf >"$order.cnf"; done
cat >measure.py <<'PY'
import os, statistics, subprocess, sys, time
def once(command):
    if os.path.exists("p.crl"): os.remove("p.crl")  # each signs a first list
    start = time.time()
    p = subprocess.Popen(command.split(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(p.pid, 0)
    if status: sys.exit("exit status %d: %s" % (status, command))
    return time.time() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
def pairs(title, mine, others, runs):
    seen = {c: [] for c in [mine] + others}
    for _ in range(runs):
        for c in seen: seen[c].append(once(c))
    for c, rows in seen.items():
        m = [statistics.median(r[i] for r in rows) for i in range(3)]
        ratio = [statistics.median(r[i] / q[i] for r, q in zip(rows, seen[mine])) for i in range(2)]
        print("| %-9s | %-38s | %7.3f | %7.3f | %5.0f | %5.1f | %5.1f |" % (title, (" ".join(c.split()[:3]) + (" " + c.split()[-1] if "-config" in c else ""))[:38], *m, *ratio))
sign = "./pki crl sign --issuer ca.crt --key ca.key --number 1 --only all --out p.crl --revoked "
runs = int(sys.argv[1])
print("| job       | program                                | wall s  | CPU s   |   MiB | x wall | x CPU |")
openssl = "openssl ca -gencrl -out o.pem -config "
pairs("unsorted", sign + "unsorted.txt", ["./stdlib ca.crt ca.key unsorted.txt o.crl", openssl + "unsorted.cnf"], runs)
pairs("sorted", sign + "sorted.txt", ["./stdlib ca.crt ca.key sorted.txt o.crl", openssl + "sorted.cnf", openssl + "unsorted.cnf"], runs)
once(sign + "sorted.txt"); os.rename("p.crl", "v.crl")
pairs("verify", "./pki crl verify --issuer ca.crt v.crl", ["openssl crl -noout -inform DER -in v.crl -CAfile ca.crt"], runs)
PY
python3 measure.py "$RUNS"
[ -n "$LONG" ] || exit 0
cd - >/dev/null
go run test/compare/genindex.go -n "$LONG" >"$work/unsorted.txt"
go run test/compare/genindex.go -n "$LONG" -sorted >"$work/sorted.txt"
cd "$work"
sed -e '/^pairs("unsorted"/s/\[.*\]/[]/' -e '/^pairs("sorted"/s/\[.*\]/[]/' -e '/^pairs("verify"/s/\[.*\]/[]/' measure.py >long.py
echo "$LONG entries:"
python3 long.py "$RUNS"
