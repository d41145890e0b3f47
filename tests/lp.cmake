walras_test(test_lp SOURCES unit/test_lp.c USES lp)
