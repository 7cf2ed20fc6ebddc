// Calls into the wrapped plugin. None of these is made before sswe_wrap has succeeded.
#ifndef SSWE_WRAP_H
#define SSWE_WRAP_H

#include "pjrt_abi.h"

// sswe_wrap opens the plugin at path and returns a copy of its table in which compiling goes through ssweCompile, or NULL and
// why. There is one wrapped plugin a process: a table's functions are not told which table they were called through.
const sswe_api *sswe_wrap(const char *path, const char **why);

// sswe_compile has the plugin itself compile.
sswe_error *sswe_compile(sswe_compile_args *args);

// sswe_load turns stored bytes into a loaded executable; NULL when the plugin refuses them.
void *sswe_load(void *client, const char *bytes, size_t size);

// sswe_serialize fills what with a loaded executable's bytes, which sswe_release frees; 0 when the plugin cannot.
int sswe_serialize(void *loaded, sswe_serialize_args *what);
void sswe_release(sswe_serialize_args *what);

// sswe_describe gives the platform's version and the number of devices; 0 when the plugin cannot.
int sswe_describe(void *client, const char **version, size_t *version_size, size_t *device_count);

#endif
