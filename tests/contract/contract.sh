#!/usr/bin/env bash
# The OpenAPI document beside the server: Spectral reads it, and Prism stands in front of a real
# server on a real PostgreSQL while the document's examples are played.  contract.sh WALRAS [--write]
set -euo pipefail

walras=$1
mode=${2:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
document=$here/../../api/docs/openapi.json
tools=$here/node_modules/.bin
work=$(mktemp -d)
chmod 755 "$work"
server=
proxy=

# What runs when this ends is ended by its process id; PostgreSQL goes with its server.
clean_up() {
    [ -z "$proxy" ] || kill "$proxy" 2>/dev/null || true
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
for name in $(env | sed -n 's/^\(WALRAS_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done

die() {
    printf 'contract: %s\n' "$*" >&2
    exit 1
}

# wait_for PID LOG PATTERN: until the log has it
wait_for() {
    for _ in $(seq 600); do
        ! grep -q "$3" "$2" || return 0
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    cat "$2" >&2
    die "no \"$3\" in what it said"
}

lint() {
    "$tools/spectral" lint --ruleset "$here/spectral.yaml" --fail-severity warn "$document"
}

# Clients, by name, with role and secret, as JSON.
make_clients() {
    local separator='{' client role secret

    while read -r client role; do
        secret=$("$walras" key create "$client" --role "$role" --data "$work/data" | awk 'END { print $NF }')
        printf '%s"%s": {"role": "%s", "secret": "%s"}' "$separator" "$client" "$role" "$secret"
        separator=', '
    done <<'CLIENTS'
op operator
eye observer
vendor-a aggregator
vendor-b agent
CLIENTS
    printf '}\n'
}

[ -n "$mode" ] || lint
"$walras" serve --listen 127.0.0.1:0 --data "$work/data" 2>"$work/server.log" &
server=$!
wait_for "$server" "$work/server.log" '^listening'
url=$(sed -n 's/^listening url=\([^ ]*\).*/\1/p' "$work/server.log")
make_clients >"$work/clients.json"

# Prism takes no port of its own choosing: ask for one that is free now.
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
    console.log(s.address().port); s.close(); });')
"$tools/prism" proxy "$document" "$url" --host 127.0.0.1 --port "$port" >"$work/prism.log" 2>&1 &
proxy=$!
wait_for "$proxy" "$work/prism.log" 'is listening'
node "$here/replay.mjs" "$document" "http://127.0.0.1:$port" "$url" "$work/clients.json" $mode
