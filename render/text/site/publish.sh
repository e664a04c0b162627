#!/bin/sh
# Rendered by pki from the estate {{.Estate}}.
# Copies certificates and CRLs from the estate's folder to where the web server
# reads. Each file comes under its name when it is whole, so that no client sees
# half a list.
#
#   sh publish.sh [TO [ESTATE]]      {{.Folder}} and ../.. when not said
set -eu
to=${1:-{{.Folder}}}
estate=${2:-$(dirname "$0")/../..}
mkdir -p "$to"
lost=0

publish() {
	name=$(basename "$1")
	if [ ! -s "$estate/$1" ]; then
		echo "$estate/$1 is not there: run pki apply in the estate's folder" >&2
		lost=1
	elif ! cmp -s "$estate/$1" "$to/$name"; then
		cp "$estate/$1" "$to/.$name.new"
		chmod 0644 "$to/.$name.new"
		mv "$to/.$name.new" "$to/$name"
		echo "$to/$name"
	fi
}
{{range .Files}}
publish {{.}}
{{- end}}
{{- range .Timed}}
[ -e "$to/{{.}}" ] || publish crls/{{.}} # pki crl release or sign brings the next
{{- end}}
exit $lost
