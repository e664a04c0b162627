#!/bin/sh
# The suite of all key stores (hsm/hsmtest) on the modules that make test leaves
# out, because they need root and a daemon for the whole machine: opencryptoki's
# soft token, and tpm2-pkcs11 on a TPM in software. Then a ceremony with a backup,
# on SoftHSM, with every fault at every call. It installs what it needs and changes
# /etc/opencryptoki: run it on a machine to throw away, never twice at once.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "hsm-all: it needs root" >&2; exit 1; }
sh test/setup.sh
work=$(mktemp -d)
pids=
trap 'for p in $pids; do kill "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT

packages="opencryptoki swtpm swtpm-tools tpm2-abrmd tpm2-tools libtpm2-pkcs11-1 libtss2-tcti-swtpm0 libtss2-tcti-tabrmd0 dbus"
# shellcheck disable=SC2086 # it is a list
dpkg -s $packages >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $packages >"$work/apt" 2>&1 || { cat "$work/apt" >&2; exit 1; }
lib=/usr/lib/$(uname -m)-linux-gnu

suite() {
	echo "hsm-all: $1"
	go test -trimpath -count 1 ./hsm/pkcs11 -run '^TestContractElsewhere$' -v >"$work/out" 2>&1 && ! grep -q '^--- SKIP' "$work/out" || { cat "$work/out"; exit 1; }
	grep -- '--- ' "$work/out"
}

printf 'version opencryptoki-3.1\nslot 3\n{\nstdll = libpkcs11_sw.so\n}\n' >/etc/opencryptoki/opencryptoki.conf
pgrep -x pkcsslotd >/dev/null || pkcsslotd
n=0
until pkcsconf -t >"$work/token" 2>&1; do
	[ $((n += 1)) -lt 20 ] || { cat "$work/token" >&2; exit 1; }
	sleep 0.5
done
if ! grep -q 'Label: pkitest ' "$work/token"; then
	echo pkitest | pkcsconf -I -c 3 -S 87654321 >/dev/null # the officer's PIN as it comes
	pkcsconf -P -c 3 -S 87654321 -n 76543210
	pkcsconf -u -c 3 -S 76543210 -n 11112222
	pkcsconf -p -c 3 -U 11112222 -n 33334444
fi
PKI_TEST_MODULE=$lib/opencryptoki/libopencryptoki.so.0 PKI_TEST_TOKEN=pkitest PKI_TEST_PIN=33334444 \
	PKI_TEST_ALGORITHMS="rsa-3072 rsa-4096" PKI_TEST_LACKS="ecdsa-p384 ed25519" suite "opencryptoki, its soft token"

mkdir "$work/state" "$work/store"
swtpm socket --tpm2 --tpmstate dir="$work/state" --ctrl type=unixio,path="$work/sock.ctrl" \
	--server type=unixio,path="$work/sock" --flags not-need-init,startup-clear --daemon --pid file="$work/swtpm.pid"
dbus-daemon --session --fork --print-address=1 --print-pid=3 3>"$work/dbus.pid" >"$work/bus"
DBUS_SESSION_BUS_ADDRESS=$(cat "$work/bus")
export DBUS_SESSION_BUS_ADDRESS
tpm2-abrmd --session --allow-root --tcti=swtpm:path="$work/sock" >"$work/abrmd" 2>&1 &
pids="$! $(cat "$work/swtpm.pid") $(cat "$work/dbus.pid")"
sleep 2
export TPM2_PKCS11_STORE="$work/store" TPM2_PKCS11_TCTI=tabrmd:bus_type=session
PKI_TEST_MODULE=$lib/libtpm2_pkcs11.so.1 PKI_TEST_TOKEN=pkitest PKI_TEST_PIN=user-pin-1 PKI_TEST_SO_PIN=officer-1 \
	PKI_TEST_ALGORITHMS="ecdsa-p256 ecdsa-p384" PKI_TEST_LACKS="ed25519 rsa-4096" \
	PKI_TEST_ENV="DBUS_SESSION_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS TPM2_PKCS11_LOG_LEVEL=0" suite "tpm2-pkcs11 on a TPM in software"

echo "hsm-all: a whole ceremony with a fault at every call of either token, an hour or two on two cores"
PKI_TEST_EVERY_CALL=1 go test -count 1 -timeout 3h ./cmd/pki -run '^TestFaultAtEveryCallOfACeremony$' -v >"$work/out" 2>&1 || { cat "$work/out"; exit 1; }
grep ' calls, ' "$work/out"
