#!/usr/bin/env bash
# What is installed works from where it is.   test_install.sh CMAKE BUILD-FOLDER SERVED
set -euo pipefail

cmake=$1 build=$2 served=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

"$cmake" --install "$build" --prefix "$work/there" --component walras >"$work/log" ||
    fail "cmake --install: $(cat "$work/log")"
walras=$work/there/bin/walras
said=$("$walras" --help) || fail "walras --help ended with $?"
[[ $said == *clear* ]] || fail "walras --help: $said"
manual=$work/there/share/man/man1/walras.1
if command -v man >/dev/null; then
    said=$(man --warnings -l "$manual" 2>&1 >"$work/page") || fail "man: $said"
    [ -z "$said" ] || fail "the manual: $said"
    grep -q serve "$work/page" || fail "the manual does not know walras serve"
fi
[ -f "$manual" ] || fail "no manual"

unit=$work/there/lib/systemd/system/walras.service
if [ "$served" = ON ]; then
    grep -qx "ExecStart=$walras serve" "$unit" || fail "the unit starts another program"
    if command -v systemd-analyze >/dev/null; then
        said=$(systemd-analyze verify --man=no "$unit" 2>&1) || fail "the unit: $said"
        [[ $said != *walras.service* ]] || fail "the unit: $said"
    fi
fi
exit $failed
