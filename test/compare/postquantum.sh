#!/bin/sh
# The ceremony of examples/two-tier (root, issuing authority, both CRLs) with
# keys of ML-DSA-65 beside the same with P-384. Prints the median of RUNS
# whole-process wall times of each, run in turn, and their ratio.
set -eu
cd "$(dirname "$0")/../.."
RUNS=${RUNS:-7}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for kind in ecdsa-p384 ml-dsa-65; do
  ./pki init "$work/$kind" --example two-tier >/dev/null
  rm "$work/$kind/online.pki.hcl" # step-ca and its provisioner are no part of this
  sed -i "s/\"ecdsa-p384\"/\"$kind\"/" "$work/$kind/authorities.pki.hcl"
  ./pki -C "$work/$kind" plan --out "$work/$kind.json" >/dev/null 2>&1
  cp -r "$work/$kind" "$work/$kind.fresh"
done

now() { date +%s%N; }
: >"$work/times"
i=0
while [ "$i" -lt "$RUNS" ]; do
  for kind in ecdsa-p384 ml-dsa-65; do
    rm -rf "${work:?}/$kind" && cp -r "$work/$kind.fresh" "$work/$kind"
    a=$(now)
    ./pki -C "$work/$kind" apply "$work/$kind.json" --yes >/dev/null 2>&1
    printf '%s ' "$((($(now) - a) / 1000))"
  done >>"$work/times"
  echo >>"$work/times"
  i=$((i + 1))
done
awk '{ a[NR] = $1; b[NR] = $2; r[NR] = $2 / $1 }
function median(x, n,   i, j, t) {
  for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (x[j] < x[i]) { t = x[i]; x[i] = x[j]; x[j] = t }
  return x[int((n + 1) / 2)]
}
END { printf "median of %d: P-384 %.0f ms, ML-DSA-65 %.0f ms, ratio %.2f\n", NR, median(a, NR) / 1000, median(b, NR) / 1000, median(r, NR) }' "$work/times"
