#!/bin/sh
# Installs what the tests need and this machine lacks: Debian packages, and the
# pinned step-ca and step in .tools/bin. It says nothing when nothing is missing.
set -eu
cd "$(dirname "$0")/.."

# command or file:package
packages="openssl:openssl gcc:gcc softhsm2-util:softhsm2 certutil:libnss3-tools p11-kit:p11-kit
ssss-split:ssss chromium:chromium pdfinfo:poppler-utils zbarimg:zbar-tools python3:python3 jq:jq
nebula-cert:nebula ssh-keygen:openssh-client curl:curl haproxy:haproxy nginx:nginx caddy:caddy certtool:gnutls-bin /usr/lib/postgresql:postgresql
systemd-nspawn:systemd-container mariadbd:mariadb-server-core mariadb:mariadb-client-core
/usr/lib/nginx/modules/ngx_stream_module.so:libnginx-mod-stream
/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf:fonts-dejavu-core
/usr/lib/$(uname -m)-linux-gnu/pkcs11/p11-kit-client.so:p11-kit-modules"

# name module@version. A new pin is built beside nothing: the old one goes.
tools='step-ca github.com/smallstep/certificates/cmd/step-ca@v0.30.2
step github.com/smallstep/cli/cmd/step@v0.30.6
scepclient github.com/micromdm/scep/v2/cmd/scepclient@v2.3.0'

say() { printf 'setup: %s\n' "$*" >&2; }

missing=
for pair in $packages; do
	command -v "${pair%%:*}" >/dev/null || [ -e "${pair%%:*}" ] || missing="$missing ${pair#*:}"
done
if [ -n "$missing" ]; then
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		say "these packages are missing:$missing"
		say "install them, as with: sudo apt-get install$missing"
		exit 1
	fi
	say "installing the packages:$missing"
	log=$(mktemp)
	# shellcheck disable=SC2086 # $missing is a list
	if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing; } >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		exit 1
	fi
	rm -f "$log"
fi

bin=$PWD/.tools/bin
mkdir -p "$bin"
printf '%s\n' "$tools" | while read -r name pin; do
	if [ -x "$bin/$name" ] && [ "$(cat "$bin/$name.pin" 2>/dev/null)" = "$pin" ]; then
		continue
	fi
	say "building $name ($pin), once, in a few minutes"
	rm -f "$bin/$name.pin"
	if ! log=$(CGO_ENABLED=0 GOBIN="$bin" go install -trimpath -ldflags='-s -w' "$pin" </dev/null 2>&1); then
		printf '%s\n' "$log" >&2
		exit 1
	fi
	printf '%s\n' "$pin" >"$bin/$name.pin"
done

# A second step-ca, with cgo: only that one can sign with keys on tokens. Without
# the YubiKey's own interface it needs no header files of smart cards.
cgo=$PWD/.tools/bin-cgo
pin=$(printf '%s\n' "$tools" | sed -n 's/^step-ca //p')
if ! [ -x "$cgo/step-ca" ] || [ "$(cat "$cgo/step-ca.pin" 2>/dev/null)" != "$pin" ]; then
	say "building step-ca with cgo ($pin), once, in a few minutes"
	mkdir -p "$cgo"
	rm -f "$cgo/step-ca.pin"
	if ! log=$(CGO_ENABLED=1 GOBIN="$cgo" go install -trimpath -tags noyubikey -ldflags='-s -w' "$pin" </dev/null 2>&1); then
		printf '%s\n' "$log" >&2
		exit 1
	fi
	printf '%s\n' "$pin" >"$cgo/step-ca.pin"
fi

# The OpenAPI description of Kubernetes, by which rendered manifests are judged.
swagger=.tools/kubernetes.json
kubernetes=k8s.io/kubernetes@v1.32.4
if [ ! -s "$swagger" ]; then
	say "fetching the schemas of $kubernetes"
	if folder=$(GOFLAGS=-mod=mod go mod download -json "$kubernetes" 2>/dev/null | sed -n 's/.*"Dir": "\(.*\)".*/\1/p') && [ -n "$folder" ]; then
		cp "$folder/api/openapi-spec/swagger.json" "$swagger.new"
		mv "$swagger.new" "$swagger"
	else
		say "they are not to be had, so no manifest will be judged"
	fi
fi

# noble-post-quantum, an implementation of ML-DSA that shares no code with ours.
noble=test/postquantum
if ! cmp -s "$noble/package-lock.json" "$noble/node_modules/.locked"; then
	say "installing noble-post-quantum"
	if ! log=$(npm ci --prefix "$noble" --no-audit --no-fund --ignore-scripts 2>&1); then
		printf '%s\n' "$log" >&2
		exit 1
	fi
	cp "$noble/package-lock.json" "$noble/node_modules/.locked"
fi
