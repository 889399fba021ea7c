// Convolutions without an im2col matrix: panels of the product are gathered straight from a prepared image.
//
// A prepared image is the input with its padding in place and its columns sorted by their remainder modulo the
// stride, so that the values that neighbouring outputs take from it are neighbours:
//   image[channel][row][remainder][column], where input column = column · stride + remainder.
// Tap (channel, ky, kx) of output (i, j) then lies at taps[tap] + i · row_step + j. Where neither padding nor stride
// ask for it, the input is used as it is.
#include "convolution.h"
#include "gemm.h"
#include "threads.h"

/** Where the taps of a kernel lie: taps[channel][ky][kx]. */
static void fill_taps(const Shape *s, const Layout *l, int *taps) {
  for (int c = 0; c < l->channels; c++)
    for (int y = 0; y < s->kernel_height; y++)
      for (int x = 0; x < s->kernel_width; x++) {
        int column = x * s->dilation_width;
        *taps++ = ((c * l->rows + y * s->dilation_height) * l->remainders + column % l->remainders) * l->row +
                  column / l->remainders;
      }
}

void prepare(const Shape *s, const Layout *l, const float *x, int first_row, float *image) {
  int stride = l->remainders, left = s->pad_width;
  for (int c = 0; c < l->channels; c++) {
    for (int r = 0; r < l->rows; r++) {
      int y = first_row * s->stride_height - s->pad_height + r;
      const float *from = x + ((size_t)c * s->height + y) * s->width;
      for (int f = 0; f < stride; f++, image += l->row) {
        if (y < 0 || y >= s->height) {
          clear(image, l->row);
          continue;
        }
        // Columns of the image from `begin` to `end` lie within the input.
        int begin = smaller(l->row, larger(0, ceil_div(left - f, stride)));
        int end = smaller(l->row, larger(begin, ceil_div(s->width + left - f, stride)));
        clear(image, begin);
        const float *in = from + begin * stride + f - left;
        int j = begin;
        if (stride <= 2)
          for (; j + 4 <= end; j += 4, in += 4 * stride) store(image + j, load_apart(in, stride));
        for (; j < end; j++, in += stride) image[j] = *in;
        clear(image + end, l->row - end);
      }
    }
  }
}

/** The other way: gives the values of a prepared image (for all rows of the output) back to the channels at `x`. */
static void unprepare(const Shape *s, const Layout *l, const float *image, float *x) {
  int stride = l->remainders, left = s->pad_width;
  for (int c = 0; c < l->channels; c++) {
    for (int y = 0; y < s->height; y++, x += s->width) {
      int r = y + s->pad_height;
      if (r < 0 || r >= l->rows) {
        clear(x, s->width);
        continue;
      }
      const float *from = image + (size_t)((c * l->rows + r) * stride) * l->row;
      for (int f = 0; f < stride; f++, from += l->row) {
        int j = ceil_div(larger(0, left - f), stride), column = j * stride + f - left;
        for (; column < s->width; column += stride, j++) x[column] = j < l->row ? from[j] : 0;
      }
    }
  }
}

/** A run of outputs side by side: `start` within the panel, `offset` of its first value within the image. */
typedef struct {
  int start, offset;
} Segment;

/** Cuts the outputs first … first + count − 1 (rows of `width`) into runs; returns how many. */
static int fill_segments(int first, int count, int width, int row_step, Segment *segments) {
  int n = 0;
  for (int at = 0; at < count; n++) {
    int i = (first + at) / width, j = (first + at) % width;
    segments[n] = (Segment){at, i * row_step + j};
    at += width - j;
  }
  return n;
}

/** Packs `depth` taps of the outputs of a panel: [tap][TILE_N]. Lanes beyond the panel's outputs hold anything. */
static void gather(const float *image, const int *taps, int depth, const Segment *segments, int runs,
                   float *packed) {
  // A run is written eight wide; what it writes beyond its end is overwritten by the next run or the next tap.
  if (runs == 1) {
    image += segments[0].offset;
    for (int k = 0; k < depth; k++, packed += TILE_N) {
      const float *from = image + taps[k];
      v128_t a = load(from), b = load(from + 4);
      store(packed, a), store(packed + 4, b);
    }
  } else if (runs == 2) {
    const float *second = image + segments[1].offset;
    int start = segments[1].start;
    image += segments[0].offset;
    for (int k = 0; k < depth; k++, packed += TILE_N) {
      const float *from = image + taps[k], *then = second + taps[k];
      v128_t a = load(from), b = load(from + 4), c = load(then), d = load(then + 4);
      store(packed, a), store(packed + 4, b);
      store(packed + start, c), store(packed + start + 4, d);
    }
  } else {
    for (int k = 0; k < depth; k++, packed += TILE_N)
      for (int r = 0; r < runs; r++) {
        const float *from = image + segments[r].offset + taps[k];
        v128_t a = load(from), b = load(from + 4);
        store(packed + segments[r].start, a), store(packed + segments[r].start + 4, b);
      }
  }
}

// ---------------------------------------------------------------------------------------------------- forward

typedef struct {
  Shape s;
  Layout layout;
  Operands o;
  /** Weights of all groups, packed by pack_weights_task. */
  float *packed;
  int *taps;
  int taps_count;      // of one output: channels of a group × kernel
  int group_outputs;   // outputs of a group
  int group_packed;    // floats of a group's packed weights
  int block_rows;      // output rows of a chunk
  int blocks;          // chunks of an image
} Convolution;

/** Floats of an image that a thread prepares at a time: half of a second-level cache. */
#define IMAGE_FLOATS 65536

/** Packs the weights of one group: for each pass over BLOCK_K taps, panels of TILE_M outputs. */
static void pack_weights_task(const void *args, int chunk, int thread) {
  const Convolution *c = args;
  const Shape *s = &c->s;
  int depth_all = c->taps_count, outputs = c->group_outputs;
  float *packed = c->packed + (size_t)chunk * c->group_packed;
  int area = s->kernel_height * s->kernel_width;
  for (int k0 = 0; k0 < depth_all; k0 += BLOCK_K) {
    int depth = smaller(BLOCK_K, depth_all - k0);
    if (!c->o.mirrored) {
      pack_a(c->o.w + (size_t)chunk * outputs * depth_all + k0, depth_all, 0, outputs, depth, 1, packed);
    } else {
      // Output i of the mirrored convolution is input channel i; its inputs are the outputs of the original, whose
      // weights are w[original output][channel i][area], taken backwards.
      const float *w = c->o.w + (size_t)chunk * c->layout.channels * outputs * area;
      for (int i = 0; i < outputs; i++)
        for (int k = 0; k < depth; k++) {
          int channel = (k0 + k) / area, tap = (k0 + k) % area;
          packed[((size_t)(i / TILE_M) * depth + k) * TILE_M + i % TILE_M] =
              w[((size_t)channel * outputs + i) * area + area - 1 - tap];
        }
      for (int i = outputs; i % TILE_M; i++)
        for (int k = 0; k < depth; k++)
          packed[((size_t)(i / TILE_M) * depth + k) * TILE_M + i % TILE_M] = 0;
    }
    if (c->o.factor)
      for (int i = 0; i < outputs; i += TILE_M) {
        v128_t factor = load(c->o.factor + chunk * outputs + i);
        for (float *to = packed + (size_t)i * depth, *end = to + TILE_M * depth; to < end; to += TILE_M)
          store(to, mul(load(to), factor));
      }
    packed += packed_a_size(outputs, depth);
  }
}

/** y = y where positive, otherwise slope · y, for rows of at most TILE_N values that lie `step` apart. */
static void rectify_rows(float *y, int rows, int columns, int step, v128_t slope) {
  for (int i = 0; i < rows; i++, y += step)
    for (int j = 0; j < columns; j += 4) store_some(y + j, rectified(load(y + j), slope), columns - j);
}

/** Some rows of one image. */
static void convolution_task(const void *args, int chunk, int thread) {
  const Convolution *c = args;
  const Shape *s = &c->s;
  const Layout *l = &c->layout;
  int n = chunk / c->blocks, first_row = chunk % c->blocks * c->block_rows;
  int rows = smaller(c->block_rows, s->out_height - first_row);
  int plane = s->out_height * s->out_width, count = rows * s->out_width;
  float *panel = scratch(thread), *image = panel + BLOCK_K * TILE_N + SLACK;
  for (int g = 0; g < s->group; g++) {
    const float *x = c->o.x + ((size_t)n * s->channels + g * l->channels) * s->height * s->width;
    int origin = first_row * l->row_step;
    if (l->prepared) {
      prepare(s, l, x, first_row, image);
      x = image;
      origin = 0;
    }
    float *y = c->o.y + ((size_t)n * s->outputs + g * c->group_outputs) * plane + first_row * s->out_width;
    const float *bias = c->o.bias ? c->o.bias + g * c->group_outputs : 0;
    const float *packed = c->packed + (size_t)g * c->group_packed;
    for (int k0 = 0; k0 < c->taps_count; k0 += BLOCK_K) {
      int depth = smaller(BLOCK_K, c->taps_count - k0);
      Start start = k0 > 0 ? FROM_C : bias ? FROM_ROW_BIAS : FROM_ZERO;
      for (int p = 0; p < count; p += TILE_N) {
        Segment segments[TILE_N];
        int columns = smaller(TILE_N, count - p);
        int runs = fill_segments(p, columns, s->out_width, l->row_step, segments);
        gather(x + origin, c->taps + k0, depth, segments, runs, panel);
        for (int i = 0; i < c->group_outputs; i += TILE_M)
          tile(depth, packed + (size_t)i * depth, panel, y + (size_t)i * plane + p, plane, start,
               bias ? bias + i : 0, smaller(TILE_M, c->group_outputs - i), columns);
        if (c->o.slope != 1 && k0 + depth == c->taps_count)
          rectify_rows(y + p, c->group_outputs, columns, plane, splat(c->o.slope));
      }
      packed += packed_a_size(c->group_outputs, depth);
    }
  }
}

/** One plane (or some rows of it) of a convolution whose groups have one channel each. */
static void depthwise_task(const void *args, int chunk, int thread) {
  const Convolution *c = args;
  const Shape *s = &c->s;
  const Layout *l = &c->layout;
  int plane = chunk / c->blocks, first_row = chunk % c->blocks * c->block_rows;
  int rows = smaller(c->block_rows, s->out_height - first_row);
  int n = plane / s->outputs, output = plane % s->outputs, channel = output / c->group_outputs;
  const float *x = c->o.x + ((size_t)n * s->channels + channel) * s->height * s->width;
  float *image = scratch(thread);
  if (l->prepared) {
    prepare(s, l, x, first_row, image);
    x = image;
  } else {
    x += first_row * l->row_step;
  }
  const float *w = c->o.w + (size_t)output * c->taps_count;
  v128_t bias = splat(c->o.bias ? c->o.bias[output] : 0), slope = splat(c->o.slope);
  float factor = c->o.factor ? c->o.factor[output] : 1;
  float *y = c->o.y + ((size_t)plane * s->out_height + first_row) * s->out_width;
  for (int i = 0; i < rows; i++, x += l->row_step, y += s->out_width) {
    for (int j = 0; j < s->out_width; j += 8) {
      v128_t y0 = bias, y1 = bias;
      for (int k = 0; k < c->taps_count; k++) {
        v128_t weight = splat(factor * w[k]);
        y0 = madd(weight, load(x + c->taps[k] + j), y0);
        y1 = madd(weight, load(x + c->taps[k] + j + 4), y1);
      }
      store_some(y + j, rectified(y0, slope), s->out_width - j);
      if (j + 4 < s->out_width) store_some(y + j + 4, rectified(y1, slope), s->out_width - j - 4);
    }
  }
}

/** Floats of the image for some rows of the output; 0 where the input serves as it is. */
static int image_size(const Shape *s, int channels, int out_rows) {
  Layout l = layout_of(s, channels, out_rows);
  return l.prepared ? layout_size(&l) : 0;
}

/** Cuts the output rows so that an image fits the cache and there is work for every thread. */
static void choose_rows(Convolution *c, int planes) {
  const Shape *s = &c->s;
  int rows = s->out_height;
  while (rows > 1 && image_size(s, c->layout.channels, rows) > IMAGE_FLOATS) rows = (rows + 1) / 2;
  while (planes * ceil_div(s->out_height, rows) < 4 * thread_count() && rows > 1 && rows * s->out_width > 64)
    rows = (rows + 1) / 2;
  c->block_rows = rows;
  c->blocks = ceil_div(s->out_height, rows);
  c->layout = layout_of(s, c->layout.channels, rows);
}

static Convolution plan(const Shape *s) {
  Convolution c = {.s = *s};
  int channels = s->channels / s->group;
  c.group_outputs = s->outputs / s->group;
  c.taps_count = channels * s->kernel_height * s->kernel_width;
  for (int k0 = 0; k0 < c.taps_count; k0 += BLOCK_K)
    c.group_packed += packed_a_size(c.group_outputs, smaller(BLOCK_K, c.taps_count - k0));
  c.layout.channels = channels;
  choose_rows(&c, channels == 1 && s->group > 1 ? s->num * s->outputs : s->num);
  return c;
}

/** The convolution whose forward pass is the gradient by the input of `s`, which has stride 1. */
static Shape mirror(const Shape *s) {
  Shape m = *s;
  m.channels = s->outputs, m.height = s->out_height, m.width = s->out_width;
  m.outputs = s->channels, m.out_height = s->height, m.out_width = s->width;
  m.pad_height = (s->kernel_height - 1) * s->dilation_height - s->pad_height;
  m.pad_width = (s->kernel_width - 1) * s->dilation_width - s->pad_width;
  return m;
}

/** Whether the gradient by the input is better had from {@link mirror} than by adding up columns. */
static int is_mirrored(const Shape *s) {
  if (s->stride_height != 1 || s->stride_width != 1) return 0;
  Shape m = mirror(s);
  // A valid convolution has fewer outputs than inputs: mirrored, it would multiply many zeros.
  return m.pad_height >= 0 && m.pad_width >= 0 &&
         (double)s->height * s->width <= 1.3 * s->out_height * s->out_width;
}

static void run_convolution(const Shape *s, const Operands *o, float *workspace) {
  if (winograd_fits(s)) {
    winograd(s, o, workspace);
    return;
  }
  Convolution c = plan(s);
  c.o = *o;
  c.taps = (int *)workspace;
  c.packed = workspace + c.taps_count + SLACK;
  fill_taps(s, &c.layout, c.taps);
  if (c.layout.channels == 1 && s->group > 1 && !o->mirrored) {
    parallel(depthwise_task, &c, s->num * s->outputs * c.blocks);
    return;
  }
  parallel(pack_weights_task, &c, s->group);
  parallel(convolution_task, &c, s->num * c.blocks);
}

static Needs forward_needs(const Shape *s) {
  if (winograd_fits(s)) return winograd_needs(s);
  Convolution c = plan(s);
  return (Needs){c.taps_count + SLACK + s->group * c.group_packed,
                 BLOCK_K * TILE_N + SLACK + layout_size(&c.layout) + SLACK};
}

EXPORT(convolution_needs) void convolution_needs(const Shape *s, Needs *needs) { *needs = forward_needs(s); }

/** y = factor · (x ∗ w) + bias where positive, otherwise slope times that. */
EXPORT(convolution) void convolution(const Shape *s, const float *x, const float *w, const float *bias, float *y,
                                     const float *factor, float slope, float *workspace) {
  Operands o = {.x = x, .w = w, .bias = bias, .y = y, .factor = factor, .slope = slope};
  run_convolution(s, &o, workspace);
}

// ------------------------------------------------------------------------------------------ gradient by the input

typedef struct {
  Shape s;
  Layout layout; // of the channels of one chunk
  const float *dy, *w;
  float *dx;
  float *packed; // transposed weights: [group][block of channels]
  int *taps;
  int block;        // channels of a chunk
  int blocks;       // chunks of a group
  int group_outputs;
  int area;
  int packed_block; // floats of a block's packed weights
} InputGradient;

static InputGradient plan_input(const Shape *s) {
  InputGradient c = {.s = *s, .area = s->kernel_height * s->kernel_width};
  int channels = s->channels / s->group, plane = s->out_height * s->out_width;
  c.group_outputs = s->outputs / s->group;
  int64_t floats = (int64_t)c.area * plane + image_size(s, 1, s->out_height); // of a channel
  c.block = channels;
  while (c.block > 1 && (floats * c.block > 2 * IMAGE_FLOATS ||
                         (s->num * s->group * ceil_div(channels, c.block) < 4 * thread_count() && c.block > 4)))
    c.block = (c.block + 1) / 2;
  c.blocks = ceil_div(channels, c.block);
  c.layout = layout_of(s, c.block, s->out_height);
  for (int k0 = 0; k0 < c.group_outputs; k0 += BLOCK_K)
    c.packed_block += packed_a_size(c.block * c.area, smaller(BLOCK_K, c.group_outputs - k0));
  return c;
}

static void pack_transposed_task(const void *args, int chunk, int thread) {
  const InputGradient *c = args;
  const Shape *s = &c->s;
  int g = chunk / c->blocks, channel = chunk % c->blocks * c->block, channels = s->channels / s->group;
  int taps = channels * c->area, rows = smaller(c->block, channels - channel) * c->area;
  float *packed = c->packed + (size_t)chunk * c->packed_block;
  for (int k0 = 0; k0 < c->group_outputs; k0 += BLOCK_K) {
    int depth = smaller(BLOCK_K, c->group_outputs - k0);
    pack_a(c->w + ((size_t)g * c->group_outputs + k0) * taps + channel * c->area, taps, 1, rows, depth, 1, packed);
    packed += packed_a_size(rows, depth);
  }
}

/** Some channels of one image: columns = transposed weights · dy, added up where the taps lie. */
static void input_gradient_task(const void *args, int chunk, int thread) {
  const InputGradient *c = args;
  const Shape *s = &c->s;
  int n = chunk / (s->group * c->blocks), part = chunk % (s->group * c->blocks);
  int g = part / c->blocks, channel = part % c->blocks * c->block, channels = s->channels / s->group;
  int count = smaller(c->block, channels - channel), taps = count * c->area;
  int plane = s->out_height * s->out_width;
  float *dx = c->dx + ((size_t)n * s->channels + g * channels + channel) * s->height * s->width;
  float *panel = scratch(thread), *columns = panel + BLOCK_K * TILE_N + SLACK;
  float *image = columns + (size_t)c->block * c->area * plane + SLACK;
  Layout l = c->layout;
  l.channels = count;
  if (!l.prepared) image = dx;
  clear(image, layout_size(&l));
  const float *packed = c->packed + (size_t)part * c->packed_block;
  for (int k0 = 0; k0 < c->group_outputs; k0 += BLOCK_K) {
    int depth = smaller(BLOCK_K, c->group_outputs - k0);
    const float *dy = c->dy + ((size_t)n * s->outputs + g * c->group_outputs + k0) * plane;
    for (int p = 0; p < plane; p += TILE_N) {
      int wide = smaller(TILE_N, plane - p);
      pack_b(dy + p, plane, 0, depth, wide, panel);
      for (int i = 0; i < taps; i += TILE_M)
        tile(depth, packed + (size_t)i * depth, panel, columns + (size_t)i * plane + p, plane,
             k0 > 0 ? FROM_C : FROM_ZERO, 0, smaller(TILE_M, taps - i), wide);
    }
    packed += packed_a_size(taps, depth);
  }
  for (int k = 0; k < taps; k++) {
    const float *from = columns + (size_t)k * plane;
    for (int i = 0; i < s->out_height; i++, from += s->out_width) {
      float *to = image + c->taps[k] + i * l.row_step;
      int j = 0;
      for (; j + 4 <= s->out_width; j += 4) store(to + j, add(load(to + j), load(from + j)));
      for (; j < s->out_width; j++) to[j] += from[j];
    }
  }
  if (l.prepared) unprepare(s, &l, image, dx);
}

EXPORT(convolution_input_needs) void convolution_input_needs(const Shape *s, Needs *needs) {
  if (is_mirrored(s)) {
    Shape m = mirror(s);
    *needs = forward_needs(&m);
    return;
  }
  InputGradient c = plan_input(s);
  *needs = (Needs){c.block * c.area + SLACK + s->group * c.blocks * c.packed_block,
                   BLOCK_K * TILE_N + SLACK + c.block * c.area * s->out_height * s->out_width + SLACK +
                       layout_size(&c.layout) + SLACK};
}

/** dx = the gradient by the input; the forward pass of a deconvolution. */
EXPORT(convolution_input) void convolution_input(const Shape *s, const float *dy, const float *w, float *dx,
                                                 float *workspace) {
  if (is_mirrored(s)) {
    Shape m = mirror(s);
    run_convolution(&m, &(Operands){.x = dy, .w = w, .y = dx, .slope = 1, .mirrored = 1}, workspace);
    return;
  }
  InputGradient c = plan_input(s);
  c.dy = dy, c.w = w, c.dx = dx;
  c.taps = (int *)workspace;
  c.packed = workspace + c.block * c.area + SLACK;
  fill_taps(s, &c.layout, c.taps);
  parallel(pack_transposed_task, &c, s->group * c.blocks);
  parallel(input_gradient_task, &c, s->num * s->group * c.blocks);
}

// ---------------------------------------------------------------------------------------- gradient by the weights

typedef struct {
  Shape s;
  Layout layout; // of the channels of one chunk
  const float *x, *dy;
  float *dw;
  /** Sums over part of the images: [part][outputs][taps]. */
  float *partial;
  int *taps;
  int block, blocks; // channels of a chunk, chunks of a group
  int parts;         // of the images
  int group_outputs;
  int area;
  int run;           // outputs (pixels) of a pass
} WeightGradient;

/** How work is cut decides how sums round, so it is a matter of the shape alone, not of the number of threads. */
static WeightGradient plan_weights(const Shape *s) {
  WeightGradient c = {.s = *s, .area = s->kernel_height * s->kernel_width};
  int channels = s->channels / s->group, plane = s->out_height * s->out_width;
  c.group_outputs = s->outputs / s->group;
  int64_t floats = image_size(s, 1, s->out_height); // of a channel
  c.block = channels;
  while (c.block > 1 && (floats * c.block > IMAGE_FLOATS ||
                         (s->group * ceil_div(channels, c.block) < 8 && c.block * c.area > 128)))
    c.block = (c.block + 1) / 2;
  c.blocks = ceil_div(channels, c.block);
  c.layout = layout_of(s, c.block, s->out_height);
  int weights = s->outputs * channels * c.area;
  c.parts = smaller(s->num, ceil_div(16, s->group * c.blocks));
  while (c.parts > 1 && (double)c.parts * weights > 1 << 21) c.parts = (c.parts + 1) / 2;
  c.run = smaller(plane, BLOCK_K);
  return c;
}

/** Packs `count` pixels from `first` on of TILE_N taps (`columns` of which exist): [pixel][TILE_N]. */
static void gather_pixels(const WeightGradient *c, const float *image, const int *taps, int columns, int first,
                          int count, float *packed) {
  int width = c->s.out_width;
  int own[TILE_N];
  for (int t = 0; t < TILE_N; t++) own[t] = taps[smaller(t, columns - 1)];
  for (int at = 0; at < count;) {
    int i = (first + at) / width, j = (first + at) % width, run = smaller(width - j, count - at), q = 0;
    const float *row = image + i * c->layout.row_step + j;
    for (; q + 4 <= run; q += 4, packed += 4 * TILE_N) {
      for (int half = 0; half < TILE_N; half += 4) {
        v128_t r0 = load(row + own[half] + q), r1 = load(row + own[half + 1] + q);
        v128_t r2 = load(row + own[half + 2] + q), r3 = load(row + own[half + 3] + q);
        transpose4(&r0, &r1, &r2, &r3);
        float *to = packed + half;
        store(to, r0), store(to + TILE_N, r1), store(to + 2 * TILE_N, r2), store(to + 3 * TILE_N, r3);
      }
    }
    for (; q < run; q++, packed += TILE_N)
      for (int t = 0; t < TILE_N; t++) packed[t] = row[own[t] + q];
    at += run;
  }
}

/** Some channels of one group, over part of the images. */
static void weight_gradient_task(const void *args, int chunk, int thread) {
  const WeightGradient *c = args;
  const Shape *s = &c->s;
  int part = chunk / (s->group * c->blocks), g = chunk / c->blocks % s->group, block = chunk % c->blocks;
  int channels = s->channels / s->group, channel = block * c->block;
  int count = smaller(c->block, channels - channel), taps = count * c->area, all_taps = channels * c->area;
  int plane = s->out_height * s->out_width, outputs = c->group_outputs;
  int first = (int)((int64_t)s->num * part / c->parts), end = (int)((int64_t)s->num * (part + 1) / c->parts);
  float *panel = scratch(thread), *packed = panel + BLOCK_K * TILE_N + SLACK;
  float *image = packed + packed_a_size(outputs, c->run) + SLACK;
  Layout l = c->layout;
  l.channels = count;
  float *sums = c->partial + ((size_t)part * s->outputs + g * outputs) * all_taps + channel * c->area;
  for (int n = first; n < end; n++) {
    const float *x = c->x + ((size_t)n * s->channels + g * channels + channel) * s->height * s->width;
    if (l.prepared) {
      prepare(s, &l, x, 0, image);
      x = image;
    }
    const float *dy = c->dy + ((size_t)n * s->outputs + g * outputs) * plane;
    for (int p = 0; p < plane; p += c->run) {
      int depth = smaller(c->run, plane - p);
      pack_a(dy + p, plane, 0, outputs, depth, 1, packed);
      for (int t = 0; t < taps; t += TILE_N) {
        int columns = smaller(TILE_N, taps - t);
        gather_pixels(c, x, c->taps + t, columns, p, depth, panel);
        for (int i = 0; i < outputs; i += TILE_M)
          tile(depth, packed + (size_t)i * depth, panel, sums + (size_t)i * all_taps + t, all_taps,
               n > first || p > 0 ? FROM_C : FROM_ZERO, 0, smaller(TILE_M, outputs - i), columns);
      }
    }
  }
}

#define SUM_FLOATS 4096

static void add_parts_task(const void *args, int chunk, int thread) {
  const WeightGradient *c = args;
  int count = c->s.outputs * (c->s.channels / c->s.group) * c->area;
  int first = chunk * SUM_FLOATS, end = smaller(count, first + SUM_FLOATS);
  for (int i = first; i < end; i += 4) {
    v128_t sum = load_some(c->dw + i, end - i);
    for (int part = 0; part < c->parts; part++)
      sum = add(sum, load_some(c->partial + (size_t)part * count + i, end - i));
    store_some(c->dw + i, sum, end - i);
  }
}

EXPORT(convolution_weights_needs) void convolution_weights_needs(const Shape *s, Needs *needs) {
  if (winograd_weights_fits(s)) {
    *needs = winograd_weights_needs(s);
    return;
  }
  WeightGradient c = plan_weights(s);
  *needs = (Needs){c.block * c.area + SLACK + c.parts * s->outputs * (s->channels / s->group) * c.area,
                   BLOCK_K * TILE_N + SLACK + packed_a_size(c.group_outputs, c.run) + SLACK +
                       layout_size(&c.layout) + SLACK};
}

/** dw += the gradient by the weights. */
EXPORT(convolution_weights) void convolution_weights(const Shape *s, const float *x, const float *dy, float *dw,
                                                     float *workspace) {
  if (winograd_weights_fits(s)) {
    winograd_weights(s, x, dy, dw, workspace);
    return;
  }
  WeightGradient c = plan_weights(s);
  c.x = x, c.dy = dy, c.dw = dw;
  c.taps = (int *)workspace;
  c.partial = workspace + c.block * c.area + SLACK;
  fill_taps(s, &c.layout, c.taps);
  parallel(weight_gradient_task, &c, c.parts * s->group * c.blocks);
  parallel(add_parts_task, &c, ceil_div(s->outputs * (s->channels / s->group) * c.area, SUM_FLOATS));
}
