# cpack -G DEB (in the build folder): libdose_VERSION_ARCHITECTURE.deb with the command, the libraries, the
# headers and the data.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME libdose)
set(CPACK_PACKAGE_VENDOR "libdose developers")
set(CPACK_PACKAGE_CONTACT "libdose developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGE_DESCRIPTION
  "Collapsed-cone superposition and pencil beam on DICOM CT, RTSTRUCT and RTPLAN, in absolute dose \
per monitor unit:
the command dose, a C library, C++ libraries, headers, generic beam models and material tables.
Not a medical device.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
  WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
# What only a C++ program that is built against libdose::core and libdose::io needs.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libeigen3-dev, libdcmtk-dev, libhdf5-dev, libssl-dev, libyaml-cpp-dev")
include(CPack)
