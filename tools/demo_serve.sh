#!/usr/bin/env bash
# A server with a private database, the homes of the 33-bus feeder as agents on the network, a car in
# Python among them, and what comes of it beside `walras clear`.   demo_serve.sh WALRAS SOURCE-DIRECTORY
set -euo pipefail

walras=$1
source=$2
swarm=
car=
source "$source/tools/server.sh"

clean_up() {
    local pid

    for pid in $car $swarm; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    end_server
}
trap clean_up EXIT

value() { # value FILE KEY: the first number behind the key
    sed -n "s/.*\"$2\": \\(-\\{0,1\\}[0-9.e+-]*\\).*/\\1/p" "$1" | head -1
}

echo "Starting walras serve on a private PostgreSQL"
begin_server
"$walras" key create vendor --role agent --data "$work/data" >"$work/vendor.key" 2>/dev/null
echo "It listens at $url; its protocol is at $url/docs"

# the feeder, and a car that somebody else runs: 12 kWh between 18:00 and 24:00
cp "$source"/examples/feeder33/* "$work"
scenario=$work/feeder33.json
guest=()
if command -v python3 >/dev/null; then
    sed -i '$ s/\]}$/,\n  {"id": "car-of-a-vendor", "bus": "18", "devices": [{"id": "car", "type": "ev", "arrive": 72, "depart": 96, "energy_kwh": 12, "charge_kw": 7.4}]}]}/' "$scenario"
    guest=(--guest car-of-a-vendor --guest-bus 18 --guest-owner vendor)
fi

"$walras" swarm --url "$url" --key "$work/op.key" --scenario "$source/examples/feeder33/feeder33.json" --market demo \
    "${guest[@]}" --json >"$work/swarm.out" 2>"$work/swarm.log" &
swarm=$!
if [ "${#guest[@]}" -gt 0 ]; then
    until grep -q '^all have joined' "$work/swarm.log"; do
        kill -0 "$swarm" 2>/dev/null || break
        sleep 0.1
    done
    echo "A car in Python joins, examples/agent-python/agent.py"
    python3 "$source/examples/agent-python/agent.py" "$url" "$work/vendor.key" demo car-of-a-vendor 72 96 12 7.4 \
        >"$work/car.out" &
    car=$!
fi
tail -f --pid="$swarm" "$work/swarm.log" 2>/dev/null || true
wait "$swarm" || { echo "demo-serve: the market did not clear" >&2; exit 1; }
swarm=
if [ -n "$car" ]; then
    wait "$car" || { echo "demo-serve: the car failed" >&2; exit 1; }
    car=
fi
"$walras" clear "$scenario" --json --quiet >"$work/clear.out"

awk -v remote="$(value "$work/swarm.out" remote_agents)" -v rounds="$(value "$work/swarm.out" rounds)" \
    -v seconds="$(value "$work/swarm.out" clearing_s)" -v there="$(value "$work/swarm.out" objective)" \
    -v bound="$(value "$work/swarm.out" dual_bound)" -v here="$(value "$work/clear.out" objective)" \
    -v here_rounds="$(value "$work/clear.out" rounds)" -v here_s="$(value "$work/clear.out" seconds)" -v guests="${#guest[@]}" '
    BEGIN {
        printf "\n%-34s %10s %10s %16s\n", "", "rounds", "seconds", "cost in EUR"
        printf "%-34s %10d %10.2f %16.4f\n", "over the network, " remote + (guests > 0) " agents", rounds, seconds, there
        printf "%-34s %10d %10.2f %16.4f\n", "walras clear", here_rounds, here_s, here
        printf "%-34s %10s %10s %16.4f\n", "no plan costs less than", "", "", bound
        off = (there - here) / here
        if (off < 0) off = -off
        printf "\nthe two differ by %.1e of the cost; each is within 1e-4 of the best plan\n", off
        exit off > 2e-4
    }' || { echo "demo-serve: the two do not agree" >&2; exit 1; }
[ ! -s "$work/car.out" ] || sed 's/^/the car in Python: /' "$work/car.out" | cut -c 1-150
