// What the ways to convolve share: sizes, and images prepared for them.
#pragma once
#include "simd.h"

/** The sizes of ConvolutionShape in engine.ts, in its order. */
typedef struct {
  int num, channels, height, width;
  int outputs, out_height, out_width;
  int kernel_height, kernel_width, stride_height, stride_width;
  int pad_height, pad_width, dilation_height, dilation_width, group;
} Shape;

/** Over-reads of a vector stay within this many floats behind an image. */
#define SLACK 16

/** How the values of one group's input are laid out. */
typedef struct {
  int channels;    // of a group
  int prepared;    // whether the image is a copy
  int rows;        // of a channel, for the output rows at hand
  int remainders;  // stride_width
  int row;         // floats between rows of one remainder
  int row_step;    // floats between the values that an output row and the next take
} Layout;

INLINE int is_plain(const Shape *s) {
  return s->pad_height == 0 && s->pad_width == 0 && s->stride_width == 1;
}

/** Layout for `out_rows` rows of the output and `channels` channels. */
INLINE Layout layout_of(const Shape *s, int channels, int out_rows) {
  Layout l = {.channels = channels, .prepared = !is_plain(s), .remainders = s->stride_width};
  if (!l.prepared) {
    l.rows = s->height;
    l.row = s->width;
  } else {
    l.rows = (out_rows - 1) * s->stride_height + (s->kernel_height - 1) * s->dilation_height + 1;
    int columns = (s->out_width - 1) * s->stride_width + (s->kernel_width - 1) * s->dilation_width + 1;
    l.row = ceil_div(columns, s->stride_width);
  }
  l.row_step = s->stride_height * l.remainders * l.row;
  return l;
}

INLINE int layout_size(const Layout *l) { return l->channels * l->rows * l->remainders * l->row; }

/** Copies what output rows from `first_row` on need of the channels at `x` into a prepared image. */
void prepare(const Shape *s, const Layout *l, const float *x, int first_row, float *image);

/** Floats of shared workspace, and of scratch memory of each thread, that an operation needs. */
typedef struct {
  int workspace, scratch;
} Needs;

/**
 * A convolution to run: y = x ∗ (w times a factor of each output, if there are factors) + bias, where positive, and
 * slope times that elsewhere. A mirrored one is the gradient by the input of another: its weights are the other's, whose
 * outputs are its channels, taken backwards.
 */
typedef struct {
  const float *x, *w, *bias, *factor;
  float *y;
  float slope;
  int mirrored;
} Operands;

/** Whether 3×3 convolutions are better done by winograd.c, forward (or mirrored) and for the weights. */
int winograd_fits(const Shape *s);
int winograd_weights_fits(const Shape *s);
Needs winograd_needs(const Shape *s);
Needs winograd_weights_needs(const Shape *s);
void winograd(const Shape *s, const Operands *operands, float *workspace);
void winograd_weights(const Shape *s, const float *x, const float *dy, float *dw, float *workspace);
