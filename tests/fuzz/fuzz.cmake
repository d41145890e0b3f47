# libFuzzer targets (preset "fuzz", clang): `./dev fuzz <name> [SECONDS]` runs one and keeps what
# reaches new code in tests/fuzz/corpus/<name>, which a unit test replays.
walras_fuzz(matpower SOURCES fuzz/fuzz_matpower.c USES grid)
walras_fuzz(scenario SOURCES fuzz/fuzz_scenario.c unit/same_scenario.c USES scenario)
walras_fuzz(run_state SOURCES fuzz/fuzz_run_state.c unit/run_state.c USES scenario)
if(WALRAS_SERVED)
    include(${CMAKE_CURRENT_LIST_DIR}/fuzz_request.cmake)
    walras_fuzz(answers SOURCES fuzz/fuzz_answers.c USES api)
    walras_fuzz(request SOURCES fuzz/fuzz_request.c USES api db
        LINKS PkgConfig::MICROHTTPD PkgConfig::LIBPQ)
    walras_fuzz_request_wraps(request)
endif()
