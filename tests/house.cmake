# Tests of the house itself: that its checks find faults, that its layers hold.
find_program(WALRAS_BASH bash REQUIRED)

# walras_script_test(<name> <script> ARGUMENT…): skips like the other tests.
function(walras_script_test name script)
    add_test(NAME ${name} COMMAND ${WALRAS_BASH} ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${ARGN})
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
endfunction()

walras_script_test(lint_rules house/lint_rules.sh ${CMAKE_SOURCE_DIR})
walras_script_test(test_counts house/test_counts.sh ${CMAKE_SOURCE_DIR})

# What each layer is compiled with, one line each: "<layer> <include directory> …".
set(layers core ranks lp grid market agents scenario)
if(WALRAS_SERVED)
    list(APPEND layers db api)
endif()
if(WALRAS_AGENTS)
    list(APPEND layers sdk swarm)
endif()
set(lines "")
foreach(layer IN LISTS layers)
    string(APPEND lines
        "${layer} $<JOIN:$<TARGET_PROPERTY:walras_${layer},INCLUDE_DIRECTORIES>, >\n")
endforeach()
file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/layers.txt CONTENT "${lines}")
walras_script_test(layers house/layers.sh ${CMAKE_C_COMPILER} ${CMAKE_CURRENT_BINARY_DIR}/layers.txt)
