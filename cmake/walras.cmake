# How Walras' folders become libraries, and how the layers are kept.
#
# A folder `market` becomes the static library `walras_market`. Its headers are reached as
# "market/<file>.h" through build/layers/market, a directory that holds nothing but that folder, and
# only libraries that name `market` under USES get it on their include path: including a header of a
# layer to the right fails to compile, calling one fails to link.

set(WALRAS_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wdouble-promotion
    -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wpointer-arith -Wwrite-strings
    -Wformat=2 -Werror)
if(CMAKE_C_COMPILER_ID MATCHES Clang) # which minds even the constant -INFINITY; gcc's is on
    list(APPEND WALRAS_WARNINGS -Wno-double-promotion)
endif()

# A third-party library without a pkg-config file: target walras_dep_<name>.
function(walras_find_library name header)
    find_library(WALRAS_LIB_${name} ${name} REQUIRED)
    find_path(WALRAS_INC_${name} ${header} PATH_SUFFIXES ${ARGN} REQUIRED)
    add_library(walras_dep_${name} INTERFACE IMPORTED GLOBAL)
    target_link_libraries(walras_dep_${name} INTERFACE ${WALRAS_LIB_${name}})
    target_include_directories(walras_dep_${name} SYSTEM INTERFACE ${WALRAS_INC_${name}})
endfunction()

function(walras_options target)
    target_compile_options(${target} PRIVATE ${WALRAS_WARNINGS})
    target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L
        WALRAS_VERSION="${PROJECT_VERSION}")
    # sums must not depend on what the compiler contracts: results are compared bit by bit
    target_compile_options(${target} PRIVATE -ffp-contract=off)
    if(WALRAS_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=${WALRAS_SANITIZE}
            -fno-sanitize-recover=all -fno-omit-frame-pointer)
        target_link_options(${target} PUBLIC -fsanitize=${WALRAS_SANITIZE})
    endif()
    if(WALRAS_FUZZ)
        target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
endfunction()

# walras_layer(<folder> SOURCES a.c b.c USES core grid LINKS third-party…)
function(walras_layer folder)
    cmake_parse_arguments(ARG "" "" "SOURCES;USES;LINKS" ${ARGN})
    set(view ${CMAKE_BINARY_DIR}/layers/${folder})
    file(MAKE_DIRECTORY ${view})
    file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${folder} ${view}/${folder} SYMBOLIC)
    add_library(walras_${folder} STATIC ${ARG_SOURCES})
    walras_options(walras_${folder})
    target_include_directories(walras_${folder} PUBLIC ${view})
    list(TRANSFORM ARG_USES PREPEND walras_)
    target_link_libraries(walras_${folder} PUBLIC ${ARG_USES} PRIVATE ${ARG_LINKS})
endfunction()

# walras_test(<name> SOURCES test.c USES agents…): a CUnit program run by ctest.
# Exit status 77 means skipped, with the reason on stdout.
function(walras_test name)
    cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;USES;LINKS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    walras_options(${name})
    list(TRANSFORM ARG_USES PREPEND walras_)
    target_link_libraries(${name} PRIVATE ${ARG_USES} ${ARG_LINKS} walras_testkit)
    target_compile_definitions(${name} PRIVATE
        WALRAS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 600)
    endif()
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT ${ARG_TIMEOUT})
endfunction()

# walras_program(<name> <directory> SOURCES … USES … LINKS …): left in the build's <directory>.
function(walras_program name directory)
    cmake_parse_arguments(ARG "" "" "SOURCES;USES;LINKS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    walras_options(${name})
    list(TRANSFORM ARG_USES PREPEND walras_)
    target_link_libraries(${name} PRIVATE ${ARG_USES} ${ARG_LINKS})
    target_compile_definitions(${name} PRIVATE WALRAS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${directory})
endfunction()

add_custom_target(benchmarks)
add_custom_target(fuzz_targets)

# A program that measures, run by `./dev bench <name>`.
function(walras_bench name)
    walras_program(${name} bench ${ARGN})
    add_dependencies(benchmarks ${name})
endfunction()

# A libFuzzer target, run by `./dev fuzz <name>`; its corpus is tests/fuzz/corpus/<name>.
function(walras_fuzz name)
    walras_program(${name} targets ${ARGN})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz_targets ${name})
endfunction()

# walras_embed(<out.c> <table> <header> FILES…): text files as strings, see embed.cmake.
function(walras_embed out table header)
    list(JOIN ARGN "|" files)
    add_custom_command(OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DNAME=${table} -DHEADER=${header}
            "-DFILES=${files}" -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
        DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
endfunction()
