// The part of XLA's foreign function interface (FFI) that the native operations use: memory layouts, as xla/ffi/api/c_api.h and
// xla/pjrt/c/pjrt_c_api_ffi_extension.h of openxla/xla (Apache-2.0) lay them down. The interface only appends within a major
// version, and each struct carries its size, so that either side sees what the other knows.
#ifndef SSWE_FFI_ABI_H
#define SSWE_FFI_ABI_H

#include <stddef.h>
#include <stdint.h>

typedef struct ffi_error ffi_error;     // XLA_FFI_Error
typedef struct ffi_context ffi_context; // XLA_FFI_ExecutionContext

typedef struct ffi_extension {
  size_t struct_size;
  int type;
  struct ffi_extension *next;
} ffi_extension;

typedef struct {
  size_t struct_size;
  ffi_extension *extension_start;
  int major, minor;
} ffi_version;

enum { FFI_MAJOR = 0, FFI_EXTENSION_METADATA = 1, FFI_STAGE_EXECUTE = 3, FFI_FLOAT32 = 11, FFI_INT64 = 5 };

// ffi_api is XLA_FFI_Api, the table of functions that a handler may call.
typedef struct {
  size_t struct_size;
  ffi_extension *extension_start;
  ffi_version version;
  const void *internal;
  void *functions[];
} ffi_api;

// Places in the table of functions.
enum {
  FFI_ERROR_CREATE = 0,
  FFI_ERROR_DESTROY = 2,
  FFI_THREAD_POOL_NUM_THREADS = 12,
  FFI_FUNCTIONS_USED = 13,
};

typedef struct {
  size_t struct_size;
  ffi_extension *extension_start;
  const char *message;
  int code;
} ffi_error_create_args;

enum { FFI_INVALID_ARGUMENT = 3, FFI_RESOURCE_EXHAUSTED = 8 };

typedef struct {
  size_t struct_size;
  ffi_extension *extension_start;
  ffi_error *error;
} ffi_error_destroy_args;

typedef struct {
  size_t struct_size;
  ffi_extension *extension_start;
  ffi_context *context;
  int64_t *threads; // out
} ffi_threads_args;

typedef struct {
  size_t struct_size;
  ffi_extension *extension_start;
  int dtype;
  void *data;
  int64_t rank;
  int64_t *dims;
} ffi_buffer;

typedef struct {
  size_t struct_size;
  ffi_extension *extension_start;
  int64_t size;
  int *types;
  ffi_buffer **buffers;
} ffi_buffers; // XLA_FFI_Args and XLA_FFI_Rets

typedef struct {
  const char *bytes;
  size_t size;
} ffi_span;

typedef struct {
  int dtype;
  void *value;
} ffi_scalar;

typedef struct {
  size_t struct_size;
  ffi_extension *extension_start;
  int64_t size;
  int *types; // 3: a scalar
  ffi_span **names;
  void **values;
} ffi_attributes;

enum { FFI_ATTRIBUTE_SCALAR = 3 };

typedef struct {
  size_t struct_size;
  ffi_extension *extension_start;
  const ffi_api *api;
  ffi_context *context;
  int stage;
  ffi_buffers args, results;
  ffi_attributes attributes;
} ffi_frame; // XLA_FFI_CallFrame, without the future at its end

typedef struct {
  ffi_extension base;
  struct {
    size_t struct_size;
    ffi_version version; // out
    uint32_t traits;     // out
  } *metadata;
} ffi_metadata_extension;

// The extension by which a PJRT plugin takes handlers.
typedef struct {
  size_t struct_size;
  const char *target;
  size_t target_size;
  void *handler;
  const char *platform;
  size_t platform_size;
  int traits;
} ffi_register_args;

typedef struct {
  ffi_extension base;
  void *type_register, *user_data_add;
  void *(*register_handler)(ffi_register_args *args); // returns a PJRT_Error
} ffi_pjrt_extension;

enum { PJRT_EXTENSION_FFI = 5 };

#endif
