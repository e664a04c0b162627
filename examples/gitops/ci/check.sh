#!/bin/sh
# What machines say about a change: style, mistakes, the plan, house rules and
# drift. It needs pki and jq, and neither a key nor a network. plan.json and
# plan.md are left for whoever shows them.
#
# Exit codes: 0 nothing to hold a ceremony for; 2 the plan has actions; any
# other: something is wrong.
set -eu
cd "$(dirname "$0")/.."

wrong() { # 2 means that a ceremony waits, and nothing else
	echo "check: $1" >&2
	exit 1
}

pki fmt --check --diff --recursive || wrong "run pki fmt"
pki validate

code=0
pki plan --format json --detailed-exitcode >plan.json || code=$?
[ "$code" = 0 ] || [ "$code" = 2 ] || exit "$code"
pki plan --format markdown >plan.md
sh policy/check.sh plan.json

if [ -e ledger.jsonl ]; then
	pki verify
	if ls rendered/* >/dev/null 2>&1; then
		pki render --check || wrong "run pki apply, and commit what it renders"
	fi
	if ls certs/*.crt >/dev/null 2>&1; then
		pki lint --fail-on error certs/*.crt || wrong "a certificate of ours is no longer fit"
	fi
fi
exit "$code"
