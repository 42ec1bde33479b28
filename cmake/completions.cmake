# Completion of the programs' command lines for bash, zsh and fish: `PROGRAM --completion SHELL` prints it.
foreach(program ${GESSO_PROGRAMS})
  set(folder ${PROJECT_BINARY_DIR}/completions)
  set(files ${folder}/bash/${program} ${folder}/zsh/_${program} ${folder}/fish/${program}.fish)
  add_custom_command(OUTPUT ${files}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}/bash ${folder}/zsh ${folder}/fish
    COMMAND ${program} --completion bash > ${folder}/bash/${program}
    COMMAND ${program} --completion zsh > ${folder}/zsh/_${program}
    COMMAND ${program} --completion fish > ${folder}/fish/${program}.fish
    DEPENDS ${program} COMMENT "Shell completion of ${program}")
  list(APPEND completions ${files})
  install(FILES ${folder}/bash/${program} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT programs)
  install(FILES ${folder}/zsh/_${program} DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT programs)
  install(FILES ${folder}/fish/${program}.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
    COMPONENT programs)
endforeach()
add_custom_target(completions ALL DEPENDS ${completions})
