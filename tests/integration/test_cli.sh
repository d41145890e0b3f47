#!/usr/bin/env bash
# The command line as its user meets it: exit statuses, messages, files.
# usage: test_cli.sh WALRAS SOURCE_DIR
set -u
walras=$1 data=$2/tests/data/scenario source=$2
work=$(mktemp -d) failed=0 passed=0
trap 'rm -rf "$work"' EXIT

# expect EXIT_STATUS PATTERN COMMAND...: PATTERN (a shell pattern) is what stdout and stderr say.
expect() {
    local status=$1 pattern=$2 said
    shift 2
    said=$("$@" 2>&1)
    local got=$?
    # shellcheck disable=SC2053 # a pattern is meant
    if [ $got -eq "$status" ] && [[ $said == $pattern ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  exit status %s, expected %s; said: %s\n' "$*" $got "$status" "$said"
    fi
}

expect 0 'walras [0-9]*.[0-9]*.[0-9]*' "$walras" --version
expect 0 'usage: walras COMMAND*check*expand*export*powerflow*' "$walras" --help
expect 2 'walras: a command is missing*try: walras --help' "$walras"
expect 2 'walras: unknown command "chekc"; did you mean "check"?*' "$walras" chekc
expect 2 'walras: unknown command "frobnicate"*' "$walras" frobnicate

for command in check expand compare powerflow; do
    expect 0 "usage: walras $command*" "$walras" $command --help
    expect 2 "walras: $command: a file to read is missing*" "$walras" $command
    expect 2 "walras: $command: one file too many: \"b\"*" "$walras" $command a b
    expect 2 "walras: $command: unknown option --hlep; did you mean --help?*" \
        "$walras" $command --hlep a
    expect 1 'walras: /nowhere.json: cannot open: No such file or directory' \
        "$walras" $command /nowhere.json
    printf '{"walras": 1,\n "horizom": {}}' >"$work/bad.json"
    expect 2 "walras: $work/bad.json: /horizom: unknown key; did you mean \"horizon\"?" \
        "$walras" $command "$work/bad.json"
    printf '{"walras": 1,\n "horizon" {}}' >"$work/bad.json"
    expect 2 "walras: $work/bad.json:2:*" "$walras" $command "$work/bad.json"
done

expect 0 'market    every key*2 steps of 30 minutes*2 buses*battery*2*' \
    "$walras" check "$data/every_key.json"
expect 0 'market    case3*3 buses, 3 lines in service*' "$walras" check "$data/case3.m"
expect 0 '{*"name": "every key"*}' "$walras" expand "$data/every_key.json"

# every price method that there is, is told by the help and by the manual
methods=$("$walras" clear --method none x 2>&1 | sed -n 's/.*there are \(.*\)/\1/p' | head -1 | tr -d ,)
expect 0 '*bundle*subgradient*' echo "$methods"
for method in $methods; do
    expect 0 "*$method*" bash -c "'$walras' clear --help | grep -A1 -e --method"
    expect 0 "*$method*" grep -F "$method" "$2/docs/walras.1"
done

# written out whole, it is the same market wherever it lies
expect 0 '' "$walras" expand "$data/every_key.json" --out "$work/whole.json"
expect 0 '' "$walras" expand "$work/whole.json" --out="$work/again.json"
expect 0 '' cmp "$work/whole.json" "$work/again.json"
expect 2 'walras: expand: --out needs a value*' "$walras" expand "$work/whole.json" --out

# as one linear program: both formats, names long and short
expect 0 'usage: walras export FILE*--lp*--mps*' "$walras" export --help
expect 2 'walras: export: a file to read is missing*' "$walras" export --lp "$work/x.lp"
expect 2 'walras: export: where to? --lp FILE, --mps FILE or both*' \
    "$walras" export "$data/every_key.json"
expect 1 'walras: /nowhere/x.lp: cannot write: No such file or directory' \
    "$walras" export "$data/case3.m" --lp /nowhere/x.lp
expect 0 "$work/x.lp: * columns, * rows, * coefficients*$work/x.mps: * columns*" \
    "$walras" export "$data/every_key.json" --lp "$work/x.lp" --mps "$work/x.mps"
expect 0 '*balance(*End' cat "$work/x.lp"
expect 0 '*ROWS*ENDATA' cat "$work/x.mps"
expect 0 '*columns*' "$walras" export "$data/every_key.json" --lp "$work/x.lp" --short-names
expect 0 '*b0: *x0 *End' cat "$work/x.lp"
rm "$work/x.lp" "$work/x.mps"

# AC power flow: of cases and scenarios, tables and JSON, what has no solution
acpf=$source/tests/data/acpf
expect 0 'baran33: AC power flow*33 buses, 32 lines*losses     202.7 kW, 135.1 kvar*0.91309 p.u. at bus 18 *
  bus *
  18 *0.91309 *
  17 *
  line *
  l1 *1 - 2*' "$walras" powerflow "$acpf/baran33/case.m"
expect 0 '{*"name": "grainger4",*"bus": \["1", "2", "3", "4"\]*"vm_pu": \[1, *"loss_mw": 4.8*"line": \["l1", *"iterations": *}' \
    "$walras" powerflow "$acpf/grainger4/case.m" --json
expect 0 '*warning    generators at bus 10 would give * kvar, above their limit of 0 kvar*' \
    "$walras" powerflow "$data/case3.m"
expect 0 'two steps: AC power flow of fixed draws alone in step 1 *losses     280 kW*' \
    "$walras" powerflow "$acpf/steps/scenario.json"
expect 0 '*in step 0 *losses     0 kW*' "$walras" powerflow "$acpf/steps/scenario.json" --step 0
expect 0 '*gap*' "$walras" clear "$acpf/steps/scenario.json" --out "$work/cleared"
expect 0 'two steps: AC power flow of the plan in step 1 *' \
    "$walras" powerflow "$acpf/steps/scenario.json" --result "$work/cleared"
expect 2 "walras: $work/cleared/awards.csv: not a result of this scenario*" \
    "$walras" powerflow "$source/tests/data/scenario/every_key.json" --result "$work/cleared"
rm -r "$work/cleared"
expect 2 'walras: *: there is no step 2: steps are numbered 0 to 1' \
    "$walras" powerflow "$acpf/steps/scenario.json" --step 2
expect 2 'walras: *: a MATPOWER case is one state*' "$walras" powerflow "$acpf/baran33/case.m" --step 0
expect 2 'walras: powerflow: --rows must be a whole number*' "$walras" powerflow x --rows -1
sed 's/\t420\t/\t42000\t/' "$acpf/baran33/case.m" >"$work/case.m"
expect 4 'walras: baran33: no AC power flow: voltages collapse at * % of the powers asked for; lowest there is bus *' \
    "$walras" powerflow "$work/case.m" --json
sed 's/^\t6\t26\t.*/\t6\t26\t0.2030\t0.1034\t0\t0\t0\t0\t0\t0\t0;/' "$acpf/baran33/case.m" >"$work/case.m"
expect 2 "walras: $work/case.m: bus 26: no line in service connects the island of 8 buses *" \
    "$walras" powerflow "$work/case.m"
sed 's/0.2030\t0.1034/0\t0/' "$acpf/baran33/case.m" >"$work/case.m"
expect 2 "walras: $work/case.m:*: branch row 25: line l25: the reactance of a line in service must not be zero*" \
    "$walras" powerflow "$work/case.m"
sed 's/^\t2\t1\t/\t2\t3\t/' "$acpf/baran33/case.m" >"$work/case.m"
expect 2 "walras: $work/case.m:*: bus row 2: a second reference bus*" "$walras" powerflow "$work/case.m"
sed 's:/ 1e3;:/ 1e4;:' "$acpf/baran33/case.m" >"$work/case.m"
expect 2 "walras: $work/case.m:*: the statement 'mpc.bus* may change the case and is not understood*" \
    "$walras" powerflow "$work/case.m"
rm "$work/case.m"
expect 1 'walras: standard output: No space left on device' \
    bash -c "'$walras' powerflow '$acpf/baran33/case.m' >/dev/full"

# what cannot be written is told, and nothing is left behind
expect 1 'walras: /nowhere/x.json: cannot write: No such file or directory' \
    "$walras" expand "$data/every_key.json" --out /nowhere/x.json
expect 1 'walras: standard output: No space left on device' \
    bash -c "'$walras' expand '$data/every_key.json' >/dev/full"
mkdir "$work/place"
expect 1 "walras: $work/place: cannot put the file in place: *" \
    "$walras" expand "$data/every_key.json" --out "$work/place"
# bash counts the limit in kB: 1 stands for a disk that is nearly full
expect 1 "walras: $work/full.json: cannot write: File too large" \
    bash -c "trap '' XFSZ; ulimit -f 1; '$walras' expand '$data/every_key.json' --out '$work/full.json'"
expect 0 'again.json bad.json place whole.json ' bash -c "ls '$work' | tr '\n' ' '"

# methods compared: levels, files, exit statuses
shed='{"walras": 1, "name": "shed", "currency": "EUR", "horizon": {"start": "2026-07-01T00:00:00Z",
 "step_minutes": 60, "steps": 4}, "grid": {"copperplate": true}, "supply": [{"id": "s", "bus": "1",
 "price_per_mwh": [20, 70, 35, 60], "import_limit_kw": 12}], "agents": [{"id": "home", "bus": "1",
 "devices": [{"id": "load", "type": "load", "draw_kw": [3, LOAD, 5, 9]}, {"id": "bat",
 "type": "battery", "capacity_kwh": 9, "charge_kw": 4, "discharge_kw": 4, "start_kwh": 2}]}]}'
printf '%s' "${shed/LOAD/8}" >"$work/shed.json"
printf '%s' "${shed/LOAD/30}" >"$work/short.json"
expect 0 'shed: 2 price methods, gap asked for 1e-2*rounds to a gap of *1e-1 *1e-2 *in all*
messages to a gap of*seconds to a gap of*rounds, bound alone*at the end*bundle *gap reached*best of all*' \
    "$walras" compare "$work/shed.json" --methods bundle,subgradient --gap 1e-2
expect 3 'shed: 1 price method,*subgradient * round limit*' \
    "$walras" compare "$work/shed.json" --methods subgradient --max-rounds 2 --gap 1e-9
expect 4 '*bundle *cannot be cleared*subgradient *not run*bundle: *step 1*' \
    "$walras" compare "$work/short.json" --methods bundle,subgradient
expect 0 '{*"methods": \[*"method": "bundle"*"status": "converged"*}' \
    "$walras" compare "$work/shed.json" --methods bundle --json
expect 0 '*files in *: compare.json, compare.csv' \
    "$walras" compare "$work/shed.json" --methods bundle,subgradient --gap 0.1 --out "$work/cmp"
expect 0 'method,round,responses,seconds,bound,objective,gap,bound_gap' head -n 1 "$work/cmp/compare.csv"
expect 0 'compare.csv compare.json ' bash -c "ls '$work/cmp' | tr '\n' ' '"
if command -v gnuplot >/dev/null; then
    expect 0 '*compare.csv and charts*' "$walras" compare "$work/shed.json" --out "$work/cmp" --plots
    expect 0 'compare-bound.gp compare-bound.png compare.csv compare.gp compare.json compare.png ' \
        bash -c "ls '$work/cmp' | tr '\n' ' '"
    expect 0 '*' "$walras" compare "$work/shed.json" --methods bundle --out "$work/cmp"
    expect 0 'compare.csv compare.json ' bash -c "ls '$work/cmp' | tr '\n' ' '"
fi
expect 2 'walras: compare: --methods: there is no price method "bundel"; did you mean "bundle"?*there are bundle*' \
    "$walras" compare "$work/shed.json" --methods subgradient,bundel
expect 2 '*"bundle" is named twice*' "$walras" compare "$work/shed.json" --methods bundle,bundle
expect 2 '*the name of a price method is empty*' "$walras" compare "$work/shed.json" --methods bundle,
expect 2 '*--plots needs --out DIR*' "$walras" compare "$work/shed.json" --plots
expect 1 'walras: /proc/no: cannot make the directory*' \
    "$walras" compare "$work/shed.json" --methods bundle --out /proc/no/such/place
expect 1 'walras: standard output: No space left on device' \
    bash -c "'$walras' compare '$work/shed.json' --methods bundle >/dev/full"

# asked to stop, the method under way is shown with what it found, the rest is not run
stopped() {
    local pid caught=0

    "$@" &
    pid=$!
    while kill -0 $pid 2>/dev/null && [ $caught -eq 0 ]; do # until it minds SIGTERM, signal 15
        [ "/proc/$pid/exe" -ef "$1" ] && # and is the program: the shell that becomes it minds it too
            caught=$((0x0$(awk '$1 == "SigCgt:" { print $2 }' /proc/$pid/status) & 0x4000))
        sleep 0.01
    done
    kill -TERM $pid
    wait $pid
}
if [ -r /proc/self/status ]; then
    expect 3 '*walras: stopped as asked; *bundle *not run*' stopped "$walras" compare \
        "$source/examples/feeder33/feeder33.json" --methods subgradient,bundle \
        --max-rounds 1000000 --time-limit 30
fi

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
