#!/usr/bin/env bash
# The count at the end of `./dev test`: each way a program can end is counted once, with its reason.
#   test_counts.sh SOURCE-DIRECTORY
set -euo pipefail

script=$(cd "$1/tools" && pwd)/tests.awk
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

# program NAME VERDICT: what ctest says of a program; its output is read from stdin
program() {
    echo " 1/9 Test  #1: $1 ......................$2   0.00 sec" >>ctest.log
    {
        printf '1/9 Testing: %s\n1/9 Test: %s\nOutput:\n----------\n' "$1" "$1"
        cat
        printf '<end of output>\nTest time =   0.00 sec\n----------\nTest Passed.\n'
    } >>last.log
}

# counts STATUS LAST-LINE CTEST-STATUS: judges what has been written, and begins anew
counts() {
    local said status=0

    said=$(awk -v ctest_status="$3" -f "$script" ctest.log last.log 2>&1) || status=$?
    if [ "$status" -ne "$1" ] || [ "${said##*$'\n'}" != "$2" ]; then
        echo "FAILED: expected status $1 and \"$2\", got $status and: $said"
        failed=1
    fi
    rm ctest.log last.log
}

program clean "   Passed" <<'TEXT'
  Test: one ...passed
  Test: two ...seed 1 (set WALRAS_TEST_SEED to change it)
passed
TEXT
program "script" "   Passed" </dev/null
counts 0 "3 passed, 0 failed, 0 skipped" 0

program half "***Skipped" <<'TEXT'
  Test: one ...passed
  Test: two ...skipped: reference file x is not here
passed
TEXT
program none "***Skipped" <<<"skipped: no gnuplot"
program silent "***Skipped" </dev/null
counts 0 "1 passed, 0 failed, 3 skipped" 0

program bad "***Failed" <<'TEXT'
  Test: one ...passed
  Test: two ...
FAILED
    1. x.c:5  - CU_ASSERT_EQUAL(1,2)
TEXT
program crash "Subprocess aborted***Exception:" <<'TEXT'
  Test: one ...passed
  Test: two ...
TEXT
program lost "Exception: SegFault" </dev/null
program late "***Timeout" <<<"  Test: one ...passed"
program absent "***Not Run" </dev/null
counts 1 "3 passed, 5 failed, 0 skipped" 8

program none "***Skipped" <<<"skipped: no gnuplot"
counts 1 "0 passed, 0 failed, 1 skipped" 0

program clean "   Passed" <<<"  Test: one ...passed"
counts 1 "1 passed, 0 failed, 0 skipped" 8

exit $failed
