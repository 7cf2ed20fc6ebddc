// The inner loops, written once for every vector length. Each is a tile of a matrix product held in registers: so many pixels
// (or input channels) by so many vectors of output channels.
#ifndef SSWE_TILES_H
#define SSWE_TILES_H

// convolution gathers: at each of height x width steps of each image, the sum over taps and input channels of an input pixel
// times a kernel, for all output channels. Strides and tap offsets count floats. They let one loop be a convolution, the
// four phases of one on an enlarged image, and the gradients of both with respect to the input.
typedef struct {
  const float *x; // at tap offset 0 of the first step
  long xstep, xrow, ximage;
  int in, taps;
  const long *tap;
  int run;        // taps in runs of so many (1, 2 or 3) lie xstep apart, from pixel to pixel
  const float *k; // [taps][in][kin], kin a multiple of the vector length
  long ktap, kin;
  float *y;
  long ystep, yrow, yimage;
  int height, width, out;
  int adds;                  // to what is in y
  const float *scale, *shift; // [out] applied to the sum, or NULL; then negative values are multiplied by slope
  float slope;
} convolution;

// gradient sums over all steps the product of an input pixel and an output gradient: [in] x [out] for one tap.
typedef struct {
  const float *x;
  long xstep, xrow, ximage;
  const float *dy; // readable for whole vectors beyond out
  long ystep, yrow, yimage;
  int height, width, in, out;
  int top, bottom; // rows of an image from top to bottom count, the others see zeros
} gradient;

// adam_step is one update of a variable w and its moments m and v by the gradient g: m' = beta1 m + rest1 g, v' = beta2 v + rest2 g²,
// w' = w - rate bias1 m' / (sqrt(bias2 v') + epsilon) - rate decay w.
typedef struct {
  const float *w, *m, *v, *g;
  float rate, beta1, rest1, bias1, beta2, rest2, bias2, epsilon, decay;
  float *to_w, *to_m, *to_v;
} adam_step;

// tiles are the loops for one kind of processor.
typedef struct {
  int lanes; // floats in a vector
  // rows first to last (counted over all images), output channels from to to (from a multiple of 4 vectors)
  void (*convolve)(const convolution *c, long first, long last, int from, int to);
  // adds to into[in][stride] for input channels from to to, over rows first to last; whole vectors are written
  void (*correlate)(const gradient *g, long first, long last, int from, int to, float *into, long stride);
  // sums over pixels of x - origin and its square, per channel: sum[channels], square[channels]
  void (*moments)(const float *x, long pixels, int channels, const float *origin, float *sum, float *square);
  // y = rectified(x * scale + shift), negative values times slope
  void (*normalise)(const float *x, long pixels, int channels, const float *scale, const float *shift, float slope, float *y);
  // sums over pixels of g and g * (x - origin), where g is dy, times slope where x * scale + shift is negative
  void (*gradient_sums)(const float *x, const float *dy, long pixels, int channels, const float *scale, const float *shift, float slope,
                        const float *origin, float *sum, float *product);
  // dx = g * by + (x - origin) * with_x + rest
  void (*gradient_apply)(const float *x, const float *dy, long pixels, int channels, const float *scale, const float *shift, float slope,
                         const float *origin, const float *by, const float *with_x, const float *rest, float *dx);
  // the largest of four pixels, per channel; and dy where x is that, plus `and` (or NULL)
  void (*largest)(const float *a, const float *b, const float *c, const float *d, long channels, float *to);
  void (*where_largest)(const float *x, const float *y, const float *dy, const float *and, long channels, float *dx);
  // Winograd's F(2x2, 3x3): 4x4 input pixels, a kernel's 3x3 taps or 2x2 output gradients become 16 numbers a channel, `step` apart.
  // Where images are enlarged to twice their size, these 4x4 are 3x3 pixels, and the numbers of row or column 2 are 0 and not written.
  // 16 products become 2x2 outputs (c says how they are written) or a kernel's 3x3 taps. Of the 2x2, rows x columns are there.
  // Channels are whole vectors.
  void (*spread_input)(const float *x, long xrow, long xstep, long channels, float *to, long step);
  void (*spread_enlarged)(const float *x, long xrow, long xstep, long channels, float *to, long step);
  void (*spread_kernel)(const float *k, long ktap, long channels, float *to, long step);
  void (*spread_slopes)(const float *dy, long yrow, long ystep, int rows, int columns, long channels, float *to, long step);
  void (*gather_output)(const float *products, long step, const convolution *c, float *y, int rows, int columns);
  void (*gather_kernel)(const float *products, long step, long channels, float *dk, long ktap);
  // numbers from to to
  void (*adam)(const adam_step *a, long from, long to);
} tiles;

const tiles *tiles_avx512(void), *tiles_avx2(void), *tiles_any(void);

// tiles_here are those for vectors of so many lanes as use_lanes was told: 16 for AVX-512, 8 for AVX2, 4 for any processor.
const tiles *tiles_here(void);
void use_lanes(int n);

#endif
