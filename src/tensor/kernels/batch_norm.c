// Normalisation of each channel by the mean and variance of a batch, with the factor and bias that follow it in one go.
// Memory is gone through twice, in order: for the sums of every plane, which then make those of the channels, and for
// the values.
#include "sums.h"
#include "threads.h"

/** The sizes of BatchNormShape in engine.ts, in its order; eps comes as an argument. */
typedef struct {
  int num, channels, plane;
} Shape;

typedef struct {
  Shape s;
  float eps;
  int planes; // of a chunk
  const float *x, *dy, *factor, *bias;
  float slope;
  float *mean, *variance, *normal, *y;
  /** Two sums of each plane. */
  float *first, *second;
  /** Per channel, in backward: dx = gain · (dy − mean_dy − mean_dot · normal). */
  float *gain, *mean_dy, *mean_dot;
} BatchNorm;

#define CHUNK_FLOATS 16384

static void run(Task *task, BatchNorm *b) {
  b->planes = larger(1, CHUNK_FLOATS / larger(1, b->s.plane));
  parallel(task, b, ceil_div(b->s.num * b->s.channels, b->planes));
}

INLINE int end_of(const BatchNorm *b, int chunk) {
  return smaller(b->s.num * b->s.channels, (chunk + 1) * b->planes);
}

/** Mean of each plane, and the sum of squares around it. */
static void moments_task(const void *args, int chunk, int thread) {
  const BatchNorm *b = args;
  for (int p = chunk * b->planes; p < end_of(b, chunk); p++) {
    const float *x = b->x + (size_t)p * b->s.plane;
    float mean = (float)(value_of(add_sum(no_total(), x, b->s.plane)) / b->s.plane);
    b->first[p] = mean;
    b->second[p] = (float)value_of(add_squares(no_total(), x, mean, b->s.plane));
  }
}

static void normalise_task(const void *args, int chunk, int thread) {
  BatchNorm b = *(const BatchNorm *)args;
  int whole = b.s.plane / 4 * 4, rest = b.s.plane - whole;
  for (int p = chunk * b.planes; p < end_of(&b, chunk); p++) {
    int channel = p % b.s.channels;
    const float *x = b.x + (size_t)p * b.s.plane;
    float *to = b.normal + (size_t)p * b.s.plane, *y = b.y + (size_t)p * b.s.plane;
    v128_t mean = splat(b.mean[channel]), inverse = splat(1 / __builtin_sqrtf(b.variance[channel] + b.eps));
    v128_t factor = splat(b.factor ? b.factor[channel] : 1), bias = splat(b.bias ? b.bias[channel] : 0);
    v128_t slope = splat(b.slope);
    for (int i = 0; i < whole; i += 4) {
      v128_t normal = mul(sub(load(x + i), mean), inverse);
      store(to + i, normal);
      store(y + i, rectified(madd(normal, factor, bias), slope));
    }
    v128_t normal = mul(sub(load_some(x + whole, rest), mean), inverse);
    store_some(to + whole, normal, rest);
    store_some(y + whole, rectified(madd(normal, factor, bias), slope), rest);
  }
}

/** Floats of workspace for both ways. */
EXPORT(batch_norm_workspace) int batch_norm_workspace(const Shape *s) { return (2 * s->num + 3) * s->channels; }

/**
 * normal = (x − mean) / √(variance + eps) by the channel's own mean and variance; y = factor · normal + bias where
 * positive, otherwise slope times that.
 */
EXPORT(batch_norm) void batch_norm(const Shape *s, float eps, const float *x, const float *factor, const float *bias,
                                   float slope, float *mean, float *variance, float *normal, float *y, float *workspace) {
  int channels = s->channels;
  BatchNorm b = {.s = *s, .eps = eps, .x = x, .factor = factor, .bias = bias, .slope = slope, .mean = mean, .variance = variance,
                 .normal = normal, .y = y, .first = workspace, .second = workspace + s->num * channels};
  run(moments_task, &b);
  for (int c = 0; c < channels; c++) {
    double sum = 0, squares = 0;
    for (int n = 0; n < s->num; n++) sum += b.first[n * channels + c];
    sum /= s->num;
    // Squares around the mean of the plane, and of that around the mean of all.
    for (int n = 0; n < s->num; n++) {
      double distance = b.first[n * channels + c] - sum;
      squares += b.second[n * channels + c] + s->plane * distance * distance;
    }
    mean[c] = (float)sum;
    variance[c] = (float)(squares / s->num / s->plane);
  }
  run(normalise_task, &b);
}

/** Sums of dy and of dy · normal of each plane. */
static void gradient_sums_task(const void *args, int chunk, int thread) {
  const BatchNorm *b = args;
  for (int p = chunk * b->planes; p < end_of(b, chunk); p++) {
    size_t at = (size_t)p * b->s.plane;
    b->first[p] = (float)value_of(add_sum(no_total(), b->dy + at, b->s.plane));
    b->second[p] = (float)value_of(add_products(no_total(), b->dy + at, b->normal + at, b->s.plane));
  }
}

static void gradient_task(const void *args, int chunk, int thread) {
  BatchNorm b = *(const BatchNorm *)args;
  int whole = b.s.plane / 4 * 4, rest = b.s.plane - whole;
  for (int p = chunk * b.planes; p < end_of(&b, chunk); p++) {
    int channel = p % b.s.channels;
    const float *dy = b.dy + (size_t)p * b.s.plane, *normal = b.normal + (size_t)p * b.s.plane;
    float *dx = b.y + (size_t)p * b.s.plane;
    v128_t gain = splat(b.gain[channel]), mean = splat(b.mean_dy[channel]), dot = splat(-b.mean_dot[channel]);
    for (int i = 0; i < whole; i += 4)
      store(dx + i, mul(gain, madd(load(normal + i), dot, sub(load(dy + i), mean))));
    v128_t centred = sub(load_some(dy + whole, rest), mean);
    store_some(dx + whole, mul(gain, madd(load_some(normal + whole, rest), dot, centred)), rest);
  }
}

/** dx = factor / √(variance + eps) · (dy − mean(dy) − mean(dy · normal) · normal); adds to the other gradients. */
EXPORT(batch_norm_backward) void batch_norm_backward(const Shape *s, float eps, float *normal, const float *variance,
                                                     const float *factor, const float *dy, float *factor_diff,
                                                     float *bias_diff, float *dx, float *workspace) {
  int channels = s->channels, planes = s->num * channels;
  float *gain = workspace + 2 * planes;
  BatchNorm b = {.s = *s, .dy = dy, .normal = normal, .y = dx, .first = workspace, .second = workspace + planes,
                 .gain = gain, .mean_dy = gain + channels, .mean_dot = gain + 2 * channels};
  run(gradient_sums_task, &b);
  for (int c = 0; c < channels; c++) {
    double sum = 0, dot = 0, items = (double)s->num * s->plane;
    for (int n = 0; n < s->num; n++) sum += b.first[n * channels + c], dot += b.second[n * channels + c];
    if (factor_diff) factor_diff[c] += (float)dot;
    if (bias_diff) bias_diff[c] += (float)sum;
    b.gain[c] = (factor ? factor[c] : 1) / __builtin_sqrtf(variance[c] + eps);
    b.mean_dy[c] = (float)(sum / items);
    b.mean_dot[c] = (float)(dot / items);
  }
  run(gradient_task, &b);
}
