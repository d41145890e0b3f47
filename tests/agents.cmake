walras_test(test_device SOURCES unit/test_device.c USES agents)
walras_test(test_models SOURCES unit/test_models.c unit/random_devices.c USES agents)
walras_test(test_audit_random SOURCES unit/test_audit_random.c unit/random_devices.c USES agents LINKS m)
