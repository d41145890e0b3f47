walras_test(test_clearing SOURCES unit/test_clearing.c USES market)
