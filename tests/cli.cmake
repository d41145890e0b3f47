add_test(NAME test_cli COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_cli.sh
    $<TARGET_FILE:walras> ${CMAKE_SOURCE_DIR})
set_tests_properties(test_cli PROPERTIES TIMEOUT 120)

walras_test(test_cmd_clear SOURCES integration/test_cmd_clear.c USES core)
target_compile_definitions(test_cmd_clear PRIVATE WALRAS_BINARY="$<TARGET_FILE:walras>")
add_dependencies(test_cmd_clear walras)

add_test(NAME test_simulate_cli COMMAND bash
    ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_simulate.sh $<TARGET_FILE:walras>
    ${CMAKE_SOURCE_DIR})
set_tests_properties(test_simulate_cli PROPERTIES TIMEOUT 240)

add_test(NAME test_ranks COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_ranks.sh
    $<TARGET_FILE:walras> ${CMAKE_SOURCE_DIR})
set_tests_properties(test_ranks PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 400)

if(WALRAS_SERVED)
    set(installs_unit ON)
else()
    set(installs_unit OFF)
endif()
add_test(NAME test_install COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_install.sh
    ${CMAKE_COMMAND} ${CMAKE_BINARY_DIR} ${installs_unit})
set_tests_properties(test_install PROPERTIES TIMEOUT 60)
