//go:build linux && cgo

#include "pool.h"

#include <stddef.h>

typedef struct {
  images x;
  const float *y, *dy, *and;
  float *to;
  long jobs;
} pooling;

static long jobs_for(const images *x) {
  long rows = x->count * x->height / 2, jobs = rows * x->width * x->channels / (1 << 14) + 1;
  return jobs < rows ? jobs : rows;
}

// Each row of y is two of x.
static void pool_rows(void *arg, long job) {
  const pooling *p = arg;
  long rows = p->x.count * p->x.height / 2, channels = p->x.channels, row = p->x.width * channels;
  for (long r = rows * job / p->jobs; r < rows * (job + 1) / p->jobs; r++) {
    const float *upper = p->x.at + 2 * r * row, *lower = upper + row;
    float *to = p->to + r * (row / 2);
    for (long j = 0; j < p->x.width / 2; j++, upper += 2 * channels, lower += 2 * channels, to += channels)
      tiles_here()->largest(upper, upper + channels, lower, lower + channels, channels, to);
  }
}

static void gradient_rows(void *arg, long job) {
  const pooling *p = arg;
  long rows = p->x.count * p->x.height, channels = p->x.channels, row = p->x.width * channels;
  for (long r = 2 * (rows / 2 * job / p->jobs); r < 2 * (rows / 2 * (job + 1) / p->jobs); r++) {
    for (long j = 0; j < p->x.width; j++) {
      long at = r * row + j * channels, small = (r / 2) * (row / 2) + j / 2 * channels;
      tiles_here()->where_largest(p->x.at + at, p->y + small, p->dy + small, p->and ? p->and + at : NULL, channels, p->to + at);
    }
  }
}

void pool_images(const crew *c, const images *x, float *y) {
  pooling p = {.x = *x, .to = y, .jobs = jobs_for(x)};
  share(c, p.jobs, pool_rows, &p);
}

void pool_gradient(const crew *c, const images *x, const float *y, const float *dy, const float *and, float *dx) {
  pooling p = {.x = *x, .y = y, .dy = dy, .and = and, .to = dx, .jobs = jobs_for(x)};
  share(c, p.jobs, gradient_rows, &p);
}
