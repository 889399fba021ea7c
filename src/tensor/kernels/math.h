// Exponential and logarithm of four floats, to about one unit in the last place.
#pragma once
#include "simd.h"

#define LN2_HIGH 0.693145751953125f // the first bits of ln 2: products with small integers are exact
#define LN2_LOW 1.428606765330187e-6f

/** e^x: x = n · ln 2 + r with |r| ≤ ln 2 / 2, then the Taylor series of e^r, whose next term is below 2^-27. */
INLINE v128_t exp4(v128_t x) {
  v128_t ordered = wasm_f32x4_eq(x, x);
  v128_t t = wasm_f32x4_min(wasm_f32x4_max(x, splat(-87.3f)), splat(88.7f));
  v128_t n = wasm_f32x4_nearest(mul(t, splat(1.44269504f)));
  v128_t r = sub(sub(t, mul(n, splat(LN2_HIGH))), mul(n, splat(LN2_LOW)));
  v128_t e = splat(1.f / 5040);
  e = add(mul(e, r), splat(1.f / 720));
  e = add(mul(e, r), splat(1.f / 120));
  e = add(mul(e, r), splat(1.f / 24));
  e = add(mul(e, r), splat(1.f / 6));
  e = add(mul(e, r), splat(.5f));
  e = add(mul(mul(e, r), r), add(r, splat(1)));
  // 2^n in two factors, since n may be 128, whose power is no float.
  v128_t i = wasm_i32x4_trunc_sat_f32x4(n), half = wasm_i32x4_shr(i, 1);
  v128_t bias = wasm_i32x4_splat(127);
  e = mul(e, wasm_i32x4_shl(wasm_i32x4_add(half, bias), 23));
  e = mul(e, wasm_i32x4_shl(wasm_i32x4_add(wasm_i32x4_sub(i, half), bias), 23));
  e = wasm_v128_andnot(e, wasm_f32x4_lt(x, splat(-87.3f))); // below the smallest normal number: 0
  e = wasm_v128_bitselect(splat(__builtin_inff()), e, wasm_f32x4_gt(x, splat(88.72284f)));
  return wasm_v128_bitselect(e, x, ordered);
}

/** ln x of positive, normal x: x = 2^n · m with m around 1, ln m = 2 artanh((m − 1) / (m + 1)) as a series. */
INLINE v128_t log4(v128_t x) {
  // Taking the bits of √½ off first makes m run from √½ to √2.
  v128_t bits = wasm_i32x4_sub(x, wasm_i32x4_splat(0x3f3504f3));
  v128_t n = wasm_f32x4_convert_i32x4(wasm_i32x4_shr(bits, 23));
  v128_t m = wasm_i32x4_add(wasm_v128_and(bits, wasm_i32x4_splat(0x007fffff)), wasm_i32x4_splat(0x3f3504f3));
  v128_t s = wasm_f32x4_div(sub(m, splat(1)), add(m, splat(1)));
  v128_t q = mul(s, s);
  v128_t sum = splat(2.f / 9);
  sum = add(mul(sum, q), splat(2.f / 7));
  sum = add(mul(sum, q), splat(2.f / 5));
  sum = add(mul(sum, q), splat(2.f / 3));
  sum = add(mul(mul(sum, q), s), mul(s, splat(2)));
  return add(add(mul(n, splat(LN2_LOW)), sum), mul(n, splat(LN2_HIGH)));
}

/** x^power of positive, normal x. */
INLINE v128_t pow4(v128_t x, float power) { return exp4(mul(splat(power), log4(x))); }
