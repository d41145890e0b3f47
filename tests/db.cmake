if(NOT WALRAS_SERVED)
    return()
endif()

add_library(walras_dbkit STATIC ${CMAKE_CURRENT_LIST_DIR}/dbkit.c)
walras_options(walras_dbkit)
target_include_directories(walras_dbkit PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(walras_dbkit PUBLIC walras_db walras_testkit)

walras_test(test_db SOURCES integration/test_db.c USES db LINKS walras_dbkit Threads::Threads m)
walras_test(test_lead SOURCES integration/test_lead.c USES db LINKS walras_dbkit)

add_test(NAME test_db_cli COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/integration/test_db.sh
    $<TARGET_FILE:walras>)
set_tests_properties(test_db_cli PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
