# shellcheck shell=bash
# What the scripts share that must work on a fresh machine: installing packages, configuring, building.
# Sourced by examples/quickstart, tests/run and .ci/run, which run under `set -euo pipefail` in the top folder.

fail() {
  echo "error: $*" >&2
  exit 1
}

# Installs those of the Debian packages $@ that are missing. Elsewhere does nothing: what fails then names what
# it needs.
install_packages() {
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || return 0
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "packages are missing; as root, run: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  echo "Installing ${missing[*]}"
  local log
  log=$(mktemp)
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
  if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } \
    </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    fail "apt-get could not install ${missing[*]}"
  fi
  rm -f "$log"
}

# Installs what gesso is built with.
install_build_packages() {
  local tools=()
  command -v c++ >/dev/null || tools+=(g++)
  command -v cmake >/dev/null || tools+=(cmake)
  command -v ninja >/dev/null || command -v make >/dev/null || tools+=(ninja-build)
  install_packages "${tools[@]}" libopenblas-dev libstb-dev nlohmann-json3-dev libcli11-dev doctest-dev \
    zlib1g-dev libwebp-dev liblcms2-dev libtiff-dev libheif-dev libpng-dev libjpeg-dev
}

# Configures the folder $1 with the CMake options that follow.
configure_into() {
  local folder=$1
  shift
  if [ ! -e "$folder/CMakeCache.txt" ] && command -v ninja >/dev/null; then
    set -- -G Ninja "$@"
  fi
  mkdir -p "$folder"
  echo "Configuring in $folder"
  if ! cmake -S . -B "$folder" "$@" >"$folder/configure.log" 2>&1; then
    cat "$folder/configure.log" >&2
    fail "CMake could not configure gesso; the reason stands above. It needs a C++20 compiler, CMake 3.22," \
      "stb, nlohmann-json, CLI11 and doctest"
  fi
}

# Builds in the folder $1 the targets that follow, or all, with all cores.
build_in() {
  local folder=$1
  shift
  echo "Building in $folder"
  cmake --build "$folder" --parallel "$(nproc)" ${1+--target "$@"} ||
    fail "the build failed; the reason stands above"
}

# Makes Emscripten ready, which compiles gesso to WebAssembly. Its C library is compiled at the first use, into build-wasm if
# the place for it belongs to somebody else.
use_emscripten() {
  install_packages emscripten
  command -v em++ >/dev/null || fail "this needs Emscripten 3.1.6 or newer (Debian: emscripten)"
  [ -w "$(em-config CACHE)" ] || export EM_CACHE=$PWD/build-wasm/emscripten
  # Where Debian keeps the parser that Emscripten uses; a Node that is not Debian's does not look there.
  [ ! -d /usr/share/nodejs ] || export NODE_PATH=/usr/share/nodejs${NODE_PATH:+:$NODE_PATH}
}
