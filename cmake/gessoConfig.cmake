# find_package(gesso [COMPONENTS library programs]) gives the target gesso::gesso, and the programs as targets where they
# are installed: gesso::style-transfer, gesso::norm-lab, ...
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/gessoTargets.cmake)
set(gesso_library_FOUND TRUE)
include(${CMAKE_CURRENT_LIST_DIR}/gessoPrograms.cmake OPTIONAL RESULT_VARIABLE gesso_programs_FOUND)
foreach(component ${gesso_FIND_COMPONENTS})
  if(gesso_FIND_REQUIRED_${component} AND NOT gesso_${component}_FOUND)
    set(gesso_FOUND FALSE)
    set(gesso_NOT_FOUND_MESSAGE "gesso has no component \"${component}\" here; it has library, and programs where they are installed")
  endif()
endforeach()
