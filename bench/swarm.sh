#!/usr/bin/env bash
# A market with thousands of agents over the network: rounds, seconds a round, in batches and agent by
# agent.   swarm.sh [AGENTS (10000) [STEPS (24)]]
#
# Eight feeders, full at night when cars charge, with as many homes each: batteries, cars and
# heat pumps as fleets make them. The server, its database and the agents share the machine.
set -euo pipefail

agents=${1:-10000}
steps=${2:-24}
walras=build/walras
source tools/server.sh
trap end_server EXIT
begin_server

awk -v agents="$agents" -v steps="$steps" 'BEGIN {
    feeders = 8
    split("90 86 82 79 78 80 89 104 124 135 124 109 98 90 85 83 85 94 112 136 159 169 155 125", price, " ")
    minutes = 1440 / steps
    printf "{\"walras\": 1, \"name\": \"crowd\", \"horizon\": {\"start\": \"2026-01-20T00:00:00+01:00\", "
    printf "\"step_minutes\": %d, \"steps\": %d},\n", minutes, steps
    printf " \"grid\": {\"base_mva\": 10, \"slack\": \"s\", \"buses\": [{\"id\": \"s\"}"
    for (f = 1; f <= feeders; f++)
        printf ", {\"id\": \"f%d\"}", f
    printf "],\n  \"lines\": ["
    for (f = 1; f <= feeders; f++)
        printf("%s{\"id\": \"l%d\", \"from\": \"s\", \"to\": \"f%d\", \"x_pu\": 0.01, \"limit_kw\": %.1f}",
            (f > 1 ? ", " : ""), f, f, 1.52 * agents / feeders)
    printf "]},\n \"supply\": [{\"id\": \"day-ahead\", \"bus\": \"s\", \"price_per_mwh\": ["
    for (t = 0; t < steps; t++)
        printf "%s%s", (t ? ", " : ""), price[int(t * 24 / steps) + 1]
    printf "]}],\n \"agents\": [], \"fleets\": ["
    for (f = 1; f <= feeders; f++)
        printf("%s{\"id\": \"f%d\", \"count\": %d, \"seed\": %d, \"buses\": [\"f%d\"], \"mix\": " \
            "{\"battery\": 0.25, \"ev\": 0.45, \"v2g\": 0.05, \"thermal\": 0.25}}", (f > 1 ? ",\n  " : ""), f,
            agents / feeders, 100 + f, f)
    printf "]}\n"
}' >"$work/crowd.json"

echo "== in process"
"$walras" clear "$work/crowd.json" --quiet --json |
    sed -n 's/^ *"\(objective\|rounds\|seconds\)": \([0-9.e+-]*\).*/\1 \2/p'
for mode in "--batch 500" "--per-agent"; do
    echo "== over the network, $mode"
    # shellcheck disable=SC2086 # two words
    timeout 550 "$walras" swarm --url "$url" --key "$work/op.key" --scenario "$work/crowd.json" --quiet \
        --market "m${mode//[^a-z0-9]/}" $mode
done
