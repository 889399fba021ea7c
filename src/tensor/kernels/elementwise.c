// Operations value by value, and sums per channel. Bound by memory: short loops over ranges that fit the cache.
#include "sums.h"
#include "threads.h"

#define RANGE 16384 // floats of a chunk

typedef struct {
  int count;
  float factor;
  const float *a, *b;
  float *y;
} Elements;

INLINE void run(Task *task, const Elements *e) { parallel(task, e, ceil_div(e->count, RANGE)); }

/** Works on the values from `i` on: four, or as many as are `left` at the end. */
typedef void Four(const void *args, int i, int left);

/**
 * Goes through a chunk of `count` values. What makes it fast: `left` is a constant but for the last, and `args` are the
 * caller's own copy, which no store can change.
 */
INLINE void each_four(Four *work, const void *args, int count, int chunk) {
  int i = chunk * RANGE, end = smaller(count, i + RANGE);
  for (; i + 4 <= end; i += 4) work(args, i, 4);
  if (i < end) work(args, i, end - i);
}

INLINE void relu_four(const void *args, int i, int left) {
  const Elements *e = args;
  store_some(e->y + i, rectified(load_some(e->a + i, left), splat(e->factor)), left);
}

static void relu_task(const void *args, int chunk, int thread) {
  Elements e = *(const Elements *)args;
  each_four(relu_four, &e, e.count, chunk);
}

/** y = x where positive, otherwise slope · x. */
EXPORT(relu) void relu(int count, const float *x, float *y, float slope) {
  run(relu_task, &(Elements){.count = count, .factor = slope, .a = x, .y = y});
}

INLINE void relu_backward_four(const void *args, int i, int left) {
  const Elements *e = args;
  v128_t dy = load_some(e->b + i, left), low = mul(dy, splat(e->factor));
  store_some(e->y + i, wasm_v128_bitselect(dy, low, wasm_f32x4_gt(load_some(e->a + i, left), zero())), left);
}

static void relu_backward_task(const void *args, int chunk, int thread) {
  Elements e = *(const Elements *)args;
  each_four(relu_backward_four, &e, e.count, chunk);
}

EXPORT(relu_backward) void relu_backward(int count, const float *x, const float *dy, float *dx, float slope) {
  run(relu_backward_task, &(Elements){.count = count, .factor = slope, .a = x, .b = dy, .y = dx});
}

typedef struct {
  int inputs, count;
  const float *const *x;
  const float *factors;
  float *y;
  float slope;
} Sum;

/** The sum of the first `inputs`, a constant where it matters. */
INLINE void sum_four(const Sum *s, int inputs, int i, int left) {
  v128_t sum = mul(splat(s->factors[0]), load_some(s->x[0] + i, left));
  for (int j = 1; j < inputs; j++) sum = madd(splat(s->factors[j]), load_some(s->x[j] + i, left), sum);
  store_some(s->y + i, rectified(sum, splat(s->slope)), left);
}

INLINE void sum_four_of_one(const void *args, int i, int left) { sum_four(args, 1, i, left); }
INLINE void sum_four_of_two(const void *args, int i, int left) { sum_four(args, 2, i, left); }
INLINE void sum_four_of_many(const void *args, int i, int left) {
  sum_four(args, ((const Sum *)args)->inputs, i, left);
}

static void weighted_sum_task(const void *args, int chunk, int thread) {
  Sum s = *(const Sum *)args;
  if (s.inputs > 2) {
    each_four(sum_four_of_many, &s, s.count, chunk);
    return;
  }
  const float *x[] = {s.x[0], s.x[s.inputs - 1]};
  float factors[] = {s.factors[0], s.factors[s.inputs - 1]};
  s.x = x, s.factors = factors;
  if (s.inputs == 1) each_four(sum_four_of_one, &s, s.count, chunk);
  else each_four(sum_four_of_two, &s, s.count, chunk);
}

/** y = Σ factors[j] · x[j] where positive, otherwise slope times that; y may be one of the x. */
EXPORT(weighted_sum) void weighted_sum(int inputs, int count, const float *const *x, const float *factors,
                                       float *y, float slope) {
  parallel(weighted_sum_task, &(Sum){inputs, count, x, factors, y, slope}, ceil_div(count, RANGE));
}

INLINE void axpy_four(const void *args, int i, int left) {
  const Elements *e = args;
  store_some(e->y + i, madd(splat(e->factor), load_some(e->a + i, left), load_some(e->y + i, left)), left);
}

static void axpy_task(const void *args, int chunk, int thread) {
  Elements e = *(const Elements *)args;
  each_four(axpy_four, &e, e.count, chunk);
}

/** y += factor · x. */
EXPORT(axpy) void axpy(int count, float factor, const float *x, float *y) {
  run(axpy_task, &(Elements){.count = count, .factor = factor, .a = x, .y = y});
}

static void squares_task(const void *args, int chunk, int thread) {
  const Elements *e = args;
  v128_t low = wasm_f64x2_const_splat(0), high = low;
  for (int i = chunk * RANGE, end = smaller(e->count, i + RANGE); i < end; i += 4) {
    v128_t x = load_some(e->a + i, end - i);
    v128_t a = wasm_f64x2_promote_low_f32x4(x);
    v128_t b = wasm_f64x2_promote_low_f32x4(wasm_i64x2_shuffle(x, x, 1, 1));
    low = wasm_f64x2_add(low, wasm_f64x2_mul(a, a));
    high = wasm_f64x2_add(high, wasm_f64x2_mul(b, b));
  }
  v128_t sum = wasm_f64x2_add(low, high);
  ((double *)e->y)[chunk] = wasm_f64x2_extract_lane(sum, 0) + wasm_f64x2_extract_lane(sum, 1);
}

/** Floats of workspace that {@link sum_of_squares} needs. */
EXPORT(squares_workspace) int squares_workspace(int count) { return 2 * ceil_div(count, RANGE); }

/** Σ x², summed in double precision. */
EXPORT(sum_of_squares) double sum_of_squares(int count, const float *x, double *workspace) {
  run(squares_task, &(Elements){.count = count, .a = x, .y = (float *)workspace});
  double sum = 0;
  for (int i = 0; i < ceil_div(count, RANGE); i++) sum += workspace[i];
  return sum;
}

// ---------------------------------------------------------------- one value per middle index of outer × size × inner

typedef struct {
  int outer, size, inner;
  const float *a, *b, *factor, *bias;
  float *y;
  int rows; // of outer × size in a chunk
} Channels;

INLINE int rows_of(int count, int inner) { return larger(1, smaller(count, RANGE / larger(1, inner))); }

/** What is done with a value: factor · x + bias, or x where positive, otherwise factor · x. */
typedef enum { SCALE, RECTIFY } Change;

INLINE v128_t changed(Change change, v128_t x, v128_t factor, v128_t bias) {
  return change == SCALE ? madd(x, factor, bias) : rectified(x, factor);
}

INLINE void change_rows(const Channels *c, int first, int end, Change change) {
  for (int row = first; row < end; row++) {
    v128_t factor = splat(c->factor[row % c->size]), bias = splat(c->bias ? c->bias[row % c->size] : 0);
    const float *x = c->a + (size_t)row * c->inner;
    float *y = c->y + (size_t)row * c->inner;
    int i = 0;
    for (; i + 4 <= c->inner; i += 4) store(y + i, changed(change, load(x + i), factor, bias));
    int left = c->inner - i;
    store_some(y + i, changed(change, load_some(x + i, left), factor, bias), left);
  }
}

/** The same where inner is 1: the values of all channels lie side by side. */
INLINE void change_across(const Channels *c, int first, int end, Change change) {
  for (int row = first; row < end; row++) {
    const float *x = c->a + (size_t)row * c->size;
    float *y = c->y + (size_t)row * c->size;
    for (int i = 0; i < c->size; i += 4) {
      int left = c->size - i;
      v128_t bias = c->bias ? load_some(c->bias + i, left) : zero();
      store_some(y + i, changed(change, load_some(x + i, left), load_some(c->factor + i, left), bias), left);
    }
  }
}

INLINE void change(const Channels *c, int chunk, Change change) {
  int first = chunk * c->rows;
  if (c->inner == 1) change_across(c, first, smaller(c->outer, first + c->rows), change);
  else change_rows(c, first, smaller(c->outer * c->size, first + c->rows), change);
}

static void scale_task(const void *args, int chunk, int thread) { change(args, chunk, SCALE); }
static void prelu_task(const void *args, int chunk, int thread) { change(args, chunk, RECTIFY); }

INLINE void run_channels(Task *task, Channels *c) {
  int rows = c->inner == 1 ? c->outer : c->outer * c->size;
  c->rows = rows_of(rows, c->inner == 1 ? c->size : c->inner);
  parallel(task, c, ceil_div(rows, c->rows));
}

/** y = x · factor[c] + bias[c]. */
EXPORT(scale) void scale(int outer, int size, int inner, const float *x, const float *factor, const float *bias,
                         float *y) {
  run_channels(scale_task,
               &(Channels){.outer = outer, .size = size, .inner = inner, .a = x, .factor = factor, .bias = bias,
                           .y = y});
}

/** y = x where positive, otherwise slope[c] · x. */
EXPORT(prelu) void prelu(int outer, int size, int inner, const float *x, const float *slope, float *y) {
  run_channels(prelu_task,
               &(Channels){.outer = outer, .size = size, .inner = inner, .a = x, .factor = slope, .y = y});
}

/** Σ a (· b) of the channels of a chunk. */
INLINE void sum_channels(const Channels *c, int first, int end, int dot) {
  for (int channel = first; channel < end; channel++) {
    Total total = no_total();
    for (int n = 0; n < c->outer; n++) {
      size_t row = ((size_t)n * c->size + channel) * c->inner;
      total = dot ? add_products(total, c->a + row, c->b + row, c->inner) : add_sum(total, c->a + row, c->inner);
    }
    c->y[channel] += (float)value_of(total);
  }
}

/** The same where inner is 1: four channels at a time, down the rows. */
INLINE void sum_across(const Channels *c, int first, int end, int dot) {
  for (int channel = first; channel < end; channel += 4) {
    int left = end - channel;
    v128_t low = wasm_f64x2_const_splat(0), high = low;
    for (int n = 0; n < c->outer; n++) {
      size_t at = (size_t)n * c->size + channel;
      v128_t v = load_some(c->a + at, left);
      if (dot) v = mul(v, load_some(c->b + at, left));
      low = wasm_f64x2_add(low, wasm_f64x2_promote_low_f32x4(v));
      high = wasm_f64x2_add(high, wasm_f64x2_promote_low_f32x4(wasm_i64x2_shuffle(v, v, 1, 1)));
    }
    v128_t a = wasm_f32x4_demote_f64x2_zero(low), b = wasm_f32x4_demote_f64x2_zero(high);
    store_some(c->y + channel, add(load_some(c->y + channel, left), wasm_i64x2_shuffle(a, b, 0, 2)), left);
  }
}

static void sum_task(const void *args, int chunk, int thread) {
  const Channels *c = args;
  int first = chunk * c->rows, end = smaller(c->size, first + c->rows);
  if (c->inner == 1) sum_across(c, first, end, 0);
  else sum_channels(c, first, end, 0);
}

static void dot_task(const void *args, int chunk, int thread) {
  const Channels *c = args;
  int first = chunk * c->rows, end = smaller(c->size, first + c->rows);
  if (c->inner == 1) sum_across(c, first, end, 1);
  else sum_channels(c, first, end, 1);
}

INLINE void run_sums(Task *task, Channels *c) {
  c->rows = ceil_div(rows_of(c->size, c->outer * c->inner), 4);
  if (c->inner == 1) c->rows *= 4;
  parallel(task, c, ceil_div(c->size, c->rows));
}

/** sum[c] += Σ x. */
EXPORT(channel_sum) void channel_sum(int outer, int size, int inner, const float *x, float *sum) {
  run_sums(sum_task, &(Channels){.outer = outer, .size = size, .inner = inner, .a = x, .y = sum});
}

/** sum[c] += Σ a · b. */
EXPORT(channel_dot) void channel_dot(int outer, int size, int inner, const float *a, const float *b, float *sum) {
  run_sums(dot_task, &(Channels){.outer = outer, .size = size, .inner = inner, .a = a, .b = b, .y = sum});
}
