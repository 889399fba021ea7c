import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { reporting } from '../../../src/jobs/report';

test('a job that is left at an event has ended when its work has', async () => {
  let stop: () => void = () => undefined;
  let isClean = false;
  const job = reporting(async (report) => {
    report(0, 'writing');
    await new Promise<void>((resolve) => (stop = resolve));
    // To clear up takes its time.
    await setImmediate();
    isClean = true;
  });
  await job.next();
  const left = job.return(undefined);
  stop();
  await left;
  expect(isClean).toBe(true);
});
