import type { Part } from '../phrase';
import type { Job, Progress } from './job';

/** Tells how far the work is. */
export type Report = (fraction: number, message: Part) => void;

/** Least time between two events. */
const interval = 100;

/**
 * Makes a job of work that reports through a callback: yields at most ten {@link Progress} a second, with the time
 * left as it follows from the pace so far.
 */
export async function* reporting<Result>(work: (report: Report) => Promise<Result>): Job<Progress, Result> {
  const start = performance.now();
  let latest: Progress | undefined;
  let wake: () => void = () => undefined;
  let done = false;
  const result = work((fraction, message) => {
    latest = { fraction, message };
    wake();
  }).finally(() => {
    done = true;
    wake();
  });
  // The error is thrown by the await at the end.
  result.catch(() => undefined);
  let last = -Infinity;
  try {
    while (!done) {
      if (latest && performance.now() - last >= interval) {
        last = performance.now();
        const seconds = (last - start) / 1000;
        const { fraction } = latest;
        yield fraction > 0.02 && seconds > 1
          ? { ...latest, secondsLeft: (seconds * (1 - fraction)) / fraction }
          : latest;
        latest = undefined;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (done) resolve();
        else if (latest) setTimeout(resolve, interval);
      });
    }
    return await result;
  } finally {
    // Who leaves the job at an event is told that it ended when what it had begun is cleared up.
    await result.catch(() => undefined);
  }
}
