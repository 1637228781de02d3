#!/usr/bin/env bash
# Writes the pages that are generated from the code. With --check it only says whether they are
# current, and ends with 1 if one is not.
set -euo pipefail
cd "$(dirname "$0")/.."

page=docs/reference/cli.md
fresh="$(mktemp)"
trap 'rm -f "$fresh"' EXIT
cargo run --quiet -p smartbox-cli --bin smartbox -- __reference >"$fresh"
if [[ "${1:-}" == "--check" ]]; then
    diff -u "$page" "$fresh" || { echo "$page is not current: run scripts/generate.sh" >&2; exit 1; }
else
    mkdir -p "$(dirname "$page")"
    cat "$fresh" >"$page"
fi
