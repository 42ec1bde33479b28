# find_package(gesso) gives the target gesso::gesso.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/gessoTargets.cmake)
