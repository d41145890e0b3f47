#!/usr/bin/env bash
# Everything `./dev lint` checks; needs a configured build/lint. Goes on after a failure, so that one
# run tells all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# a vendor's program is built as a vendor would, against what is installed (test_agents)
mapfile -d '' -t c_files < <(git ls-files -z -- '*.c' ':!examples/agent-c/*')
mapfile -d '' -t c_and_h < <(git ls-files -z -- '*.c' '*.h')
mapfile -d '' -t scripts < <(git ls-files -z -- dev .ci/run 'tools/*' '*.sh' '*.cmake')

check_format() {
    clang-format-14 --dry-run -Werror "${c_and_h[@]}"
}

check_lengths() {
    awk -f tools/ratchet.awk "${c_and_h[@]}" "${scripts[@]}"
}

check_rules() {
    awk -f tools/rules.awk "${c_and_h[@]}"
}

# A path of the machine somebody worked on means nothing on another.
check_paths() {
    local status=0

    git grep -nE '(^|[^[:alnum:]._:/-])/(work|root|home|Users|tmp/[a-z]+)/' || status=$?
    [ "$status" -eq 1 ] # 0: found some, above 1: git itself failed
}

check_tidy() {
    tools/tidy.sh build/lint "${c_files[@]}"
}

# Every file and picture that a page points to is there, and every page that the code speaks of.
check_links() {
    local page target missing=0

    while IFS=: read -r page target; do
        if [ ! -e "$target" ]; then
            echo "$page: speaks of $target, which is not there"
            missing=1
        fi
    done < <(git grep -oE 'docs/[a-z0-9_-]+\.md' -- '*.c' '*.h' '*.cmake' '*.txt' '*.awk' '*.sh' dev)

    # shellcheck disable=SC2016 # awk has its own variables
    while IFS=$'\t' read -r page target; do
        if [ ! -e "$(dirname "$page")/$target" ]; then
            echo "$page: points to $target, which is not there"
            missing=1
        fi
    done < <(git ls-files -z -- '*.md' | xargs -0 -r awk '{
        while (match($0, /\]\([^()]*\)/)) {
            target = substr($0, RSTART + 2, RLENGTH - 3)
            $0 = substr($0, RSTART + RLENGTH)
            sub(/#.*/, "", target)
            if (target != "" && target !~ /^[a-z]+:/)
                printf "%s\t%s\n", FILENAME, target
        }
    }')
    return "$missing"
}

# clang-tidy must mind our headers too: one with a planted fault is reported.
check_headers() {
    local work said

    work=$(mktemp -d)
    mkdir "$work/core"
    printf 'static inline int none(int a)\n{\n    return a - a;\n}\n' >"$work/core/planted.h"
    printf '#include "core/planted.h"\nint zero(void);\nint zero(void)\n{\n    return none(1);\n}\n' \
        >"$work/core/planted.c"
    said=$(clang-tidy-14 --quiet --config-file=.clang-tidy "$work/core/planted.c" -- -I "$work" 2>&1) ||
        true
    rm -rf "$work"
    [[ $said == *planted.h*misc-redundant-expression* ]]
}

failed=0
for check in format lengths rules paths links headers tidy; do
    if "check_$check"; then
        echo "lint: $check: ok"
    else
        echo "lint: $check: FAILED"
        failed=1
    fi
done
exit $failed
