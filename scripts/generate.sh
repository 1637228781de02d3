#!/usr/bin/env bash
# Writes the pages that are generated from the code. With --check it only says whether they are
# current, and ends with 1 if one is not.
set -euo pipefail
cd "$(dirname "$0")/.."

fresh="$(mktemp)"
trap 'rm -f "$fresh"' EXIT
stale=0
# The page, and the hidden command that prints it.
page() {
    cargo run --quiet -p smartbox-cli --bin smartbox -- "$2" >"$fresh"
    if [[ "$check" == "--check" ]]; then
        diff -u "$1" "$fresh" || { echo "$1 is not current: run scripts/generate.sh" >&2; stale=1; }
    else
        mkdir -p "$(dirname "$1")"
        cat "$fresh" >"$1"
    fi
}

check="${1:-}"
page docs/reference/cli.md __reference
page docs/reference/openapi.json __openapi
page ADMIN_API.md __admin-api
page docs/reference/compatibility.md __compatibility
page docs/reference/metrics.md __metrics
page docs/reference/access.md __access
exit "$stale"
