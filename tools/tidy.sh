#!/usr/bin/env bash
# clang-tidy over C files, in parallel:  tools/tidy.sh BUILD-DIRECTORY FILE...
#
# What was clean stays clean: a file is judged again only when it, a header, the compile commands
# or the checks have changed. The analyzer's way to a finding is left out: clang-tidy-14 -p
# BUILD-DIRECTORY FILE shows it.
set -euo pipefail

build=$1
shift
cache=$build/tidy
jobs=$(nproc 2>/dev/null || echo 2)
mkdir -p "$cache"

# everything but the file itself that a verdict depends on
common=$({
    clang-tidy-14 --version
    git ls-files -z -- '*.h' '*.clang-tidy' | xargs -0 -r cat
    cat "$build/compile_commands.json"
} | sha256sum | cut -d' ' -f1)

judge() {
    local build=$1 common=$2 file=$3 mark

    mark=$build/tidy/$({
        printf '%s\n' "$common" "$file"
        cat "$file"
    } | sha256sum | cut -d' ' -f1)
    if [ -e "$mark" ]; then
        return
    fi
    clang-tidy-14 --quiet -p "$build" "$file" 2>&1 |
        awk 'BEGIN { shown = 1 }
            / warnings? (generated|treated as error)/ { next }
            /: note: / { shown = 0 }
            /: (error|warning): / { shown = 1 }
            shown' &&
        : >"$mark"
}
export -f judge

printf '%s\0' "$@" |
    xargs -0 -n 1 -P "$jobs" bash -c 'set -euo pipefail; judge "$@"' judge "$build" "$common"
