# Counts the tests of one ctest run:  awk -v ctest_status=N -f tests.awk CTEST-OUTPUT LastTest.log
#
# ctest's output has the verdict on every program, its log what the program printed. A CUnit program
# counts by its cases, any other test as one. Lists what failed and what was skipped (a line
# "skipped: <reason>" says why) and ends with "N passed, N failed, N skipped". Exit status 1 when
# something failed, when nothing ran, or when ctest failed for any other reason.

function remember(kind, line)
{
    count[kind]++
    if (kind != "passed")
        listed[kind] = listed[kind] "  " line "\n"
}

function end_case(failed)
{
    n_case++
    if (failed) {
        n_case_failed++
        remember("failed", program ": " case_name)
    } else if (case_reason != "") {
        n_case_skipped++
        remember("skipped", program ": " case_name " (" case_reason ")")
    } else {
        remember("passed")
    }
    in_case = 0
}

# A program's verdict counts when its cases have not said it already.
function end_program()
{
    if (program == "")
        return
    if (in_case)
        end_case(1)
    if (verdict[program] ~ /Passed/) {
        if (n_case == 0)
            remember("passed")
    } else if (verdict[program] ~ /Skipped/) {
        if (n_case_skipped + n_case_failed == 0)
            remember("skipped", program " (" (reason == "" ? "no reason given" : reason) ")")
    } else if (n_case_failed == 0) {
        remember("failed", program ": " verdict[program])
    }
}

NR == FNR {
    if ($0 ~ /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: /) {
        sub(/^.*#[0-9]+: /, "")
        name = $1
        sub(/^[^ ]+ \.*[ *]*/, "")
        sub(/:? +[0-9.]+ sec.*$/, "")
        verdict[name] = $0
    }
    next
}

/^[0-9]+\/[0-9]+ Testing: / {
    end_program()
    program = $3
    in_output = in_case = n_case = n_case_failed = n_case_skipped = 0
    reason = ""
    next
}
/^Output:$/ { in_output = 1; next }
/^<end of output>$/ { in_output = 0; next }
!in_output { next }

/^  Test: / {
    if (in_case)
        end_case(1)
    in_case = 1
    case_reason = ""
    case_name = substr($0, 9)
    sub(/ \.\.\..*/, "", case_name)
    sub(/^.* \.\.\./, "")
}
/skipped: / {
    reason = $0
    sub(/^.*skipped: /, "", reason)
    case_reason = reason
}
in_case && /passed$/ { end_case(0) }
in_case && /FAILED$/ { end_case(1) }

END {
    end_program()
    if (listed["failed"] != "")
        printf "\nFailed:\n%s", listed["failed"]
    if (listed["skipped"] != "")
        printf "\nSkipped:\n%s", listed["skipped"]
    ran = count["passed"] + count["failed"]
    if (ran == 0)
        print "no test ran" >"/dev/stderr"
    printf "\n%d passed, %d failed, %d skipped\n", count["passed"], count["failed"],
        count["skipped"]
    exit (ctest_status != 0 || count["failed"] > 0 || ran == 0)
}
