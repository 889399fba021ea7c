// Passes over a block of weights, four at a time. The caller copies a block of at most BLOCK floats to `values`
// (and what ranks them, where it is something else, to `scores`) and reads the results where the address
// functions say.
#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

#define BLOCK (1 << 16)

static float values[BLOCK] __attribute__((aligned(16)));
static float scores[BLOCK] __attribute__((aligned(16)));
/** One buffer for the counts of whichever pass runs. */
static uint32_t counts[1 << 16];

/** Sums of powers of the distance from a shift, and the rest that statistics need, of the finite values. */
static struct {
  double min, max, l1, s1, s2, s3, s4;
  double zero, nan, infinite;
} moments;

EXPORT(values_address) float *values_address(void) { return values; }
EXPORT(scores_address) float *scores_address(void) { return scores; }
EXPORT(counts_address) uint32_t *counts_address(void) { return counts; }
EXPORT(moments_address) double *moments_address(void) { return (double *)&moments; }

INLINE float absolute(float value) { return __builtin_fabsf(value); }

INLINE void add_one(float value, double shift) {
  if (!(absolute(value) < __builtin_inff())) {
    if (value != value) moments.nan++;
    else moments.infinite++;
    return;
  }
  if (value == 0) moments.zero++;
  if (value < moments.min) moments.min = value;
  if (value > moments.max) moments.max = value;
  double d = value - shift, d2 = d * d;
  moments.l1 += absolute(value);
  moments.s1 += d;
  moments.s2 += d2;
  moments.s3 += d2 * d;
  moments.s4 += d2 * d2;
}

INLINE double sum_of(v128_t pair) { return wasm_f64x2_extract_lane(pair, 0) + wasm_f64x2_extract_lane(pair, 1); }

/** Adds the first `count` values to the moments, which the caller clears before the first block. */
EXPORT(add_moments) void add_moments(int count, double shift) {
  const v128_t infinity = wasm_f32x4_const_splat(__builtin_inff());
  const v128_t shifts = wasm_f64x2_splat(shift);
  v128_t min = infinity, max = wasm_f32x4_neg(infinity);
  v128_t zero = wasm_i32x4_const_splat(0);
  v128_t l1 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero;
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    v128_t x = wasm_v128_load(values + i);
    v128_t magnitude = wasm_f32x4_abs(x);
    if (!wasm_i32x4_all_true(wasm_f32x4_lt(magnitude, infinity))) {
      for (int lane = 0; lane < 4; lane++) add_one(values[i + lane], shift);
      continue;
    }
    min = wasm_f32x4_pmin(min, x);
    max = wasm_f32x4_pmax(max, x);
    // A comparison that holds is -1.
    zero = wasm_i32x4_sub(zero, wasm_f32x4_eq(x, wasm_f32x4_const_splat(0)));
    for (int half = 0; half < 2; half++) {
      v128_t d = wasm_f64x2_sub(wasm_f64x2_promote_low_f32x4(x), shifts);
      v128_t d2 = wasm_f64x2_mul(d, d);
      l1 = wasm_f64x2_add(l1, wasm_f64x2_promote_low_f32x4(magnitude));
      s1 = wasm_f64x2_add(s1, d);
      s2 = wasm_f64x2_add(s2, d2);
      s3 = wasm_f64x2_add(s3, wasm_f64x2_mul(d2, d));
      s4 = wasm_f64x2_add(s4, wasm_f64x2_mul(d2, d2));
      x = wasm_i64x2_shuffle(x, x, 1, 0);
      magnitude = wasm_i64x2_shuffle(magnitude, magnitude, 1, 0);
    }
  }
  float low[4], high[4];
  int32_t zeros[4];
  wasm_v128_store(low, min);
  wasm_v128_store(high, max);
  wasm_v128_store(zeros, zero);
  for (int lane = 0; lane < 4; lane++) {
    if (low[lane] < moments.min) moments.min = low[lane];
    if (high[lane] > moments.max) moments.max = high[lane];
    moments.zero += zeros[lane];
  }
  moments.l1 += sum_of(l1);
  moments.s1 += sum_of(s1);
  moments.s2 += sum_of(s2);
  moments.s3 += sum_of(s3);
  moments.s4 += sum_of(s4);
  for (; i < count; i++) add_one(values[i], shift);
}

/** Counts the values by the upper 15 bits of their magnitude. */
EXPORT(count_magnitudes) void count_magnitudes(int count) {
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    v128_t bits = wasm_v128_load(values + i);
    v128_t bucket = wasm_v128_and(wasm_u32x4_shr(bits, 16), wasm_i32x4_const_splat(0x7fff));
    counts[wasm_i32x4_extract_lane(bucket, 0)]++;
    counts[wasm_i32x4_extract_lane(bucket, 1)]++;
    counts[wasm_i32x4_extract_lane(bucket, 2)]++;
    counts[wasm_i32x4_extract_lane(bucket, 3)]++;
  }
  const uint32_t *bits = (const uint32_t *)values;
  for (; i < count; i++) counts[(bits[i] >> 16) & 0x7fff]++;
}

/** Counts the values of one bucket of `count_magnitudes` by their lower 16 bits. */
EXPORT(count_within) void count_within(int count, int bucket) {
  const uint32_t *bits = (const uint32_t *)values;
  const v128_t wanted = wasm_i32x4_splat(bucket);
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    v128_t upper = wasm_v128_and(wasm_u32x4_shr(wasm_v128_load(bits + i), 16), wasm_i32x4_const_splat(0x7fff));
    if (!wasm_v128_any_true(wasm_i32x4_eq(upper, wanted))) continue;
    for (int lane = i; lane < i + 4; lane++)
      if ((int)((bits[lane] >> 16) & 0x7fff) == bucket) counts[bits[lane] & 0xffff]++;
  }
  for (; i < count; i++)
    if ((int)((bits[i] >> 16) & 0x7fff) == bucket) counts[bits[i] & 0xffff]++;
}

/** Counts one value into the bin whose edges hold it: edge(i) = min + i * width. */
INLINE void bin_one(double value, double min, double max, double width, double scale, int bins) {
  if (!(value >= min && value <= max)) return;
  int last = bins - 1;
  double position = (value - min) * scale;
  int bin = position < last ? (int)position : last;
  // The product is rounded: put right a value that it places beside its bin.
  while (bin > 0 && value < min + bin * width) bin--;
  while (bin < last && value >= min + (bin + 1) * width) bin++;
  counts[bin]++;
}

/**
 * Counts the values into `bins` bins of equal width over min..max, the last one with its upper edge. Where single
 * precision tells the bin beyond doubt (the value is not near an edge) it does; elsewhere double precision decides.
 */
EXPORT(count_bins) void count_bins(int count, double min, double max, int bins) {
  const double width = (max - min) / bins, scale = bins / (max - min);
  const double size = (min < 0 ? -min : min) + (max < 0 ? -max : max);
  // More than the error of a position in single precision, in bins: of the ends, the difference and the product.
  const double doubt = scale * size * 0x1p-22 + bins * 0x1p-21;
  int i = 0;
  if (doubt < 0.25 && scale < 0x1p120 && scale > 0x1p-120 && size < 0x1p120) {
    const v128_t from = wasm_f32x4_splat((float)min), factor = wasm_f32x4_splat((float)scale);
    const v128_t near = wasm_f32x4_splat((float)doubt), far = wasm_f32x4_splat(1 - (float)doubt);
    const v128_t end = wasm_f32x4_splat(bins);
    for (; i + 4 <= count; i += 4) {
      v128_t position = wasm_f32x4_mul(wasm_f32x4_sub(wasm_v128_load(values + i), from), factor);
      v128_t whole = wasm_f32x4_trunc(position);
      v128_t fraction = wasm_f32x4_sub(position, whole);
      v128_t inside = wasm_f32x4_lt(position, end);
      v128_t clear = wasm_v128_and(wasm_f32x4_gt(fraction, near), wasm_f32x4_lt(fraction, far));
      if (wasm_i32x4_all_true(wasm_v128_and(inside, clear))) {
        v128_t bin = wasm_i32x4_trunc_sat_f32x4(whole);
        counts[wasm_i32x4_extract_lane(bin, 0)]++;
        counts[wasm_i32x4_extract_lane(bin, 1)]++;
        counts[wasm_i32x4_extract_lane(bin, 2)]++;
        counts[wasm_i32x4_extract_lane(bin, 3)]++;
      } else {
        for (int lane = i; lane < i + 4; lane++) bin_one(values[lane], min, max, width, scale, bins);
      }
    }
  }
  for (; i < count; i++) bin_one(values[i], min, max, width, scale, bins);
}

/**
 * Sets to +0 each value of which the score's magnitude is at or below the threshold; NaN scores are not.
 * The scores are the values themselves unless `separate`. Returns how many values those were.
 */
EXPORT(zero_at_or_below) int zero_at_or_below(int count, double threshold, int separate) {
  if (!(threshold >= 0)) return 0;
  // The largest float that is not above the threshold.
  union { float value; uint32_t bits; } limit = {(float)threshold};
  if (limit.value > threshold) limit.bits--;
  const float *ranked = separate ? scores : values;
  const v128_t limits = wasm_f32x4_splat(limit.value);
  int zeroed = 0, i = 0;
  for (; i + 4 <= count; i += 4) {
    v128_t gone = wasm_f32x4_le(wasm_f32x4_abs(wasm_v128_load(ranked + i)), limits);
    wasm_v128_store(values + i, wasm_v128_andnot(wasm_v128_load(values + i), gone));
    zeroed += __builtin_popcount(wasm_i32x4_bitmask(gone));
  }
  for (; i < count; i++) {
    if (!(absolute(ranked[i]) <= limit.value)) continue;
    values[i] = 0;
    zeroed++;
  }
  return zeroed;
}

/** How many of the values are +0 or -0. */
EXPORT(count_zeros) int count_zeros(int count) {
  int zeros = 0, i = 0;
  for (; i + 4 <= count; i += 4)
    zeros += __builtin_popcount(
        wasm_i32x4_bitmask(wasm_f32x4_eq(wasm_v128_load(values + i), wasm_f32x4_const_splat(0))));
  for (; i < count; i++) zeros += values[i] == 0;
  return zeros;
}

/** The bits of the largest magnitude; a NaN is larger than infinity. */
EXPORT(largest_magnitude) uint32_t largest_magnitude(int count) {
  v128_t most = wasm_i32x4_const_splat(0);
  uint32_t largest = 0;
  int i = 0;
  for (; i + 4 <= count; i += 4)
    most = wasm_u32x4_max(most, wasm_v128_and(wasm_v128_load(values + i), wasm_i32x4_const_splat(0x7fffffff)));
  uint32_t lanes[4];
  wasm_v128_store(lanes, most);
  for (int lane = 0; lane < 4; lane++)
    if (lanes[lane] > largest) largest = lanes[lane];
  const uint32_t *bits = (const uint32_t *)values;
  for (; i < count; i++)
    if ((bits[i] & 0x7fffffff) > largest) largest = bits[i] & 0x7fffffff;
  return largest;
}
