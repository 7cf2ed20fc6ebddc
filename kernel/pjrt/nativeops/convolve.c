//go:build linux && cgo

#include "prepare.h"
#include "winograd.h"

enum { STEPS = 5 }; // four phases of an enlarged image, and another source

typedef struct {
  convolution steps[STEPS];
  int rows_per_unit[STEPS]; // an enlarged image has two output rows to one of its own
  int count;
  long units, row_jobs, block, block_jobs; // rows over all images; output channels of a block
} plan;

static void convolve_part(void *arg, long job) {
  const plan *p = arg;
  long rows = job / p->block_jobs, from = job % p->block_jobs * p->block;
  long first = part(p->units, p->row_jobs, rows), last = part(p->units, p->row_jobs, rows + 1);
  for (int s = 0; s < p->count; s++) {
    const convolution *c = &p->steps[s];
    long to = from + p->block < c->out ? from + p->block : c->out;
    tiles_here()->convolve(c, first * p->rows_per_unit[s], last * p->rows_per_unit[s], (int)from, (int)to);
  }
}

// carry_out cuts a plan into jobs. The weights of a block of output channels stay in a processor's cache while rows go by.
static void carry_out(const crew *c, plan *p) {
  double flops = 0, weights = 0;
  for (int s = 0; s < p->count; s++) {
    const convolution *step = &p->steps[s];
    double each = (double)step->taps * step->in * step->out;
    weights += each;
    flops += 2 * each * (double)(p->units * p->rows_per_unit[s]) * step->width;
  }
  long out = p->steps[0].out, jobs = pieces(c, p->units, flops / 100);
  int heavy = weights > 1 << 16; // each cut through the rows reads all of them again
  p->block = heavy ? 4 * tiles_here()->lanes : out;
  p->block_jobs = (out + p->block - 1) / p->block;
  if (heavy && jobs > 2 * c->threads) jobs = 2 * c->threads;
  p->row_jobs = (jobs + p->block_jobs - 1) / p->block_jobs;
  share(c, p->row_jobs * p->block_jobs, convolve_part, p);
}

enum { FOLDED_PIXELS = 64 };

// step_of is the convolution that reads padded images x, its first tap in the corner, by the kernel at k [taps][in][padded].
static convolution step_of(const float *x, const images *size, long margin_rows, long margin_columns, const long *tap, int taps, const float *k,
                           long padded_out, float *y, long out) {
  long in = size->channels, row = (size->width + margin_columns) * in;
  return (convolution){.x = x, .xstep = in, .xrow = row, .ximage = (size->height + margin_rows) * row, .in = (int)in, .taps = taps, .tap = tap,
                       .run = 1, .k = k, .ktap = in * padded_out, .kin = padded_out,
                       .y = y, .ystep = out, .yrow = size->width * out, .yimage = size->height * size->width * out,
                       .height = (int)size->height, .width = (int)size->width, .out = (int)out};
}

static void corner_taps(long *tap, long rows, long columns, long row, long channels) {
  for (long t = 0; t < rows * columns; t++) tap[t] = t / columns * row + t % columns * channels;
}

const char *convolve_images(const crew *c, int sources, const images *x, int enlarge, const kernel *k, const after *then, float *y) {
  if (by_winograd(sources, x, enlarge, k)) return winograd_images(c, sources, x, enlarge, k, then, y);
  static const long centre = 0;
  long lanes = tiles_here()->lanes, out = k->out, padded_out = rounded(out, lanes), from = 0, tap[2][TAPS], phase_taps[4][9];
  float *held[4] = {0};
  plan p = {.units = x[0].count * x[0].height};
  const char *wrong = no_memory;
  for (int s = 0; s < sources; s++, from += x[s - 1].channels) {
    const images *source = &x[s];
    int enlarged = s == 0 && enlarge == 2, gather = !enlarged && few(source, k);
    // The kernel as it is will do where vectors divide it; what is gathered needs its taps without gaps.
    // Taps that fall together in an enlarged image are added up beforehand, unless the image is so small that this takes longer.
    int folded = enlarged && source->count * source->height * source->width >= FOLDED_PIXELS;
    int as_is = !folded && out == padded_out && (!gather || k->in == source->channels);
    const float *weights = k->at + from * out;
    if (!as_is) {
      if (!(weights = held[2 * s] = packed(c, k, from, source->channels, folded ? 2 : 1, 0, padded_out))) goto end;
    }
    long around_rows = enlarged ? 1 : k->rows / 2, around_columns = enlarged ? 1 : k->columns / 2;
    const float *at = source->at;
    if (gather) {
      at = held[2 * s + 1] = gathered(c, source, k->rows, k->columns);
    } else if (around_rows || around_columns) {
      at = held[2 * s + 1] = padded(c, source, around_rows, around_columns, source->channels);
    }
    if (!at) goto end;
    if (gather) {
      images columns = *source;
      columns.channels *= k->rows * k->columns;
      convolution step = step_of(at, &columns, 0, 0, &centre, 1, weights, padded_out, y, out);
      p.rows_per_unit[p.count] = s > 0 ? enlarge : 1, p.steps[p.count++] = step;
    } else if (!enlarged) {
      corner_taps(tap[s], k->rows, k->columns, (source->width + 2 * around_columns) * source->channels, source->channels);
      convolution step = step_of(at, source, 2 * around_rows, 2 * around_columns, tap[s], (int)(k->rows * k->columns), weights, padded_out, y, out);
      if (as_is) step.ktap = k->in * out;
      if (k->columns == 3) step.run = 3;
      p.rows_per_unit[p.count] = s > 0 ? enlarge : 1, p.steps[p.count++] = step;
    } else {
      long row = (source->width + 2) * source->channels;
      for (int phase = 0; phase < 4; phase++) {
        int a = phase >> 1, b = phase & 1;
        float *corner = y + (a * 2 * source->width + b) * out;
        convolution step;
        if (folded) {
          for (int t = 0; t < 4; t++) phase_taps[phase][t] = (a + (t >> 1)) * row + (b + (t & 1)) * source->channels;
          step = step_of(at, source, 2, 2, phase_taps[phase], 4, weights + phase * 4 * source->channels * padded_out, padded_out, corner, out);
          step.run = 2;
        } else {
          for (int t = 0; t < 9; t++) phase_taps[phase][t] = (a + t / 3 + 1) / 2 * row + (b + t % 3 + 1) / 2 * source->channels;
          step = step_of(at, source, 2, 2, phase_taps[phase], 9, weights, padded_out, corner, out);
          if (as_is) step.ktap = k->in * out;
        }
        step.ystep *= 2, step.yrow *= 4, step.yimage *= 4;
        p.rows_per_unit[p.count] = 1, p.steps[p.count++] = step;
      }
    }
    if (s > 0) p.steps[p.count - 1].adds = 1;
  }
  for (int i = sources > 1 ? p.count - 1 : 0; i < p.count; i++) // the last to add: all phases, or the other source
    p.steps[i].scale = then->scale, p.steps[i].shift = then->shift, p.steps[i].slope = then->slope;
  carry_out(c, &p);
  wrong = NULL;
end:
  for (int i = 0; i < 4; i++) give_back(held[i]);
  return wrong;
}

const char *input_gradient(const crew *c, const images *dy, const kernel *k, long from, int enlarge, const images *dx, float *into) {
  long lanes = tiles_here()->lanes, in = dx->channels, padded_in = rounded(in, lanes), tap[TAPS];
  long around_rows = k->rows / 2, around_columns = k->columns / 2;
  float *weights = packed(c, k, from, in, enlarge, 1, padded_in), *margin = NULL;
  const kernel backward = {.at = weights, .rows = 3, .columns = 3, .in = dy->channels, .out = in};
  if (weights && k->rows == 3 && k->columns == 3 && enlarge == 1 && by_winograd(1, dy, 1, &backward)) {
    const char *wrong = winograd_images(c, 1, dy, 1, &backward, &(after){0}, into);
    give_back(weights);
    return wrong;
  }
  const float *at = dy->at;
  if (weights && (around_rows || around_columns)) at = margin = padded(c, dy, around_rows, around_columns, dy->channels);
  if (weights && at) {
    long row = (dy->width + 2 * around_columns) * dy->channels, rows = enlarge == 1 ? k->rows : 4, columns = enlarge == 1 ? k->columns : 4;
    corner_taps(tap, rows, columns, row, dy->channels);
    images size = *dx;
    size.channels = dy->channels; // what the sum runs over
    convolution step = step_of(at, &size, 0, 0, tap, (int)(rows * columns), weights, padded_in, into, in);
    step.xstep = enlarge * dy->channels, step.xrow = enlarge * row, step.ximage = (dy->height + 2 * around_rows) * row;
    if (enlarge == 1 && columns == 3) step.run = 3;
    plan p = {.steps = {step}, .rows_per_unit = {1}, .count = 1, .units = dx->count * dx->height};
    carry_out(c, &p);
  }
  give_back(weights);
  give_back(margin);
  return weights && at ? NULL : no_memory;
}
