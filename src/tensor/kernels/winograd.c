// 3×3 and 5×5 convolutions of stride 1 by minimal filtering: F(4×4, 3×3) of Lavin & Gray (2016), section 4.3, and
// F(2×2, 5×5), which interpolates at the same points 0, ±1, ±2, ∞.
//
// A tile of outputs (4×4 or 2×2) depends on 6×6 inputs. With both sides transformed,
//   Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A,
// it takes 36 products per channel instead of 144 or 100, and the sums over channels at each of the 36 places are a
// matrix product: outputs × channels times channels × tiles. The gradient by the weights is the adjoint of the same:
//   dg = Gᵀ [ Σ (A dY Aᵀ) ⊙ (Bᵀ d B) ] G.
#include "convolution.h"
#include "gemm.h"
#include "threads.h"

#define IN 6
#define MOST_OUT 4
#define MOST_TAPS 5
#define PLACES (IN * IN)
#define LANES 4
// Between the values of two places, so that they do not all fall into the same set of a cache.
#define GAP 16
// Floats of transformed tiles that a thread holds at a time: some of a second-level cache.
#define BLOCK_FLOATS 98304

/** Outputs of a tile along a side, for kernels of 3 or 5. */
INLINE int outputs_of(int kernel) { return IN + 1 - kernel; }
INLINE int rounded(int count, int unit) { return ceil_div(count, unit) * unit; }

// ------------------------------------------------------------------------------------ the transforms in one dimension

/** Bᵀ: 6 inputs to 6. */
INLINE void transform_in(const v128_t d[IN], v128_t out[IN]) {
  v128_t four = splat(4), five = splat(5), two = splat(2);
  v128_t even = sub(d[4], mul(four, d[2])), odd = sub(d[3], mul(four, d[1]));
  v128_t evens = sub(d[4], d[2]), odds = mul(two, sub(d[3], d[1]));
  out[0] = add(sub(mul(four, d[0]), mul(five, d[2])), d[4]);
  out[1] = add(even, odd);
  out[2] = sub(even, odd);
  out[3] = add(evens, odds);
  out[4] = sub(evens, odds);
  out[5] = add(sub(mul(four, d[1]), mul(five, d[3])), d[5]);
}

// What follows is for a kernel of 3 or 5, known when it is compiled: `kernel` is a constant wherever these are used.

/** Aᵀ: 6 products to 4 or 2 outputs. */
INLINE void transform_out(int kernel, const v128_t m[IN], v128_t out[MOST_OUT]) {
  v128_t sum12 = add(m[1], m[2]), diff12 = sub(m[1], m[2]), sum34 = add(m[3], m[4]), diff34 = sub(m[3], m[4]);
  out[0] = add(add(m[0], sum12), sum34);
  out[1] = madd(splat(2), diff34, diff12);
  if (kernel == 5) {
    out[1] = add(out[1], m[5]);
    return;
  }
  out[2] = madd(splat(4), sum34, sum12);
  out[3] = add(madd(splat(8), diff34, diff12), m[5]);
}

/** A: 4 or 2 gradients of outputs to 6. */
INLINE void transform_gradient(int kernel, const v128_t y[MOST_OUT], v128_t out[IN]) {
  v128_t even = y[0], odd = y[1], evens = y[0], odds = mul(splat(2), y[1]);
  if (kernel == 3) {
    even = add(even, y[2]), odd = add(odd, y[3]);
    evens = madd(splat(4), y[2], evens), odds = madd(splat(8), y[3], odds);
  }
  out[0] = y[0];
  out[1] = add(even, odd);
  out[2] = sub(even, odd);
  out[3] = add(evens, odds);
  out[4] = sub(evens, odds);
  out[5] = kernel == 3 ? y[3] : y[1];
}

/** G: 3 or 5 weights to 6. */
INLINE void transform_filter(int kernel, const v128_t g[MOST_TAPS], v128_t out[IN]) {
  v128_t even = add(g[0], g[2]), odd = g[1];
  v128_t evens = madd(splat(4), g[2], g[0]), odds = mul(splat(2), g[1]);
  if (kernel == 5) {
    even = add(even, g[4]), odd = add(odd, g[3]);
    evens = madd(splat(16), g[4], evens), odds = madd(splat(8), g[3], odds);
  }
  v128_t sixth = splat(-1.f / 6), part = splat(1.f / 24);
  out[0] = mul(splat(.25f), g[0]);
  out[1] = mul(sixth, add(even, odd));
  out[2] = mul(sixth, sub(even, odd));
  out[3] = mul(part, add(evens, odds));
  out[4] = mul(part, sub(evens, odds));
  out[5] = g[kernel - 1];
}

/** Gᵀ: 6 to 3 or 5 gradients of weights. */
INLINE void gather_filter(int kernel, const v128_t u[IN], v128_t out[MOST_TAPS]) {
  v128_t sum12 = mul(splat(-1.f / 6), add(u[1], u[2])), diff12 = mul(splat(-1.f / 6), sub(u[1], u[2]));
  v128_t sum34 = mul(splat(1.f / 24), add(u[3], u[4])), diff34 = mul(splat(1.f / 24), sub(u[3], u[4]));
  out[0] = add(madd(splat(.25f), u[0], sum12), sum34);
  out[1] = madd(splat(2), diff34, diff12);
  out[2] = madd(splat(4), sum34, sum12);
  if (kernel == 5) {
    out[3] = madd(splat(8), diff34, diff12);
    out[4] = madd(splat(16), sum34, sum12);
  }
  out[kernel - 1] = add(out[kernel - 1], u[5]);
}

// ------------------------------------------------------------------------------- the transforms of four tiles at once

/** Bᵀ d B of the four 6×6 tiles at `from`, rows `row` apart; the value of place f goes to to[f · step]. */
static void transform_tiles(const float *const from[LANES], int row, float *to, int step) {
  v128_t rows[IN][IN];
  for (int y = 0; y < IN; y++) {
    v128_t d[IN], skip0, skip1;
    const float *a = from[0] + y * row, *b = from[1] + y * row, *c = from[2] + y * row, *e = from[3] + y * row;
    // Columns 0 to 3, then 2 to 5 of which the last two are new: no read leaves the tile.
    d[0] = load(a), d[1] = load(b), d[2] = load(c), d[3] = load(e);
    transpose4(&d[0], &d[1], &d[2], &d[3]);
    skip0 = load(a + 2), skip1 = load(b + 2), d[4] = load(c + 2), d[5] = load(e + 2);
    transpose4(&skip0, &skip1, &d[4], &d[5]);
    transform_in(d, rows[y]);
  }
  for (int x = 0; x < IN; x++) {
    v128_t column[IN], out[IN];
    for (int y = 0; y < IN; y++) column[y] = rows[y][x];
    transform_in(column, out);
    for (int y = 0; y < IN; y++) store(to + (y * IN + x) * step, out[y]);
  }
}

/** A dY Aᵀ of the four tiles of gradients at `from`, as {@link transform_tiles}. */
INLINE void transform_gradients(int kernel, const float *const from[LANES], int row, float *to, int step) {
  v128_t rows[MOST_OUT][IN];
  for (int y = 0; y < outputs_of(kernel); y++) {
    v128_t d[LANES];
    for (int q = 0; q < LANES; q++) d[q] = load(from[q] + y * row);
    transpose4(&d[0], &d[1], &d[2], &d[3]);
    transform_gradient(kernel, d, rows[y]);
  }
  for (int x = 0; x < IN; x++) {
    v128_t column[MOST_OUT], out[IN];
    for (int y = 0; y < outputs_of(kernel); y++) column[y] = rows[y][x];
    transform_gradient(kernel, column, out);
    for (int y = 0; y < IN; y++) store(to + (y * IN + x) * step, out[y]);
  }
}

static void transform_gradients3(const float *const from[LANES], int row, float *to, int step) {
  transform_gradients(3, from, row, to, step);
}
static void transform_gradients5(const float *const from[LANES], int row, float *to, int step) {
  transform_gradients(5, from, row, to, step);
}

/** Where the outputs of a tile go, and how many of them exist. */
typedef struct {
  float *to;
  int rows, columns;
} Target;

/** Aᵀ M A + bias of four tiles, written to their targets, rows `width` apart. */
INLINE void transform_products(int kernel, const float *from, int step, v128_t bias, const Target targets[LANES],
                               int width) {
  v128_t columns[IN][MOST_OUT];
  for (int x = 0; x < IN; x++) {
    v128_t m[IN];
    for (int y = 0; y < IN; y++) m[y] = load(from + (y * IN + x) * step);
    transform_out(kernel, m, columns[x]);
  }
  for (int y = 0; y < outputs_of(kernel); y++) {
    v128_t row[IN], out[MOST_OUT];
    for (int x = 0; x < IN; x++) row[x] = columns[x][y];
    transform_out(kernel, row, out);
    for (int x = 0; x < outputs_of(kernel); x++) out[x] = add(out[x], bias);
    if (kernel == 3) {
      transpose4(&out[0], &out[1], &out[2], &out[3]);
      for (int q = 0; q < LANES; q++)
        if (y < targets[q].rows) store_some(targets[q].to + y * width, out[q], targets[q].columns);
    } else {
      v128_t pairs[2] = {wasm_i32x4_shuffle(out[0], out[1], 0, 4, 1, 5),
                         wasm_i32x4_shuffle(out[0], out[1], 2, 6, 3, 7)};
      for (int q = 0; q < LANES; q++) {
        if (y >= targets[q].rows) continue;
        float *to = targets[q].to + y * width;
        v128_t pair = q % 2 ? wasm_i64x2_shuffle(pairs[q / 2], pairs[q / 2], 1, 1) : pairs[q / 2];
        if (targets[q].columns >= 2) wasm_v128_store64_lane(to, pair, 0);
        else *to = wasm_f32x4_extract_lane(pair, 0);
      }
    }
  }
}

static void transform_products3(const float *from, int step, v128_t bias, const Target targets[LANES], int width) {
  transform_products(3, from, step, bias, targets, width);
}
static void transform_products5(const float *from, int step, v128_t bias, const Target targets[LANES], int width) {
  transform_products(5, from, step, bias, targets, width);
}

// ---------------------------------------------------------------------------------------------------- forward

typedef struct {
  Shape s;
  Operands o;
  /** Transformed weights: [place][tile of outputs][channel][TILE_M]. */
  float *filters;
  int out; // outputs of a tile along a side
  int tiles_x, tiles_y;
  int images;         // of a chunk
  int tile_rows;      // of an image in a chunk: all, unless there is one image
  int blocks;         // chunks of an image
  int groups;         // of four tiles in such a part of an image
  int panels;         // of TILE_N tiles in a chunk
  int output_tiles;   // of TILE_M outputs
  int step_v, step_m; // floats between places
  Layout layout;
} Winograd;

static Winograd plan(const Shape *s) {
  int out = outputs_of(s->kernel_width);
  Winograd w = {.s = *s, .out = out, .tiles_x = ceil_div(s->out_width, out), .tiles_y = ceil_div(s->out_height, out)};
  w.output_tiles = ceil_div(s->outputs, TILE_M);
  int per_panel = PLACES * TILE_N * (s->channels + s->outputs);
  int room = larger(1, BLOCK_FLOATS / per_panel) * TILE_N / LANES; // groups of tiles
  w.images = 1;
  w.tile_rows = w.tiles_y;
  while (w.tile_rows > 1 && ceil_div(w.tile_rows * w.tiles_x, LANES) > room) w.tile_rows = (w.tile_rows + 1) / 2;
  // Work for every thread, as long as a panel is filled.
  while (w.tile_rows > 1 && s->num * ceil_div(w.tiles_y, w.tile_rows) < 2 * thread_count() &&
         w.tile_rows * w.tiles_x >= 2 * TILE_N)
    w.tile_rows = (w.tile_rows + 1) / 2;
  w.blocks = ceil_div(w.tiles_y, w.tile_rows);
  w.groups = ceil_div(w.tile_rows * w.tiles_x, LANES);
  if (w.blocks == 1) {
    w.images = larger(1, smaller(s->num, room / w.groups));
    // Fewer at a time when threads would have nothing to do, down to one panel.
    while (w.images > 1 && ceil_div(s->num, w.images) < 4 * thread_count() &&
           (w.images + 1) / 2 * w.groups * LANES >= TILE_N)
      w.images = (w.images + 1) / 2;
  }
  w.panels = ceil_div(w.images * w.groups * LANES, TILE_N);
  w.step_v = w.panels * s->channels * TILE_N + GAP;
  w.step_m = w.panels * w.output_tiles * TILE_M * TILE_N + GAP;
  w.layout = (Layout){.channels = s->channels, .prepared = 1, .rows = w.tile_rows * out + IN - out,
                      .remainders = 1, .row = w.tiles_x * out + IN - out};
  return w;
}

static int is_small_square(const Shape *s) {
  return s->kernel_height == s->kernel_width && (s->kernel_width == 3 || s->kernel_width == 5) &&
         s->stride_height == 1 && s->stride_width == 1 && s->dilation_height == 1 && s->dilation_width == 1 &&
         s->group == 1;
}

/** Tiles of all images, or 0 where too many of their outputs would not exist. */
static int useful_tiles(const Shape *s) {
  int out = outputs_of(s->kernel_width), tiles = ceil_div(s->out_height, out) * ceil_div(s->out_width, out);
  return tiles * out * out <= 2 * s->out_height * s->out_width ? s->num * tiles : 0;
}

int winograd_fits(const Shape *s) {
  if (!is_small_square(s) || s->channels < 8 || s->outputs < 8) return 0;
  // Weights grow up to fourfold: many of them pay only when many tiles share them.
  return useful_tiles(s) >= (s->channels * s->outputs > 16384 ? 128 : 16);
}

INLINE int filters_size(const Winograd *w) { return PLACES * w->output_tiles * TILE_M * w->s.channels; }

Needs winograd_needs(const Shape *s) {
  Winograd w = plan(s);
  return (Needs){filters_size(&w) + SLACK, PLACES * (w.step_v + w.step_m) + layout_size(&w.layout) + 3 * SLACK};
}

/** G g Gᵀ of four outputs, all channels. */
INLINE void transform_filters(int kernel, const Winograd *w, int first) {
  int channels = w->s.channels, outputs = w->s.outputs, area = kernel * kernel;
  for (int c = 0; c < channels; c++) {
    float weights[MOST_TAPS * MOST_TAPS][LANES] = {{0}};
    for (int q = 0; q < LANES && first + q < outputs; q++) {
      int o = first + q;
      const float *from = w->o.w + area * (w->o.mirrored ? (size_t)c * outputs + o : (size_t)o * channels + c);
      for (int tap = 0; tap < area; tap++) weights[tap][q] = from[w->o.mirrored ? area - 1 - tap : tap];
    }
    v128_t rows[MOST_TAPS][IN];
    for (int y = 0; y < kernel; y++) {
      v128_t g[MOST_TAPS];
      for (int x = 0; x < kernel; x++) g[x] = load(weights[y * kernel + x]);
      transform_filter(kernel, g, rows[y]);
    }
    for (int x = 0; x < IN; x++) {
      v128_t column[MOST_TAPS], out[IN];
      for (int y = 0; y < kernel; y++) column[y] = rows[y][x];
      transform_filter(kernel, column, out);
      for (int y = 0; y < IN; y++) {
        size_t place = y * IN + x;
        store(w->filters + ((place * w->output_tiles + first / TILE_M) * channels + c) * TILE_M, out[y]);
      }
    }
  }
}

static void filter_task(const void *args, int chunk, int thread) {
  const Winograd *w = args;
  if (w->s.kernel_width == 3) transform_filters(3, w, chunk * TILE_M);
  else transform_filters(5, w, chunk * TILE_M);
}

/** Tile number `tile` of a part of an image, its last one beyond it. */
INLINE int tile_offset(const Winograd *w, int tile, int tile_rows) {
  int t = smaller(tile, tile_rows * w->tiles_x - 1);
  return t / w->tiles_x * w->out * w->layout.row + t % w->tiles_x * w->out;
}

static void forward_task(const void *args, int chunk, int thread) {
  const Winograd *w = args;
  const Shape *s = &w->s;
  int channels = s->channels, rows_m = w->output_tiles * TILE_M;
  int first = chunk / w->blocks * w->images, images = smaller(w->images, s->num - first);
  int tile_row = chunk % w->blocks * w->tile_rows, tile_rows = smaller(w->tile_rows, w->tiles_y - tile_row);
  int groups = ceil_div(tile_rows * w->tiles_x, LANES), panels = ceil_div(images * groups * LANES, TILE_N);
  float *v = scratch(thread), *m = v + PLACES * w->step_v + SLACK, *image = m + PLACES * w->step_m + SLACK;
  int plane = w->layout.rows * w->layout.row;

  for (int n = 0; n < images; n++) {
    prepare(s, &w->layout, w->o.x + (size_t)(first + n) * channels * s->height * s->width, tile_row * w->out, image);
    for (int g = 0; g < groups; g++) {
      int slot = n * groups + g;
      const float *from[LANES];
      for (int q = 0; q < LANES; q++) from[q] = image + tile_offset(w, g * LANES + q, tile_rows);
      float *to = v + (size_t)(slot / 2) * channels * TILE_N + slot % 2 * LANES;
      for (int c = 0; c < channels; c++) {
        transform_tiles(from, w->layout.row, to + c * TILE_N, w->step_v);
        for (int q = 0; q < LANES; q++) from[q] += plane;
      }
    }
  }

  for (int f = 0; f < PLACES; f++)
    for (int p = 0; p < panels; p++)
      for (int o = 0; o < w->output_tiles; o++)
        tile(channels, w->filters + ((size_t)f * w->output_tiles + o) * channels * TILE_M,
             v + (size_t)f * w->step_v + p * channels * TILE_N,
             m + (size_t)f * w->step_m + (p * rows_m + o * TILE_M) * TILE_N, TILE_N, FROM_ZERO, 0, TILE_M, TILE_N);

  __typeof__(transform_products3) *products = s->kernel_width == 3 ? transform_products3 : transform_products5;
  for (int n = 0; n < images; n++) {
    float *y = w->o.y + (size_t)(first + n) * s->outputs * s->out_height * s->out_width;
    for (int g = 0; g < groups; g++) {
      int slot = n * groups + g;
      Target targets[LANES];
      for (int q = 0; q < LANES; q++) {
        int t = g * LANES + q, row = (tile_row + t / w->tiles_x) * w->out, column = t % w->tiles_x * w->out;
        targets[q] = (Target){y + row * s->out_width + column,
                              t < tile_rows * w->tiles_x ? s->out_height - row : 0, s->out_width - column};
      }
      const float *from = m + (size_t)(slot / 2) * rows_m * TILE_N + slot % 2 * LANES;
      for (int o = 0; o < s->outputs; o++) {
        products(from + o * TILE_N, w->step_m, splat(w->o.bias ? w->o.bias[o] : 0), targets, s->out_width);
        for (int q = 0; q < LANES; q++) targets[q].to += s->out_height * s->out_width;
      }
    }
  }
}

void winograd(const Shape *s, const Operands *operands, float *workspace) {
  Winograd w = plan(s);
  w.o = *operands;
  w.filters = workspace;
  parallel(filter_task, &w, w.output_tiles);
  parallel(forward_task, &w, w.blocks > 1 ? s->num * w.blocks : ceil_div(s->num, w.images));
}

// ---------------------------------------------------------------------------------------- gradient by the weights

typedef struct {
  Shape s;
  const float *x, *dy;
  float *dw;
  /** Transformed gradients, summed over part of the images: [part][place][output][channel], both rounded up. */
  float *partial;
  int parts;
  int outputs, channels; // rounded up to TILE_M and TILE_N
  int out;               // outputs of a tile along a side
  int tiles_x, tiles_y;
  int block;             // tiles of a pass
  int step_v, step_d;    // floats between places
  Layout image, gradient;
} Weights;

/** How images are shared out decides how sums round: a matter of the shape, not of the number of threads. */
#define PARTS 8
#define PARTS_FLOATS (4 << 20)

static Weights plan_weights(const Shape *s) {
  int out = outputs_of(s->kernel_width);
  Weights w = {.s = *s, .out = out, .tiles_x = ceil_div(s->out_width, out), .tiles_y = ceil_div(s->out_height, out)};
  w.outputs = rounded(s->outputs, TILE_M);
  w.channels = rounded(s->channels, TILE_N);
  w.parts = smaller(s->num, PARTS);
  while (w.parts > 1 && (int64_t)w.parts * PLACES * w.outputs * w.channels > PARTS_FLOATS) w.parts /= 2;
  int room = BLOCK_FLOATS / (PLACES * (w.outputs + w.channels));
  w.block = smaller(larger(32, room), s->num * w.tiles_x * w.tiles_y);
  w.step_v = w.channels * w.block + GAP;
  w.step_d = w.outputs * w.block + GAP;
  w.image = (Layout){.channels = s->channels, .prepared = 1, .rows = w.tiles_y * out + IN - out,
                     .remainders = 1, .row = w.tiles_x * out + IN - out};
  w.gradient = (Layout){.channels = s->outputs, .prepared = 1, .rows = w.tiles_y * out, .remainders = 1,
                        .row = w.tiles_x * out};
  return w;
}

int winograd_weights_fits(const Shape *s) {
  if (!is_small_square(s) || s->channels < 8 || s->outputs < 8 || useful_tiles(s) < 64) return 0;
  Weights w = plan_weights(s);
  return w.parts >= smaller(s->num, PARTS / 2);
}

Needs winograd_weights_needs(const Shape *s) {
  Weights w = plan_weights(s);
  return (Needs){w.parts * PLACES * w.outputs * w.channels,
                 PLACES * (w.step_v + w.step_d) + layout_size(&w.image) + layout_size(&w.gradient) + 4 * SLACK};
}

/** Adds the products of `depth` transformed tiles to the sums of a part. */
static void add_products(const Weights *w, const float *v, const float *d, int depth, Start start, float *sums) {
  for (int f = 0; f < PLACES; f++)
    for (int c = 0; c < w->channels; c += TILE_N)
      for (int o = 0; o < w->outputs; o += TILE_M)
        tile(depth, d + (size_t)f * w->step_d + o * w->block, v + (size_t)f * w->step_v + c * w->block,
             sums + ((size_t)f * w->outputs + o) * w->channels + c, w->channels, start, 0, TILE_M, TILE_N);
}

static void weights_task(const void *args, int chunk, int thread) {
  const Weights *w = args;
  const Shape *s = &w->s;
  Shape plain = {.height = s->out_height, .width = s->out_width, .stride_height = 1, .stride_width = 1};
  int first = (int)((int64_t)s->num * chunk / w->parts), end = (int)((int64_t)s->num * (chunk + 1) / w->parts);
  float *v = scratch(thread), *d = v + PLACES * w->step_v + SLACK;
  float *image = d + PLACES * w->step_d + SLACK, *gradient = image + layout_size(&w->image) + SLACK;
  float *sums = w->partial + (size_t)chunk * PLACES * w->outputs * w->channels;
  int image_plane = w->image.rows * w->image.row, gradient_plane = w->gradient.rows * w->gradient.row;
  __typeof__(transform_gradients3) *gradients = s->kernel_width == 3 ? transform_gradients3 : transform_gradients5;
  int depth = 0;
  Start start = FROM_ZERO;
  for (int n = first; n < end; n++) {
    prepare(s, &w->image, w->x + (size_t)n * s->channels * s->height * s->width, 0, image);
    prepare(&plain, &w->gradient, w->dy + (size_t)n * s->outputs * s->out_height * s->out_width, 0, gradient);
    for (int t = 0; t < w->tiles_x * w->tiles_y; t++) {
      int row = t / w->tiles_x * w->out, column = t % w->tiles_x * w->out;
      // Four channels side by side; those that do not exist repeat the last, and nobody looks at their sums.
      for (int c = 0; c < w->channels; c += LANES) {
        const float *from[LANES];
        for (int q = 0; q < LANES; q++)
          from[q] = image + smaller(c + q, s->channels - 1) * image_plane + row * w->image.row + column;
        transform_tiles(from, w->image.row, v + (c / TILE_N * w->block + depth) * TILE_N + c % TILE_N, w->step_v);
      }
      for (int o = 0; o < w->outputs; o += LANES) {
        const float *from[LANES];
        for (int q = 0; q < LANES; q++)
          from[q] = gradient + smaller(o + q, s->outputs - 1) * gradient_plane + row * w->gradient.row + column;
        gradients(from, w->gradient.row, d + (o / TILE_M * w->block + depth) * TILE_M, w->step_d);
      }
      if (++depth == w->block) {
        add_products(w, v, d, depth, start, sums);
        start = FROM_C;
        depth = 0;
      }
    }
  }
  if (depth > 0) add_products(w, v, d, depth, start, sums);
}

/** dw += Gᵀ (sum of the parts) G for one output. */
INLINE void add_filter_gradient(int kernel, const Weights *w, int output) {
  int channels = w->s.channels, area = kernel * kernel;
  for (int c = 0; c < channels; c += LANES) {
    v128_t columns[IN][MOST_TAPS];
    for (int x = 0; x < IN; x++) {
      v128_t u[IN];
      for (int y = 0; y < IN; y++) {
        u[y] = zero();
        for (int part = 0; part < w->parts; part++) {
          size_t place = (size_t)part * PLACES + y * IN + x;
          u[y] = add(u[y], load(w->partial + (place * w->outputs + output) * w->channels + c));
        }
      }
      gather_filter(kernel, u, columns[x]);
    }
    for (int y = 0; y < kernel; y++) {
      v128_t row[IN], taps[MOST_TAPS];
      for (int x = 0; x < IN; x++) row[x] = columns[x][y];
      gather_filter(kernel, row, taps);
      for (int x = 0; x < kernel; x++) {
        float lanes[LANES];
        store(lanes, taps[x]);
        for (int q = 0; q < LANES && c + q < channels; q++)
          w->dw[((size_t)output * channels + c + q) * area + y * kernel + x] += lanes[q];
      }
    }
  }
}

static void filter_gradient_task(const void *args, int chunk, int thread) {
  const Weights *w = args;
  if (w->s.kernel_width == 3) add_filter_gradient(3, w, chunk);
  else add_filter_gradient(5, w, chunk);
}

void winograd_weights(const Shape *s, const float *x, const float *dy, float *dw, float *workspace) {
  Weights w = plan_weights(s);
  w.x = x, w.dy = dy, w.dw = dw, w.partial = workspace;
  parallel(weights_task, &w, w.parts);
  parallel(filter_gradient_task, &w, s->outputs);
}
