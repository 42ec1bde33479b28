// The version of gesso: the one place where it stands. CMake reads it from here.
#pragma once

/// Semantic versioning (semver.org); before 1.0.0, code that compiles with one minor version may not with the next.
#define GESSO_VERSION_MAJOR 0
#define GESSO_VERSION_MINOR 1
#define GESSO_VERSION_PATCH 0
#define GESSO_VERSION "0.1.0"
