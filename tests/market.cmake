walras_test(test_clearing SOURCES unit/test_clearing.c USES market)

add_library(walras_marketbench STATIC ${CMAKE_CURRENT_LIST_DIR}/marketbench.c)
walras_options(walras_marketbench)
target_include_directories(walras_marketbench PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(walras_marketbench PUBLIC walras_market walras_testkit)

walras_test(test_master SOURCES unit/test_master.c USES market LINKS walras_marketbench)
walras_test(test_master_tree SOURCES unit/test_master_tree.c USES market)
walras_test(test_rows SOURCES unit/test_rows.c USES market LINKS walras_marketbench)
walras_test(test_cuts SOURCES unit/test_cuts.c USES market)
walras_test(test_award SOURCES unit/test_award.c USES market)

add_library(walras_quadkit STATIC ${CMAKE_CURRENT_LIST_DIR}/quadkit.c)
walras_options(walras_quadkit)
target_include_directories(walras_quadkit PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(walras_quadkit PUBLIC walras_market m)
walras_test(test_methods SOURCES unit/test_methods.c USES market LINKS walras_quadkit)
walras_test(test_curvature SOURCES unit/test_curvature.c USES market LINKS walras_marketbench)
