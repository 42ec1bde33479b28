# A manual page for each program and each of style-transfer's commands, made from its --help by help2man.
find_program(GESSO_HELP2MAN help2man)
find_program(GESSO_GZIP gzip)
if(NOT GESSO_HELP2MAN OR NOT GESSO_GZIP)
  message(STATUS "help2man is not there: no manual pages (Debian: help2man)")
  return()
endif()

# The page of `program`, or of a command of it, that does what `summary` says. help2man names the page after what it runs.
function(add_man_page program command summary)
  string(REGEX REPLACE "-$" "" page "${program}-${command}")
  set(folder ${PROJECT_BINARY_DIR}/man)
  file(WRITE ${folder}/run/${page} "#!/bin/sh\n\"${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${program}\" ${command} \"$@\" | "
    "sed -f \"${PROJECT_SOURCE_DIR}/cmake/man_pages.sed\"\n")
  file(CHMOD ${folder}/run/${page} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
  set(file ${folder}/${page}.1)
  add_custom_command(OUTPUT ${file}.gz
    COMMAND ${GESSO_HELP2MAN} --no-info --version-string=${PROJECT_VERSION} "--source=gesso ${PROJECT_VERSION}"
      "--name=${summary}" --include=${PROJECT_SOURCE_DIR}/cmake/man_pages.h2m --output=${file} ${folder}/run/${page}
    COMMAND ${GESSO_GZIP} -9nf ${file}
    DEPENDS ${program} ${PROJECT_SOURCE_DIR}/cmake/man_pages.h2m ${PROJECT_SOURCE_DIR}/cmake/man_pages.sed
    COMMENT "Manual page ${page}(1)" VERBATIM)
  set_property(GLOBAL APPEND PROPERTY GESSO_MAN_PAGES ${file}.gz)
  install(FILES ${file}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT programs)
endfunction()

add_man_page(compare-norms "" "compare batch with instance normalization")
add_man_page(draw-styles "" "draw style pictures")
add_man_page(norm-lab "" "show the inside of a normalization layer")
add_man_page(score-film "" "measure how much a film flickers")
add_man_page(score-pictures "" "measure pictures against style and subject")
add_man_page(style-transfer "" "paint photographs in a style, and train what paints")
add_man_page(style-transfer export "write a trained network for ONNX or PyTorch")
add_man_page(style-transfer stylize "paint photographs and films in a style")
add_man_page(style-transfer sweep "find the weights that suit a style")
add_man_page(style-transfer train "train a network to paint in a style")
add_man_page(style-transfer train-any "train a network that paints in any style")
add_man_page(train-classifier "" "train a small classifier of pictures")
add_man_page(train-loss-network "" "train the network that compares pictures")
get_property(pages GLOBAL PROPERTY GESSO_MAN_PAGES)
add_custom_target(man ALL DEPENDS ${pages})
