// Pooling over planes. Windows that lie within the image go four at a time; those at its edge one by one.
#include "simd.h"
#include "threads.h"

/** The sizes of PoolingShape in engine.ts, in its order. */
typedef struct {
  int planes, height, width;
  int out_height, out_width;
  int kernel_height, kernel_width, stride_height, stride_width;
  int pad_height, pad_width;
} Shape;

typedef struct {
  Shape s;
  const float *x, *index_in;
  float *y, *index;
  int planes; // of a chunk
} Pooling;

#define CHUNK_FLOATS 16384

INLINE Pooling plan(const Shape *s) {
  int plane = larger(1, larger(s->height * s->width, s->out_height * s->out_width));
  return (Pooling){.s = *s, .planes = larger(1, CHUNK_FLOATS / plane)};
}

INLINE int chunks(const Pooling *p) { return ceil_div(p->s.planes, p->planes); }
INLINE int first_plane(const Pooling *p, int chunk) { return chunk * p->planes; }
INLINE int end_plane(const Pooling *p, int chunk) { return smaller(p->s.planes, (chunk + 1) * p->planes); }

/** The part of a window within the image, and its size with the padding that Caffe counts. */
typedef struct {
  int top, bottom, left, right;
  float size;
} Window;

INLINE Window window(const Shape *s, int i, int j) {
  int top = i * s->stride_height - s->pad_height, left = j * s->stride_width - s->pad_width;
  int bottom = smaller(top + s->kernel_height, s->height + s->pad_height);
  int right = smaller(left + s->kernel_width, s->width + s->pad_width);
  return (Window){larger(top, 0), smaller(bottom, s->height), larger(left, 0), smaller(right, s->width),
                  (float)((bottom - top) * (right - left))};
}

/** Output columns whose windows have all their columns within the image, when they are to be read four at a time. */
INLINE void inner_columns(const Shape *s, int *begin, int *end) {
  *begin = smaller(s->out_width, ceil_div(s->pad_width, s->stride_width));
  int last = s->width + s->pad_width - s->kernel_width;
  *end = last < 0 ? *begin : larger(*begin, smaller(s->out_width, last / s->stride_width + 1));
  if (s->stride_width > 2) *end = *begin;
}

/** The largest of each window, and where there is an `index`, its place. */
INLINE void max_plane(const Shape *s, const float *x, float *y, float *index) {
  int begin, end;
  inner_columns(s, &begin, &end);
  for (int i = 0; i < s->out_height; i++) {
    int j = 0;
    while (j < s->out_width) {
      // The last four go once more where fewer than four are left.
      if (j >= begin && j < end && end - 4 >= begin) j = smaller(j, end - 4);
      Window w = window(s, i, j);
      if (j >= begin && j + 4 <= end && w.top < w.bottom) {
        v128_t best = splat(-__builtin_inff()), at = splat(-1);
        for (int row = w.top; row < w.bottom; row++)
          for (int k = 0; k < s->kernel_width; k++) {
            int place = row * s->width + w.left + k;
            v128_t value = load_apart(x + place, s->stride_width);
            v128_t more = wasm_f32x4_gt(value, best);
            best = wasm_v128_bitselect(value, best, more);
            if (index) at = wasm_v128_bitselect(splat((float)place), at, more);
          }
        v128_t found = wasm_f32x4_gt(best, splat(-__builtin_inff()));
        store(y + j, wasm_v128_bitselect(best, splat(__builtin_nanf("")), found));
        // So far `at` is the place within the leftmost window.
        v128_t step = mul(wasm_f32x4_make(0, 1, 2, 3), splat((float)s->stride_width));
        if (index) store(index + j, wasm_v128_and(add(at, step), found));
        j += 4;
        continue;
      }
      float best = -__builtin_inff();
      int at = -1;
      for (int row = w.top; row < w.bottom; row++)
        for (int column = w.left; column < w.right; column++)
          if (x[row * s->width + column] > best) {
            at = row * s->width + column;
            best = x[at];
          }
      // A window of nothing but NaN has no largest value: NaN it is.
      y[j] = at < 0 ? __builtin_nanf("") : best;
      if (index) index[j] = (float)larger(at, 0);
      j++;
    }
    y += s->out_width;
    if (index) index += s->out_width;
  }
}

static void max_task(const void *args, int chunk, int thread) {
  const Pooling *p = args;
  size_t in = (size_t)p->s.height * p->s.width, out = (size_t)p->s.out_height * p->s.out_width;
  for (int plane = first_plane(p, chunk); plane < end_plane(p, chunk); plane++)
    if (p->index) max_plane(&p->s, p->x + plane * in, p->y + plane * out, p->index + plane * out);
    else max_plane(&p->s, p->x + plane * in, p->y + plane * out, 0);
}

/** y = the largest of each window, index (where given) its place in the plane. */
EXPORT(max_pool) void max_pool(const Shape *s, const float *x, float *y, float *index) {
  Pooling p = plan(s);
  p.x = x, p.y = y, p.index = index;
  parallel(max_task, &p, chunks(&p));
}

static void max_backward_task(const void *args, int chunk, int thread) {
  const Pooling *p = args;
  int in = p->s.height * p->s.width, out = p->s.out_height * p->s.out_width;
  for (int plane = first_plane(p, chunk); plane < end_plane(p, chunk); plane++) {
    const float *dy = p->x + (size_t)plane * out, *index = p->index_in + (size_t)plane * out;
    float *dx = p->y + (size_t)plane * in;
    clear(dx, in);
    for (int i = 0; i < out; i++) dx[(int)index[i]] += dy[i];
  }
}

EXPORT(max_pool_backward) void max_pool_backward(const Shape *s, const float *index, const float *dy, float *dx) {
  Pooling p = plan(s);
  p.index_in = index, p.x = dy, p.y = dx;
  parallel(max_backward_task, &p, chunks(&p));
}

static void average_plane(const Shape *s, const float *x, float *y) {
  int begin, end;
  inner_columns(s, &begin, &end);
  for (int i = 0; i < s->out_height; i++, y += s->out_width) {
    int j = 0;
    while (j < s->out_width) {
      Window w = window(s, i, j);
      if (j >= begin && j + 4 <= end) {
        v128_t sum = zero();
        for (int row = w.top; row < w.bottom; row++)
          for (int k = 0; k < s->kernel_width; k++)
            sum = add(sum, load_apart(x + row * s->width + w.left + k, s->stride_width));
        store(y + j, wasm_f32x4_div(sum, splat(w.size)));
        j += 4;
        continue;
      }
      float sum = 0;
      for (int row = w.top; row < w.bottom; row++)
        for (int column = w.left; column < w.right; column++) sum += x[row * s->width + column];
      y[j++] = sum / w.size;
    }
  }
}

static void average_task(const void *args, int chunk, int thread) {
  const Pooling *p = args;
  size_t in = (size_t)p->s.height * p->s.width, out = (size_t)p->s.out_height * p->s.out_width;
  for (int plane = first_plane(p, chunk); plane < end_plane(p, chunk); plane++)
    average_plane(&p->s, p->x + plane * in, p->y + plane * out);
}

/** y = the mean of each window. */
EXPORT(average_pool) void average_pool(const Shape *s, const float *x, float *y) {
  Pooling p = plan(s);
  p.x = x, p.y = y;
  parallel(average_task, &p, chunks(&p));
}

static void average_backward_task(const void *args, int chunk, int thread) {
  const Pooling *p = args;
  const Shape *s = &p->s;
  int in = s->height * s->width, out = s->out_height * s->out_width;
  for (int plane = first_plane(p, chunk); plane < end_plane(p, chunk); plane++) {
    const float *dy = p->x + (size_t)plane * out;
    float *dx = p->y + (size_t)plane * in;
    clear(dx, in);
    for (int i = 0; i < s->out_height; i++)
      for (int j = 0; j < s->out_width; j++) {
        Window w = window(s, i, j);
        float share = *dy++ / w.size;
        for (int row = w.top; row < w.bottom; row++) {
          float *to = dx + row * s->width;
          int column = w.left;
          for (; column + 4 <= w.right; column += 4) store(to + column, add(load(to + column), splat(share)));
          for (; column < w.right; column++) to[column] += share;
        }
      }
  }
}

EXPORT(average_pool_backward) void average_pool_backward(const Shape *s, const float *dy, float *dx) {
  Pooling p = plan(s);
  p.x = dy, p.y = dx;
  parallel(average_backward_task, &p, chunks(&p));
}
