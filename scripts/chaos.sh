#!/usr/bin/env bash
# Kill -9 at random moments under traffic: rounds on puppet, then rounds on the real engine.
#   scripts/chaos.sh [ROUNDS [REAL-ROUNDS]]
# SMARTBOX_CHAOS_SEED repeats a run; each run prints its own.
set -euo pipefail
cd "$(dirname "$0")/.."

export SMARTBOX_CHAOS_ROUNDS="${1:-200}" SMARTBOX_CHAOS_REAL_ROUNDS="${2:-5}"
SMARTBOX_TEST_ENGINE="$(scripts/engine.sh)"
export SMARTBOX_TEST_ENGINE
cargo build --workspace
cargo test -p smartbox-cli --test e2e -- chaos --nocapture --test-threads=1
