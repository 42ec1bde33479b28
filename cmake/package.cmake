# cpack makes two Debian packages: gesso (the programs) and libgesso-dev (the library, to build against).
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME gesso)
set(CPACK_PACKAGE_CONTACT "The gesso developers <gesso@example.org>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME gesso)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SECTION graphics)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SUGGESTS ffmpeg)  # films in files
set(CPACK_DEBIAN_PROGRAMS_DESCRIPTION "The programs: they train feed-forward style networks on an ordinary
computer, paint pictures and films with them, show what happens inside
normalization layers, and compare them. Nine networks that paint come with it.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libgesso-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
# A static library's users link what is within.
set(GESSO_DEBIAN_OF_openblas libopenblas-dev)
set(GESSO_DEBIAN_OF_z zlib1g-dev)
set(GESSO_DEBIAN_OF_mpi libopenmpi-dev)
set(GESSO_DEBIAN_OF_lcms2 liblcms2-dev)
set(GESSO_DEBIAN_OF_webp libwebp-dev)
set(GESSO_DEBIAN_OF_tiff libtiff-dev)
set(GESSO_DEBIAN_OF_heif libheif-dev)
set(GESSO_DEBIAN_OF_png libpng-dev)
set(GESSO_DEBIAN_OF_jpeg libjpeg-dev)
set(GESSO_DEBIAN_OF_onnx_proto libonnx-dev)
set(GESSO_DEBIAN_OF_protobuf libprotobuf-dev)
foreach(library ${GESSO_LIBRARIES})
  list(APPEND depends ${GESSO_DEBIAN_OF_${library}})
endforeach()
list(JOIN depends ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "The library in C++20, to build programs with: tensors with reverse-mode
automatic differentiation, convolution, the family of normalization layers,
training.")

# What Debian wants in every package, and cmake --install need not bring: components of their own.
string(TIMESTAMP GESSO_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)  # of SOURCE_DATE_EPOCH where that is set
configure_file(packaging/debian/changelog.in packaging/changelog.Debian @ONLY)
find_program(GESSO_GZIP gzip)
if(GESSO_GZIP)
  execute_process(COMMAND ${GESSO_GZIP} -9nf ${PROJECT_BINARY_DIR}/packaging/changelog.Debian)
endif()
set(CPACK_COMPONENTS_ALL development development_documents)
if(GESSO_BUILD_EXAMPLES)
  list(APPEND CPACK_COMPONENTS_ALL programs programs_documents)
endif()
include(CPackComponent)
foreach(group programs development)
  string(TOUPPER ${group} GROUP)
  install(FILES packaging/debian/copyright ${PROJECT_BINARY_DIR}/packaging/changelog.Debian.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${GROUP}_PACKAGE_NAME} COMPONENT ${group}_documents EXCLUDE_FROM_ALL)
  cpack_add_component(${group} GROUP ${group})
  cpack_add_component(${group}_documents GROUP ${group})
endforeach()
include(CPack)
