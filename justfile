# Recipes are names for scripts and cargo; what takes more than a line is in scripts/.

# Lists the recipes.
default:
    @just --list

# Starts the platform.
run *args:
    cargo run --release -- up {{args}}

# The quick look while working: one room, or all of them.
check *args:
    cargo clippy {{ if args == "" { "--workspace" } else { "-p smartbox-" + args } }} --all-targets -- -D warnings

# The tests of one room, or every check as CI runs them.
test *room:
    {{ if room == "" { "bash .ci/test" } else { "cargo test -p smartbox-" + room } }}

# Formats everything.
fmt:
    cargo fmt --all

# Writes the generated pages.
gen:
    scripts/generate.sh

# Installs the engine for tests and prints where it is.
engine:
    @scripts/engine.sh

# Measures, beside the peers.
bench *args:
    scripts/bench.sh {{args}}
    scripts/bench-proxy.sh

# What well-behaved clients wait beside hostile ones, through the edge and nginx; alone on the machine.
bench-hostile:
    scripts/bench-hostile.sh

# What leaves, beside Debian's tinyproxy and squid, which must be installed.
bench-egress:
    cargo bench -p smartbox-egress --bench broker -- full

# Snapshots, beside restic and `tar | zstd`.
bench-snapshot megabytes="500":
    cargo bench -p smartbox-snapshot --bench beside -- {{megabytes}}

# A thousand smartboxes in one control plane, with puppet.
bench-fleet:
    cargo build --release --workspace
    cargo bench -p smartbox-cli --bench fleet

# Kills everything again and again, and counts messages.
chaos rounds="200" real="5":
    scripts/chaos.sh {{rounds}} {{real}}

# Takes snapshots of a box that writes without pause, and looks into each.
load-snapshot rounds="100":
    SMARTBOX_SNAPSHOT_ROUNDS={{rounds}} cargo test --release -p smartbox-snapshot --test it load::

# Imports an assistant in each of the layouts that are known, and asks it on the real engine.
arrivals:
    cargo build --workspace --bins
    SMARTBOX_TEST_ENGINE="$(scripts/engine.sh)" cargo test -p smartbox-cli --test e2e arrivals:: -- --include-ignored --nocapture

# Asks the API everything that its document allows, and much that it does not.
fuzz-api *args:
    scripts/fuzz-api.sh {{args}}

# What may leave, and what goes out and comes back with placeholders and secrets, against the simple references.
fuzz-egress cases="1000000":
    PROPTEST_CASES={{cases}} cargo test --release -p smartbox-core egress::decide
    PROPTEST_CASES={{cases}} cargo test --release -p smartbox-egress --test secrets

# Licences, bans and sources of what we depend on.
deny:
    cargo deny check bans licenses sources
