import { describe, expect, test } from 'vitest';
import { CaffeError } from '../../src/caffe/errors';
import { isCancelled, JobClient, type JobHandlers, JobServer, Steering } from '../../src/rpc';
import { phrase } from '../../src/phrase';

interface Jobs {
  count: { params: { to: number }; event: number; result: string };
  fail: { params: 'user' | 'defect'; event: never; result: undefined };
  wait: { params: undefined; event: string; result: undefined };
  train: { params: undefined; event: number; result: string };
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 1));

/** A client and a server joined by copies of messages, as a process boundary does it. */
function connect() {
  const log: string[] = [];
  const handlers: JobHandlers<Jobs> = {
    async *count({ to }, { signal }) {
      try {
        for (let i = 0; i < to; i++) {
          signal.throwIfAborted();
          yield i;
        }
        return `counted to ${to}`;
      } finally {
        log.push('count closed');
      }
    },
    async *fail(kind) {
      yield* [];
      if (kind === 'user') throw new CaffeError(phrase`the blob is short`, { layer: 'ip1', byteOffset: 7 });
      throw new TypeError('undefined is no function');
    },
    async *wait(_params, { signal }) {
      yield 'waiting';
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      log.push('heard');
      signal.throwIfAborted();
    },
    async *train(_params, { signal, control }) {
      for (let i = 0; ; i++) {
        await control.running();
        signal.throwIfAborted();
        if (control.stopping) return `stopped at ${i}`;
        yield i;
        await soon();
      }
    },
  };
  const client: JobClient<Jobs> = new JobClient<Jobs>((request) => server.receive(structuredClone(request)));
  const server = new JobServer<Jobs>(handlers, (response) => client.receive(structuredClone(response)));
  return { client, server, log };
}

describe('jobs over a connection', () => {
  test('yield their events in order and return', async () => {
    const events: number[] = [];
    const result = await connect().client.run('count', { to: 3 }, { onEvent: (event) => events.push(event) });
    expect(events).toEqual([0, 1, 2]);
    expect(result).toBe('counted to 3');
  });

  test('run side by side', async () => {
    const { client } = connect();
    const results = await Promise.all([3, 1, 2].map((to) => client.run('count', { to })));
    expect(results).toEqual(['counted to 3', 'counted to 1', 'counted to 2']);
  });

  test('tell errors of users with their place, and defects apart', async () => {
    const { client } = connect();
    await expect(client.run('fail', 'user')).rejects.toMatchObject({
      message: 'layer "ip1", byte 7: the blob is short.',
      value: { kind: 'user' },
    });
    await expect(client.run('fail', 'defect')).rejects.toMatchObject({ value: { kind: 'defect' } });
  });

  test('are cancelled by a signal', async () => {
    const { client, log } = connect();
    const controller = new AbortController();
    const run = client.run('wait', undefined, {
      signal: controller.signal,
      onEvent: () => controller.abort(),
    });
    expect(isCancelled(await run.catch((error: unknown) => error))).toBe(true);
    expect(log).toEqual(['heard']);
    expect(client.isBusy()).toBe(false);
  });

  test('are cancelled when the loop over their events is left, and clean up', async () => {
    const { client, log } = connect();
    for await (const event of client.start('count', { to: 1e9 })) if (event === 5) break;
    await expect.poll(() => client.isBusy(), { timeout: 60_000 }).toBe(false);
    expect(log).toEqual(['count closed']);
  });

  test('end when the other side is gone', async () => {
    const { client } = connect();
    const run = client.run('wait', undefined);
    client.fail({ text: 'gone', kind: 'user' });
    await expect(run).rejects.toThrow('gone');
  });

  test('with a name that is not in the table are refused', async () => {
    const { client } = connect();
    await expect(client.run('toString' as 'wait', undefined)).rejects.toThrow('no job "toString"');
  });
});

describe('steering', () => {
  test('pauses, resumes and stops a job over the connection', async () => {
    const { client } = connect();
    const control = new Steering();
    const seen: number[] = [];
    const job = client.start('train', undefined, undefined, control);
    const done = (async () => {
      for (;;) {
        const step = await job.next();
        if (step.done) return step.value;
        seen.push(step.value);
        if (step.value === 2) control.steer('pause');
      }
    })();
    while (seen.length < 3) await soon();
    await soon();
    await soon();
    const paused = seen.length;
    for (let i = 0; i < 10; i++) await soon();
    expect(seen.length).toBe(paused);
    control.steer('resume');
    while (seen.length < paused + 3) await soon();
    control.steer('stop');
    expect(await done).toBe(`stopped at ${seen.length}`);
    expect(seen).toEqual(seen.map((_, i) => i));
  });

  test('does not keep a paused job from being cancelled', async () => {
    const { client } = connect();
    const control = new Steering();
    const controller = new AbortController();
    const job = client.start('train', undefined, controller.signal, control);
    await job.next();
    control.steer('pause');
    await soon();
    controller.abort();
    const failure = (async () => {
      while (!(await job.next()).done);
    })().catch((error: unknown) => error);
    expect(isCancelled(await failure)).toBe(true);
    expect(client.isBusy()).toBe(false);
  });

  test('a stop while it is paused lets the job run on to where it can end', async () => {
    const control = new Steering();
    control.steer('pause');
    const goesOn = control.running();
    control.steer('stop');
    await goesOn;
    expect(control.stopping).toBe(true);
  });
});
