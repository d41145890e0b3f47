#!/usr/bin/env bash
# walras db and walras key on a private cluster.   test_db.sh WALRAS
set -euo pipefail

walras=$1
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then
    echo "skipped: PostgreSQL is not here"
    exit 77
fi
work=$(mktemp -d)
chmod 755 "$work" # a cluster started by root runs as another user, who must get there
trap 'rm -rf "$work"' EXIT
data=$work/data
unset WALRAS_DB WALRAS_DATA
failed=0

# expect STATUS TEXT COMMAND...: its exit status, and a text in what it writes
expect() {
    local status=0 said wanted=$1 text=$2

    shift 2
    said=$("$@" 2>&1) || status=$?
    if [ "$status" -ne "$wanted" ] || [[ $said != *"$text"* ]]; then
        echo "FAILED: $*: expected $wanted and \"$text\", got $status and: $said"
        failed=1
    fi
}

expect 0 "0 of" "$walras" db status --data "$data"
expect 0 "migrations applied" "$walras" db migrate --data "$data"
expect 0 "0 migrations applied" "$walras" db migrate --data "$data"
expect 0 "chain whole" env WALRAS_DATA="$data" "$walras" db status
expect 0 "client_secret" "$walras" key create op --role operator --data "$data"
expect 2 "already" "$walras" key create op --role agent --data "$data"
expect 2 "--role must be" "$walras" key create other --role king --data "$data"
expect 2 "letters, digits" "$walras" key create "a b" --role agent --data "$data"
expect 0 "operator" "$walras" key list --data "$data"
expect 0 "" "$walras" key revoke op --data "$data"
expect 0 "revoked" "$walras" key list --data "$data"
expect 2 "no client" "$walras" key revoke op --data "$data"
expect 0 "" "$walras" db backup "$work/all.dump" --data "$data"
expect 2 "not empty" "$walras" db restore "$work/all.dump" --data "$data"
expect 0 "" "$walras" db restore "$work/all.dump" --data "$work/second"
expect 0 "2 entries, chain whole" "$walras" db status --data "$work/second"
expect 1 "cannot be reached" "$walras" db status --db "host=$work dbname=x"
expect 2 "exclude each other" "$walras" db status --db x --data y
expect 2 "what to do" "$walras" db
expect 2 "what to do" "$walras" key creat
expect 2 "needs a NAME" "$walras" key create --role agent --data "$data"
expect 0 "usage: walras db" "$walras" db --help
expect 0 "usage: walras key" "$walras" key create --help
long=$work/$(printf 'x%.0s' $(seq 90))
expect 2 "too long" "$walras" db status --data "$long"

# what was started was stopped
pid=$(head -1 "$data/pg/postmaster.pid" 2>/dev/null || true)
if [ -n "$pid" ]; then
    echo "FAILED: PostgreSQL is still running: $pid"
    failed=1
fi
exit $failed
