#!/usr/bin/env bash
# walras simulate from the outside: files, exit statuses, Ctrl-C and going on.
set -u
walras=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
week=$source/examples/week/week.json

expect() { # STATUS PATTERN COMMAND...
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

run() { # DIR OPTION...
    local out=$1
    shift
    "$walras" simulate "$week" --days 2 --replan 2 --gap 1e-3 --out "$out" --quiet "$@"
}

# The same in the background, stopped once it has done something. Ctrl-C is SIGINT, which a shell's
# background jobs do not take: env gives it back.
stopped() { # DIR
    (exec env --default-signal=INT "$walras" simulate "$week" --days 2 --replan 2 --gap 1e-3 \
        --out "$1" --quiet) &
    local pid=$!
    while [ ! -e "$1/state.json" ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
    kill -INT $pid 2>/dev/null
    wait $pid
}

# all columns but the seconds, which no run repeats
without_seconds() { # FILE
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "seconds") skip = i }
             { $skip = ""; print }' "$1"
}

expect 0 'usage: walras simulate FILE*' "$walras" simulate --help
expect 2 'walras: simulate: --resume needs --out DIR*' "$walras" simulate "$week" --resume
expect 2 'walras: simulate: --days must be a whole number*' "$walras" simulate "$week" --days 0
expect 2 "*week.json: planning anew every 25 steps needs a horizon of at least as many, it has 24" \
    "$walras" simulate "$week" --replan 25
expect 2 '*week.csv: column "*": 215 rows from row 0 are needed, the file has 192 rows' \
    "$walras" simulate "$week" --days 8 --replan 1
expect 1 "walras: $work/none/state.json: cannot open: No such file or directory" run "$work/none" --resume

run "$work/whole" # on/off decisions may leave gaps: 0 or 3
expect 0 'days.csv prices.csv simulation.json windows.csv ' bash -c "ls '$work/whole' | tr '\n' ' '"
expect 0 '25' bash -c "wc -l <'$work/whole/windows.csv' | tr -d ' '"
expect 0 '*,cold,*' sed -n 2p "$work/whole/windows.csv"
expect 0 '*,warm,*' sed -n 3p "$work/whole/windows.csv"

expect 3 '' stopped "$work/part"
expect 0 '*"status": "stopped"*' cat "$work/part/simulation.json"
expect 2 "walras: $work/part/state.json: /settings: the options differ: *" \
    "$walras" simulate "$week" --days 2 --replan 3 --gap 1e-3 --out "$work/part" --quiet --resume
cp -r "$work/part" "$work/other"
printf 'x' >>"$work/other/state.json"
expect 2 "walras: $work/other/state.json:*" run "$work/other" --resume
run "$work/part" --resume
expect 0 '' cmp <(without_seconds "$work/whole/windows.csv") <(without_seconds "$work/part/windows.csv")
expect 0 '' cmp <(without_seconds "$work/whole/days.csv") <(without_seconds "$work/part/days.csv")
expect 0 '' cmp "$work/whole/prices.csv" "$work/part/prices.csv"
expect 1 '' test -e "$work/part/state.json"

# a scenario that has changed meanwhile
mkdir "$work/mine"
cp "$source"/examples/week/week.* "$work/mine"
week=$work/mine/week.json
expect 3 '' stopped "$work/changed"
sed -i 's/^30,[0-9.]*,/30,77.77,/' "$work/mine/week.csv"
expect 2 "walras: $work/changed/state.json: /market: the scenario or a file it names has changed: *" \
    run "$work/changed" --resume

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
