#!/usr/bin/env bash
# The checks of `./dev lint` find what they are for: every fault planted here must be reported, and
# the clean twin beside it must not.   lint_rules.sh SOURCE-DIRECTORY
set -euo pipefail

tools=$(cd "$1/tools" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir core ranks lp grid market db api cli
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

# finds SCRIPT FILE TEXT: the script reports FILE, with TEXT in the message
finds() {
    local said

    if said=$(awk -f "$tools/$1" "$2"); then
        fail "$1 let $2 pass"
    elif [[ $said != *"$3"* ]]; then
        fail "$1 on $2 said: $said"
    fi
}

passes() {
    local said

    said=$(awk -f "$tools/$1" "$2") || fail "$1 refused $2: $said"
}

# a function of N lines in all, its signature on two
function_of() {
    printf 'static enum walras_status\nlong_one(struct walras_err *err)\n{\n'
    printf '    step();\n%.0s' $(seq $(($1 - 4)))
    printf '}\n'
}

# lengths
function_of 100 >fits.c
passes ratchet.awk fits.c
function_of 101 >long.c
finds ratchet.awk long.c "long.c:1: this function has 101 lines"
{
    printf 'int before(void);\n\n/*\n * What it does.\n */\n'
    function_of 100
    printf '\nstatic const int table[] = {\n'
    printf '    1,\n%.0s' $(seq 200)
    printf '};\n\nstruct s {\n    int i;\n};\n\n'
    function_of 101
} >second.c
finds ratchet.awk second.c "second.c:314: this function has 101 lines"
{
    printf 'long_one() {\n'
    printf '    step\n%.0s' $(seq 99)
    printf '}\n'
} >long.sh
finds ratchet.awk long.sh "this function has 101 lines"
{
    printf 'void f(void)\n{\n#ifdef A\n    if (a) {\n#else\n    if (b) {\n#endif\n    }\n'
    printf '    step();\n%.0s' $(seq 93)
    printf '}\n'
} >branches.c
finds ratchet.awk branches.c "branches.c:1: this function has 102 lines"
{
    printf '#define LONG \\\n'
    printf '    step(); \\\n%.0s' $(seq 100)
    printf '    step()\n'
} >macro.h
finds ratchet.awk macro.h "this macro has 102 lines"
printf 'void f(void)\n{\n' >open.c
finds ratchet.awk open.c "not closed"
printf 'int i;\n%.0s' $(seq 1000) >full.c
passes ratchet.awk full.c
printf 'int i;\n%.0s' $(seq 1001) >over.c
finds ratchet.awk over.c "this file has 1001 lines"

# calls
for name in sprintf vsprintf strcpy strcat strtok atoi gmtime localtime rand system gets; do
    printf 'int f(void)\n{\n    return %s(a);\n}\n' "$name" >call.c
    finds rules.awk call.c "call.c:3: $name() is banned"
done
cat >calls.c <<'TEXT'
/* atoi(text) is never called, and the linear system (its
   solution by rand()) neither */
int n = snprintf(a, b, "system(%s) \" rand()", c); // gets(x)
char quote = '"'; /* " */ char *s = strtok_r(a, b, &c);
struct tm *t = gmtime_r(&now, &tm);
int my_rand(void), operand(int), atoi_like;
TEXT
passes rules.awk calls.c
printf 'char q = %s; rand();\n' "'\"'" >quoted.c
finds rules.awk quoted.c "rand() is banned"
printf 'double now = time(NULL);\n' >market/now.c
finds rules.awk market/now.c "time() is for core/clock.c"
printf 'double now = clock_gettime(CLOCK_MONOTONIC, &t);\n' >core/clock.c
passes rules.awk core/clock.c

# includes
printf '#include <glpk.h>\n' | tee lp/lp.c >grid/flow.c
passes rules.awk lp/lp.c
finds rules.awk grid/flow.c "only lp/ includes glpk.h"
printf '#  include "jansson.h" /* JSON */\n' | tee core/json.c >cli/main.c
passes rules.awk core/json.c
finds rules.awk cli/main.c "only core/ includes jansson.h"
printf '#include <mpi.h>\n' | tee ranks/ranks_mpi.c >market/crew.c
passes rules.awk ranks/ranks_mpi.c
finds rules.awk market/crew.c "only ranks/ includes mpi.h"
printf '#include <libpq-fe.h>\n' | tee db/session.c >api/http.c
passes rules.awk db/session.c
finds rules.awk api/http.c "only db/ includes libpq-fe.h"
printf '#include <microhttpd.h>\n' | tee api/http.c >cli/serve.c
passes rules.awk api/http.c
finds rules.awk cli/serve.c "only api/ includes microhttpd.h"
printf '#include "lp/lp_internal.h"\n#include "lp_internal.h"\n' | tee lp/fence.c >grid/fence.c
passes rules.awk lp/fence.c
finds rules.awk grid/fence.c "lp/lp_internal.h is private to lp/"

exit $failed
