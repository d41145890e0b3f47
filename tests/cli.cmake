add_test(NAME test_cli COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_cli.sh
    $<TARGET_FILE:walras> ${CMAKE_SOURCE_DIR})
set_tests_properties(test_cli PROPERTIES TIMEOUT 120)
