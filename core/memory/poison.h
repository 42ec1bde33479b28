// Marks memory that nobody may use, for the address sanitizer; does nothing without it.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define GESSO_POISON(address, size) ASAN_POISON_MEMORY_REGION(address, size)
#define GESSO_UNPOISON(address, size) ASAN_UNPOISON_MEMORY_REGION(address, size)
#else
#define GESSO_POISON(address, size) ((void)(address), (void)(size))
#define GESSO_UNPOISON(address, size) ((void)(address), (void)(size))
#endif
