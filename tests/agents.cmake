walras_test(test_device SOURCES unit/test_device.c USES agents)
