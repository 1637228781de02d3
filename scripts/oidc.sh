#!/usr/bin/env bash
# Installs, once, two real issuers from npm (oidc-provider, oauth2-mock-server) with a Node.js that is new
# enough for them, and prints the directory: `bin/node` and `node_modules`. For tests.
set -euo pipefail

provider=9.13.3
mock=9.3.0
node=24.21.0
place="${XDG_CACHE_HOME:-$HOME/.cache}/smartbox-test/oidc-$provider-$mock-$node"
mkdir -p "$(dirname "$place")"
# Several tests may ask at a time.
exec {lock}>"$place.lock"
flock -x "$lock"
if [[ ! -e "$place/installed" ]]; then
    rm -rf "$place"
    mkdir -p "$place/bin"
    arch=x64
    [[ "$(uname -m)" != aarch64 ]] || arch=arm64
    echo '{ "private": true, "type": "module" }' >"$place/package.json"
    # No scripts: what is installed runs nothing until a test does.
    if ! npm install --prefix "$place" --ignore-scripts --no-audit --no-fund --silent --save-exact \
        "oidc-provider@$provider" "oauth2-mock-server@$mock" "node-linux-$arch@$node" >&2; then
        rm -rf "$place"
        echo "the issuers could not be installed (npm and its registry)" >&2
        exit 1
    fi
    ln -s "../node_modules/node-linux-$arch/bin/node" "$place/bin/node"
    touch "$place/installed"
fi
echo "$place"
