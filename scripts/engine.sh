#!/usr/bin/env bash
# Installs the pinned engine once, outside the tree, and prints its directory: what tests take as
# SMARTBOX_TEST_ENGINE. A second run finds it there. Killed at any moment, it leaves nothing half-made.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ -n "${SMARTBOX_TEST_ENGINE:-}" ]]; then
    echo "$SMARTBOX_TEST_ENGINE"
    exit
fi
cache="${SMARTBOX_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/smartbox-test}"
cargo run --quiet -p smartbox-cli --bin smartbox -- __install-engine "$cache"
