// Passes over a block of at most BLOCK weights, four at a time. Weights that are not in this memory anyway the caller
// copies to `block` (and what ranks them, where it is something else, to `scores`); it reads the results where the
// address functions say.
#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

#define BLOCK (1 << 16)

static float block[BLOCK] __attribute__((aligned(16)));
static float scores[BLOCK] __attribute__((aligned(16)));
/**
 * The counts of whichever pass runs. Of four neighbours each has its own copy, as one that is raised twice in a row
 * waits for itself; `gather_counts` adds the copies up. Between passes all are clear.
 */
static uint32_t counts[4][(1 << 16) + 272] __attribute__((aligned(16)));

/** What the caller counted before; see `gather_counts` and `count_within`. */
static uint32_t totals[1 << 16] __attribute__((aligned(16)));

/** The least and the largest bits of the magnitudes that were counted: the counts of all others are clear. */
static struct {
  uint32_t least, largest;
} counted;

/** Lower edges of the bins. */
static float edges[1 << 16];

/** Sums of powers of the distance from a shift, and the rest that statistics need, of the finite values. */
static struct {
  double min, max, l1, s1, s2, s3, s4;
  double zero, nan, infinite;
} moments;

EXPORT(block_address) float *block_address(void) { return block; }
EXPORT(scores_address) float *scores_address(void) { return scores; }
EXPORT(counted_address) uint32_t *counted_address(void) { return (uint32_t *)&counted; }
EXPORT(totals_address) uint32_t *totals_address(void) { return totals; }
EXPORT(edges_address) float *edges_address(void) { return edges; }
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

INLINE v128_t low_half(v128_t floats) { return wasm_f64x2_promote_low_f32x4(floats); }
INLINE v128_t high_half(v128_t floats) {
  return wasm_f64x2_promote_low_f32x4(wasm_i64x2_shuffle(floats, floats, 1, 1));
}

/** Counts four values by the upper 15 bits of their magnitude. */
INLINE void count_four(const float *values) {
  const uint64_t first = *(const uint64_t *)values, second = *(const uint64_t *)(values + 2);
  counts[0][first >> 16 & 0x7fff]++;
  counts[1][first >> 48 & 0x7fff]++;
  counts[2][second >> 16 & 0x7fff]++;
  counts[3][second >> 48 & 0x7fff]++;
}

INLINE void widen_counted(uint32_t bits) {
  if (bits < counted.least) counted.least = bits;
  if (bits > counted.largest) counted.largest = bits;
}

/** Counts the values from index `i` on, and widens the range of what was counted by these and by four lanes each. */
INLINE void count_rest(const float *values, int i, int count, v128_t least, v128_t largest) {
  const uint32_t *bits = (const uint32_t *)values;
  uint32_t lanes[8];
  wasm_v128_store(lanes, least);
  wasm_v128_store(lanes + 4, largest);
  if (i > 0)
    for (int lane = 0; lane < 8; lane++) widen_counted(lanes[lane]);
  for (; i < count; i++) {
    const uint32_t magnitude = bits[i] & 0x7fffffff;
    counts[0][magnitude >> 16]++;
    widen_counted(magnitude);
  }
}

/** Counts the values by the upper 15 bits of their magnitude; the caller sets the range of what was counted before. */
EXPORT(count_magnitudes) void count_magnitudes(const float *values, int count) {
  v128_t least = wasm_i32x4_const_splat(-1), largest = wasm_i32x4_const_splat(0);
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    count_four(values + i);
    const v128_t magnitude = wasm_f32x4_abs(wasm_v128_load(values + i));
    least = wasm_u32x4_min(least, magnitude);
    largest = wasm_u32x4_max(largest, magnitude);
  }
  count_rest(values, i, count, least, largest);
}

/** How many of the values are +0 or -0. */
EXPORT(count_zeros) int count_zeros(const float *values, int count) {
  int zeros = 0, i = 0;
  for (; i + 4 <= count; i += 4)
    zeros += __builtin_popcount(
        wasm_i32x4_bitmask(wasm_f32x4_eq(wasm_v128_load(values + i), wasm_f32x4_const_splat(0))));
  for (; i < count; i++) zeros += values[i] == 0;
  return zeros;
}

/** The bits of the largest magnitude; a NaN is larger than infinity. */
EXPORT(largest_magnitude) uint32_t largest_magnitude(const float *values, int count) {
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

/** Adds the counts from `first` to before `end`, all copies of them, to `totals`, and clears them. */
EXPORT(gather_counts) void gather_counts(int first, int end) {
  for (int i = first; i < end; i++) {
    totals[i] += counts[0][i] + counts[1][i] + counts[2][i] + counts[3][i];
    counts[0][i] = counts[1][i] = counts[2][i] = counts[3][i] = 0;
  }
}

/**
 * Adds the values to the moments, which the caller clears before the first block, and counts them as
 * `count_magnitudes` does: the two together take little longer than one.
 */
EXPORT(describe) void describe(const float *values, int count, double shift) {
  const v128_t infinity = wasm_f32x4_const_splat(__builtin_inff());
  const v128_t shifts = wasm_f64x2_splat(shift);
  v128_t min = infinity, max = wasm_f32x4_neg(infinity);
  v128_t least = wasm_i32x4_const_splat(-1);
  const v128_t zero = wasm_i32x4_const_splat(0);
  v128_t l1 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero;
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    count_four(values + i);
    const v128_t x = wasm_v128_load(values + i);
    min = wasm_f32x4_pmin(min, x);
    max = wasm_f32x4_pmax(max, x);
    const v128_t magnitude = wasm_f32x4_abs(x);
    least = wasm_u32x4_min(least, magnitude);
    l1 = wasm_f64x2_add(l1, wasm_f64x2_add(low_half(magnitude), high_half(magnitude)));
    const v128_t a = wasm_f64x2_sub(low_half(x), shifts), b = wasm_f64x2_sub(high_half(x), shifts);
    const v128_t a2 = wasm_f64x2_mul(a, a), b2 = wasm_f64x2_mul(b, b);
    s1 = wasm_f64x2_add(s1, wasm_f64x2_add(a, b));
    s2 = wasm_f64x2_add(s2, wasm_f64x2_add(a2, b2));
    s3 = wasm_f64x2_add(s3, wasm_f64x2_add(wasm_f64x2_mul(a2, a), wasm_f64x2_mul(b2, b)));
    s4 = wasm_f64x2_add(s4, wasm_f64x2_add(wasm_f64x2_mul(a2, a2), wasm_f64x2_mul(b2, b2)));
  }
  // More sums would not stay in registers: what follows from these, or is rare, is found afterwards.
  const double fourth = sum_of(s4);
  const int finite = fourth - fourth == 0;
  const v128_t largest = finite ? wasm_f32x4_max(wasm_f32x4_abs(min), wasm_f32x4_abs(max))
                                : wasm_i32x4_splat(largest_magnitude(values, i));
  count_rest(values, i, count, least, largest);
  if (!finite) {
    // Rare: something was not finite and spoilt the sums. Finite floats cannot: their fourth powers fit a double.
    for (i = 0; i < count; i++) add_one(values[i], shift);
    return;
  }
  float low[4], high[4];
  wasm_v128_store(low, min);
  wasm_v128_store(high, max);
  for (int lane = 0; lane < 4; lane++) {
    if (low[lane] < moments.min) moments.min = low[lane];
    if (high[lane] > moments.max) moments.max = high[lane];
  }
  if (!wasm_i32x4_all_true(least)) moments.zero += count_zeros(values, i);
  moments.l1 += sum_of(l1);
  moments.s1 += sum_of(s1);
  moments.s2 += sum_of(s2);
  moments.s3 += sum_of(s3);
  moments.s4 += fourth;
  for (; i < count; i++) add_one(values[i], shift);
}

/** Adds the values of one bucket of `count_magnitudes` to `totals`, by their lower 16 bits. */
EXPORT(count_within) void count_within(const float *values, int count, int bucket) {
  const uint32_t *bits = (const uint32_t *)values;
  const v128_t wanted = wasm_i32x4_splat(bucket);
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    v128_t upper = wasm_v128_and(wasm_u32x4_shr(wasm_v128_load(bits + i), 16), wasm_i32x4_const_splat(0x7fff));
    for (int in = wasm_i32x4_bitmask(wasm_i32x4_eq(upper, wanted)); in != 0; in &= in - 1)
      totals[bits[i + __builtin_ctz(in)] & 0xffff]++;
  }
  for (; i < count; i++)
    if ((int)(bits[i] >> 16 & 0x7fff) == bucket) totals[bits[i] & 0xffff]++;
}

/**
 * Index of the total that counted the value of index `rank`, where those of the last total come first; -1 where there are
 * fewer values.
 */
EXPORT(total_of_rank) int total_of_rank(uint32_t rank) {
  uint32_t left = rank;
  for (int i = (1 << 16) - 16; i >= 0; i -= 16) {
    const uint32_t *some = totals + i;
    v128_t sum = wasm_v128_load(some);
    for (int k = 4; k < 16; k += 4) sum = wasm_i32x4_add(sum, wasm_v128_load(some + k));
    const uint32_t all = wasm_u32x4_extract_lane(sum, 0) + wasm_u32x4_extract_lane(sum, 1) +
                         wasm_u32x4_extract_lane(sum, 2) + wasm_u32x4_extract_lane(sum, 3);
    if (left >= all) {
      left -= all;
      continue;
    }
    int k = 15;
    while (left >= some[k]) left -= some[k--];
    return i + k;
  }
  return -1;
}

/** Counts one value into the bin whose edges hold it. */
INLINE void bin_one(float value, double min, double max, double scale, int bins) {
  if (!(value >= min && value <= max)) return;
  const int last = bins - 1;
  const double position = (value - min) * scale;
  int bin = position < last ? (int)position : last;
  // The product is rounded, and so are the edges: put right a value that it places beside its bin.
  while (bin > 0 && value < edges[bin]) bin--;
  while (bin < last && value >= edges[bin + 1]) bin++;
  counts[0][bin]++;
}

/**
 * Counts the values into `bins` bins of equal width over min..max (floats), the last one with its upper edge; the
 * caller puts the lower edge of each into `edges`. Where single precision tells the bin beyond doubt, as the value is
 * not near an edge, it does; elsewhere the edges decide.
 */
EXPORT(count_bins) void count_bins(const float *values, int count, double min, double max, int bins) {
  const double scale = bins / (max - min);
  const double size = (min < 0 ? -min : min) + (max < 0 ? -max : max);
  // More than the error of a position in single precision, in bins: of the edge, the difference and the product.
  const double doubt = scale * size * 0x1p-22 + bins * 0x1p-21;
  int i = 0;
  if (doubt < 0.25 && scale < 0x1p120 && scale > 0x1p-120 && size < 0x1p120) {
    const float factor = scale;
    const v128_t factors = wasm_f32x4_splat(factor), origin = wasm_f32x4_splat((float)(min * factor + 0.5));
    const v128_t clear = wasm_f32x4_splat((float)(0.5 - doubt));
    // A float of this size has no fraction: adding it rounds to the nearest bin, which its lower bits then tell.
    const v128_t rounder = wasm_f32x4_const_splat(0x1.8p23f);
    const v128_t end = wasm_i32x4_splat(bins);
    for (; i + 4 <= count; i += 4) {
      // From the middle of the first bin, in bins.
      const v128_t middle = wasm_f32x4_sub(wasm_f32x4_mul(wasm_v128_load(values + i), factors), origin);
      const v128_t rounded = wasm_f32x4_add(middle, rounder);
      const v128_t bin = wasm_i32x4_sub(rounded, rounder);
      const v128_t from_middle = wasm_f32x4_abs(wasm_f32x4_sub(middle, wasm_f32x4_sub(rounded, rounder)));
      // A negative bin is a large one without a sign; a NaN is not less than anything.
      if (wasm_i32x4_bitmask(wasm_v128_and(wasm_f32x4_lt(from_middle, clear), wasm_u32x4_lt(bin, end))) == 15) {
        const uint64_t first = wasm_i64x2_extract_lane(bin, 0), second = wasm_i64x2_extract_lane(bin, 1);
        counts[0][(uint32_t)first]++;
        counts[1][first >> 32]++;
        counts[2][(uint32_t)second]++;
        counts[3][second >> 32]++;
      } else {
        for (int lane = i; lane < i + 4; lane++) bin_one(values[lane], min, max, scale, bins);
      }
    }
  }
  for (; i < count; i++) bin_one(values[i], min, max, scale, bins);
}

/**
 * Sets to +0 each value of which the score's magnitude is at or below the threshold; NaN scores are not.
 * The scores may be the values themselves. Returns how many values those were.
 */
EXPORT(zero_at_or_below) int zero_at_or_below(float *values, int count, double threshold, const float *ranked) {
  if (!(threshold >= 0)) return 0;
  // The largest float that is not above the threshold.
  union { float value; uint32_t bits; } limit = {(float)threshold};
  if (limit.value > threshold) limit.bits--;
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

/** Where in the block the entries are: the values that are stored, which are all but +0, so that -0 comes back. */
static uint32_t positions[BLOCK + 4];
/** No block needs more: an entry for each value, or a filler for 16 of them. */
static float entry_values[BLOCK + BLOCK / 16];
static uint16_t entry_gaps[BLOCK + BLOCK / 16];
EXPORT(entry_values_address) float *entry_values_address(void) { return entry_values; }
EXPORT(entry_gaps_address) uint16_t *entry_gaps_address(void) { return entry_gaps; }

/** For each set of lanes that hold +0: the other lanes, and how many they are. */
static const uint32_t kept_lanes[16][4] __attribute__((aligned(16))) = {
    {0, 1, 2, 3}, {1, 2, 3}, {0, 2, 3}, {2, 3}, {0, 1, 3}, {1, 3}, {0, 3}, {3},
    {0, 1, 2},    {1, 2},    {0, 2},    {2},    {0, 1},    {1},    {0},    {0},
};
static const uint8_t kept_count[16] = {4, 3, 3, 2, 3, 2, 2, 1, 3, 2, 2, 1, 2, 1, 1, 0};

/** Finds the entries of the block and returns how many there are. No branch depends on the values: chance would. */
EXPORT(find_entries) int find_entries(const float *values, int count) {
  const uint32_t *bits = (const uint32_t *)values;
  int found = 0, i = 0;
  for (; i + 4 <= count; i += 4) {
    const v128_t zero = wasm_i32x4_eq(wasm_v128_load(bits + i), wasm_i32x4_const_splat(0));
    const int lanes = wasm_i32x4_bitmask(zero);
    // What is written beyond the kept ones is written over next.
    wasm_v128_store(positions + found, wasm_i32x4_add(wasm_v128_load(kept_lanes[lanes]), wasm_i32x4_splat(i)));
    found += kept_count[lanes];
  }
  for (; i < count; i++) {
    positions[found] = i;
    found += bits[i] != 0;
  }
  return found;
}

/** What `count_runs` counts, and the run of zeros that the last block left open. */
static struct {
  double open, non_zero, stored, fill4, fill5, fill8, fill16;
} runs;
EXPORT(runs_address) double *runs_address(void) { return (double *)&runs; }

/**
 * Adds to `runs`, which the caller clears before the first block: the values that are not zero, the entries, and the
 * fillers that a relative index of each width needs.
 */
EXPORT(count_runs) void count_runs(const float *values, int count) {
  const int found = find_entries(values, count);
  uint32_t negative_zero = 0, fill4 = 0, fill5 = 0, fill8 = 0, fill16 = 0;
  uint32_t next = -(uint32_t)runs.open;
  for (int i = 0; i < found; i++) {
    const uint32_t at = positions[i], gap = at - next;
    next = at + 1;
    negative_zero += values[at] == 0;
    fill4 += gap >> 4;
    fill5 += gap >> 5;
    fill8 += gap >> 8;
    fill16 += gap >> 16;
  }
  runs.open = count - next;
  runs.non_zero += found - negative_zero;
  runs.stored += found;
  runs.fill4 += fill4;
  runs.fill5 += fill5;
  runs.fill8 += fill8;
  runs.fill16 += fill16;
}

/**
 * Writes the first `found` entries that `find_entries` found as a relative index of `width` bits, and returns how
 * many entries that makes with the fillers. `open` zeros came before the block, fewer than 2^width.
 */
EXPORT(encode_entries) int encode_entries(const float *values, int found, int width, uint32_t open) {
  const uint32_t largest = (1u << width) - 1;
  uint32_t next = -open;
  int entry = 0;
  for (int i = 0; i < found; i++) {
    const uint32_t at = positions[i];
    uint32_t gap = at - next;
    next = at + 1;
    for (; gap > largest; gap -= largest + 1) {
      entry_values[entry] = 0;
      entry_gaps[entry++] = largest;
    }
    entry_values[entry] = values[at];
    entry_gaps[entry++] = gap;
  }
  return entry;
}

/** How many zeros come after the last of the entries found. */
EXPORT(zeros_after) int zeros_after(int found, int count) { return count - 1 - (int)positions[found - 1]; }
