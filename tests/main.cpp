// The entry point of every test program.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

// dav1d, by which libheif decodes AVIF, keeps 40 bytes of some broken files; LeakSanitizer looks past that.
extern "C" const char* __lsan_default_suppressions() { return "leak:libdav1d"; }
