#!/usr/bin/env bash
# The command line as its user meets it: exit statuses, messages, files.
# usage: test_cli.sh WALRAS SOURCE_DIR
set -u
walras=$1 data=$2/tests/data/scenario
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
expect 0 'usage: walras COMMAND*check*expand*export*' "$walras" --help
expect 2 'walras: a command is missing*try: walras --help' "$walras"
expect 2 'walras: unknown command "chekc"; did you mean "check"?*' "$walras" chekc
expect 2 'walras: unknown command "frobnicate"*' "$walras" frobnicate

for command in check expand; do
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

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
