#!/usr/bin/env bash
# Markets where voltages bind, by Walras and by HiGHS: `./dev bench voltages [FILE.json...]`.
#
# Without files: the markets on the IEEE European low-voltage feeder of the reference data, where it
# is there, and generated districts (bench/make_district.c). Seconds are those of the clearing and
# of HiGHS's solve alone, of the same market exported as one linear program; a line a market.
set -euo pipefail
export LC_ALL=C

walras=build/walras work=build/voltages time_s=600 memory_mib=12000
reference=${WALRAS_REFERENCE:-../shared/data}

in_json() {
    sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" "$work/walras.log" | head -n 1
}

measured() {
    build/bench/measure "$time_s" "$memory_mib" "$work/report" "${@:2}" >"$work/$1.log" 2>&1
    read -r outcome _ _ _ peak_mib <"$work/report"
}

highs() {
    local status='' objective='' solve=''

    "$walras" export "$1" --mps "$work/market.mps" --short-names >"$work/export.log"
    measured highs /usr/bin/python3 bench/highs_peer.py "$work/market.mps" highs-ipm
    [ "$outcome" = ended ] || { printf '%s - -' "$outcome" && return; }
    read -r status objective _ solve < <(tail -n 1 "$work/highs.log") || true
    [ "$status" = 0 ] || { printf 'failed - -' && return; }
    printf 'solved %s %s' "$solve" "$objective"
}

compare() {
    local name=$1 file=$2 ends solve optimum cost bound

    measured walras "$walras" clear "$file" --json
    [ "$outcome" = ended ] || { printf '%-24s walras: %s\n' "$name" "$outcome" && return; }
    cost=$(in_json objective) bound=$(in_json dual_bound)
    local rounds seconds gap

    rounds=$(in_json rounds) seconds=$(in_json seconds) gap=$(in_json gap)
    read -r ends solve optimum < <(highs "$file") || true
    awk -v name="$name" -v rounds="$rounds" -v s="$seconds" -v gap="$gap" -v mib="$peak_mib" \
        -v ends="$ends" -v solve="$solve" -v best="$optimum" -v cost="$cost" -v bound="$bound" 'BEGIN {
        printf "%-24s %6d %9.2f %9.1e %7.0f   ", name, rounds, s, gap, mib
        if (ends != "solved") { printf "%9s\n", ends; exit }
        slack = 1e-6 * (best < 0 ? -best : best)
        printf "%9.2f %7.1f   %s\n", solve, solve / s,
            bound <= best + slack && best <= cost + slack ? "yes" : "NO: " best }'
}

mkdir -p "$work"
printf '%-24s %6s %9s %9s %7s   %9s %7s   %s\n' market rounds seconds gap MiB HiGHS/s ratio bracketed
if [ $# -gt 0 ]; then
    for file in "$@"; do
        compare "$(basename "$file" .json)" "$file"
    done
    exit
fi
for name in volt_n60_t24 ieeelv_t96; do
    file=$reference/oracle/$name.scenario.json
    if [ -f "$file" ]; then
        compare "$name" "$file"
    else
        printf '%-24s skipped: %s is not there\n' "$name" "$file"
    fi
done
for size in "1 2 300" "1 5 1000" "1 20 10000"; do
    read -r feeders stations devices <<<"$size"
    build/bench/make_district "$feeders" "$stations" "$devices" 24 "$work/market.json"
    compare "district-$devices" "$work/market.json"
done
