// Solver steps. The mask is applied in the same pass that writes a weight, so it costs one more read.
#include "simd.h"
#include "threads.h"

#define RANGE 16384 // floats of a chunk

typedef struct {
  int count;
  float *data, *history, *history2;
  const float *diff, *mask;
  float rate, p, q, r; // what p, q and r are is the rule's business
} Update;

/** What a rule works on: histories in and out, and the step to take off the weight. */
typedef struct {
  v128_t diff, history, history2, step;
} Lanes;

typedef Lanes Rule(const Update *u, Lanes l);

INLINE v128_t root(v128_t v) { return wasm_f32x4_sqrt(v); }
INLINE v128_t quotient(v128_t a, v128_t b) { return wasm_f32x4_div(a, b); }
/** decay · old + (1 − decay) · new. */
INLINE v128_t blend(float decay, v128_t old, v128_t new) {
  return add(mul(splat(decay), old), mul(splat(1 - decay), new));
}

INLINE Lanes sgd_rule(const Update *u, Lanes l) {
  l.step = l.history = madd(splat(u->p), l.history, mul(splat(u->rate), l.diff));
  return l;
}

INLINE Lanes nesterov_rule(const Update *u, Lanes l) {
  v128_t last = l.history;
  l.history = add(mul(splat(u->p), last), mul(splat(u->rate), l.diff));
  l.step = sub(mul(splat(1 + u->p), l.history), mul(splat(u->p), last));
  return l;
}

INLINE Lanes ada_grad_rule(const Update *u, Lanes l) {
  l.history = add(l.history, mul(l.diff, l.diff));
  l.step = quotient(mul(splat(u->rate), l.diff), add(root(l.history), splat(u->p)));
  return l;
}

INLINE Lanes rms_prop_rule(const Update *u, Lanes l) {
  l.history = blend(u->p, l.history, mul(l.diff, l.diff));
  l.step = quotient(mul(splat(u->rate), l.diff), add(root(l.history), splat(u->q)));
  return l;
}

INLINE Lanes ada_delta_rule(const Update *u, Lanes l) {
  v128_t delta = splat(u->q);
  l.history = blend(u->p, l.history, mul(l.diff, l.diff));
  v128_t step = mul(l.diff, root(quotient(add(l.history2, delta), add(l.history, delta))));
  l.history2 = blend(u->p, l.history2, mul(step, step));
  l.step = mul(splat(u->rate), step);
  return l;
}

INLINE Lanes adam_rule(const Update *u, Lanes l) {
  l.history = blend(u->p, l.history, l.diff);
  l.history2 = blend(u->q, l.history2, mul(l.diff, l.diff));
  l.step = quotient(mul(splat(u->rate), l.history), add(root(l.history2), splat(u->r)));
  return l;
}

INLINE void update(const Update *u, int chunk, Rule *rule) {
  int first = chunk * RANGE, end = smaller(u->count, first + RANGE);
  for (int i = first; i < end; i += 4) {
    int left = end - i;
    Lanes l = {.diff = load_some(u->diff + i, left), .history = load_some(u->history + i, left)};
    if (u->history2) l.history2 = load_some(u->history2 + i, left);
    l = rule(u, l);
    v128_t data = sub(load_some(u->data + i, left), l.step);
    if (u->mask) {
      // Bits rather than a product: what is pruned is +0, whatever the step made of it (NaN, infinity, −0).
      v128_t pruned = wasm_f32x4_eq(load_some(u->mask + i, left), zero());
      data = wasm_v128_andnot(data, pruned);
      l.history = wasm_v128_andnot(l.history, pruned);
      l.history2 = wasm_v128_andnot(l.history2, pruned);
    }
    store_some(u->data + i, data, left);
    store_some(u->history + i, l.history, left);
    if (u->history2) store_some(u->history2 + i, l.history2, left);
  }
}

static void sgd_task(const void *u, int chunk, int thread) { update(u, chunk, sgd_rule); }
static void nesterov_task(const void *u, int chunk, int thread) { update(u, chunk, nesterov_rule); }
static void ada_grad_task(const void *u, int chunk, int thread) { update(u, chunk, ada_grad_rule); }
static void rms_prop_task(const void *u, int chunk, int thread) { update(u, chunk, rms_prop_rule); }
static void ada_delta_task(const void *u, int chunk, int thread) { update(u, chunk, ada_delta_rule); }
static void adam_task(const void *u, int chunk, int thread) { update(u, chunk, adam_rule); }

/** One step of a solver, by its number in portable.ts, on `count` weights. */
EXPORT(solver_step) void solver_step(int solver, int count, float *data, const float *diff, float *history,
                                     float *history2, const float *mask, float rate, float p, float q, float r) {
  static Task *const tasks[] = {sgd_task, nesterov_task, ada_grad_task, rms_prop_task, ada_delta_task, adam_task};
  Update u = {count, data, history, history2, diff, mask, rate, p, q, r};
  parallel(tasks[solver], &u, ceil_div(count, RANGE));
}
