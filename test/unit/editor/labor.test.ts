import { describe, expect, test } from 'vitest';
import { Labor } from '../../../src/editor/labor';
import { isCancelled, type Steering } from '../../../src/rpc';

/** A job whose events, end and failure the test decides on. */
function steered() {
  const queue: ({ event: number } | { result: string } | { error: Error })[] = [];
  let wake: () => void = () => undefined;
  let given: { signal: AbortSignal; control: Steering } | undefined;
  const push = (item: (typeof queue)[number]) => {
    queue.push(item);
    wake();
  };
  async function* job(signal: AbortSignal, control: Steering): AsyncGenerator<number, string, void> {
    given = { signal, control };
    signal.addEventListener('abort', () => wake());
    for (;;) {
      while (queue.length === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
      signal.throwIfAborted();
      const item = queue.shift()!;
      if ('error' in item) throw item.error;
      if ('result' in item) return item.result;
      yield item.event;
    }
  }
  return { job, push, given: () => given! };
}

async function gather(
  job: AsyncGenerator<number, string, void>,
): Promise<{ events: number[]; result: string }> {
  const events: number[] = [];
  for (;;) {
    const step = await job.next();
    if (step.done) return { events, result: step.value };
    events.push(step.value);
  }
}

const never = () => new AbortController().signal;
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('a labor', () => {
  test('tells its followers its events and its result', async () => {
    const { job, push } = steered();
    const labor = new Labor(job, () => true);
    const followed = [gather(labor.follow(never())), gather(labor.follow(never()))];
    for (const event of [1, 2, 3]) push({ event });
    push({ result: 'done' });
    const all = { events: [1, 2, 3], result: 'done' };
    expect(await Promise.all(followed)).toEqual([all, all]);
    expect(labor.isRunning).toBe(false);
  });

  test.each([
    ['that counts each event tells a late follower all of them', () => true, [1, 2, 3, 4]],
    ['whose events each tell all tells a late follower the last', undefined, [3, 4]],
    [
      'that counts some events tells a late follower those and the last',
      (event: number) => event === 1,
      [1, 3, 4],
    ],
  ])('%s', async (_name, keeps, events) => {
    const { job, push } = steered();
    const labor = new Labor(job, keeps);
    for (const event of [1, 2, 3]) push({ event });
    await settled();
    const late = gather(labor.follow(never()));
    await settled();
    push({ event: 4 });
    push({ result: 'done' });
    expect(await late).toEqual({ events, result: 'done' });
  });

  test('goes on when a follower leaves, and keeps its result for those who come afterwards', async () => {
    const { job, push, given } = steered();
    const labor = new Labor(job);
    const page = new AbortController();
    const followed = gather(labor.follow(page.signal));
    push({ event: 1 });
    await settled();
    page.abort();
    await expect(followed).rejects.toMatchObject({ name: 'AbortError' });
    expect(given().signal.aborted).toBe(false);
    push({ event: 2 });
    push({ result: 'done' });
    await settled();
    expect(await gather(labor.follow(never()))).toEqual({ events: [2], result: 'done' });
  });

  test('ends with its error for all its followers, as the user is to read it', async () => {
    const { job, push } = steered();
    const labor = new Labor(job);
    const followed = gather(labor.follow(never()));
    push({ error: new Error('The disk is full.') });
    await expect(followed).rejects.toMatchObject({ message: 'The disk is full.' });
    await expect(gather(labor.follow(never()))).rejects.toMatchObject({ message: 'The disk is full.' });
    expect(labor.isRunning).toBe(false);
  });

  test('can be cancelled while it is paused', async () => {
    const { job, given } = steered();
    const labor = new Labor(job);
    const followed = gather(labor.follow(never()));
    labor.control.steer('pause');
    const goesOn = given().control.running();
    labor.cancel();
    await goesOn;
    expect(isCancelled(await followed.catch((error: unknown) => error))).toBe(true);
    expect([labor.isRunning, labor.wasCancelled]).toEqual([false, true]);
  });
});
