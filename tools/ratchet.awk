# Fails on functions over 100 lines and files over 1,000; there is no list of exceptions.
#
# Reads C as clang-format leaves it, and shell: a function's braces stand in the first column, or
# the opening one ends a line that begins there. A function counts from the first line of its
# signature to its closing brace, both included. A macro counts like a function.

function complain(file, line, what, n, limit)
{
    printf "%s:%d: %s has %d lines, the limit is %d\n", file, line, what, n, limit
    bad = 1
}

function end_file()
{
    if (file != "" && lines > file_limit)
        complain(file, lines, "this file", lines, file_limit)
    if (inside)
        complain_open()
}

function complain_open()
{
    printf "%s:%d: the function that begins here is not closed in the first column\n", file, first
    bad = 1
}

function end_function()
{
    if (FNR - first + 1 > function_limit)
        complain(FILENAME, first, "this function", FNR - first + 1, function_limit)
    inside = 0
    first = 0
}

BEGIN {
    function_limit = 100
    file_limit = 1000
}

FNR == 1 {
    end_file()
    file = FILENAME
    inside = first = macro = 0
}
{ lines = FNR }

# macros
macro || /^#[ \t]*define/ {
    if (!macro)
        macro = FNR
    if ($0 !~ /\\$/) {
        if (FNR - macro + 1 > function_limit)
            complain(FILENAME, macro, "this macro", FNR - macro + 1, function_limit)
        macro = 0
    }
    next
}

inside {
    if (/^[}]/)
        end_function()
    next
}

# between functions: where does the next signature begin?
/^[ \t]*$/ || /^#/ || /^\/[\/*]/ || /^ \*/ || /\*\/[ \t]*$/ || /^[}]/ || /;[ \t]*$/ {
    first = 0
    next
}
!first { first = FNR }
/^[{]/ || /^[A-Za-z_].*\) *[{][ \t]*$/ { inside = 1 }

END {
    end_file()
    exit bad
}
