#!/usr/bin/env bash
# What a server does while thousands wait: answers a second and its memory, alone, with 2,500 long polls and 2,500 event
# streams held open, and with 300 clients more that send a byte a second.   idle.sh [SECONDS (480)]
#
# Load is the same answers sent again: judged, compared with what is stored and acknowledged, so that the table does not grow
# and memory can be watched over millions of requests.
set -euo pipefail

seconds=${1:-480}
walras=build/walras
load=build/bench/bench_load
agents=10000
steps=24
source tools/server.sh
trap end_server EXIT

resident_mib() {
    awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$server/status"
}

# again SECONDS NAME: the same answers over and over; memory after the first hundred thousand and at the end
again() {
    local until=$((SECONDS + $1)) sum=0 n=0 worst=0 before= rate p50 p99

    while [ "$SECONDS" -lt "$until" ]; do
        read -r rate p50 p99 < <("$load" "$url" again "$work/op.key" m 1 0 $((10 * agents)) "$agents" "$steps" 256)
        sum=$(awk -v a="$sum" -v b="$rate" 'BEGIN { print a + b }')
        worst=$(awk -v a="$worst" -v b="$p99" 'BEGIN { print (a > b ? a : b) }')
        n=$((n + 1))
        before=${before:-$(resident_mib)} # once all threads have what they keep
    done
    awk -v sum="$sum" -v n="$n" -v worst="$worst" -v name="$2" -v agents="$agents" -v before="$before" -v after="$(resident_mib)" \
        'BEGIN { printf "%-44s %8.0f %9.1f %12d %9s %9s\n", name, sum / n, worst, n * 10 * agents, before, after }'
}

begin_server --max-connections 16000 --connections-per-client 16000 --event-streams 16000 --event-streams-per-client 16000
call PUT /v1/grids/g '{"slack": "b", "buses": [{"id": "b"}], "lines": []}'
call POST /v1/markets "{\"id\": \"m\", \"grid\": \"g\", \"points\": 1, \"round_timeout_s\": 3600, \"horizon\": {\"start\":
    \"2026-01-20T00:00:00Z\", \"step_minutes\": 60, \"steps\": $steps}, \"supply\": [{\"id\": \"s\", \"bus\": \"b\", \"price_per_mwh\": 80}]}"
call POST /v1/markets/m/open
# one more than answer, so that the round stays open
sql -c "INSERT INTO agent (id, bus, kind, owner) SELECT 'a' || lpad(i::text, 6, '0'), 'b', 'remote', 'op' FROM generate_series(0, $agents) AS i" \
    -c "INSERT INTO participant (market, agent, fallback_kw) SELECT 'm', 'a' || lpad(i::text, 6, '0'), array_fill(0::float8, ARRAY[$steps])
        FROM generate_series(0, $agents) AS i"
call POST /v1/markets/m/start
for _ in $(seq 10); do
    call GET "/v1/markets/m/round?wait=20"
    ! grep -q '"round": 1' "$work/said" || break
done
token=$("$load" "$url" token "$work/op.key")

hold() { # hold POLLS STREAMS SLOW
    keep build/bench/bench_idle "$url" "$token" m "$@"
    for _ in $(seq 600); do
        ! grep -qs ready "$work/kept" || return 0
        sleep 0.1
    done
    echo "idle: not all connections came about" >&2
    exit 1
}

let_all_go() {
    let_go
    tail -1 "$work/kept" | sed 's/^/    /'
}

printf '%-44s %8s %9s %12s %9s %9s\n' "" "a second" "p99 in ms" "answers" "MiB first" "MiB last"
again $((seconds / 4)) "alone"
hold 2500 2500 0
again $((seconds / 4)) "with 2,500 long polls and 2,500 streams"
let_all_go
hold 2500 2500 300
again $((seconds / 2)) "and 300 slow clients"
let_all_go
