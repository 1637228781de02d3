#!/usr/bin/env bash
# Asks a running platform everything that its OpenAPI document allows, and much that it does not, and
# compares each answer with the document. The engine is puppet; nothing outside this machine is asked
# but for the fuzzer itself, once: `--install` does only that. The first argument is how many requests an
# operation gets at most; the others are the fuzzer's.
set -euo pipefail
cd "$(dirname "$0")/.."

version=4.32.5
place="${XDG_CACHE_HOME:-$HOME/.cache}/smartbox-test/schemathesis-$version"
if [[ ! -x "$place/bin/schemathesis" ]]; then
    rm -rf "$place"
    mkdir -p "$(dirname "$place")"
    if ! python3 -m venv "$place" || ! "$place/bin/pip" install --quiet "schemathesis==$version"; then
        rm -rf "$place"
        echo "schemathesis could not be installed" >&2
        exit 1
    fi
fi
if [[ "${1:-}" == "--install" ]]; then exit 0; fi
examples="${1:-50}"
shift || true

cargo build --quiet -p smartbox-engine --bin smartbox-puppet
cargo build --quiet -p smartbox-cli --bin smartbox
target="${CARGO_TARGET_DIR:-target}/debug"
data="$(mktemp -d)"
token="fuzz-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
cat >"$data/smartbox.toml" <<TOML
[engine]
name = "puppet"
path = "$(realpath "$target/smartbox-puppet")"

# Its own limits would answer for what is behind them.
[limits]
knock = { rate = "100000/s", burst = 1000000 }
guess = { rate = "100000/s", burst = 1000000 }
read = { rate = "100000/s", burst = 1000000 }
change = { rate = "100000/s", burst = 1000000 }
run = { rate = "100000/s", burst = 1000000 }
pair = { rate = "100000/s", burst = 1000000 }
TOML

# The platform ends with this script, and its boxes with the lock that it holds.
exec {lease}>"$data/lease"
flock -x "$lease"
exec {said}< <(
    MOLTBOT_GATEWAY_MASTER_TOKEN="$token" exec "$target/smartbox" --data-dir "$data" up \
        --listen 127.0.0.1:0 --stop-boxes --lease "$data/lease" 2>"$data/said" {lease}>&-
)
up=$!
end() {
    local ended=$?
    kill "$up" 2>/dev/null && tail --pid="$up" -f /dev/null
    if [[ "$ended" != 0 ]]; then cat "$data/said" >&2; fi
    rm -rf "$data"
    exit "$ended"
}
trap end EXIT
url=""
while read -r line <&"$said"; do
    if [[ "$line" =~ http://127\.0\.0\.1:[0-9]+ ]]; then url="${BASH_REMATCH[0]}"; break; fi
done
[[ -n "$url" ]] || { echo "the platform did not start" >&2; exit 1; }
cat <&"$said" >/dev/null &

# The fuzzer makes no tar archives.
"$place/bin/schemathesis" --config-file scripts/fuzz-api.toml run "$url/api/openapi.json" --url "$url" \
    --header "Authorization: Bearer $token" --max-examples "$examples" --request-timeout 60 \
    --exclude-operation-id files_unpack --phases coverage,fuzzing --generation-database none --continue-on-failure --no-color \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance "$@"
