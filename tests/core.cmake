walras_test(test_status SOURCES unit/test_status.c USES core)
walras_test(test_clock SOURCES unit/test_clock.c USES core)
walras_test(test_pool SOURCES unit/test_pool.c USES core)
