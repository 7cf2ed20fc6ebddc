#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "wrap_linux.h"
#include "_cgo_export.h"

static const sswe_api *plugin;

#define CALL(function, args) (((sswe_error * (*)(void *)) plugin->functions[function])(args))

const sswe_api *sswe_wrap(const char *path, const char **why) {
  void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL); // as go-xla opens it; never closed: its code stays in use
  const sswe_api *(*get)(void) = library ? (const sswe_api *(*)(void))dlsym(library, "GetPjrtApi") : NULL;
  if (!get) {
    *why = dlerror();
    return NULL;
  }
  const sswe_api *table = get();
  if (!table || table->struct_size < offsetof(sswe_api, functions) + SSWE_FUNCTIONS_USED * sizeof(void *) ||
      table->version.major != SSWE_PJRT_MAJOR || table->version.minor < SSWE_PJRT_MINOR_FROM) {
    *why = "it implements another version of the PJRT interface";
    return NULL;
  }
  sswe_api *copy = malloc(table->struct_size); // lives as long as the process
  if (!copy) {
    *why = "no memory";
    return NULL;
  }
  memcpy(copy, table, table->struct_size);
  copy->functions[SSWE_CLIENT_COMPILE] = (void *)ssweCompile;
  plugin = table;
  return copy;
}

// ok frees an error that the cache answers by compiling, and reports whether there was none.
static int ok(sswe_error *error) {
  if (!error) return 1;
  sswe_error_destroy_args args = {.struct_size = sizeof args, .error = error};
  ((void (*)(void *))plugin->functions[SSWE_ERROR_DESTROY])(&args);
  return 0;
}

sswe_error *sswe_compile(sswe_compile_args *args) { return CALL(SSWE_CLIENT_COMPILE, args); }

void *sswe_load(void *client, const char *bytes, size_t size) {
  sswe_deserialize_args args = {.struct_size = sizeof args, .client = client, .bytes = bytes, .bytes_size = size};
  return ok(CALL(SSWE_EXECUTABLE_DESERIALIZE_AND_LOAD, &args)) ? args.loaded : NULL;
}

int sswe_serialize(void *loaded, sswe_serialize_args *what) {
  sswe_get_executable_args get = {.struct_size = sizeof get, .loaded = loaded};
  if (!ok(CALL(SSWE_LOADED_EXECUTABLE_GET_EXECUTABLE, &get))) return 0;
  *what = (sswe_serialize_args){.struct_size = sizeof *what, .executable = get.executable};
  int done = ok(CALL(SSWE_EXECUTABLE_SERIALIZE, what));
  sswe_executable_destroy_args destroy = {.struct_size = sizeof destroy, .executable = get.executable};
  ok(CALL(SSWE_EXECUTABLE_DESTROY, &destroy));
  return done;
}

void sswe_release(sswe_serialize_args *what) {
  if (what->release) what->release(what->backing);
}

int sswe_describe(void *client, const char **version, size_t *version_size, size_t *device_count) {
  sswe_platform_version_args v = {.struct_size = sizeof v, .client = client};
  sswe_addressable_devices_args d = {.struct_size = sizeof d, .client = client};
  if (!ok(CALL(SSWE_CLIENT_PLATFORM_VERSION, &v)) || !ok(CALL(SSWE_CLIENT_ADDRESSABLE_DEVICES, &d))) return 0;
  *version = v.version;
  *version_size = v.version_size;
  *device_count = d.device_count;
  return 1;
}
