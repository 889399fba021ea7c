#include "gemm.h"
#include "threads.h"

static void full_tile(int depth, const float *a, const float *b, float *c, int ldc, Start start,
                      const float *bias) {
  tile_product(depth, a, 1, TILE_M, b, TILE_N, c, ldc, start, bias);
}

static void edge_tile(int depth, const float *a, const float *b, float *c, int ldc, Start start,
                      const float *bias, int rows, int columns) {
  float all[TILE_M * TILE_N], all_bias[TILE_N] = {0};
  if (start == FROM_C)
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < columns; j++) all[i * TILE_N + j] = c[(size_t)i * ldc + j];
  if (start == FROM_ROW_BIAS)
    for (int i = 0; i < rows; i++) all_bias[i] = bias[i];
  if (start == FROM_COLUMN_BIAS)
    for (int j = 0; j < columns; j++) all_bias[j] = bias[j];
  tile_product(depth, a, 1, TILE_M, b, TILE_N, all, TILE_N, start, all_bias);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) c[(size_t)i * ldc + j] = all[i * TILE_N + j];
}

void tile(int depth, const float *a, const float *b, float *c, int ldc, Start start, const float *bias, int rows,
          int columns) {
  if (rows == TILE_M && columns == TILE_N) full_tile(depth, a, b, c, ldc, start, bias);
  else edge_tile(depth, a, b, c, ldc, start, bias, rows, columns);
}

/** Packs TILE_M rows that lie `lda` apart: a transpose. */
static void pack_rows(const float *a, int lda, int depth, v128_t alpha, float *packed) {
  int k = 0;
  for (; k + 4 <= depth; k += 4, packed += 4 * TILE_M) {
    v128_t r0 = load(a + k), r1 = load(a + lda + k), r2 = load(a + 2 * lda + k), r3 = load(a + 3 * lda + k);
    transpose4(&r0, &r1, &r2, &r3);
    store(packed, mul(alpha, r0)), store(packed + 4, mul(alpha, r1));
    store(packed + 8, mul(alpha, r2)), store(packed + 12, mul(alpha, r3));
  }
  for (; k < depth; k++, packed += TILE_M)
    store(packed, mul(alpha, wasm_f32x4_make(a[k], a[lda + k], a[2 * lda + k], a[3 * lda + k])));
}

void pack_a(const float *a, int lda, int transposed, int rows, int depth, float alpha, float *packed) {
  v128_t factor = splat(alpha);
  for (int i = 0; i < rows; i += TILE_M, packed += TILE_M * depth) {
    int count = smaller(TILE_M, rows - i);
    if (transposed) {
      for (int k = 0; k < depth; k++)
        store(packed + k * TILE_M, mul(factor, load_some(a + (size_t)k * lda + i, count)));
    } else if (count == TILE_M) {
      pack_rows(a + (size_t)i * lda, lda, depth, factor, packed);
    } else {
      for (int k = 0; k < depth; k++)
        for (int r = 0; r < TILE_M; r++)
          packed[k * TILE_M + r] = r < count ? alpha * a[(size_t)(i + r) * lda + k] : 0;
    }
  }
}

void pack_b(const float *b, int ldb, int transposed, int depth, int columns, float *packed) {
  int k = 0;
  if (!transposed) {
    for (; k < depth; k++, b += ldb, packed += TILE_N) {
      store(packed, load_some(b, columns));
      store(packed + 4, columns > 4 ? load_some(b + 4, columns - 4) : zero());
    }
    return;
  }
  if (columns == TILE_N) {
    for (; k + 4 <= depth; k += 4) {
      for (int half = 0; half < TILE_N; half += 4) {
        const float *from = b + (size_t)half * ldb + k;
        v128_t r0 = load(from), r1 = load(from + ldb), r2 = load(from + 2 * ldb), r3 = load(from + 3 * ldb);
        transpose4(&r0, &r1, &r2, &r3);
        float *to = packed + k * TILE_N + half;
        store(to, r0), store(to + TILE_N, r1), store(to + 2 * TILE_N, r2), store(to + 3 * TILE_N, r3);
      }
    }
  }
  for (; k < depth; k++)
    for (int j = 0; j < TILE_N; j++) packed[k * TILE_N + j] = j < columns ? b[(size_t)j * ldb + k] : 0;
}

typedef struct {
  int m, n, k;
  int transpose_a, transpose_b;
  int lda, ldb;
  float alpha, beta;
  const float *a, *b, *bias;
  float *c;
  /** A of the current pass, packed: m × BLOCK_K at most. */
  float *packed;
  /** The pass: columns first_k to first_k + depth of A. */
  int first_k, depth;
  Start start;
  /** Panels of B in a chunk of the work, and how many such chunks there are per block of rows. */
  int panels, splits;
} Gemm;

#define PACK_ROWS 32 // rows of A in a chunk of packing

static void pack_a_task(const void *args, int chunk, int thread) {
  const Gemm *g = args;
  int row = chunk * PACK_ROWS;
  const float *from = g->transpose_a ? g->a + (size_t)g->first_k * g->lda + row
                                     : g->a + (size_t)row * g->lda + g->first_k;
  pack_a(from, g->lda, g->transpose_a, smaller(PACK_ROWS, g->m - row), g->depth, g->alpha,
         g->packed + (size_t)row * g->depth);
}

static void product_task(const void *args, int chunk, int thread) {
  const Gemm *g = args;
  float *panel = scratch(thread);
  int row = chunk / g->splits * BLOCK_M, rows = smaller(BLOCK_M, g->m - row);
  int first = chunk % g->splits * g->panels * TILE_N, end = smaller(g->n, first + g->panels * TILE_N);
  const float *packed = g->packed + (size_t)row * g->depth;
  for (int column = first; column < end; column += TILE_N) {
    int columns = smaller(TILE_N, g->n - column);
    const float *from = g->transpose_b ? g->b + (size_t)column * g->ldb + g->first_k
                                       : g->b + (size_t)g->first_k * g->ldb + column;
    pack_b(from, g->ldb, g->transpose_b, g->depth, columns, panel);
    for (int i = 0; i < rows; i += TILE_M)
      tile(g->depth, packed + (size_t)i * g->depth, panel, g->c + (size_t)(row + i) * g->n + column, g->n,
           g->start, g->bias ? g->bias + column : 0, smaller(TILE_M, rows - i), columns);
  }
}

static void run_gemm(Gemm *g) {
  int panels = ceil_div(g->n, TILE_N), blocks = ceil_div(g->m, BLOCK_M);
  // Small products stay on one thread; larger ones get a few chunks per thread, so that a late one costs little.
  int wanted = (double)g->m * g->n * g->k < 1 << 16 ? 1 : ceil_div(4 * thread_count(), blocks);
  g->panels = ceil_div(panels, smaller(panels, wanted));
  g->splits = ceil_div(panels, g->panels);
  for (g->first_k = 0; g->first_k < g->k; g->first_k += BLOCK_K) {
    g->depth = smaller(BLOCK_K, g->k - g->first_k);
    if (g->first_k > 0) g->start = FROM_C;
    parallel(pack_a_task, g, ceil_div(g->m, PACK_ROWS));
    parallel(product_task, g, blocks * g->splits);
  }
}

/** Products with fewer rows than this read the weights once, as they lie. */
#define FEW_ROWS 4

/** c[row][i] for i in a range of columns: dot products of a row of a and rows of b. */
static void dot_task(const void *args, int chunk, int thread) {
  const Gemm *g = args;
  int first = chunk * g->panels * TILE_N, end = smaller(g->n, first + g->panels * TILE_N);
  for (int row = 0; row < g->m; row++) {
    const float *a = g->a + (size_t)row * g->lda;
    for (int column = first; column < end; column++) {
      const float *b = g->b + (size_t)column * g->ldb;
      v128_t s0 = zero(), s1 = zero(), s2 = zero(), s3 = zero();
      int k = 0;
      for (; k + 16 <= g->k; k += 16) {
        s0 = madd(load(a + k), load(b + k), s0);
        s1 = madd(load(a + k + 4), load(b + k + 4), s1);
        s2 = madd(load(a + k + 8), load(b + k + 8), s2);
        s3 = madd(load(a + k + 12), load(b + k + 12), s3);
      }
      for (; k < g->k; k += 4) s0 = madd(load_some(a + k, g->k - k), load_some(b + k, g->k - k), s0);
      float product = g->alpha * sum_of_lanes(add(add(s0, s1), add(s2, s3)));
      float *c = g->c + (size_t)row * g->n + column;
      *c = product + (g->bias ? g->bias[column] : g->beta == 0 ? 0 : g->beta * *c);
    }
  }
}

/** Floats of workspace that {@link gemm} needs. */
EXPORT(gemm_workspace) int gemm_workspace(int m, int k) { return packed_a_size(m, smaller(k, BLOCK_K)); }

/** c = alpha · op(a) · op(b) + beta · c, or + bias (a row of n) where there is one. */
EXPORT(gemm) void gemm(int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
                       const float *b, float beta, float *c, const float *bias, float *workspace) {
  Gemm g = {.m = m, .n = n, .k = k,
            .transpose_a = transpose_a, .transpose_b = transpose_b,
            .lda = transpose_a ? m : k, .ldb = transpose_b ? k : n,
            .alpha = alpha, .beta = beta, .a = a, .b = b, .bias = bias, .c = c,
            .packed = workspace};
  if (m < FEW_ROWS && !transpose_a && transpose_b) {
    int panels = ceil_div(n, TILE_N);
    g.panels = (double)m * n * k < 1 << 16 ? panels : ceil_div(panels, 8 * thread_count());
    parallel(dot_task, &g, ceil_div(panels, g.panels));
    return;
  }
  g.start = bias ? FROM_COLUMN_BIAS : beta == 0 ? FROM_ZERO : FROM_C;
  if (!bias && (k == 0 || (beta != 0 && beta != 1)))
    for (size_t i = 0, count = (size_t)m * n; i < count; i++) c[i] = beta == 0 ? 0 : beta * c[i];
  run_gemm(&g);
}
