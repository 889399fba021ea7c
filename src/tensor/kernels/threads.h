// Work shared out among the threads of the engine.
#pragma once

/** Does piece number `chunk` of a job; `thread` (0 = the caller of the engine) says whose scratch memory to use. */
typedef void Task(const void *args, int chunk, int thread);

/**
 * Runs `task` for each chunk from 0 to count − 1 on all threads and returns when all are done. Which thread runs
 * a chunk is left to chance, so what a chunk computes must not depend on it; then results do not either.
 * Never called from within a task.
 */
void parallel(Task *task, const void *args, int count);

int thread_count(void);

/** Memory of the thread's own, as much as `reserve` in portable.ts was told. */
void *scratch(int thread);
