if(NOT WALRAS_SERVED)
    return()
endif()

include(${CMAKE_CURRENT_LIST_DIR}/fuzz/fuzz_request.cmake)
walras_test(test_request SOURCES unit/test_request.c USES api)
walras_test(test_answers_scan SOURCES unit/test_answers_scan.c USES api)
walras_test(test_request_corpus SOURCES unit/test_request_corpus.c fuzz/fuzz_request.c USES api db
    LINKS PkgConfig::MICROHTTPD PkgConfig::LIBPQ)
walras_fuzz_request_wraps(test_request_corpus)

add_library(walras_openkit STATIC ${CMAKE_CURRENT_LIST_DIR}/openkit.c)
walras_options(walras_openkit)
target_compile_definitions(walras_openkit PRIVATE WALRAS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
target_include_directories(walras_openkit PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(walras_openkit PUBLIC walras_testkit)
walras_test(test_openapi SOURCES unit/test_openapi.c USES api
    LINKS walras_openkit PkgConfig::MICROHTTPD)

if(NOT WALRAS_AGENTS)
    message(STATUS "libcurl is not installed: building without the tests of the server")
    return()
endif()

add_library(walras_servekit STATIC ${CMAKE_CURRENT_LIST_DIR}/servekit.c
    ${CMAKE_CURRENT_LIST_DIR}/streamkit.c)
walras_options(walras_servekit)
target_compile_definitions(walras_servekit PRIVATE WALRAS_BINARY="$<TARGET_FILE:walras>")
target_include_directories(walras_servekit PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(walras_servekit PUBLIC walras_dbkit walras_openkit PkgConfig::CURL)

foreach(name test_api test_api_limits)
    walras_test(${name} SOURCES integration/${name}.c USES db LINKS walras_servekit)
    add_dependencies(${name} walras)
endforeach()

walras_test(test_sdk SOURCES integration/test_sdk.c USES db LINKS walras_servekit walras_sdk)
add_dependencies(test_sdk walras)

walras_test(test_authorisation SOURCES integration/test_authorisation.c USES api db
    LINKS walras_servekit PkgConfig::MICROHTTPD)
add_dependencies(test_authorisation walras)

add_library(walras_playkit STATIC ${CMAKE_CURRENT_LIST_DIR}/playkit.c
    ${CMAKE_CURRENT_LIST_DIR}/strikekit.c)
walras_options(walras_playkit)
target_link_libraries(walras_playkit PUBLIC walras_servekit walras_scenario m)
foreach(name test_rounds test_commit test_crash test_events test_failover test_follower test_hidden
        test_hostile test_outage test_agents)
    walras_test(${name} SOURCES integration/${name}.c USES db scenario LINKS walras_playkit)
    target_compile_definitions(${name} PRIVATE WALRAS_BINARY="$<TARGET_FILE:walras>"
        WALRAS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_dependencies(${name} walras)
endforeach()

set(sanitize_flag)
if(WALRAS_SANITIZE) # a list with commas in it, which generator expressions would part
    set(sanitize_flag "-fsanitize=${WALRAS_SANITIZE}")
endif()
target_compile_definitions(test_agents PRIVATE WALRAS_BUILD_DIR="${CMAKE_BINARY_DIR}"
    WALRAS_COMPILER="${CMAKE_C_COMPILER}" WALRAS_SANITIZE_FLAG="${sanitize_flag}")
add_dependencies(test_agents walras_sdk)

walras_test(test_swarm SOURCES integration/test_swarm.c USES db scenario LINKS walras_servekit)
target_compile_definitions(test_swarm PRIVATE WALRAS_BINARY="$<TARGET_FILE:walras>")
add_dependencies(test_swarm walras)

add_test(NAME test_serve COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_serve.sh
    $<TARGET_FILE:walras>)
set_tests_properties(test_serve PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
