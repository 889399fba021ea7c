// Matrix products from small register tiles: TILE_M rows of packed A times TILE_N columns of packed B.
#pragma once
#include "simd.h"

// Eight accumulators, two vectors of B and one of A: what the sixteen SSE registers of V8's code hold without
// spilling. Larger tiles (5×8, 6×8, 8×4) measured 0.5 to 0.8 times the speed.
#define TILE_M 4
#define TILE_N 8
// Columns of A (rows of B) per pass: a packed panel of B (16 kB) stays in the first-level cache.
#define BLOCK_K 512
// Rows of A per pass: 256 kB of packed A stay in the second-level cache.
#define BLOCK_M 128

/** What a tile of C starts from. */
typedef enum { FROM_ZERO, FROM_C, FROM_ROW_BIAS, FROM_COLUMN_BIAS } Start;

/** Floats that `rows` rows of `depth` columns take when packed for the tile. */
INLINE int packed_a_size(int rows, int depth) { return ceil_div(rows, TILE_M) * TILE_M * depth; }

/**
 * c (TILE_M × TILE_N, rows `ldc` apart) = start + a · b. Floats between rows of a are `row_a`, between the steps of
 * depth `step_a` and `step_b`; columns of b are neighbours.
 * The sum over depth runs in order, whatever the tile's place, so results do not depend on how work is cut.
 */
INLINE void tile_product(int depth, const float *a, int row_a, int step_a, const float *b, int step_b, float *c,
                         int ldc, Start start, const float *bias) {
  v128_t c00, c01, c10, c11, c20, c21, c30, c31;
  if (start == FROM_C) {
    c00 = load(c), c01 = load(c + 4);
    c10 = load(c + ldc), c11 = load(c + ldc + 4);
    c20 = load(c + 2 * ldc), c21 = load(c + 2 * ldc + 4);
    c30 = load(c + 3 * ldc), c31 = load(c + 3 * ldc + 4);
  } else if (start == FROM_ROW_BIAS) {
    c00 = c01 = splat(bias[0]);
    c10 = c11 = splat(bias[1]);
    c20 = c21 = splat(bias[2]);
    c30 = c31 = splat(bias[3]);
  } else if (start == FROM_COLUMN_BIAS) {
    c00 = c10 = c20 = c30 = load(bias);
    c01 = c11 = c21 = c31 = load(bias + 4);
  } else {
    c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = zero();
  }
#pragma clang loop unroll(disable)
  for (int k = 0; k < depth; k++) {
    v128_t b0 = load(b), b1 = load(b + 4), ak;
    ak = splat(a[0]), c00 = madd(ak, b0, c00), c01 = madd(ak, b1, c01);
    ak = splat(a[row_a]), c10 = madd(ak, b0, c10), c11 = madd(ak, b1, c11);
    ak = splat(a[2 * row_a]), c20 = madd(ak, b0, c20), c21 = madd(ak, b1, c21);
    ak = splat(a[3 * row_a]), c30 = madd(ak, b0, c30), c31 = madd(ak, b1, c31);
    a += step_a;
    b += step_b;
  }
  store(c, c00), store(c + 4, c01);
  store(c + ldc, c10), store(c + ldc + 4, c11);
  store(c + 2 * ldc, c20), store(c + 2 * ldc + 4, c21);
  store(c + 3 * ldc, c30), store(c + 3 * ldc + 4, c31);
}

/**
 * {@link tile_product} for a tile of which only `rows` × `columns` exist; a is packed [depth][TILE_M], b
 * [depth][TILE_N].
 */
void tile(int depth, const float *a, const float *b, float *c, int ldc, Start start, const float *bias, int rows,
          int columns);

/** Packs `rows` × `depth` of op(a), times alpha, into panels of TILE_M rows. Rows that are missing become 0. */
void pack_a(const float *a, int lda, int transposed, int rows, int depth, float alpha, float *packed);

/** Packs a panel of depth × `columns` (at most TILE_N) of op(b). */
void pack_b(const float *b, int ldb, int transposed, int depth, int columns, float *packed);
