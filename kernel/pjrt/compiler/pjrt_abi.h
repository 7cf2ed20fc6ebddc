// The part of the PJRT C API that the compilation cache uses: memory layouts, as xla/pjrt/c/pjrt_c_api.h of openxla/xla
// (Apache-2.0) lays them down. The interface only ever appends, within a major version: these layouts hold for every plugin
// of version 0.x from MINOR_FROM on, and each struct carries its size so that either side sees what the other knows.
// A test compares them with the header that go-xla is built from.
#ifndef SSWE_PJRT_ABI_H
#define SSWE_PJRT_ABI_H

#include <stddef.h>

enum { SSWE_PJRT_MAJOR = 0, SSWE_PJRT_MINOR_FROM = 70 };

typedef struct sswe_error sswe_error; // PJRT_Error

// sswe_api is PJRT_Api, the table of functions that is a plugin's whole interface.
typedef struct {
  size_t struct_size;
  void *extension_start;
  struct {
    size_t struct_size;
    void *extension_start;
    int major, minor;
  } version;
  void *functions[];
} sswe_api;

// Places in the table of functions.
enum {
  SSWE_ERROR_DESTROY = 0,
  SSWE_CLIENT_PLATFORM_VERSION = 14,
  SSWE_CLIENT_ADDRESSABLE_DEVICES = 16,
  SSWE_CLIENT_COMPILE = 20,
  SSWE_EXECUTABLE_DESTROY = 40,
  SSWE_EXECUTABLE_SERIALIZE = 49,
  SSWE_LOADED_EXECUTABLE_GET_EXECUTABLE = 51,
  SSWE_EXECUTABLE_DESERIALIZE_AND_LOAD = 56,
  SSWE_FUNCTIONS_USED = 57,
};

typedef struct {
  size_t struct_size;
  void *extension_start;
  sswe_error *error;
} sswe_error_destroy_args;

typedef struct {
  size_t struct_size;
  void *extension_start;
  void *client;
  const char *version;
  size_t version_size;
} sswe_platform_version_args;

typedef struct {
  size_t struct_size;
  void *extension_start;
  void *client;
  void *const *devices;
  size_t device_count;
} sswe_addressable_devices_args;

typedef struct {
  size_t struct_size;
  void *extension_start;
  const char *code;
  size_t code_size;
  const char *format;
  size_t format_size;
} sswe_program;

typedef struct {
  size_t struct_size;
  void *extension_start;
  void *client;
  const sswe_program *program;
  const char *options;
  size_t options_size;
  void *loaded; // out
} sswe_compile_args;

typedef struct {
  size_t struct_size;
  void *extension_start;
  void *loaded;
  void *executable; // out
} sswe_get_executable_args;

typedef struct {
  size_t struct_size;
  void *extension_start;
  void *executable;
  const char *bytes; // out, lives as long as backing
  size_t bytes_size; // out
  void *backing;     // out
  void (*release)(void *backing); // out
} sswe_serialize_args;

typedef struct {
  size_t struct_size;
  void *extension_start;
  void *executable;
} sswe_executable_destroy_args;

typedef struct {
  size_t struct_size;
  void *extension_start;
  void *client;
  const char *bytes;
  size_t bytes_size;
  void *loaded; // out
  const char *options;
  size_t options_size;
} sswe_deserialize_args;

#endif
