# A server with a private database for a script that sources this: begin_server, end_server; beside it a program: keep, let_go.
# Sets work (a folder), server (a
# process), url, and op.key in the folder, the key of an operator. walras names the program.

# begin_server OPTION...: beside those that put no limit on how often one client asks
begin_server() {
    work=$(mktemp -d)
    chmod 755 "$work"
    "$walras" serve --listen 127.0.0.1:0 --data "$work/data" --requests-per-second 1e6 --request-burst 1e6 "$@" 2>"$work/log" &
    server=$!
    for _ in $(seq 600); do
        ! grep -qs '^listening' "$work/log" || break
        kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
        sleep 0.1
    done
    url=$(sed -n 's/^listening url=\([^ ]*\).*/\1/p' "$work/log")
    "$walras" key create op --role operator --data "$work/data" >"$work/op.key" 2>/dev/null
}

# keep COMMAND...: runs it until its input ends; what it says is in the folder's file "kept"
keep() {
    mkfifo "$work/hold"
    "$@" >"$work/kept" <"$work/hold" & # in this order: once it reads, nothing old is in "kept"
    kept=$!
    exec 9>"$work/hold"
    rm "$work/hold"
}

let_go() {
    [ -n "${kept:-}" ] || return 0
    exec 9>&-
    wait "$kept" 2>/dev/null || true
    kept=
}

end_server() {
    let_go
    if [ -n "${server:-}" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "${work:-}"
}

# its database
sql() {
    psql -q -At -v ON_ERROR_STOP=1 "host=$work/data/run port=5432 user=walras dbname=walras" "$@"
}

# call METHOD PATH [BODY]: as the operator, by the program that load names; the answer is in the folder's file "said"
call() {
    "$load" "$url" call "$work/op.key" "$@" >"$work/said" || { cat "$work/said" >&2; exit 1; }
}
