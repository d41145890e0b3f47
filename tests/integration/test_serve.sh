#!/usr/bin/env bash
# walras serve: settings, a private cluster, stopping.   test_serve.sh WALRAS
set -euo pipefail

walras=$1
work=$(mktemp -d)
chmod 755 "$work"
server=

# What is still running when the test ends early is ended by its process id.
clean_up() {
    local pid

    for pid in $server $(head -1 "$work/data/pg/postmaster.pid" 2>/dev/null); do
        kill -QUIT "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT
for name in $(env | sed -n 's/^\(WALRAS_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

# shows TEXT COMMAND...: what it prints has the text
shows() {
    local text=$1 said

    shift
    said=$("$@" 2>&1) || fail "$* ended with $?: $said"
    [[ $said == *"$text"* ]] || fail "$*: no $text in: $said"
}

# refuses TEXT COMMAND...: exit status 2, and the text
refuses() {
    local text=$1 said status=0

    shift
    said=$("$@" 2>&1) || status=$?
    [ "$status" -eq 2 ] || fail "$* ended with $status"
    [[ $said == *"$text"* ]] || fail "$*: no $text in: $said"
}

# settings: the file, then the environment, then the command line
echo '{"idle_timeout": 11, "threads": 3, "log_requests": true}' >"$work/config.json"
shows '"idle_timeout": 120' "$walras" serve --print-config
shows '"idle_timeout": 11' "$walras" serve --print-config --config "$work/config.json"
shows '"log_requests": true' "$walras" serve --print-config --config "$work/config.json"
shows '"idle_timeout": 12' env WALRAS_IDLE_TIMEOUT=12 "$walras" serve --print-config --config "$work/config.json"
shows '"threads": 3' env WALRAS_CONFIG="$work/config.json" "$walras" serve --print-config
shows '"idle_timeout": 13' env WALRAS_IDLE_TIMEOUT=12 "$walras" serve --print-config --idle-timeout 13
shows '"log_requests": false' env WALRAS_LOG_REQUESTS=false "$walras" serve --print-config --config "$work/config.json"
"$walras" serve --print-config --db "host=h password=very-secret" >"$work/shown.json"
! grep -q very-secret "$work/shown.json" || fail "the password is shown"
shows '"db": ' "$walras" serve --print-config --config "$work/shown.json"
refuses 'WALRAS_THREADS must be' env WALRAS_THREADS=0 "$walras" serve --print-config
refuses 'WALRAS_LOG_REQUESTS must be' env WALRAS_LOG_REQUESTS=maybe "$walras" serve --print-config
echo '{"idle_timout": 11}' >"$work/bad.json"
refuses 'did you mean' "$walras" serve --print-config --config "$work/bad.json"
echo '{"idle_timeout": "x"}' >"$work/bad.json"
refuses '/idle_timeout' "$walras" serve --print-config --config "$work/bad.json"
refuses 'unknown option' "$walras" serve --lisen x

if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then
    [ "$failed" -eq 0 ] || exit 1
    echo "skipped: PostgreSQL is not here"
    exit 77
fi

# begin: starts the server on its cluster and waits until it listens
begin() {
    "$walras" serve --listen 127.0.0.1:0 --data "$work/data" 2>"$work/log" &
    server=$!
    for _ in $(seq 300); do
        ! grep -q '^listening' "$work/log" || return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    fail "the server does not listen: $(cat "$work/log")"
}

begin
said=$("$walras" key create op --role operator --data "$work/data" 2>&1) || fail "key create: $said"
refuses 'another walras uses' "$walras" serve --listen 127.0.0.1:0 --data "$work/data"
kill "$server"
status=0
wait "$server" || status=$?
[ "$status" -eq 0 ] || fail "SIGTERM ended it with $status: $(cat "$work/log")"
[ ! -e "$work/data/pg/postmaster.pid" ] || fail "PostgreSQL is still there"

# what a killed server leaves running is taken over
begin
postgres=$(head -1 "$work/data/pg/postmaster.pid")
kill -9 "$server"
wait "$server" 2>/dev/null || true
kill -0 "$postgres" || fail "PostgreSQL went down with the server"
begin
[ "$(head -1 "$work/data/pg/postmaster.pid")" = "$postgres" ] || fail "PostgreSQL was started anew"
kill "$server"
wait "$server" || fail "it did not stop as asked"
server=
[ ! -e "$work/data/pg/postmaster.pid" ] || fail "PostgreSQL is still there"
shows 'op ' "$walras" key list --data "$work/data"
exit $failed
