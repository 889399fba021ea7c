// Sums of many values: in single precision for a while, then in double.
#pragma once
#include "simd.h"

#define FLOAT_RUN 256 // floats added in single precision before they go to the double sum

/** A sum kept as two doubles. */
typedef v128_t Total;

INLINE Total no_total(void) { return wasm_f64x2_const_splat(0); }
INLINE double value_of(Total total) {
  return wasm_f64x2_extract_lane(total, 0) + wasm_f64x2_extract_lane(total, 1);
}

/** Adds four floats. */
INLINE Total add_floats(Total total, v128_t v) {
  v128_t high = wasm_f64x2_promote_low_f32x4(wasm_i64x2_shuffle(v, v, 1, 1));
  return wasm_f64x2_add(total, wasm_f64x2_add(wasm_f64x2_promote_low_f32x4(v), high));
}

/** What is summed of each value: itself, its product with another, or the square of its distance from a centre. */
typedef enum { VALUES, PRODUCTS, SQUARES } Summand;

INLINE v128_t summand(Summand what, v128_t sum, v128_t a, v128_t b) {
  if (what == VALUES) return add(a, sum);
  if (what == PRODUCTS) return madd(a, b, sum);
  v128_t distance = sub(a, b);
  return madd(distance, distance, sum);
}

INLINE Total add_run(Total total, Summand what, const float *a, const float *b, float centre, int count) {
  float centres[4] = {centre, centre, centre, centre};
  v128_t c = load(centres);
  for (int i = 0; i < count;) {
    v128_t s0 = zero(), s1 = zero();
    int stop = smaller(count, i + FLOAT_RUN);
    for (; i + 8 <= stop; i += 8) {
      s0 = summand(what, s0, load(a + i), what == PRODUCTS ? load(b + i) : c);
      s1 = summand(what, s1, load(a + i + 4), what == PRODUCTS ? load(b + i + 4) : c);
    }
    for (; i < stop; i += 4) {
      int left = stop - i;
      // Lanes that do not exist add nothing: 0, or no distance from the centre.
      v128_t value = load_some(a + i, left), other = what == PRODUCTS ? load_some(b + i, left) : load_some(centres, left);
      s0 = summand(what, s0, value, other);
    }
    total = add_floats(total, add(s0, s1));
  }
  return total;
}

INLINE Total add_sum(Total total, const float *a, int count) { return add_run(total, VALUES, a, 0, 0, count); }
INLINE Total add_products(Total total, const float *a, const float *b, int count) {
  return add_run(total, PRODUCTS, a, b, 0, count);
}
INLINE Total add_squares(Total total, const float *a, float centre, int count) {
  return add_run(total, SQUARES, a, 0, centre, count);
}
