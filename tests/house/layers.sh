#!/usr/bin/env bash
# Each layer can include the layers it may use, and cannot include any other.
#   layers.sh COMPILER LAYERS-FILE, whose lines are: layer include-directory…
set -euo pipefail

compiler=$1
layers_file=$2
failed=0

# A header of each layer, and who may include it. agents see of market the oracle only. Who sees
# agents/ sees its subfolder sdk/, too; only those that name it link it.
allowed() {
    cat <<'TEXT'
core/status.h      core ranks lp grid market agents scenario db api swarm
ranks/ranks.h      ranks
lp/lp.h            lp market agents scenario api swarm
grid/network.h     grid market scenario api swarm
market/oracle.h    market agents scenario api swarm
market/clearing.h  market scenario api swarm
agents/device.h    agents scenario api swarm
scenario/scenario.h scenario api swarm
db/session.h       db api
api/server.h       api
agents/sdk/wire.h  agents scenario api sdk swarm
swarm/swarm.h      swarm
TEXT
}

# compiles HEADER DIRECTORY…: includes it as the layer's own sources would
compiles() {
    local header=$1 flags=() directory

    shift
    for directory in "$@"; do
        flags+=(-I "$directory")
    done
    printf '#include "%s"\n' "$header" |
        "$compiler" -std=c17 -fsyntax-only "${flags[@]}" -x c - 2>&1
}

while read -r layer directories; do
    while read -r header users; do
        # shellcheck disable=SC2086 # one word a directory
        if said=$(compiles "$header" $directories); then
            found=yes
        elif [[ $said == *"fatal error: $header"* ]]; then
            found=no
        else
            found="an error: $said"
        fi
        case " $users " in *" $layer "*) expected=yes ;; *) expected=no ;; esac
        echo "$layer includes $header: $found"
        if [ "$found" != "$expected" ]; then
            echo "FAILED: $layer includes $header: $found, expected $expected"
            failed=1
        fi
    done < <(allowed)
done <"$layers_file"

if [ ! -s "$layers_file" ]; then
    echo "FAILED: $layers_file names no layer"
    failed=1
fi
exit $failed
