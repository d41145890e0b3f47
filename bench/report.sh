#!/usr/bin/env bash
# Writes bench/RESULTS.md and its charts from what was measured: `./dev bench results`.
set -euo pipefail
export LC_ALL=C.UTF-8

results=bench/results/peers.tsv machine=bench/results/machine.tsv devices=bench/results/devices.txt
report=bench/RESULTS.md images=bench/img work=build/peers

table() {
    awk -F '\t' -v steps="$1" -v kind="$2" -f bench/report.awk "$results"
}

steps_measured() {
    awk -F '\t' 'NR > 1 { print $2 }' "$results" | sort -nu
}

# The points of one peer and T: devices, value of a column; only what was solved.
points() {
    awk -F '\t' -v p="$1" -v t="$2" -v c="$3" \
        '$3 == p && $2 == t && ($4 == "solved" || $4 == "converged") { print $1, $c }' "$results"
}

# chart FILE COLUMN TITLE: one panel for each T, log-log.
chart() {
    local file=$1 column=$2 title=$3 peer t panels=() k

    mapfile -t panels < <(steps_measured)
    {
        printf '%s\n' "set encoding utf8" \
            "set terminal pngcairo size 1600,760 font 'DejaVu Sans,16' linewidth 1.5 noenhanced" \
            "set output '$images/$file.png'" \
            "set border 3 linecolor rgb '#9A9A9A'" \
            "set tics nomirror out scale 0.6 textcolor rgb '#333333'" \
            "set grid linetype 1 linecolor rgb '#E6E6E6' linewidth 0.8" \
            "set logscale xy" "set format x '%.0s%c'" "set xrange [70:*]" "set xlabel 'devices'" \
            "set key left top Left reverse samplen 1.6 textcolor rgb '#333333'" \
            "set multiplot layout 1,${#panels[@]} title '$title' font 'DejaVu Sans:Bold,20'"
        for t in "${panels[@]}"; do
            printf "set title 'T = %s'\nplot NaN notitle" "$t"
            k=0
            while IFS='|' read -r peer name color; do
                points "$peer" "$t" "$column" >"$work/points-$file-$peer-$t"
                k=$((k + 1))
                [ ! -s "$work/points-$file-$peer-$t" ] || printf \
                    ", '%s' using 1:2 with linespoints lc rgb '%s' pt 7 ps 1.1 lw %s title '%s'" \
                    "$work/points-$file-$peer-$t" "$color" "$((k == 1 ? 3 : 2))" "$name"
            done <<'PEERS'
walras|Walras|#C8102E
walras-1|Walras, one thread|#E78A97
clp-barrier|CLP barrier|#1F77B4
clp-dual|CLP dual simplex|#7FB2DB
highs-ds|HiGHS dual simplex|#2CA02C
highs-ipm|HiGHS interior point|#98D28E
glpk|GLPK|#8C8C8C
PEERS
            printf '\n'
        done
        printf 'unset multiplot\n'
    } >"$work/$file.gp"
    gnuplot "$work/$file.gp"
}

# Peers use one thread: what waited much longer than it computed shared the machine with others.
busy() {
    awk -F '\t' '$3 !~ /walras|peer/ && $4 == "solved" && $5 > 1.3 * $7 + 1 { n++ }
        END { if (n) print n }' "$results"
}

write_report() {
    local t

    cat <<'TEXT'
# Walras beside solvers of the whole linear program

One market, a congested 500-bus feeder (`bench/make_feeder.c`): five feeders with sixteen laterals
each, limits at the head of every feeder and lateral and on the exchange with the outside, loads,
roofs, batteries, cars that take and cars that give back, and heat pumps at every bus. Walras clears
it to a certified gap of 1e-4; the peers solve the same market as one linear program.

Written by `./dev bench results` from `bench/results/`, which `./dev bench peers` fills.

TEXT
    printf '| | |\n|---|---|\n'
    awk -F '\t' '{ printf "| %s | %s |\n", $1, $2 }' "$machine"
    cat <<'TEXT'

How it is measured:

- Every run is a process of its own, one after another, within 10 minutes and 8 GiB resident.
- Walras' seconds hold all it does: reading the scenario, making the fleets, clearing, awarding
  every device and the certificate. In brackets: clearing alone. It uses all cores; `one thread` does not.
- The peers get the program that `walras export --mps --short-names` writes. Their seconds are those
  of the whole process; in brackets, without reading the file, as they report it themselves. HiGHS is
  read by this benchmark's own Python, so only the bracket is HiGHS' own.
- All with their default tolerances and presolve, on one thread, as Debian builds them. CLP's
  barrier without crossover, which is faster: a vertex is not asked for.
- The program is sparse: flows and balances, no angles (the network is radial), every device with
  its states. What the peers find must lie between what Walras proves and what its plan costs; how
  far the plan is above the best optimum found is in the last table.
- `>` and `memory`: stopped at the limit. `-`: not tried, since it could not finish less.
TEXT
    [ -z "$(busy)" ] || printf '\n**Measured on a busy machine**: %s of the runs waited for others.\n' \
        "$(busy)"
    for t in $(steps_measured); do
        printf '\n## T = %s\n\nSeconds:\n\n' "$t"
        table "$t" seconds
        printf '\nPeak resident memory, MiB:\n\n'
        table "$t" memory
        printf '\nThe answers, and how many times the fastest peer needs the seconds of Walras:\n\n'
        table "$t" answers
    done
    printf '\n![Seconds against devices](img/peers-seconds.png)\n'
    printf '\n![Memory against devices](img/peers-memory.png)\n'
    if [ -f "$devices" ]; then
        printf '\n## One device: the exact solvers beside warm GLPK\n\n'
        printf 'Microseconds for one answer, one thread (`./dev bench bench_devices`):\n\n```\n'
        cat "$devices"
        printf '```\n'
    fi
}

main() {
    [ "${1:-}" != --again ] || rm -f "$devices"
    [ -s "$results" ] || { echo "results: nothing measured yet: ./dev bench peers" >&2 && exit 1; }
    mkdir -p "$images" "$work"
    [ -f "$devices" ] || { build/bench/bench_devices >"$devices.new" && mv "$devices.new" "$devices"; }
    chart peers-seconds 5 "Seconds of the whole process"
    chart peers-memory 8 "Peak resident memory, MiB"
    write_report >"$report.new"
    mv "$report.new" "$report"
    echo "Written: $report, $images/peers-seconds.png, $images/peers-memory.png"
}

main "$@"
