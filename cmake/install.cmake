# What cmake --install brings, in three components: `programs` (with the pictures and models that they need, man pages
# and shell completion), `library` (a shared one; empty when gesso is static) and `development` (headers, the package of
# CMake and that of pkg-config). `cmake --install build --component programs` brings one of them.
include(CMakePackageConfigHelpers)
set(GESSO_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/gesso)

install(TARGETS gesso EXPORT gessoTargets
  RUNTIME COMPONENT library
  LIBRARY COMPONENT library NAMELINK_COMPONENT development
  ARCHIVE COMPONENT development)
install(DIRECTORY core autograd layers training DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gesso COMPONENT development
  FILES_MATCHING PATTERN *.h PATTERN gesso.h EXCLUDE PATTERN json.h EXCLUDE PATTERN training/onnx EXCLUDE)
install(FILES core/version.h training/gesso.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gesso COMPONENT development)
install(EXPORT gessoTargets NAMESPACE gesso:: DESTINATION ${GESSO_PACKAGE_DIR} COMPONENT development)
write_basic_package_version_file(gessoConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/gessoConfig.cmake ${PROJECT_BINARY_DIR}/gessoConfigVersion.cmake
  DESTINATION ${GESSO_PACKAGE_DIR} COMPONENT development)

# pkg-config: the folder is found from where the file stands, so that an installed tree can be moved.
file(RELATIVE_PATH GESSO_PREFIX_FROM_PC ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
get_target_property(libraries gesso LINK_LIBRARIES)
string(REGEX MATCHALL "INSTALL_INTERFACE:[A-Za-z0-9_+.-]+" libraries "${libraries}")
list(TRANSFORM libraries REPLACE "INSTALL_INTERFACE:" "" OUTPUT_VARIABLE GESSO_LIBRARIES)
list(TRANSFORM libraries REPLACE "INSTALL_INTERFACE:" "-l")
list(JOIN libraries " " libraries)
if(BUILD_SHARED_LIBS)
  set(GESSO_PC_PRIVATE ${libraries})
else()
  set(GESSO_PC_LIBRARIES ${libraries})
endif()
configure_file(cmake/gesso.pc.in gesso.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/gesso.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

if(NOT GESSO_BUILD_EXAMPLES)
  return()
endif()
set(GESSO_PROGRAMS compare-norms draw-styles norm-lab score-film score-pictures style-transfer train-classifier
  train-loss-network)
if(BUILD_SHARED_LIBS)
  file(RELATIVE_PATH libraries ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(${GESSO_PROGRAMS} PROPERTIES INSTALL_RPATH "$ORIGIN/${libraries}")
endif()
install(TARGETS ${GESSO_PROGRAMS} EXPORT gessoPrograms COMPONENT programs)
install(EXPORT gessoPrograms NAMESPACE gesso:: DESTINATION ${GESSO_PACKAGE_DIR} COMPONENT programs)
install(DIRECTORY examples/assets/any_style examples/assets/loss_network examples/assets/models examples/assets/photos examples/assets/styles
  DESTINATION ${GESSO_ASSETS_INSTALL_DIR} COMPONENT programs)
install(FILES LICENSE CHANGELOG.md examples/assets/CREDITS.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT programs)
if(NOT CMAKE_CROSSCOMPILING)  # the programs themselves say what follows
  include(cmake/man_pages.cmake)
  include(cmake/completions.cmake)
endif()
