walras_test(test_device SOURCES unit/test_device.c USES agents)
walras_test(test_models SOURCES unit/test_models.c unit/random_devices.c USES agents)
walras_test(test_audit_random SOURCES unit/test_audit_random.c unit/random_devices.c USES agents LINKS m)
walras_test(test_storage SOURCES unit/test_storage.c USES agents LINKS m)
walras_test(test_thermal SOURCES unit/test_thermal.c USES agents LINKS m)
walras_test(test_smooth SOURCES unit/test_smooth.c unit/dual_bound.c unit/random_devices.c
    USES agents LINKS m)
walras_test(test_interior SOURCES unit/test_interior.c unit/inside.c unit/barrier.c
    unit/random_devices.c USES agents LINKS m)
walras_test(test_generator SOURCES unit/test_generator.c USES agents LINKS m)
walras_test(test_orders SOURCES unit/test_orders.c unit/random_devices.c USES agents LINKS m)
walras_test(test_audit SOURCES unit/test_audit.c USES agents LINKS m)
walras_test(test_model_integers SOURCES unit/test_model_integers.c unit/random_devices.c
    USES agents lp)
walras_test(test_book SOURCES unit/test_book.c USES agents LINKS m)
walras_test(test_fleet SOURCES unit/test_fleet.c USES agents LINKS m)

if(WALRAS_AGENTS)
    walras_test(test_wire SOURCES unit/test_wire.c LINKS walras_sdk)
endif()
