// The vocabulary of the kernels: four floats at a time.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

INLINE int smaller(int a, int b) { return a < b ? a : b; }
INLINE int larger(int a, int b) { return a > b ? a : b; }
INLINE int ceil_div(int a, int b) { return (a + b - 1) / b; }

INLINE v128_t load(const float *from) { return wasm_v128_load(from); }
INLINE void store(float *to, v128_t value) { wasm_v128_store(to, value); }
INLINE v128_t splat(float value) { return wasm_f32x4_splat(value); }
INLINE v128_t zero(void) { return wasm_f32x4_const_splat(0); }
INLINE v128_t add(v128_t a, v128_t b) { return wasm_f32x4_add(a, b); }
INLINE v128_t sub(v128_t a, v128_t b) { return wasm_f32x4_sub(a, b); }
INLINE v128_t mul(v128_t a, v128_t b) { return wasm_f32x4_mul(a, b); }

/** a · b + c; rounded once where the machine has a fused multiply-add and the relaxed instructions are there. */
INLINE v128_t madd(v128_t a, v128_t b, v128_t c) {
#ifdef __wasm_relaxed_simd__
  return wasm_f32x4_relaxed_madd(a, b, c);
#else
  return wasm_f32x4_add(c, wasm_f32x4_mul(a, b));
#endif
}

/** x where positive, otherwise slope · x. */
INLINE v128_t rectified(v128_t x, v128_t slope) {
  return wasm_v128_bitselect(x, mul(x, slope), wasm_f32x4_gt(x, zero()));
}

/** The first `count` (at most 4) floats; the other lanes are 0. */
INLINE v128_t load_some(const float *from, int count) {
  if (count >= 4) return load(from);
  float lanes[4] = {0, 0, 0, 0};
  for (int i = 0; i < count; i++) lanes[i] = from[i];
  return load(lanes);
}

INLINE void store_some(float *to, v128_t value, int count) {
  if (count >= 4) {
    store(to, value);
    return;
  }
  float lanes[4];
  store(lanes, value);
  for (int i = 0; i < count; i++) to[i] = lanes[i];
}

INLINE float sum_of_lanes(v128_t v) {
  return (wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 2)) +
         (wasm_f32x4_extract_lane(v, 1) + wasm_f32x4_extract_lane(v, 3));
}

/** Lanes 0, 2, 4, 6 and 1, 3, 5, 7 of the eight floats in a and b. */
INLINE v128_t even_lanes(v128_t a, v128_t b) { return wasm_i32x4_shuffle(a, b, 0, 2, 4, 6); }
INLINE v128_t odd_lanes(v128_t a, v128_t b) { return wasm_i32x4_shuffle(a, b, 1, 3, 5, 7); }

/** Four values `stride` (1 or 2) apart. May read up to one value behind the last of them. */
INLINE v128_t load_apart(const float *from, int stride) {
  return stride == 1 ? load(from) : even_lanes(load(from), load(from + 4));
}

/** Four rows become four columns. */
INLINE void transpose4(v128_t *r0, v128_t *r1, v128_t *r2, v128_t *r3) {
  v128_t a = wasm_i32x4_shuffle(*r0, *r1, 0, 4, 1, 5), b = wasm_i32x4_shuffle(*r0, *r1, 2, 6, 3, 7);
  v128_t c = wasm_i32x4_shuffle(*r2, *r3, 0, 4, 1, 5), d = wasm_i32x4_shuffle(*r2, *r3, 2, 6, 3, 7);
  *r0 = wasm_i64x2_shuffle(a, c, 0, 2);
  *r1 = wasm_i64x2_shuffle(a, c, 1, 3);
  *r2 = wasm_i64x2_shuffle(b, d, 0, 2);
  *r3 = wasm_i64x2_shuffle(b, d, 1, 3);
}

INLINE void clear(float *to, int count) {
  for (int i = 0; i < count; i += 4) store_some(to + i, zero(), count - i);
}
