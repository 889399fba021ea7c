// Local response normalisation across channels, and softmax.
#include "math.h"
#include "threads.h"

/** The sizes of LrnShape in engine.ts, in its order; its constants come as arguments. */
typedef struct {
  int num, channels, plane, size;
} Shape;

typedef struct {
  Shape s;
  float alpha, beta, k;
  const float *x, *scale_in, *y_in, *dy;
  float *scale, *y;
  int blocks; // of pixels in a plane
} Lrn;

#define PIXELS 256 // of a chunk

INLINE v128_t square(v128_t v) { return mul(v, v); }

static void lrn_task(const void *args, int chunk, int thread) {
  const Lrn *l = args;
  const Shape *s = &l->s;
  int half = (s->size - 1) / 2, first = chunk % l->blocks * PIXELS, end = smaller(s->plane, first + PIXELS);
  size_t image = (size_t)(chunk / l->blocks) * s->channels * s->plane;
  v128_t share = splat(l->alpha / (float)s->size);
  for (int c = 0; c < s->channels; c++) {
    int from = larger(0, c - half), to = smaller(s->channels - 1, c + half);
    for (int p = first; p < end; p += 4) {
      const float *x = l->x + image + p;
      v128_t sum = zero();
      for (int o = from; o <= to; o++) sum = add(sum, square(load_some(x + (size_t)o * s->plane, end - p)));
      v128_t scale = add(splat(l->k), mul(share, sum));
      size_t at = image + (size_t)c * s->plane + p;
      store_some(l->scale + at, scale, end - p);
      store_some(l->y + at, mul(load_some(l->x + at, end - p), pow4(scale, -l->beta)), end - p);
    }
  }
}

INLINE Lrn plan(const Shape *s, float alpha, float beta, float k) {
  return (Lrn){.s = *s, .alpha = alpha, .beta = beta, .k = k, .blocks = ceil_div(s->plane, PIXELS)};
}

/** scale = k + alpha / size · Σ x² over the channels around; y = x · scale^-beta. */
EXPORT(lrn) void lrn(const Shape *s, float alpha, float beta, float k, const float *x, float *scale, float *y) {
  Lrn l = plan(s, alpha, beta, k);
  l.x = x, l.scale = scale, l.y = y;
  parallel(lrn_task, &l, s->num * l.blocks);
}

static void lrn_backward_task(const void *args, int chunk, int thread) {
  const Lrn *l = args;
  const Shape *s = &l->s;
  int half = (s->size - 1) / 2, first = chunk % l->blocks * PIXELS, end = smaller(s->plane, first + PIXELS);
  size_t image = (size_t)(chunk / l->blocks) * s->channels * s->plane;
  v128_t factor = splat(2 * l->alpha * l->beta / (float)s->size);
  for (int c = 0; c < s->channels; c++) {
    int from = larger(0, c - half), to = smaller(s->channels - 1, c + half);
    for (int p = first; p < end; p += 4) {
      int count = end - p;
      v128_t sum = zero();
      for (int o = from; o <= to; o++) {
        size_t at = image + (size_t)o * s->plane + p;
        v128_t product = mul(load_some(l->dy + at, count), load_some(l->y_in + at, count));
        sum = add(sum, wasm_f32x4_div(product, load_some(l->scale_in + at, count)));
      }
      size_t at = image + (size_t)c * s->plane + p;
      v128_t own = mul(load_some(l->dy + at, count), pow4(load_some(l->scale_in + at, count), -l->beta));
      store_some(l->y + at, sub(own, mul(mul(factor, load_some(l->x + at, count)), sum)), count);
    }
  }
}

EXPORT(lrn_backward) void lrn_backward(const Shape *s, float alpha, float beta, float k, const float *x,
                                       const float *y, const float *scale, const float *dy, float *dx) {
  Lrn l = plan(s, alpha, beta, k);
  l.x = x, l.y_in = y, l.scale_in = scale, l.dy = dy, l.y = dx;
  parallel(lrn_backward_task, &l, s->num * l.blocks);
}

typedef struct {
  int outer, classes, inner;
  const float *x;
  float *y;
  int rows; // of outer in a chunk
} Softmax;

/** Classes side by side. */
static void softmax_row(int classes, const float *x, float *y) {
  float largest = -__builtin_inff();
  for (int c = 0; c < classes; c++) largest = x[c] > largest ? x[c] : largest;
  float total = 0;
  for (int c = 0; c < classes; c += 4) {
    v128_t e = exp4(sub(load_some(x + c, classes - c), splat(largest)));
    store_some(y + c, e, classes - c);
    total += sum_of_lanes(load_some(y + c, classes - c));
  }
  for (int c = 0; c < classes; c += 4)
    store_some(y + c, wasm_f32x4_div(load_some(y + c, classes - c), splat(total)), classes - c);
}

/** Classes `inner` apart, four neighbours at a time. */
static void softmax_columns(int classes, int inner, const float *x, float *y) {
  for (int i = 0; i < inner; i += 4) {
    int count = inner - i;
    v128_t largest = splat(-__builtin_inff()), total = zero();
    for (int c = 0; c < classes; c++)
      largest = wasm_f32x4_pmax(largest, load_some(x + (size_t)c * inner + i, count));
    for (int c = 0; c < classes; c++) {
      v128_t e = exp4(sub(load_some(x + (size_t)c * inner + i, count), largest));
      total = add(total, e);
      store_some(y + (size_t)c * inner + i, e, count);
    }
    for (int c = 0; c < classes; c++) {
      size_t at = (size_t)c * inner + i;
      store_some(y + at, wasm_f32x4_div(load_some(y + at, count), total), count);
    }
  }
}

static void softmax_task(const void *args, int chunk, int thread) {
  const Softmax *s = args;
  int first = chunk * s->rows, end = smaller(s->outer, first + s->rows);
  size_t size = (size_t)s->classes * s->inner;
  for (int n = first; n < end; n++)
    if (s->inner == 1) softmax_row(s->classes, s->x + n * size, s->y + n * size);
    else softmax_columns(s->classes, s->inner, s->x + n * size, s->y + n * size);
}

/** Softmax over the middle of outer × classes × inner. */
EXPORT(softmax) void softmax(int outer, int classes, int inner, const float *x, float *y) {
  Softmax s = {outer, classes, inner, x, y, larger(1, 4096 / larger(1, classes * inner))};
  parallel(softmax_task, &s, ceil_div(outer, s.rows));
}
