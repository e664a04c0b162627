#!/bin/sh
# Rendered by pki from online_ca.{{.Name}} of the estate {{.Estate}}.
# Compares what a step-ca serves with this tree, because a step-ca that could
# not take a new configuration goes on with the old one, says that it is well,
# and lets systemctl reload exit 0. Exits 1 with the first difference.
#
#   sh deploy-check.sh https://ca.example.internal[:port]
set -eu
url=${1:?usage: sh deploy-check.sh URL}
tree=$(dirname "$0")/..

fetch() {
	curl --fail --silent --show-error --max-time 20 --cacert "$tree/certs/root_ca.crt" "$url$1"
}

fetch /health >/dev/null
{{- if not .Registers}}
fetch /intermediates.pem | cmp -s - "$tree/certs/intermediate_ca.crt" || {
	echo "$url does not sign with certs/intermediate_ca.crt of this folder: see journalctl -u step-ca" >&2
	exit 1
}
{{- end}}
# step-ca lists a hundred provisioners at most, and says where the next page begins.
served=
cursor=
while :; do
	page=$(fetch "/provisioners?limit=100&cursor=$cursor")
	served=$served$page
	next=$(printf '%s' "$page" | sed -n 's/.*"nextCursor":"\([^"]*\)".*/\1/p')
	[ -n "$next" ] && [ "$next" != "$cursor" ] || break
	cursor=$next
done
for one in {{range .Provisioners}} '"type":"{{.Type}}","name":"{{.Name}}"'{{end}}; do
	case $served in
	*"$one"*) ;;
	*)
		echo "$url does not have the provisioner $one: see journalctl -u step-ca" >&2
		exit 1
		;;
	esac
done
count=$(printf '%s' "$served" | grep -o '"type":"[A-Za-z0-9]*","name":"' | wc -l)
[ "$count" -eq {{len .Provisioners}} ] || {
	echo "$url has $count provisioners, and this folder has {{len .Provisioners}}" >&2
	exit 1
}
echo "$url serves what this folder says"
