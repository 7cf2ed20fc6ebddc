// Part of tiles_loops.h: Winograd's F(2x2, 3x3) by its matrices, rows and columns alike (Lavin and Gray, "Fast algorithms for
// convolutional neural networks", CVPR 2016, eq. 7 and 8). Channels are whole vectors here.
#define EACH_WHOLE_VECTOR(channels) for (long ch = 0; ch < channels; ch += LANES)

TARGET static inline void spread_four(vector *a, vector *b, vector *c, vector *d) { // B'
  vector sum = *b + *c, difference = *c - *b;
  *a -= *c, *d = *b - *d, *b = sum, *c = difference;
}

TARGET static void spread_input(const float *x, long xrow, long xstep, long channels, float *to, long step) {
  EACH_WHOLE_VECTOR(channels) {
    vector v[4][4];
    UNROLL for (int j = 0; j < 4; j++) {
      UNROLL for (int i = 0; i < 4; i++) v[i][j] = load(x + i * xrow + j * xstep + ch);
      spread_four(&v[0][j], &v[1][j], &v[2][j], &v[3][j]);
    }
    UNROLL for (int i = 0; i < 4; i++) {
      spread_four(&v[i][0], &v[i][1], &v[i][2], &v[i][3]);
      UNROLL for (int j = 0; j < 4; j++) store(to + (4 * i + j) * step + ch, v[i][j]);
    }
  }
}

// spread_enlarged is spread_input of pixels a, b, b, c: each pixel of a row or column twice. What B' makes of the third is 0.
TARGET static void spread_enlarged(const float *x, long xrow, long xstep, long channels, float *to, long step) {
  EACH_WHOLE_VECTOR(channels) {
    vector v[3][3];
    UNROLL for (int j = 0; j < 3; j++) {
      const float *at = x + j * xstep + ch;
      vector b = load(at + xrow);
      v[0][j] = load(at) - b, v[1][j] = b + b, v[2][j] = b - load(at + 2 * xrow);
    }
    UNROLL for (int i = 0; i < 3; i++) {
      float *row = to + (i + i / 2) * 4 * step + ch;
      store(row, v[i][0] - v[i][1]), store(row + step, v[i][1] + v[i][1]), store(row + 3 * step, v[i][1] - v[i][2]);
    }
  }
}

TARGET static void spread_kernel(const float *k, long ktap, long channels, float *to, long step) { // G
  EACH_WHOLE_VECTOR(channels) {
    vector v[4][3];
    UNROLL for (int j = 0; j < 3; j++) {
      vector a = load(k + j * ktap + ch), b = load(k + (3 + j) * ktap + ch), c = load(k + (6 + j) * ktap + ch), outer = 0.5f * (a + c), inner = 0.5f * b;
      v[0][j] = a, v[1][j] = outer + inner, v[2][j] = outer - inner, v[3][j] = c;
    }
    UNROLL for (int i = 0; i < 4; i++) {
      vector outer = 0.5f * (v[i][0] + v[i][2]), inner = 0.5f * v[i][1];
      float *row = to + 4 * i * step + ch;
      store(row, v[i][0]), store(row + step, outer + inner), store(row + 2 * step, outer - inner), store(row + 3 * step, v[i][2]);
    }
  }
}

TARGET static void gather_output(const float *products, long step, const convolution *c, float *y, int rows, int columns) { // A'
  EACH_WHOLE_VECTOR(c->out) {
    vector v[2][4];
    UNROLL for (int j = 0; j < 4; j++) {
      const float *p = products + j * step + ch;
      vector second = load(p + 4 * step), third = load(p + 8 * step);
      v[0][j] = load(p) + second + third, v[1][j] = second - third - load(p + 12 * step);
    }
    for (int i = 0; i < rows; i++) {
      float *to = y + i * c->yrow + ch;
      finish(c, to, v[i][0] + v[i][1] + v[i][2], (int)ch, LANES);
      if (columns > 1) finish(c, to + c->ystep, v[i][1] - v[i][2] - v[i][3], (int)ch, LANES);
    }
  }
}

TARGET static void spread_slopes(const float *dy, long yrow, long ystep, int rows, int columns, long channels, float *to, long step) { // A
  EACH_WHOLE_VECTOR(channels) {
    const vector none = {0};
    vector v[4][2];
    UNROLL for (int j = 0; j < 2; j++) {
      const float *at = dy + j * ystep + ch;
      vector a = j < columns ? load(at) : none, b = j < columns && rows > 1 ? load(at + yrow) : none;
      v[0][j] = a, v[1][j] = a + b, v[2][j] = a - b, v[3][j] = -b;
    }
    UNROLL for (int i = 0; i < 4; i++) {
      float *row = to + 4 * i * step + ch;
      store(row, v[i][0]), store(row + step, v[i][0] + v[i][1]), store(row + 2 * step, v[i][0] - v[i][1]), store(row + 3 * step, -v[i][1]);
    }
  }
}

TARGET static void gather_kernel(const float *products, long step, long channels, float *dk, long ktap) { // G'
  EACH_WHOLE_VECTOR(channels) {
    vector v[3][4];
    UNROLL for (int j = 0; j < 4; j++) {
      const float *p = products + j * step + ch;
      vector b = 0.5f * load(p + 4 * step), c = 0.5f * load(p + 8 * step);
      v[0][j] = load(p) + b + c, v[1][j] = b - c, v[2][j] = b + c + load(p + 12 * step);
    }
    UNROLL for (int i = 0; i < 3; i++) {
      vector b = 0.5f * v[i][1], c = 0.5f * v[i][2];
      float *row = dk + 3 * i * ktap + ch;
      store(row, v[i][0] + b + c), store(row + ktap, b - c), store(row + 2 * ktap, b + c + v[i][3]);
    }
  }
}
