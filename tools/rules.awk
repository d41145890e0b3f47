# Rules of the house that neither compiler nor clang-tidy holds. Comments and strings do not count.

function complain(what)
{
    printf "%s:%d: %s\n", FILENAME, FNR, what
    bad = 1
}

# The line without comments and without what stands in quotes; `in_comment` lasts over lines.
function code_of(line,    code, two, c)
{
    code = ""
    while (line != "") {
        two = substr(line, 1, 2)
        c = substr(line, 1, 1)
        if (in_comment) {
            if (two == "*/") {
                in_comment = 0
                line = substr(line, 3)
            } else {
                line = substr(line, 2)
            }
        } else if (two == "/*") {
            in_comment = 1
            code = code " "
            line = substr(line, 3)
        } else if (two == "//") {
            line = ""
        } else if (match(line, /^"([^"\\]|\\.)*"/) || match(line, /^'([^'\\]|\\.)*'/)) {
            code = code c c
            line = substr(line, RLENGTH + 1)
        } else {
            code = code c
            line = substr(line, 2)
        }
    }
    return code
}

function check_include(header,    folder, path)
{
    folder = FILENAME
    if (!sub(/\/[^\/]*$/, "", folder))
        folder = "."
    if (header == "glpk.h" && folder != "lp")
        complain("only lp/ includes glpk.h: use lp/lp.h")
    if (header == "jansson.h" && folder != "core" && folder != "agents/sdk" && FILENAME != "bench/bench_floor.c")
        complain("only core/ includes jansson.h: use core's JSON reader")
    if (header == "curl/curl.h" && folder != "agents/sdk" && folder != "swarm" && folder !~ /^(tests|bench)/)
        complain("only agents/sdk/ and swarm/ include curl/curl.h")
    if (header == "mpi.h" && folder != "ranks")
        complain("only ranks/ includes mpi.h: use core/ranks.h")
    if ((header == "libpq-fe.h" || header == "sodium.h") && folder != "db" && folder != "tests/fuzz")
        complain("only db/ includes " header)
    if (header == "microhttpd.h" && folder != "api" && FILENAME != "bench/bench_floor.c")
        complain("only api/ includes microhttpd.h")
    if (header ~ /_internal\.h$/) {
        path = header
        if (sub(/\/[^\/]*$/, "", path) && path != folder && folder != "tests/fuzz")
            complain(header " is private to " path "/")
    }
}

BEGIN {
    banned = "sprintf vsprintf strcpy strcat strtok atoi atol atof gmtime localtime ctime asctime"
    n_banned = split(banned " rand srand system gets", name, " ")
    clock = "time gettimeofday clock_gettime clock"
    n_clock = split(clock, clock_name, " ")
}

FNR == 1 { in_comment = 0 }

!in_comment && /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    header = $0
    sub(/^[^<"]*[<"]/, "", header)
    sub(/[>"].*$/, "", header)
    check_include(header)
}

{
    code = " " code_of($0)
    for (i = 1; i <= n_banned; i++)
        if (code ~ "[^A-Za-z0-9_]" name[i] "[ \t]*\\(")
            complain(name[i] "() is banned (docs/decisions.md)")
    if (FILENAME !~ /^(core\/clock\.c|agents\/sdk\/transport\.c|bench\/)/)
        for (i = 1; i <= n_clock; i++)
            if (code ~ "[^A-Za-z0-9_>.]" clock_name[i] "[ \t]*\\(")
                complain(clock_name[i] "() is for core/clock.c only")
}

END { exit bad }
