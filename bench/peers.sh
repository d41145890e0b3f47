#!/usr/bin/env bash
# One market by Walras and by solvers of the whole linear program: `./dev bench peers --help`.
# Every run is a process of its own; what was measured is kept and not measured again.
set -euo pipefail
export LC_ALL=C

walras=build/walras tools=build/bench work=build/peers results=bench/results/peers.tsv
sizes=100,1000,10000,100000 steps=24,96 again=no budget_s=0 time_s=600 memory_mib=8192
all_peers=walras,walras-1,clp-barrier,clp-dual,highs-ds,highs-ipm,glpk
peers=$all_peers

usage() {
    cat <<TEXT
usage: ./dev bench peers [OPTION...]

Clears a congested 500-bus feeder with Walras and solves the same market, exported as one linear
program, with CLP, HiGHS (python3-scipy) and GLPK: each in a fresh process, one after another.
What is measured goes into $results at once; what stands there is not measured again.
Ends with writing bench/RESULTS.md.

  --sizes N,N...     devices ($sizes)
  --steps T,T...     steps of a day ($steps)
  --peers P,P...     of $all_peers
                     (walras-1 is Walras with one thread)
  --time-limit S     seconds a run may take ($time_s)
  --memory-limit M   resident MiB a run may take ($memory_mib)
  --budget S         start no run that could end later than so many seconds from now (no limit)
  --again            measure again what stands in the results
TEXT
}

die() {
    printf 'peers: %s\n' "$*" >&2
    exit 2
}

read_options() {
    while [ $# -gt 0 ]; do
        case $1 in
        --help) usage && exit 0 ;;
        --again) again=yes && shift && continue ;;
        esac
        [ $# -gt 1 ] || die "$1 needs a value, or is unknown: --help lists the options"
        case $1 in
        --sizes) sizes=$2 ;;
        --steps) steps=$2 ;;
        --peers) peers=$2 ;;
        --time-limit) time_s=$2 ;;
        --memory-limit) memory_mib=$2 ;;
        --budget) budget_s=$2 ;;
        *) die "unknown option $1: --help lists them" ;;
        esac
        shift 2
    done
    local peer

    for peer in ${peers//,/ }; do
        [[ ,$all_peers, == *,$peer,* ]] || die "no peer \"$peer\": $all_peers"
    done
}

# ---------------------------------------------------------------------------------------------
# results: devices, steps, peer, outcome, wall s, solve s, CPU s, peak MiB, objective, bound, note

header=$'devices\tsteps\tpeer\toutcome\twall_s\tsolve_s\tcpu_s\tpeak_mib\tobjective\tbound\tnote'

# field N T PEER COLUMN
field() {
    [ -f "$results" ] || return 0
    awk -F '\t' -v n="$1" -v t="$2" -v p="$3" -v c="$4" \
        '$1 == n && $2 == t && $3 == p { print $c }' "$results"
}

# keep N T PEER OUTCOME WALL SOLVE CPU PEAK OBJECTIVE BOUND NOTE: replaces what stood there.
keep() {
    local staged=$results.new row

    row=$(printf '%s\t' "$@")
    {
        printf '%s\n' "$header"
        {
            [ ! -f "$results" ] || awk -F '\t' -v n="$1" -v t="$2" -v p="$3" \
                'NR > 1 && !($1 == n && $2 == t && $3 == p)' "$results"
            printf '%s\n' "${row%$'\t'}"
        } | sort -t $'\t' -k2,2n -k1,1n -k3,3
    } >"$staged"
    mv "$staged" "$results"
    printf '%9s x %-3s %-12s %-9s %9s s wall %9s s solve %9s s CPU %8s MiB  %s %s\n' \
        "$1" "$2" "$3" "$4" "${5:--}" "${6:--}" "${7:--}" "${8:--}" "${9:--}" "${11:-}"
}

describe_machine() {
    {
        printf 'date\t%s\n' "$(date -u +%Y-%m-%d)"
        printf 'processor\t%s, %s cores\n' \
            "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)"
        printf 'memory\t%s GiB\n' "$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)"
        printf 'system\t%s, Linux %s\n' "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)" \
            "$(uname -r | cut -d. -f1,2)"
        printf 'compiler\t%s\n' "$(cc --version | head -n 1)"
        printf 'Walras\t%s, commit %s\n' "$("$walras" --version | cut -d' ' -f2)" \
            "$(git rev-parse --short=10 HEAD 2>/dev/null || echo unknown)"
        printf 'CLP\t%s\n' "$(clp -quit 2>&1 | sed -n 's/^Coin LP version \([0-9.]*\).*/\1/p')"
        printf 'HiGHS\tof SciPy %s\n' "$(/usr/bin/python3 -c 'import scipy; print(scipy.__version__)')"
        printf 'GLPK\t%s\n' "$(glpsol --version | sed -n '1s/.*Solver //p')"
    } >bench/results/machine.tsv
}

# ---------------------------------------------------------------------------------------------
# runs

# measured COMMAND...: its output goes to $work/log; outcome, exit, wall, cpu, peak are set.
measured() {
    "$tools/measure" "$time_s" "$memory_mib" "$work/report" "$@" >"$work/log" 2>&1
    read -r outcome exit_status wall cpu peak <"$work/report"
}

# in_json KEY: the first number or word of that key in the log.
in_json() {
    sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" "$work/log" | head -n 1
}

run_walras() {
    local n=$1 t=$2 peer=$3 options=()

    [ "$peer" = walras ] || options=(--threads 1)
    measured "$walras" clear "$work/market.json" --json "${options[@]}"
    local solve='' objective='' bound='' note=''

    if [ "$outcome" = ended ]; then
        outcome=$(in_json status) solve=$(in_json seconds)
        objective=$(in_json objective) bound=$(in_json dual_bound) note="$(in_json rounds) rounds"
        [ -n "$outcome" ] || outcome=failed
        [ "$outcome" = converged ] && outcome=solved
    fi
    keep "$n" "$t" "$peer" "$outcome" "$wall" "$solve" "$cpu" "$peak" "$objective" "$bound" "$note"
}

run_clp() {
    local how=(-crossover off -barrier) objective='' solve=''

    [ "$3" = clp-barrier ] || how=(-dualsimplex)
    measured clp "$work/market.mps" "${how[@]}"
    read -r objective solve < <(sed -n \
        's/^Optimal objective \([^ ]*\) - .* time \([0-9.]*\).*/\1 \2/p' "$work/log" | tail -n 1) || true
    [ -z "$objective" ] || outcome=solved
    finish_peer "$1" "$2" "$3" "$solve" "$objective"
}

run_glpk() {
    local objective='' solve=''

    measured glpsol --freemps "$work/market.mps"
    if grep -q '^OPTIMAL LP SOLUTION FOUND' "$work/log"; then
        outcome=solved
        objective=$(sed -n 's/.*obj = *\([^ ]*\).*/\1/p' "$work/log" | tail -n 1)
        solve=$(sed -n 's/^Time used: *\([0-9.]*\).*/\1/p' "$work/log")
    fi
    finish_peer "$1" "$2" "$3" "$solve" "$objective"
}

run_highs() {
    local solve='' objective='' status=''

    measured /usr/bin/python3 bench/highs_peer.py "$work/market.mps" "$3"
    if [ "$outcome" = ended ]; then
        read -r status objective _ solve < <(tail -n 1 "$work/log") || true
        [ "$status" != 0 ] || outcome=solved
    fi
    finish_peer "$1" "$2" "$3" "$solve" "$objective"
}

# What ended without an answer has failed, for want of memory more often than not.
finish_peer() {
    if [ "$outcome" = ended ]; then
        outcome=failed
        ! grep -qi 'memory\|bad_alloc' "$work/log" || outcome=memory
        cp "$work/log" "$work/failed-$1-$2-$3.log"
    fi
    keep "$1" "$2" "$3" "$outcome" "$wall" "$4" "$cpu" "$peak" "$5" '' ''
}

# The size below, of those measured, at which a peer could not finish any more; empty: none.
gave_up_below() {
    [ -f "$results" ] || return 0
    awk -F '\t' -v n="$1" -v t="$2" -v p="$3" '$1 < n && $2 == t && $3 == p &&
        ($4 == "time" || $4 == "memory" || $4 == "skipped") { print $1 }' "$results" | tail -n 1
}

export_market() {
    local n=$1 t=$2

    [ ! -f "$work/exported-$n-$t" ] || return 0
    rm -f "$work"/exported-*
    measured "$walras" export "$work/market.json" --mps "$work/market.mps" --short-names
    [ "$outcome" = ended ] && [ "$exit_status" -eq 0 ] || die "export: $(cat "$work/log")"
    keep "$n" "$t" export solved "$wall" '' "$cpu" "$peak" '' '' "$(sed 's/^[^:]*: //' "$work/log")"
    touch "$work/exported-$n-$t"
}

# Is there time left for one more run?
in_budget() {
    [ "$budget_s" -eq 0 ] || [ $((SECONDS + time_s)) -le "$budget_s" ]
}

run_one() {
    local n=$1 t=$2 peer=$3 below

    [ "$again" = yes ] || [ -z "$(field "$n" "$t" "$peer" 4)" ] || return 0
    below=
    [[ $peer == walras* ]] || below=$(gave_up_below "$n" "$t" "$peer")
    if [ -n "$below" ]; then
        keep "$n" "$t" "$peer" skipped '' '' '' '' '' '' "could not finish $below"
        return 0
    fi
    if ! in_budget; then
        printf '%9s x %-3s %-12s left for another time: the budget is spent\n' "$n" "$t" "$peer"
        return 0
    fi
    "$tools/make_feeder" "$n" "$t" "$work/market.json"
    case $peer in
    walras*) run_walras "$n" "$t" "$peer" ;;
    *)
        export_market "$n" "$t"
        "run_${peer%%-*}" "$n" "$t" "$peer"
        ;;
    esac
}

main() {
    local n t peer

    read_options "$@"
    mkdir -p "$work" bench/results
    rm -f "$work"/exported-*
    describe_machine
    for t in ${steps//,/ }; do
        for n in ${sizes//,/ }; do
            for peer in ${peers//,/ }; do
                run_one "$n" "$t" "$peer"
            done
        done
    done
    rm -f "$work/market.mps"
    bench/report.sh
}

main "$@"
