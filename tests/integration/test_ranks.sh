#!/usr/bin/env bash
# walras clear over MPI ranks: the same market, the same answer; failures of one rank reach all.
set -u
walras=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

if ! command -v mpirun >/dev/null; then
    echo "skipped: there is no mpirun"
    exit 77
fi
if ! ldd "$walras" | grep -q libmpi; then
    echo "skipped: walras is built without MPI"
    exit 77
fi

echo 'deadlock:mca_btl_' >"$work/open_mpi"
# Open MPI leaves memory of its own behind: leaks are looked for in the tests of one process. It also
# takes locks of its own in two orders: those of its components do not count, all others do.
ranks() { # R COMMAND...
    local n=$1
    shift
    timeout 120 env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" \
        TSAN_OPTIONS="${TSAN_OPTIONS:-}:suppressions=$work/open_mpi" OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
        mpirun --oversubscribe -n "$n" "$@"
}

check() { # WHAT, then a command that must hold
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
    fi
}

expect() { # STATUS PATTERN COMMAND...
    local status=$1 pattern=$2 said got
    shift 2
    said=$("$@" 2>&1)
    got=$?
    # shellcheck disable=SC2053 # a pattern is meant
    check "$*: exit status $got, expected $status; said: $said" \
        eval '[ "$got" -eq "$status" ] && [[ $said == $pattern ]]'
}

value() { # KEY DIR: of result.json, the first of that name
    grep -m 1 -oE "\"$1\": *[^,]*" "$2/result.json" | sed 's/^[^:]*: *//'
}

near() { # A B: equal but for 1e-9 of their size
    awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; d = d < 0 ? -d : d; s = a < 0 ? -a : a
                                     exit !(a != "" && b != "" && d <= 1e-9 * (s > 1 ? s : 1)) }'
}

same_awards() { # DIR DIR KW: the same devices in the same order, draws equal but for KW
    paste -d, "$1/awards.csv" "$2/awards.csv" | awk -F, -v most="$3" '
        NR == 1 { next }
        $1 != $5 || $2 != $6 || $3 != $7 || NF != 8 { bad = 1 }
        { d = $4 - $8; if (d > most || d < -most) bad = 1 }
        END { exit bad || NR < 2 }'
}

compare() { # DIR DIR KW
    check "$2: rounds $(value rounds "$1"), $(value rounds "$2")" \
        [ "$(value rounds "$1")" = "$(value rounds "$2")" ]
    check "$2: objective $(value objective "$1"), $(value objective "$2")" \
        near "$(value objective "$1")" "$(value objective "$2")"
    check "$2: certificate" [ "$(value clean "$2")" = true ]
    check "$2: awards" same_awards "$1" "$2" "$3"
}

head_of() { # NAME
    cat <<TEXT
{"walras": 1, "name": "$1", "currency": "EUR",
 "horizon": {"start": "2026-06-01T00:00:00+00:00", "step_minutes": 60, "steps": 24},
 "grid": {"model": "dc", "base_mva": 10, "slack": "a",
  "buses": [{"id": "a", "base_kv": 20}, {"id": "b", "base_kv": 20}],
  "lines": [{"id": "ab", "from": "a", "to": "b", "r_pu": 0.01, "x_pu": 0.01, "limit_kw": $2}]},
 "supply": [{"id": "grid", "bus": "a", "price_per_mwh":
   [50,45,40,40,45,60,80,90,85,70,60,50,45,45,50,60,80,110,120,110,90,80,70,60],
   "export_price_per_mwh": 20, "import_limit_kw": 1e6, "export_limit_kw": 1e6}],
TEXT
}

fleets() { # a market of fleets: convex devices, orders, a full line; two fleets, cut in one of them
    head_of fleets 420
    cat <<'TEXT'
 "fleets": [
  {"id": "f", "count": 400, "seed": 7, "buses": ["a", "b"],
   "mix": {"load": 0.3, "pv": 0.2, "battery": 0.2, "ev": 0.15, "v2g": 0.05, "thermal": 0.1}},
  {"id": "g", "count": 301, "seed": 8, "buses": ["b"],
   "mix": {"load": 0.5, "battery": 0.25, "thermal": 0.25}}]}
TEXT
}

agents() { # END_MIN_KWH of the last one's battery
    local i
    head_of agents 1000
    echo '"agents": ['
    for i in {1..29}; do
        echo "{\"id\": \"home-$i\", \"bus\": \"$([ $((i % 2)) = 0 ] && echo a || echo b)\"," \
            '"devices": [' \
            "{\"id\": \"load\", \"type\": \"load\", \"draw_kw\": $i, \"shed_price_per_mwh\": 900}," \
            "{\"id\": \"bid\", \"type\": \"bid\", \"demand\": [[$i, 75]]}," \
            '{"id": "bat", "type": "battery", "capacity_kwh": 20, "charge_kw": 5,' \
            "\"discharge_kw\": 5, \"start_kwh\": $((i % 9)), \"charge_efficiency\": 0.95," \
            '"discharge_efficiency": 0.95}]},'
    done
    echo '{"id": "last", "bus": "b", "devices": [{"id": "bat", "type": "battery",' \
        '"capacity_kwh": 100, "charge_kw": 1, "discharge_kw": 1, "start_kwh": 0,' \
        "\"charge_efficiency\": 0.9, \"discharge_efficiency\": 0.9, \"end_min_kwh\": $1}]}]}"
}

fleets >"$work/fleets.json"
agents 5 >"$work/agents.json"
agents 90 >"$work/unable.json"

for market in "$work/fleets.json" "$work/agents.json" "$source/examples/feeder33/feeder33.json"; do
    name=$work/$(basename "$market" .json)
    # which of many plans of one cost it is, rounding decides where many answers are mixed
    case $market in
    */agents.json) apart_kw=1e-6 ;;
    */feeder33.json) apart_kw=1e-4 ;;
    *) apart_kw=0.01 ;;
    esac
    "$walras" clear "$market" --method bundle --threads 1 --gap 1e-4 --quiet --out "$name-alone"
    for n in 1 2 3; do
        ranks $n "$walras" clear "$market" --method bundle --threads 1 --gap 1e-4 --quiet --out "$name-$n"
        compare "$name-alone" "$name-$n" "$apart_kw"
    done
done
for method in newton admm; do # whose questions are more than prices
    "$walras" clear "$work/fleets.json" --method $method --max-rounds 12 --quiet --out "$work/$method"
    ranks 2 "$walras" clear "$work/fleets.json" --method $method --max-rounds 12 --quiet \
        --out "$work/$method-2" 2>/dev/null
    compare "$work/$method" "$work/$method-2" 0.01
done

expect 4 '*agent last, device bat*' ranks 2 "$walras" clear "$work/unable.json"
expect 4 '*agent last, device bat*' ranks 3 "$walras" clear "$work/unable.json"
sed 's/"capacity_kwh": 100/"capacity_kwh": -1/' "$work/agents.json" >"$work/wrong.json"
expect 2 '*wrong.json: /agents/29/devices/0/capacity_kwh*' ranks 2 "$walras" clear "$work/wrong.json"
expect 1 '*not-there.json*' ranks 2 "$walras" clear "$work/not-there.json"
expect 1 "*$work/agents.json/out*" ranks 2 "$walras" clear "$work/agents.json" \
    --out "$work/agents.json/out"
expect 2 '*only clear works over several ranks*' ranks 2 "$walras" check "$work/agents.json"
expect 2 '*--plots is for one rank*' ranks 2 "$walras" clear "$work/agents.json" --plots \
    --out "$work/plots"

# a rank that is killed ends all
ranks 2 "$walras" clear "$work/fleets.json" --gap 1e-12 --max-rounds 1000000 --method subgradient \
    --quiet >/dev/null 2>&1 &
launcher=$!
victim=
for _ in {1..400}; do
    victim=$(pgrep -n -f "^$walras clear $work/fleets.json" || true)
    [ -n "$victim" ] && break
    sleep 0.05
done
sleep 1
check "a rank runs" [ -n "$victim" ]
kill -KILL "$victim"
wait $launcher
status=$?
check "a killed rank ends all: exit status $status" [ $status -ne 0 -a $status -ne 124 ]

echo "$passed checks passed, $failed failed"
[ $failed -eq 0 ]
