// Where the functions of the CUDA libraries are, found when they are first called. See trampolines.rs.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

struct library {
    const char *name;
    const char *files[3];
    int error;
};

#include "trampolines.h"

#define COUNT (sizeof libraries / sizeof *libraries)

extern void *descent_cuda_table[] __attribute__((visibility("hidden")));

// Where no library was found: its error code, whatever the function is called with.
#define ERROR(n) static int error_##n(void) { return libraries[n].error; }
ERROR(0) ERROR(1) ERROR(2) ERROR(3) ERROR(4)
static void *const errors[COUNT] = {error_0, error_1, error_2, error_3, error_4};

static void *open_in(const char *folder, const char *below, const char *file) {
    char path[4096];
    int length = snprintf(path, sizeof path, "%s%s/%s", folder, below, file);
    return length < (int)sizeof path ? dlopen(path, RTLD_NOW | RTLD_GLOBAL) : 0;
}

// The library, where the loader finds it or in the toolkit's folder. A handle is kept for ever.
static void *open_library(const struct library *library) {
    const char *home = getenv("CUDA_HOME");
    for (int k = 0; library->files[k]; k++) {
        void *handle = dlopen(library->files[k], RTLD_NOW | RTLD_GLOBAL);
        if (!handle && home) handle = open_in(home, "/lib64", library->files[k]);
        if (!handle) handle = open_in("/usr/local/cuda", "/lib64", library->files[k]);
        if (handle) return handle;
    }
    return 0;
}

__attribute__((visibility("hidden"))) void *descent_cuda_resolve(int place) {
    int at = functions[place].library;
    void *handle = open_library(&libraries[at]);
    void *function = handle ? dlsym(handle, functions[place].name) : 0;
    if (!function) function = errors[at];
    __atomic_store_n(&descent_cuda_table[place], function, __ATOMIC_RELEASE);
    return function;
}

// The file of the first library that training needs and that is not there, or null. NVRTC and cuBLASLt are not needed.
const char *descent_cuda_missing(void) {
    static const int needed[] = {0, 1, 3};
    for (unsigned k = 0; k < sizeof needed / sizeof *needed; k++)
        if (!open_library(&libraries[needed[k]])) return libraries[needed[k]].files[0];
    return 0;
}
