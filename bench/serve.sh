#!/usr/bin/env bash
# How many answers a second `walras serve` accepts and commits, beside a floor (the same HTTP server that parses the same JSON
# and forgets it) and beside PostgreSQL's own COPY of the same rows into a table of the same shape.   serve.sh [ANSWERS (30000)]
#
# An answer has five points, as markets have by default, so a round is answered first. "single": a request an answer, 256 connections; "batch": 100 answers a request, 64 connections. Load,
# server and database share the machine.
set -euo pipefail

answers=${1:-30000}
walras=build/walras
load=build/bench/bench_load
source tools/server.sh
trap end_server EXIT

numbers() { # numbers N VALUE: "VALUE, VALUE, …"
    awk -v n="$1" -v value="$2" 'BEGIN { for (i = 0; i < n; i++) printf "%s%s", (i ? ", " : ""), value }'
}

wait_for_round() { # wait_for_round STEPS NUMBER
    for _ in $(seq 10); do
        call GET "/v1/markets/m$1/round?wait=20&after=$(($2 - 1))"
        ! grep -q "\"round\": $2" "$work/said" || return 0
    done
    echo "serve: market m$1 opens no round $2" >&2
    exit 1
}

# A market of so many steps with round 2 open that waits for this many agents.
make_market() {
    local steps=$1 agents=$2

    call POST /v1/markets "{\"id\": \"m$steps\", \"grid\": \"g\", \"points\": 5, \"round_timeout_s\": 3600, \"horizon\": {\"start\":
        \"2026-01-20T00:00:00Z\", \"step_minutes\": $((1440 / steps)), \"steps\": $steps}, \"supply\": [{\"id\": \"s\", \"bus\": \"b\",
        \"price_per_mwh\": [$(numbers "$steps" 80)]}]}"
    call POST "/v1/markets/m$steps/open"
    sql -c "INSERT INTO agent (id, bus, kind, owner) SELECT 'a' || lpad(i::text, 6, '0'), 'b', 'remote', 'op'
            FROM generate_series(0, $agents - 1) AS i ON CONFLICT DO NOTHING" \
        -c "INSERT INTO participant (market, agent, fallback_kw) SELECT 'm$steps', 'a' || lpad(i::text, 6, '0'),
            array_fill(0::float8, ARRAY[$steps]) FROM generate_series(0, $agents - 1) AS i" \
        -c "ANALYZE agent" -c "ANALYZE participant"
    call POST "/v1/markets/m$steps/start"
    wait_for_round "$steps" 1
    "$load" "$url" answers "$work/op.key" "m$steps" 1 0 "$agents" 1 "$steps" 100 16 0 >/dev/null
    wait_for_round "$steps" 2
}

# copy_rate FORMAT STEPS: rows a second
copy_rate() {
    local format=$1 steps=$2 rows milliseconds

    sql -c "SET client_min_messages = error" -c "DROP TABLE IF EXISTS bench_copy" -c "CREATE TABLE bench_copy (LIKE response INCLUDING ALL)" \
        -c "ALTER TABLE bench_copy ADD FOREIGN KEY (market, round) REFERENCES round (market, number),
            ADD FOREIGN KEY (market, agent) REFERENCES participant (market, agent)" \
        -c "\\copy (SELECT * FROM response WHERE market = 'm$steps' AND round = 2 LIMIT $answers) TO '$work/rows' (FORMAT $format)"
    rows=$(sql -c "SELECT least($answers, count(*)) FROM response WHERE market = 'm$steps' AND round = 2")
    milliseconds=$(sql -c '\timing on' -c "\\copy bench_copy FROM '$work/rows' (FORMAT $format)" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p')
    awk -v rows="$rows" -v ms="$milliseconds" 'BEGIN { printf "%.0f", rows / ms * 1000 }'
}

ratio() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f %%", 100 * a / b }'
}

begin_server
keep build/bench/bench_floor 4
for _ in $(seq 100); do
    [ ! -s "$work/kept" ] || break
    sleep 0.1
done
floor_url=$(cat "$work/kept")
call PUT /v1/grids/g '{"slack": "b", "buses": [{"id": "b"}], "lines": []}'

printf '%-26s %10s %10s %10s %12s %12s %20s\n' "answers a second" "walras" "floor" "of floor" "COPY text" "COPY binary" "of COPY text, binary"
for steps in 24 96; do
    make_market "$steps" $((5 * answers))
    for batch in 1 100; do
        connections=$((batch == 1 ? 256 : 64))
        first=$((batch == 1 ? 0 : answers))
        read -r bare _ < <("$load" "$floor_url" answers - "m$steps" 2 0 "$answers" 5 "$steps" "$batch" "$connections" 0)
        read -r rate _ < <("$load" "$url" answers "$work/op.key" "m$steps" 2 "$first" "$answers" 5 "$steps" "$batch" "$connections" 0)
        text=$(copy_rate text "$steps")
        binary=$(copy_rate binary "$steps")
        printf '%-26s %10s %10s %10s %12s %12s %20s\n' "T = $steps, $([ "$batch" -eq 1 ] && echo single || echo batch of 100)" "$rate" "$bare" \
            "$(ratio "$rate" "$bare")" "$text" "$binary" "$(ratio "$rate" "$text"), $(ratio "$rate" "$binary")"
        [ "$batch" -gt 1 ] || single=$rate
    done
    half=$((single / 2))
    read -r rate p50 p99 < <("$load" "$url" answers "$work/op.key" "m$steps" 2 $((2 * answers)) \
        $((half * 5 < 3 * answers ? half * 5 : 3 * answers)) 5 "$steps" 1 256 "$half")
    echo "T = $steps, single, at half of that load ($half a second asked, $rate accepted): p50 $p50 ms, p99 $p99 ms"
    call POST "/v1/markets/m$steps/cancel"
done
