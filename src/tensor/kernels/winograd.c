// 3×3 and 5×5 convolutions of stride 1 by minimal filtering: F(4×4, 3×3) of Lavin & Gray (2016), section 4.3, and
// F(2×2, 5×5), which interpolates at the same points 0, ±1, ±2, ∞.
//
// A tile of outputs (4×4 or 2×2) depends on 6×6 inputs. With both sides transformed,
//   Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A,
// it takes 36 products per channel instead of 144 or 100, and the sums over channels at each of the 36 places are a
// matrix product: tiles × channels times channels × outputs. The gradient by the weights is the adjoint of the same:
//   dg = Gᵀ [ Σ (A dY Aᵀ) ⊙ (Bᵀ d B) ] G.
//
// Four channels lie side by side in a vector, from the copy of an image on, so that nothing needs to be transposed
// between it and the sums: the transforms read and write whole vectors, and the products take what they wrote as it is.
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
// Tiles that share one reading of the filters, even where that is more than such a block: many filters do not fit a cache.
#define LEAST_TILES 32

/** Outputs of a tile along a side, for kernels of 3 or 5. */
INLINE int outputs_of(int kernel) { return IN + 1 - kernel; }
INLINE int rounded(int count, int unit) { return ceil_div(count, unit) * unit; }

// ------------------------------------------------------------------------------------ the transforms in one dimension

/** Bᵀ: 6 inputs to 6. */
INLINE void transform_in(const v128_t d[IN], v128_t out[IN]) {
  v128_t even = madd(splat(-4), d[2], d[4]), odd = madd(splat(-4), d[1], d[3]);
  v128_t evens = sub(d[4], d[2]), odds = sub(d[3], d[1]);
  out[0] = madd(splat(4), sub(d[0], d[2]), evens);
  out[1] = add(even, odd);
  out[2] = sub(even, odd);
  out[3] = madd(splat(2), odds, evens);
  out[4] = madd(splat(-2), odds, evens);
  out[5] = madd(splat(-4), odds, sub(d[5], d[3]));
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

// --------------------------------------------------------------------------------------- tiles of four channels at once

/** An image in quads: [channel / 4][row][column][channel % 4], what lies beyond it being 0. */
typedef struct {
  int quads, rows, columns;
} Image;

INLINE int image_size(const Image *i) { return i->quads * i->rows * i->columns * LANES; }

/**
 * Copies `channels` planes of height × width into an image whose first value lies `top` rows and `left` columns before
 * theirs. Channels that are missing in the last quad hold anything.
 */
static void fill_image(const Image *image, int channels, int height, int width, int top, int left, const float *x,
                       float *to) {
  int begin = smaller(image->columns, left), end = smaller(image->columns, left + width);
  for (int c = 0; c < channels; c += LANES) {
    const float *plane[LANES];
    for (int q = 0; q < LANES; q++) plane[q] = x + (size_t)smaller(c + q, channels - 1) * height * width;
    for (int r = 0; r < image->rows; r++, to += image->columns * LANES) {
      int y = r - top;
      if (y < 0 || y >= height) {
        clear(to, image->columns * LANES);
        continue;
      }
      clear(to, begin * LANES);
      for (int j = begin; j < end; j += LANES) {
        int at = y * width + j - left;
        v128_t pixels[LANES];
        for (int q = 0; q < LANES; q++) pixels[q] = load(plane[q] + at);
        transpose4(&pixels[0], &pixels[1], &pixels[2], &pixels[3]);
        for (int q = 0; q < LANES && j + q < end; q++) store(to + (j + q) * LANES, pixels[q]);
      }
      clear(to + end * LANES, (image->columns - end) * LANES);
    }
  }
}

/** Bᵀ d B of the tile at `from`, whose rows are `row` floats apart; the value of place f goes to to[f · step]. */
static void transform_tile(const float *from, int row, float *to, int step) {
  v128_t rows[IN][IN];
  for (int y = 0; y < IN; y++) {
    v128_t d[IN];
    for (int x = 0; x < IN; x++) d[x] = load(from + y * row + x * LANES);
    transform_in(d, rows[y]);
  }
  for (int x = 0; x < IN; x++) {
    v128_t column[IN], out[IN];
    for (int y = 0; y < IN; y++) column[y] = rows[y][x];
    transform_in(column, out);
    for (int y = 0; y < IN; y++) store(to + (y * IN + x) * step, out[y]);
  }
}

/** A dY Aᵀ of the tile of gradients at `from`, as {@link transform_tile}. */
INLINE void transform_gradients(int kernel, const float *from, int row, float *to, int step) {
  v128_t rows[MOST_OUT][IN];
  for (int y = 0; y < outputs_of(kernel); y++) {
    v128_t d[MOST_OUT];
    for (int x = 0; x < outputs_of(kernel); x++) d[x] = load(from + y * row + x * LANES);
    transform_gradient(kernel, d, rows[y]);
  }
  for (int x = 0; x < IN; x++) {
    v128_t column[MOST_OUT], out[IN];
    for (int y = 0; y < outputs_of(kernel); y++) column[y] = rows[y][x];
    transform_gradient(kernel, column, out);
    for (int y = 0; y < IN; y++) store(to + (y * IN + x) * step, out[y]);
  }
}

static void transform_gradients3(const float *from, int row, float *to, int step) {
  transform_gradients(3, from, row, to, step);
}
static void transform_gradients5(const float *from, int row, float *to, int step) {
  transform_gradients(5, from, row, to, step);
}

/** The part of a tile of outputs that exists: how much of it, and where it goes in planes of `plane` floats. */
typedef struct {
  float *to;
  int plane, width;
  int channels, rows, columns;
  float slope;
} Target;

/** Aᵀ M A of a tile, given by its values at the places, `step` floats apart. */
INLINE void transform_products(int kernel, const float *from, int step, const Target *target) {
  v128_t columns[IN][MOST_OUT];
  for (int x = 0; x < IN; x++) {
    v128_t m[IN];
    for (int y = 0; y < IN; y++) m[y] = load(from + (y * IN + x) * step);
    transform_out(kernel, m, columns[x]);
  }
  for (int y = 0; y < outputs_of(kernel); y++) {
    v128_t row[IN], out[MOST_OUT] = {zero(), zero(), zero(), zero()};
    for (int x = 0; x < IN; x++) row[x] = columns[x][y];
    transform_out(kernel, row, out);
    if (target->slope != 1)
      for (int x = 0; x < outputs_of(kernel); x++) out[x] = rectified(out[x], splat(target->slope));
    transpose4(&out[0], &out[1], &out[2], &out[3]);
    if (y >= target->rows) break;
    for (int q = 0; q < LANES && q < target->channels; q++)
      store_some(target->to + q * target->plane + y * target->width, out[q], target->columns);
  }
}

static void transform_products3(const float *from, int step, const Target *target) {
  transform_products(3, from, step, target);
}
static void transform_products5(const float *from, int step, const Target *target) {
  transform_products(5, from, step, target);
}

// ---------------------------------------------------------------------------------------------------- forward

typedef struct {
  Shape s;
  Operands o;
  /** Transformed weights: [place][panel of outputs][channel][TILE_N]. */
  float *filters;
  int out; // outputs of a tile along a side
  int tiles_x, tiles_y;
  int images;            // of a chunk
  int tile_rows;         // of an image in a chunk: all, unless there is one image
  int blocks;            // chunks of an image
  int slots;             // tiles of a chunk, rounded up to TILE_M
  int channels, outputs; // rounded up to LANES and TILE_N
  int step_v, step_m;    // floats between places
  Image image;
} Winograd;

static Winograd plan(const Shape *s) {
  int out = outputs_of(s->kernel_width);
  Winograd w = {.s = *s, .out = out, .tiles_x = ceil_div(s->out_width, out), .tiles_y = ceil_div(s->out_height, out)};
  w.channels = rounded(s->channels, LANES);
  w.outputs = rounded(s->outputs, TILE_N);
  int room = larger(LEAST_TILES, BLOCK_FLOATS / (PLACES * (w.channels + w.outputs))); // tiles
  w.images = 1;
  w.tile_rows = w.tiles_y;
  while (w.tile_rows > 1 && w.tile_rows * w.tiles_x > room) w.tile_rows = (w.tile_rows + 1) / 2;
  // Work for every thread, as long as the products are filled.
  while (w.tile_rows > 1 && s->num * ceil_div(w.tiles_y, w.tile_rows) < 2 * thread_count() &&
         w.tile_rows * w.tiles_x >= 2 * TILE_N)
    w.tile_rows = (w.tile_rows + 1) / 2;
  w.blocks = ceil_div(w.tiles_y, w.tile_rows);
  int tiles = w.tile_rows * w.tiles_x;
  if (w.blocks == 1) {
    w.images = larger(1, smaller(s->num, room / tiles));
    // Fewer at a time when threads would have nothing to do.
    while (w.images > 1 && ceil_div(s->num, w.images) < 4 * thread_count() && (w.images + 1) / 2 * tiles >= TILE_N)
      w.images = (w.images + 1) / 2;
  }
  w.slots = rounded(w.images * tiles, TILE_M);
  w.step_v = w.slots * w.channels + GAP;
  w.step_m = w.slots * w.outputs + GAP;
  w.image = (Image){w.channels / LANES, w.tile_rows * out + IN - out, w.tiles_x * out + IN - out};
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
  return useful_tiles(s) >= (s->channels * s->outputs > 16384 ? LEAST_TILES : 16);
}

Needs winograd_needs(const Shape *s) {
  Winograd w = plan(s);
  return (Needs){PLACES * w.outputs * s->channels, PLACES * (w.step_v + w.step_m) + image_size(&w.image) + 2 * SLACK};
}

/** G g Gᵀ of four outputs, all channels. */
INLINE void transform_filters(int kernel, const Winograd *w, int first) {
  int channels = w->s.channels, outputs = w->s.outputs, area = kernel * kernel;
  float *to = w->filters + (size_t)(first / TILE_N) * channels * TILE_N + first % TILE_N;
  size_t step = (size_t)channels * w->outputs;
  for (int c = 0; c < channels; c++) {
    float weights[MOST_TAPS * MOST_TAPS][LANES] = {{0}};
    for (int q = 0; q < LANES && first + q < outputs; q++) {
      int o = first + q;
      const float *from = w->o.w + area * (w->o.mirrored ? (size_t)c * outputs + o : (size_t)o * channels + c);
      float factor = w->o.factor ? w->o.factor[o] : 1;
      for (int tap = 0; tap < area; tap++) weights[tap][q] = factor * from[w->o.mirrored ? area - 1 - tap : tap];
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
      for (int y = 0; y < IN; y++) store(to + (y * IN + x) * step + c * TILE_N, out[y]);
    }
  }
}

static void filter_task(const void *args, int chunk, int thread) {
  const Winograd *w = args;
  if (w->s.kernel_width == 3) transform_filters(3, w, chunk * LANES);
  else transform_filters(5, w, chunk * LANES);
}

/** m = products of `slots` transformed tiles, rows of `v`, and the filters of TILE_N outputs; a bias is added to them. */
static void tiles_times_filters(int slots, int channels, const float *v, int ldv, const float *filters, float *m,
                                int ldm, const float *bias) {
  for (int t = 0; t < slots; t += TILE_M, v += TILE_M * ldv, m += TILE_M * ldm)
    tile_product(channels, v, ldv, 1, filters, TILE_N, m, ldm, bias ? FROM_COLUMN_BIAS : FROM_ZERO, bias);
}

/** The place whose value adds to all outputs of its tile alike: where a bias goes. */
#define BIAS_PLACE (IN + 1)

static void forward_task(const void *args, int chunk, int thread) {
  const Winograd *w = args;
  const Shape *s = &w->s;
  int first = chunk / w->blocks * w->images, images = smaller(w->images, s->num - first);
  int tile_row = chunk % w->blocks * w->tile_rows, tile_rows = smaller(w->tile_rows, w->tiles_y - tile_row);
  int tiles = tile_rows * w->tiles_x, slots = rounded(images * tiles, TILE_M);
  float *v = scratch(thread), *m = v + PLACES * w->step_v, *image = m + PLACES * w->step_m + SLACK;
  int row = w->image.columns * LANES, quad = w->image.rows * row;

  for (int n = 0, slot = 0; n < images; n++) {
    fill_image(&w->image, s->channels, s->height, s->width, s->pad_height - tile_row * w->out, s->pad_width,
               w->o.x + (size_t)(first + n) * s->channels * s->height * s->width, image);
    for (int t = 0; t < tiles; t++, slot++) {
      const float *from = image + t / w->tiles_x * w->out * row + t % w->tiles_x * w->out * LANES;
      for (int c = 0; c < w->channels; c += LANES)
        transform_tile(from + c / LANES * quad, row, v + slot * w->channels + c, w->step_v);
    }
  }

  for (int f = 0; f < PLACES; f++)
    for (int o = 0; o < w->outputs; o += TILE_N)
      tiles_times_filters(slots, s->channels, v + (size_t)f * w->step_v, w->channels,
                          w->filters + ((size_t)f * w->outputs + o) * s->channels, m + (size_t)f * w->step_m + o,
                          w->outputs, w->o.bias && f == BIAS_PLACE ? w->o.bias + o : 0);

  __typeof__(transform_products3) *products = s->kernel_width == 3 ? transform_products3 : transform_products5;
  int plane = s->out_height * s->out_width;
  for (int n = 0, slot = 0; n < images; n++)
    for (int t = 0; t < tiles; t++, slot++) {
      int y = (tile_row + t / w->tiles_x) * w->out, x = t % w->tiles_x * w->out;
      Target target = {.to = w->o.y + (size_t)(first + n) * s->outputs * plane + y * s->out_width + x,
                       .plane = plane, .width = s->out_width, .slope = w->o.slope,
                       .rows = s->out_height - y, .columns = smaller(w->out, s->out_width - x)};
      for (int o = 0; o < s->outputs; o += LANES, target.to += LANES * plane) {
        target.channels = s->outputs - o;
        products(m + slot * w->outputs + o, w->step_m, &target);
      }
    }
}

void winograd(const Shape *s, const Operands *operands, float *workspace) {
  Winograd w = plan(s);
  w.o = *operands;
  w.filters = workspace;
  parallel(filter_task, &w, w.outputs / LANES);
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
  Image image, gradient;
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
  w.image = (Image){ceil_div(s->channels, LANES), w.tiles_y * out + IN - out, w.tiles_x * out + IN - out};
  w.gradient = (Image){ceil_div(s->outputs, LANES), w.tiles_y * out, w.tiles_x * out};
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
                 PLACES * (w.step_v + w.step_d) + image_size(&w.image) + image_size(&w.gradient) + 4 * SLACK};
}

/** Sums over tiles of the products of their gradients and TILE_N inputs, columns of `d` and `v`. */
static void gradients_times_tiles(int depth, int outputs, const float *d, const float *v, int ldv, float *sums,
                                  Start start) {
  for (int o = 0; o < outputs; o += TILE_M)
    tile_product(depth, d + o, 1, outputs, v, ldv, sums + (size_t)o * ldv, ldv, start, 0);
}

/** Adds the products of `depth` transformed tiles to the sums of a part. */
static void add_products(const Weights *w, const float *v, const float *d, int depth, Start start, float *sums) {
  for (int f = 0; f < PLACES; f++)
    for (int c = 0; c < w->channels; c += TILE_N)
      gradients_times_tiles(depth, w->outputs, d + (size_t)f * w->step_d, v + (size_t)f * w->step_v + c, w->channels,
                            sums + (size_t)f * w->outputs * w->channels + c, start);
}

static void weights_task(const void *args, int chunk, int thread) {
  const Weights *w = args;
  const Shape *s = &w->s;
  int first = (int)((int64_t)s->num * chunk / w->parts), end = (int)((int64_t)s->num * (chunk + 1) / w->parts);
  float *v = scratch(thread), *d = v + PLACES * w->step_v + SLACK;
  float *image = d + PLACES * w->step_d + SLACK, *gradient = image + image_size(&w->image) + SLACK;
  float *sums = w->partial + (size_t)chunk * PLACES * w->outputs * w->channels;
  int image_row = w->image.columns * LANES, image_quad = w->image.rows * image_row;
  int gradient_row = w->gradient.columns * LANES, gradient_quad = w->gradient.rows * gradient_row;
  __typeof__(transform_gradients3) *gradients = s->kernel_width == 3 ? transform_gradients3 : transform_gradients5;
  int depth = 0;
  Start start = FROM_ZERO;
  for (int n = first; n < end; n++) {
    fill_image(&w->image, s->channels, s->height, s->width, s->pad_height, s->pad_width,
               w->x + (size_t)n * s->channels * s->height * s->width, image);
    fill_image(&w->gradient, s->outputs, s->out_height, s->out_width, 0, 0,
               w->dy + (size_t)n * s->outputs * s->out_height * s->out_width, gradient);
    for (int t = 0; t < w->tiles_x * w->tiles_y; t++) {
      int row = t / w->tiles_x * w->out, column = t % w->tiles_x * w->out * LANES;
      for (int c = 0; c < w->image.quads; c++)
        transform_tile(image + c * image_quad + row * image_row + column, image_row,
                       v + depth * w->channels + c * LANES, w->step_v);
      for (int o = 0; o < w->gradient.quads; o++)
        gradients(gradient + o * gradient_quad + row * gradient_row + column, gradient_row,
                  d + depth * w->outputs + o * LANES, w->step_d);
      if (++depth == w->block) {
        add_products(w, v, d, depth, start, sums);
        start = FROM_C;
        depth = 0;
      }
    }
  }
  if (depth > 0) add_products(w, v, d, depth, start, sums);
}

/** Adds the other parts of a place to the first. */
static void add_parts_task(const void *args, int place, int thread) {
  const Weights *w = args;
  size_t size = (size_t)w->outputs * w->channels;
  float *to = w->partial + place * size;
  for (size_t i = 0; i < size; i += 4) {
    v128_t sum = load(to + i);
    for (int part = 1; part < w->parts; part++) sum = add(sum, load(to + part * PLACES * size + i));
    store(to + i, sum);
  }
}

/** dw += Gᵀ (sum of the parts) G for one output. */
INLINE void add_filter_gradient(int kernel, const Weights *w, int output) {
  int channels = w->s.channels, area = kernel * kernel;
  for (int c = 0; c < channels; c += LANES) {
    v128_t columns[IN][MOST_TAPS];
    for (int x = 0; x < IN; x++) {
      v128_t u[IN];
      for (int y = 0; y < IN; y++)
        u[y] = load(w->partial + ((size_t)(y * IN + x) * w->outputs + output) * w->channels + c);
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
  parallel(add_parts_task, &w, PLACES);
  parallel(filter_gradient_task, &w, s->outputs);
}
