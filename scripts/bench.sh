#!/usr/bin/env bash
# Every bench, with its peers in the same run. Figures of a busy machine are worth nothing: end other
# work first. Arguments go to the benches.
set -euo pipefail
cd "$(dirname "$0")/.."

SMARTBOX_TEST_ENGINE="$(scripts/engine.sh)"
export SMARTBOX_TEST_ENGINE
cargo build --release --workspace
cargo bench --workspace --benches "$@"
