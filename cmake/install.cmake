# cmake --install build [--prefix DIR]: the program, its manual and, where it serves, a systemd unit.
# The SDK installs itself (agents/sdk).
include(GNUInstallDirs)

install(TARGETS walras RUNTIME COMPONENT walras)
install(FILES docs/walras.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT walras)
if(WALRAS_SERVED)
    # the unit names the program by the place it is installed at
    set(unit ${CMAKE_CURRENT_BINARY_DIR}/walras.service)
    install(CODE "
        file(READ \"${CMAKE_CURRENT_SOURCE_DIR}/examples/walras.service\" text)
        string(REPLACE /usr/local/bin/walras
            \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/walras\" text \"\${text}\")
        file(WRITE \"${unit}\" \"\${text}\")" COMPONENT walras)
    install(FILES ${unit} DESTINATION lib/systemd/system COMPONENT walras)
endif()
