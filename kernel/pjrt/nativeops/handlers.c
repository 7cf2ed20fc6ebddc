//go:build linux && cgo

// What XLA calls: operands and attributes are read and checked here.
#include "handlers.h"

#include <string.h>

#include "convolve.h"
#include "normalise.h"
#include "pool.h"

static ffi_error *complain(const ffi_frame *f, const char *what, int code) {
  ffi_error_create_args args = {.struct_size = sizeof args, .message = what, .code = code};
  return ((ffi_error * (*)(ffi_error_create_args *)) f->api->functions[FFI_ERROR_CREATE])(&args);
}

// answers handles XLA's question for the interface's version, and stages in which there is nothing to do.
static int answers(ffi_frame *f) {
  for (ffi_extension *e = f->extension_start; e; e = e->next) {
    if (e->type != FFI_EXTENSION_METADATA) continue;
    ffi_metadata_extension *m = (ffi_metadata_extension *)e;
    m->metadata->version.major = FFI_MAJOR;
    m->metadata->version.minor = f->api ? f->api->version.minor : 0;
    m->metadata->traits = 0;
    return 1;
  }
  return f->stage != FFI_STAGE_EXECUTE;
}

static const void *attribute(const ffi_frame *f, const char *name, int dtype) {
  for (int64_t i = 0; i < f->attributes.size; i++) {
    const ffi_span *n = f->attributes.names[i];
    const ffi_scalar *s = f->attributes.values[i];
    if (n->size == strlen(name) && !memcmp(n->bytes, name, n->size) && f->attributes.types[i] == FFI_ATTRIBUTE_SCALAR && s->dtype == dtype)
      return s->value;
  }
  return NULL;
}

static int number(const ffi_frame *f, const char *name, int absent) {
  const int64_t *v = attribute(f, name, FFI_INT64);
  return v ? (int)*v : absent;
}

static float real(const ffi_frame *f, const char *name, float absent) {
  const float *v = attribute(f, name, FFI_FLOAT32);
  return v ? *v : absent;
}

// shaped tells whether buffers from..to-1 are there, of float32 and of so many axes.
static int shaped(const ffi_buffers *b, int from, int to, int rank) {
  if (b->size < to) return 0;
  for (int i = from; i < to; i++)
    if (b->buffers[i]->dtype != FFI_FLOAT32 || b->buffers[i]->rank != rank) return 0;
  return 1;
}

static images image_of(const ffi_buffer *b) { return (images){b->data, b->dims[0], b->dims[1], b->dims[2], b->dims[3]}; }
static kernel kernel_of(const ffi_buffer *b) { return (kernel){b->data, b->dims[0], b->dims[1], b->dims[2], b->dims[3]}; }

static int odd(const kernel *k) { return k->rows % 2 == 1 && k->columns % 2 == 1 && k->rows * k->columns <= 49; }

static ffi_error *finish(const ffi_frame *f, const char *wrong) {
  return wrong ? complain(f, wrong, FFI_RESOURCE_EXHAUSTED) : NULL;
}

enum { CHANNELS_AT_MOST = 4096 };

// sources, kernel [, gamma, beta, mean, variance] -> y
static ffi_error *convolution_handler(ffi_frame *f) {
  if (answers(f)) return NULL;
  int sources = number(f, "sources", 1), enlarge = number(f, "enlarge", 1), normalised = number(f, "normalised", 0);
  if (sources < 1 || sources > 2 || !shaped(&f->args, 0, sources + 1, 4) || !shaped(&f->results, 0, 1, 4) ||
      (normalised && !shaped(&f->args, sources + 1, sources + 5, 1)))
    return complain(f, "sswe.convolution: operands", FFI_INVALID_ARGUMENT);
  images x[2];
  long in = 0;
  for (int s = 0; s < sources; s++) x[s] = image_of(f->args.buffers[s]), in += x[s].channels;
  kernel k = kernel_of(f->args.buffers[sources]);
  images y = image_of(f->results.buffers[0]);
  int fits = odd(&k) && k.in == in && k.out == y.channels && k.out <= CHANNELS_AT_MOST && (enlarge == 1 || (enlarge == 2 && k.rows == 3 && k.columns == 3));
  for (int s = 0; s < sources; s++) {
    int times = s == 0 ? enlarge : 1;
    fits = fits && x[s].count == y.count && x[s].height * times == y.height && x[s].width * times == y.width;
  }
  if (!fits) return complain(f, "sswe.convolution: shapes", FFI_INVALID_ARGUMENT);
  crew c = crew_for(f);
  after then = {.slope = real(f, "slope", 1)};
  float scale[CHANNELS_AT_MOST], shift[CHANNELS_AT_MOST];
  if (normalised) {
    ffi_buffer **b = f->args.buffers + sources + 1;
    fold(k.out, b[0]->data, b[1]->data, b[2]->data, b[3]->data, real(f, "epsilon", 0), scale, shift);
    then.scale = scale, then.shift = shift;
  }
  return finish(f, convolve_images(&c, sources, x, enlarge, &k, &then, f->results.buffers[0]->data));
}

// dy, kernel -> dx
static ffi_error *input_gradient_handler(ffi_frame *f) {
  if (answers(f)) return NULL;
  if (!shaped(&f->args, 0, 2, 4) || !shaped(&f->results, 0, 1, 4)) return complain(f, "sswe.input_gradient: operands", FFI_INVALID_ARGUMENT);
  int enlarge = number(f, "enlarge", 1), from = number(f, "from", 0);
  images dy = image_of(f->args.buffers[0]), dx = image_of(f->results.buffers[0]);
  kernel k = kernel_of(f->args.buffers[1]);
  if (!odd(&k) || dy.channels != k.out || from < 0 || from + dx.channels > k.in || dx.count != dy.count || dx.height * enlarge != dy.height ||
      dx.width * enlarge != dy.width || !(enlarge == 1 || (enlarge == 2 && k.rows == 3 && k.columns == 3)))
    return complain(f, "sswe.input_gradient: shapes", FFI_INVALID_ARGUMENT);
  crew c = crew_for(f);
  return finish(f, input_gradient(&c, &dy, &k, from, enlarge, &dx, f->results.buffers[0]->data));
}

// sources, dy -> dk
static ffi_error *filter_gradient_handler(ffi_frame *f) {
  if (answers(f)) return NULL;
  int sources = number(f, "sources", 1), enlarge = number(f, "enlarge", 1);
  if (sources < 1 || sources > 2 || !shaped(&f->args, 0, sources + 1, 4) || !shaped(&f->results, 0, 1, 4))
    return complain(f, "sswe.filter_gradient: operands", FFI_INVALID_ARGUMENT);
  images x[2], dy = image_of(f->args.buffers[sources]);
  kernel k = kernel_of(f->results.buffers[0]);
  long in = 0;
  int fits = odd(&k) && k.out == dy.channels && (enlarge == 1 || (enlarge == 2 && k.rows == 3 && k.columns == 3));
  for (int s = 0; s < sources; s++) {
    x[s] = image_of(f->args.buffers[s]);
    int times = s == 0 ? enlarge : 1;
    in += x[s].channels;
    fits = fits && x[s].count == dy.count && x[s].height * times == dy.height && x[s].width * times == dy.width;
  }
  if (!fits || in != k.in) return complain(f, "sswe.filter_gradient: shapes", FFI_INVALID_ARGUMENT);
  crew c = crew_for(f);
  return finish(f, filter_gradient(&c, sources, x, enlarge, &dy, &k, f->results.buffers[0]->data));
}

static long count(const ffi_buffer *b) {
  long n = 1;
  for (int64_t i = 0; i < b->rank; i++) n *= b->dims[i];
  return n;
}

static long pixels(const ffi_buffer *b) { return b->dims[0] * b->dims[1] * b->dims[2]; }

// same tells whether buffers have the channels of a map.
static int same(const ffi_buffers *b, int from, int to, long channels) {
  for (int i = from; i < to; i++)
    if (b->buffers[i]->dims[0] != channels) return 0;
  return 1;
}

// x, gamma, beta -> y, mean, variance
static ffi_error *normalisation_handler(ffi_frame *f) {
  if (answers(f)) return NULL;
  if (!shaped(&f->args, 0, 1, 4) || !shaped(&f->args, 1, 3, 1) || !shaped(&f->results, 0, 1, 4) || !shaped(&f->results, 1, 3, 1))
    return complain(f, "sswe.normalisation: operands", FFI_INVALID_ARGUMENT);
  ffi_buffer **a = f->args.buffers, **r = f->results.buffers;
  long channels = a[0]->dims[3];
  if (!same(&f->args, 1, 3, channels) || !same(&f->results, 1, 3, channels) || pixels(a[0]) < 1)
    return complain(f, "sswe.normalisation: shapes", FFI_INVALID_ARGUMENT);
  crew c = crew_for(f);
  return finish(f, normalise_batch(&c, a[0]->data, pixels(a[0]), channels, a[1]->data, a[2]->data, real(f, "epsilon", 0), real(f, "slope", 1),
                                   r[0]->data, r[1]->data, r[2]->data));
}

// x, gamma, beta, mean, variance, dy -> dx, dgamma, dbeta
static ffi_error *normalisation_gradient_handler(ffi_frame *f) {
  if (answers(f)) return NULL;
  if (!shaped(&f->args, 0, 1, 4) || !shaped(&f->args, 1, 5, 1) || !shaped(&f->args, 5, 6, 4) || !shaped(&f->results, 0, 1, 4) ||
      !shaped(&f->results, 1, 3, 1))
    return complain(f, "sswe.normalisation_gradient: operands", FFI_INVALID_ARGUMENT);
  ffi_buffer **a = f->args.buffers, **r = f->results.buffers;
  long channels = a[0]->dims[3];
  if (!same(&f->args, 1, 5, channels) || !same(&f->results, 1, 3, channels) || pixels(a[0]) < 1 || pixels(a[0]) != pixels(a[5]))
    return complain(f, "sswe.normalisation_gradient: shapes", FFI_INVALID_ARGUMENT);
  crew c = crew_for(f);
  return finish(f, normalise_batch_gradient(&c, a[0]->data, pixels(a[0]), channels, a[1]->data, a[2]->data, a[3]->data, a[4]->data,
                                            real(f, "epsilon", 0), real(f, "slope", 1), a[5]->data, r[0]->data, r[1]->data, r[2]->data));
}

static int halves(const ffi_buffer *small, const ffi_buffer *large) {
  return small->dims[0] == large->dims[0] && 2 * small->dims[1] == large->dims[1] && 2 * small->dims[2] == large->dims[2] && small->dims[3] == large->dims[3];
}

// x -> y
static ffi_error *pool_handler(ffi_frame *f) {
  if (answers(f)) return NULL;
  if (!shaped(&f->args, 0, 1, 4) || !shaped(&f->results, 0, 1, 4) || !halves(f->results.buffers[0], f->args.buffers[0]))
    return complain(f, "sswe.pool: operands", FFI_INVALID_ARGUMENT);
  crew c = crew_for(f);
  images x = image_of(f->args.buffers[0]);
  pool_images(&c, &x, f->results.buffers[0]->data);
  return NULL;
}

// x, y, dy [, another gradient] -> dx
static ffi_error *pool_gradient_handler(ffi_frame *f) {
  if (answers(f)) return NULL;
  ffi_buffer **a = f->args.buffers;
  if (!shaped(&f->args, 0, 3, 4) || !shaped(&f->args, 3, (int)f->args.size, 4) || !shaped(&f->results, 0, 1, 4) || !halves(a[1], a[0]) || !halves(a[2], a[0]) ||
      count(f->results.buffers[0]) != count(a[0]) || (f->args.size > 3 && count(a[3]) != count(a[0])))
    return complain(f, "sswe.pool_gradient: operands", FFI_INVALID_ARGUMENT);
  crew c = crew_for(f);
  images x = image_of(a[0]);
  pool_gradient(&c, &x, a[1]->data, a[2]->data, f->args.size > 3 ? a[3]->data : NULL, f->results.buffers[0]->data);
  return NULL;
}

typedef struct {
  adam_step step;
  long n, jobs;
} adam_work;

static void adam_part(void *arg, long i) {
  const adam_work *w = arg;
  tiles_here()->adam(&w->step, w->n * i / w->jobs, w->n * (i + 1) / w->jobs);
}

// w, m, v, g, then scalars -> w, m, v
static ffi_error *adam_handler(ffi_frame *f) {
  if (answers(f)) return NULL;
  ffi_buffer **a = f->args.buffers, **r = f->results.buffers;
  if (f->args.size < 12 || f->results.size != 3 || !shaped(&f->args, 4, (int)f->args.size, 0)) return complain(f, "sswe.adam: operands", FFI_INVALID_ARGUMENT);
  long n = count(a[0]);
  for (int i = 0; i < 4; i++)
    if (a[i]->dtype != FFI_FLOAT32 || count(a[i]) != n || (i < 3 && (r[i]->dtype != FFI_FLOAT32 || count(r[i]) != n)))
      return complain(f, "sswe.adam: shapes", FFI_INVALID_ARGUMENT);
  float s[9] = {0};
  for (int i = 4; i < f->args.size && i < 13; i++) s[i - 4] = *(const float *)a[i]->data;
  adam_work w = {.step = {a[0]->data, a[1]->data, a[2]->data, a[3]->data, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8],
                          r[0]->data, r[1]->data, r[2]->data},
                 .n = n, .jobs = n / (1 << 14) + 1};
  crew c = crew_for(f);
  share(&c, w.jobs, adam_part, &w);
  return NULL;
}

static const struct {
  const char *target;
  ffi_error *(*handler)(ffi_frame *);
} handlers[] = {
    {"sswe.convolution", convolution_handler},
    {"sswe.input_gradient", input_gradient_handler},
    {"sswe.filter_gradient", filter_gradient_handler},
    {"sswe.normalisation", normalisation_handler},
    {"sswe.normalisation_gradient", normalisation_gradient_handler},
    {"sswe.pool", pool_handler},
    {"sswe.pool_gradient", pool_gradient_handler},
    {"sswe.adam", adam_handler},
};

const char *sswe_register(const void *pjrt_api, int lanes) {
  use_lanes(lanes);
  ffi_extension *e = ((const struct { size_t size; ffi_extension *start; } *)pjrt_api)->start;
  while (e && e->type != PJRT_EXTENSION_FFI) e = e->next;
  if (!e || e->struct_size < sizeof(ffi_pjrt_extension)) return "the plugin takes no operations of others";
  for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
    ffi_register_args args = {.struct_size = sizeof args, .target = handlers[i].target, .target_size = strlen(handlers[i].target),
                              .handler = (void *)handlers[i].handler, .platform = "Host", .platform_size = 4};
    if (((ffi_pjrt_extension *)e)->register_handler(&args)) return "the plugin refuses the operations";
  }
  return NULL;
}
