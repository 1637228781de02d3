#!/usr/bin/env bash
# The edge beside nginx, one after the other in turns, before the same trivial engine: requests a second,
# latency and processor time. Needs nginx and wrk. One worker each.
set -euo pipefail
cd "$(dirname "$0")/.."

work="$(mktemp -d)"
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
cargo build --release -p smartbox-edge --bench proxy --quiet
bench="$(cargo bench -p smartbox-edge --bench proxy --no-run 2>&1 | grep -oE '[^( ]*deps/proxy-[0-9a-f]+')"
EDGE_THREADS=1 "$bench" 17001 17002 >"$work/edge.log" 2>&1 &
cat >"$work/nginx.conf" <<CONF
daemon off; master_process off; pid $work/pid; error_log $work/error.log;
events { worker_connections 4096; }
http {
  access_log off; client_body_temp_path $work/a; proxy_temp_path $work/b; fastcgi_temp_path $work/c;
  uwsgi_temp_path $work/d; scgi_temp_path $work/e;
  upstream engine { server 127.0.0.1:17001; keepalive 128; }
  server { listen 127.0.0.1:17003; location / { proxy_pass http://engine; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_set_header Host \$host; proxy_buffering ${NGINX_BUFFERING:-on}; } }
}
CONF
nginx -c "$work/nginx.conf" >/dev/null 2>&1 &
load() {
    wrk -t1 "-c$3" "-d${SECONDS_EACH:-5}s" --latency -H 'Host: pa.localhost' -H 'Cookie: smartbox_session=good' \
        "http://127.0.0.1:$1$2" | awk '/50%|99%/ {printf "%s %s  ", $1, $2} /Requests\/sec/ {print $2 " requests/s"}'
}
for port in 17002 17003; do
    until wrk -t1 -c1 -d1s "http://127.0.0.1:$port/" >/dev/null 2>&1; do :; done
done
for round in 1 2; do
    for path in / /64k; do
        for clients in 1 32; do
            echo "round $round, $path, $clients clients: edge  $(load 17002 "$path" "$clients")"
            echo "round $round, $path, $clients clients: nginx $(load 17003 "$path" "$clients")"
        done
    done
done
