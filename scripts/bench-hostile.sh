#!/usr/bin/env bash
# What well-behaved clients wait while hostile ones are at it, through the edge and through nginx, before
# the same trivial engine. Needs nginx (nginx-light) and nothing else running: waits are measured.
set -euo pipefail
cd "$(dirname "$0")/.."
ulimit -n 20000

work="$(mktemp -d)"
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
cargo build --release -p smartbox-edge --benches --quiet
find_bench() { cargo bench -p smartbox-edge --bench "$1" --no-run 2>&1 | grep -oE "[^( ]*deps/$1-[0-9a-f]+"; }
bench="$(find_bench hostile)"
EDGE_LIMITS=1 EDGE_THREADS=1 "$(find_bench proxy)" 17001 17002 >"$work/edge.log" 2>&1 &
edge=$!
cat >"$work/nginx.conf" <<CONF
daemon off; master_process off; pid $work/pid; error_log $work/error.log crit;
worker_rlimit_nofile 20000;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path $work/a; proxy_temp_path $work/b; fastcgi_temp_path $work/c;
  uwsgi_temp_path $work/d; scgi_temp_path $work/e; client_header_timeout 30; send_timeout 30;
  upstream engine { server 127.0.0.1:17001; keepalive 128; }
  server { listen 127.0.0.1:17003; location / { proxy_pass http://engine; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_set_header Host \$host; } }
}
CONF
nginx -c "$work/nginx.conf" >/dev/null 2>&1 &
nginx=$!
for port in 17002 17003; do
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done
done
"$bench" "${SECONDS_EACH:-10}" "edge:17002:$edge" "nginx:17003:$nginx"
