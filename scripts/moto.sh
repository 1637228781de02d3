#!/usr/bin/env bash
# Installs, once, an S3 server that knows conditional writes (moto, from PyPI), and prints the path of its
# program. For tests.
set -euo pipefail

version=5.2.5
place="${XDG_CACHE_HOME:-$HOME/.cache}/smartbox-test/moto-$version"
mkdir -p "$(dirname "$place")"
# Several tests may ask at a time.
exec {lock}>"$place.lock"
flock -x "$lock"
if [[ ! -e "$place/installed" ]]; then
    rm -rf "$place"
    if ! python3 -m venv "$place" >&2 || ! "$place/bin/pip" install --quiet "moto[server]==$version" >&2; then
        rm -rf "$place"
        echo "moto could not be installed (python3, venv, PyPI)" >&2
        exit 1
    fi
    touch "$place/installed"
fi
echo "$place/bin/moto_server"
