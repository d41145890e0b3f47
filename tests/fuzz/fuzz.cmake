# walras_fuzz(<name> SOURCES a.c USES grid LINKS …): a libFuzzer program (preset "fuzz", clang).
#
# Give it a directory to write to, then the kept corpus:
#     mkdir -p /tmp/found && build/fuzz/tests/fuzz_matpower /tmp/found tests/fuzz/corpus/matpower
# What it finds goes into the corpus (made small with -merge=1), which a unit test replays.
function(walras_fuzz name)
    cmake_parse_arguments(ARG "" "" "SOURCES;USES;LINKS" ${ARGN})
    list(TRANSFORM ARG_SOURCES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/)
    list(TRANSFORM ARG_USES PREPEND walras_)
    add_executable(${name} ${ARG_SOURCES})
    walras_options(${name})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${name} PRIVATE ${ARG_USES} ${ARG_LINKS})
endfunction()

walras_fuzz(fuzz_matpower SOURCES fuzz_matpower.c USES grid)
