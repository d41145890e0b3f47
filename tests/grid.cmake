add_library(walras_gridkit STATIC ${CMAKE_CURRENT_LIST_DIR}/gridkit.c)
walras_options(walras_gridkit)
target_include_directories(walras_gridkit PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(walras_gridkit PUBLIC walras_grid m)

walras_test(test_network SOURCES unit/test_network.c USES grid LINKS walras_gridkit)
walras_test(test_limits SOURCES unit/test_limits.c USES grid LINKS walras_gridkit)
walras_test(test_lindist SOURCES unit/test_lindist.c USES grid LINKS walras_gridkit)
walras_test(test_matpower SOURCES unit/test_matpower.c USES grid)
walras_test(test_matpower_reference SOURCES unit/test_matpower_reference.c USES grid)
walras_test(test_grid_memory SOURCES unit/test_grid_memory.c USES grid
    LINKS -Wl,--wrap=calloc,--wrap=realloc,--wrap=malloc)
