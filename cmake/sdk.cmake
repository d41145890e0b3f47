# What agents on the network need: WALRAS_AGENTS is true when libcurl is there.
include(GNUInstallDirs)
pkg_check_modules(CURL IMPORTED_TARGET libcurl>=7.66)
if(CURL_FOUND)
    set(WALRAS_AGENTS TRUE)
else()
    set(WALRAS_AGENTS FALSE)
    message(STATUS "libwalras-agent and walras agent are not built; missing: libcurl4-openssl-dev")
endif()
