#!/bin/sh
# Holds the JSON of a plan (pki plan --format json) against rules.jq: each
# refusal on a line, exit 1 when there is one. The form is conftest's, so that
# rules may move to Rego later: conftest test --policy rego plan.json.
set -eu
found=$(jq -r -f "$(dirname "$0")/rules.jq" "$1")
[ -z "$found" ] || { printf '%s\n' "$found"; exit 1; }
echo "The plan keeps the rules of the house."
