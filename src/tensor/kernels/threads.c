// One job at a time: the caller posts it, every thread (the caller too) draws tickets until none is left.
#include "threads.h"
#include "simd.h"

/** Leaves the engine by an exception of JavaScript: a thread died or does not answer. */
__attribute__((import_module("env"), import_name("stalled"))) _Noreturn void stalled(void);

#define LINE __attribute__((aligned(64)))
#define SPINS 4000                          // looks before a thread goes to sleep: some 10 µs
#define SECOND INT64_C(1000000000)          // in nanoseconds

/** What is shared between the threads; counters that different threads write lie on cache lines of their own. */
static struct {
  LINE Task *task;
  const void *args;
  int count;
  /** How many chunks nobody has taken yet. Below 0: somebody came too late. */
  LINE int tickets;
  LINE int done;
  /** Counts jobs; threads without work sleep on it. */
  LINE int generation;
  int quit;
  int failed;
} job;

static int threads = 1;
static int patience; // seconds without any progress until a thread is given up
static char *scratch_base;
static int scratch_bytes;

INLINE int read(const int *from) { return __atomic_load_n(from, __ATOMIC_SEQ_CST); }

EXPORT(configure) void configure(int count, int seconds, char *base, int bytes) {
  threads = count;
  patience = seconds;
  scratch_base = base;
  scratch_bytes = bytes;
}

/** Where a thread says that it failed: it writes 1 to the first and wakes who waits for the second. */
EXPORT(failed_address) int *failed_address(void) { return &job.failed; }
EXPORT(done_address) int *done_address(void) { return &job.done; }

int thread_count(void) { return threads; }
void *scratch(int thread) { return scratch_base + (size_t)thread * scratch_bytes; }

/**
 * Draws tickets and does their chunks. The fields of the job are read after a ticket was drawn: they cannot change
 * until its chunk is done, so a thread that wakes up late either takes part in a later job or draws nothing.
 */
static void work(int thread) {
  int ticket;
  while ((ticket = __atomic_fetch_sub(&job.tickets, 1, __ATOMIC_SEQ_CST)) > 0) {
    int count = job.count;
    job.task(job.args, count - ticket, thread);
    if (__atomic_add_fetch(&job.done, 1, __ATOMIC_SEQ_CST) == count)
      __builtin_wasm_memory_atomic_notify(&job.done, 1);
  }
}

void parallel(Task *task, const void *args, int count) {
  if (threads == 1 || count <= 1) {
    for (int chunk = 0; chunk < count; chunk++) task(args, chunk, 0);
    return;
  }
  job.task = task;
  job.args = args;
  job.count = count;
  __atomic_store_n(&job.done, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n(&job.tickets, count, __ATOMIC_SEQ_CST);
  __atomic_fetch_add(&job.generation, 1, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(&job.generation, threads - 1);
  work(0);
  for (int i = 0; i < SPINS; i++)
    if (read(&job.done) == count) return;
  int done, last = -1, waited = 0;
  while ((done = read(&job.done)) != count) {
    if (read(&job.failed) || waited >= patience) stalled();
    waited = done == last ? waited + (__builtin_wasm_memory_atomic_wait32(&job.done, done, SECOND) == 2) : 0;
    last = done;
  }
}

/** The life of a thread other than the caller's. */
EXPORT(serve) void serve(int thread) {
  while (!read(&job.quit)) {
    int generation = read(&job.generation);
    work(thread);
    int spins = 0;
    while (read(&job.generation) == generation && !read(&job.quit)) {
      if (++spins > SPINS) __builtin_wasm_memory_atomic_wait32(&job.generation, generation, -1);
    }
  }
}

/** Sends the threads home. */
EXPORT(quit) void quit(void) {
  __atomic_store_n(&job.quit, 1, __ATOMIC_SEQ_CST);
  __atomic_fetch_add(&job.generation, 1, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(&job.generation, threads);
}
