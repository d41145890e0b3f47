add_library(walras_resultkit STATIC ${CMAKE_CURRENT_LIST_DIR}/resultkit.c)
walras_options(walras_resultkit)
target_include_directories(walras_resultkit PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(walras_resultkit PUBLIC walras_scenario)

walras_test(test_awards SOURCES unit/test_awards.c USES scenario)
walras_test(test_certificate SOURCES unit/test_certificate.c USES scenario)
walras_test(test_result SOURCES unit/test_result.c USES scenario LINKS walras_resultkit)
walras_test(test_check SOURCES unit/test_check.c USES scenario LINKS walras_resultkit)
walras_test(test_digest SOURCES unit/test_digest.c USES scenario LINKS walras_resultkit)
walras_test(test_charts SOURCES unit/test_charts.c USES scenario LINKS walras_resultkit)
walras_test(test_scenario SOURCES unit/test_scenario.c unit/same_scenario.c unit/scenario_data.c USES scenario)
walras_test(test_fleets SOURCES unit/test_fleets.c unit/same_scenario.c unit/scenario_data.c
    USES scenario)
walras_test(test_bad_scenarios
    SOURCES unit/test_bad_scenarios.c unit/json_surgery.c unit/scenario_data.c
    USES scenario)

add_library(walras_marketkit STATIC ${CMAKE_CURRENT_LIST_DIR}/marketkit.c)
walras_options(walras_marketkit)
target_include_directories(walras_marketkit PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(walras_marketkit PUBLIC walras_scenario walras_testkit)
walras_test(test_random_markets SOURCES unit/test_random_markets.c unit/random_market.c
    unit/central_lp.c unit/judge.c USES scenario lp LINKS walras_marketkit)
walras_test(test_interior_markets SOURCES unit/test_interior_markets.c unit/random_market.c
    unit/central_lp.c unit/judge.c USES scenario lp LINKS walras_marketkit)
walras_test(test_reference_dcopf SOURCES unit/test_reference_dcopf.c USES scenario
    LINKS walras_marketkit)
walras_test(test_reference_oracle SOURCES unit/test_reference_oracle.c USES scenario
    LINKS walras_marketkit)
walras_test(test_feeders SOURCES unit/test_feeders.c USES scenario
    LINKS walras_marketkit walras_resultkit)
walras_test(test_random_feeders SOURCES unit/test_random_feeders.c unit/random_feeder.c
    unit/feeder_judge.c USES scenario lp LINKS walras_marketkit walras_gridkit)
walras_test(test_random_losses SOURCES unit/test_random_losses.c unit/random_feeder.c
    unit/feeder_judge.c USES scenario LINKS walras_marketkit walras_gridkit)
walras_test(test_cases SOURCES unit/test_cases.c USES scenario LINKS walras_marketkit)
walras_test(test_clear SOURCES unit/test_clear.c USES scenario
    LINKS walras_marketkit walras_resultkit)
walras_test(test_fleet_methods SOURCES unit/test_fleet_methods.c USES scenario LINKS walras_marketkit)
walras_test(test_compare SOURCES unit/test_compare.c USES scenario
    LINKS walras_marketkit walras_resultkit)
walras_test(test_export SOURCES unit/test_export.c unit/random_market.c unit/central_lp.c
    USES scenario lp LINKS walras_marketkit)
walras_test(test_simulate SOURCES unit/test_simulate.c unit/run_state.c USES scenario LINKS m)
walras_test(test_scenario_powerflow SOURCES unit/test_scenario_powerflow.c USES scenario
    LINKS walras_marketkit walras_resultkit m)
walras_test(test_physics SOURCES unit/test_physics.c USES scenario LINKS walras_marketkit)
walras_test(test_ac SOURCES unit/test_ac.c USES scenario LINKS walras_marketkit)
walras_test(test_losses SOURCES unit/test_losses.c USES scenario
    LINKS walras_marketkit walras_resultkit)
walras_test(test_guests SOURCES unit/test_guests.c USES scenario)
