# For WebAssembly with SIMD, by Emscripten 3.1.6 (Debian: emscripten) or newer; programs run under Node and in browsers.
#   cmake -S . -B build-wasm --toolchain cmake/toolchains/wasm.cmake
# One thread, no files but those of memory, and of libraries those of nothing but headers.
execute_process(COMMAND em-config EMSCRIPTEN_ROOT OUTPUT_VARIABLE GESSO_EMSCRIPTEN OUTPUT_STRIP_TRAILING_WHITESPACE)
include(${GESSO_EMSCRIPTEN}/cmake/Modules/Platform/Emscripten.cmake)

# Headers of this machine's C library stand beside those of the libraries, and must not be found: links to what is wanted
# stand in a folder of the build, laid out as /usr. Packages find their headers from where they are themselves, or
# name /usr, so these are copies.
set(GESSO_HEADERS ${CMAKE_BINARY_DIR}/headers)
file(MAKE_DIRECTORY ${GESSO_HEADERS}/include)
foreach(folder nlohmann CLI doctest stb)
  if(EXISTS /usr/include/${folder})
    file(CREATE_LINK /usr/include/${folder} ${GESSO_HEADERS}/include/${folder} SYMBOLIC)
  endif()
endforeach()
foreach(package share/cmake/nlohmann_json share/cmake/CLI11 lib/cmake/doctest)
  if(EXISTS /usr/${package})
    file(COPY /usr/${package}/ DESTINATION ${GESSO_HEADERS}/${package})
    file(GLOB descriptions ${GESSO_HEADERS}/${package}/*Targets.cmake)
    foreach(description ${descriptions})
      file(READ ${description} text)
      string(REPLACE "\"/usr\"" "\"${GESSO_HEADERS}\"" text "${text}")
      file(WRITE ${description} "${text}")
    endforeach()
  endif()
endforeach()
list(APPEND CMAKE_FIND_ROOT_PATH ${GESSO_HEADERS})

set(CMAKE_CXX_FLAGS_INIT "-msimd128 -fwasm-exceptions")
# Programs see the files of the machine that Node runs on. Node's own fetch() fetches no files, which Emscripten 3.1.6
# expects of one.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-sALLOW_MEMORY_GROWTH=1 -sNODERAWFS=1 -sEXIT_RUNTIME=1")
set(CMAKE_CROSSCOMPILING_EMULATOR ${NODE_JS_EXECUTABLE} --no-experimental-fetch)
