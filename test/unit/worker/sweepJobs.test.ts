import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweepFile } from '../../../src/jobs/sweepResults';
import type { SweepFigures, SweepRequest, WorkerJobs } from '../../../src/protocol';
import { JobClient, JobServer } from '../../../src/rpc';
import { saliencyFileOf } from '../../../src/sparsity/recipe';
import { workerJobs } from '../../../src/worker/jobs';
import { tinyData, tinyNetText, trainTiny } from '../jobs/tinyNet';

const { folder, netFile } = tinyData(40);
const model = join(folder, 'tiny.caffemodel');
beforeAll(async () => {
  await trainTiny(netFile, model);
  writeFileSync(netFile, tinyNetText);
});
afterAll(() => rmSync(folder, { recursive: true }));

const server = new JobServer<WorkerJobs>(workerJobs(), (response) =>
  client.receive(structuredClone(response)),
);
const client: JobClient<WorkerJobs> = new JobClient<WorkerJobs>((request) =>
  server.receive(structuredClone(request)),
);
const files = { model, netFile, engine: { kind: 'portable', threads: 1 } as const };

const sweep = (request: Partial<SweepRequest>, signal?: AbortSignal) =>
  client.run(
    'sweep',
    { ...files, layers: { ip1: [0.5, 0.1], ip2: [0.4] }, ranking: 'magnitude', anew: false, ...request },
    { signal },
  );

async function kept() {
  let figures: SweepFigures | undefined;
  const onEvent = (event: SweepFigures) => (figures = event);
  const changes = await client.run('sweepFigures', { model, netFile }, { onEvent });
  return { figures, changes };
}

test('a model that was never swept has no figures', async () => {
  expect(await kept()).toEqual({ figures: undefined, changes: [] });
});

test('figures are kept beside the model, and a sweep goes on from them or starts anew', async () => {
  await sweep({});
  const { figures, changes } = await kept();
  expect(changes).toEqual([]);
  expect(figures).toMatchObject({ file: 'tiny.sweep.json', items: 40, complete: true, ranking: 'magnitude' });
  expect(figures!.baseline).toMatchObject({ items: 40 });
  expect(figures!.figures.map(({ layer, keep, items }) => [layer, keep, items])).toEqual([
    ['ip1', 0.5, 40],
    ['ip1', 0.1, 40],
    ['ip2', 0.4, 40],
  ]);
  await sweep({ layers: { conv: [0.3] } });
  expect((await kept()).figures!.figures).toHaveLength(4);
  await sweep({ layers: { conv: [0.3] }, limit: 20, anew: true });
  expect((await kept()).figures).toMatchObject({ limit: 20, items: 20, figures: [{ layer: 'conv' }] });
});

test('one that is cancelled keeps what it has', async () => {
  await sweep({ anew: true, layers: { ip1: [0.5] } });
  const controller = new AbortController();
  const events = client.start(
    'sweep',
    { ...files, layers: { ip2: [0.5] }, ranking: 'magnitude', anew: false },
    controller.signal,
  );
  await events.next();
  controller.abort();
  await expect(
    (async () => {
      while (!(await events.next()).done);
    })(),
  ).rejects.toThrow();
  expect((await kept()).figures!.figures.map(({ layer }) => layer)).toContain('ip1');
});

test('one by saliency leaves beside the model what pruning by saliency would measure', async () => {
  const beside = saliencyFileOf(model);
  await sweep({ anew: true, ranking: 'saliency' });
  expect((await kept()).figures).toMatchObject({ ranking: 'saliency', complete: true });
  const target = join(folder, 'measured.npz');
  await client.run('saliency', { ...files, target });
  expect(readFileSync(beside).equals(readFileSync(target))).toBe(true);
  rmSync(beside);
  await sweep({ anew: true });
  expect(existsSync(beside)).toBe(false);
});

test('keep ratios are chosen for each layer alone, and for all together by an evaluation', async () => {
  await sweep({ anew: true });
  const each = await client.run('chooseKeeps', { ...files, goal: { each: 1 } });
  expect(each).toEqual({ goal: { each: 1 }, keeps: { ip1: 0.1, ip2: 0.4 } });
  const joint = await client.run('chooseKeeps', { ...files, goal: { kept: 0.6 } });
  expect(joint.verified).toMatchObject({ keeps: joint.keeps, met: true });
  expect(joint.verified!.kept).toBeLessThanOrEqual(0.6);
});

test('a change of the net or the model is told, one of comments and layout is none', async () => {
  writeFileSync(netFile, `# prune: default keep=0.1\n\n${tinyNetText.replaceAll(' layer', '\nlayer')}`);
  expect((await kept()).changes).toEqual([]);
  writeFileSync(netFile, tinyNetText.replace('scale: 1.5', 'scale: 1.6'));
  expect((await kept()).changes).toEqual(['net']);
  await trainTiny(netFile, model, 5);
  expect((await kept()).changes).toEqual(['model', 'net']);
  await expect(sweep({})).rejects.toThrow('another model, net');
  writeFileSync(netFile, tinyNetText);
});

test('a sweep without its data says what it looked for, and leaves former figures as they are', async () => {
  const before = readFileSync(sweepFile(model), 'utf8');
  writeFileSync(netFile, tinyNetText.replace('tiny-images-idx3-ubyte', 'gone-images-idx3-ubyte'));
  await expect(sweep({ anew: true })).rejects.toThrow('gone-images-idx3-ubyte');
  expect(readFileSync(sweepFile(model), 'utf8')).toBe(before);
});
