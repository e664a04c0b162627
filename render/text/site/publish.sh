#!/bin/sh
# Rendered by pki from the estate {{.Estate}}.
# Copies www/ to where the web server reads. Each file comes under its name when
# it is whole, so that no client sees half a list.
#
#   sh publish.sh [{{.Folder}}]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-{{.Folder}}}
(cd "$here" && sha256sum --quiet -c MANIFEST.sha256) || {
	echo "this folder is not as it was rendered; run pki render" >&2
	exit 1
}
mkdir -p "$to"
for file in "$here"/www/*; do
	name=$(basename "$file")
	if cmp -s "$file" "$to/$name"; then
		continue
	fi
	cp "$file" "$to/.$name.new"
	chmod 0644 "$to/.$name.new"
	mv "$to/.$name.new" "$to/$name"
	echo "$to/$name"
done
