import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EvaluateResult, WorkerJobs } from '../../../src/protocol';
import { createSample } from '../../../src/jobs/sample';
import { isCancelled, JobClient, JobServer } from '../../../src/rpc';
import { saliencyFileOf } from '../../../src/sparsity/recipe';
import { workerJobs } from '../../../src/worker/jobs';

const folder = mkdtempSync(join(tmpdir(), 'compute-jobs-'));
const model = join(folder, 'lenet.caffemodel');
const netFile = join(folder, 'train_val.prototxt');
const engine = { kind: 'portable', threads: 1 } as const;

beforeAll(async () => {
  const job = createSample({ folder, train: 64, test: 100 }, { signal: new AbortController().signal });
  while (!(await job.next()).done);
});
afterAll(() => rmSync(folder, { recursive: true }));

// As between the extension and its worker: nothing but copies of messages passes.
const server = new JobServer<WorkerJobs>(workerJobs(), (response) =>
  client.receive(structuredClone(response)),
);
const client: JobClient<WorkerJobs> = new JobClient<WorkerJobs>((request) =>
  server.receive(structuredClone(request)),
);

describe('the jobs of the worker that run nets', () => {
  const results = join(folder, 'lenet.evaluation.json');
  let evaluated: EvaluateResult;

  test('evaluate a model, keep the result and give it again', async () => {
    expect(await client.run('keptEvaluation', { results })).toBeUndefined();
    evaluated = await client.run('evaluate', { netFile, models: [model], results, engine });
    expect(evaluated.evaluations[0]).toMatchObject({ items: 100, missing: [] });
    expect(evaluated.evaluations[0].top1).toBeGreaterThan(0.9);
    expect(await client.run('keptEvaluation', { results })).toMatchObject({
      ...evaluated,
      kept: { changed: [] },
    });
  });

  test('show pictures of items by their positions', async () => {
    const pictures = await client.run('thumbnails', { netFile, items: [0, 7] });
    expect(pictures.map(({ item, width, height }) => [item, width, height])).toEqual([
      [0, 28, 28],
      [7, 28, 28],
    ]);
  });

  test('measure the saliency that a pruning that is tried out ranks by', async () => {
    const target = saliencyFileOf(model);
    await client.run('saliency', { netFile, model, target, engine });
    const choices = [{ layer: 'ip1', blob: 0, method: 'keep', keep: 0.1 } as const];
    const tried = async (saliency?: { file: string }) => {
      const outcomes: WorkerJobs['tryPruning']['event'][] = [];
      const onEvent = (outcome: (typeof outcomes)[number]) => outcomes.push(outcome);
      await client.run('tryPruning', { file: model, seed: 1, choices, saliency }, { onEvent });
      return outcomes[0];
    };
    const [byMagnitude, bySaliency] = [await tried(), await tried({ file: target })];
    // The same share goes; the score up to which it goes is another.
    expect(bySaliency.zeros).toBe(byMagnitude.zeros);
    expect(bySaliency.threshold).toBeLessThan(byMagnitude.threshold! / 10);
  });

  test('train a net, and tell the snapshots that the training can go on from', async () => {
    const solverFile = join(folder, 'short_solver.prototxt');
    const solver = readFileSync(join(folder, 'solver.prototxt'), 'utf8');
    writeFileSync(solverFile, solver.replace(/max_iter: \d+/, 'max_iter: 3').replace(/test_iter: .*/, ''));
    expect(await client.run('snapshots', { solverFile })).toEqual([]);
    const { state } = await client.run('train', { solverFile, iterations: 2, engine });
    const snapshots = [{ state, iteration: 2 }];
    expect(await client.run('snapshots', { solverFile })).toEqual(snapshots);
    const { iterations } = await client.run('train', { solverFile, resume: state, engine });
    expect(iterations).toBe(3);
    // From the end there is nothing to go on to.
    expect(await client.run('snapshots', { solverFile })).toEqual(snapshots);
  });

  test('tell what is known of the data of a training, and train on those that are chosen', async () => {
    const solverFile = join(folder, 'solver.prototxt');
    const trainData = join(folder, 'moved');
    expect(await client.run('trainingData', { solverFile })).toEqual({
      train: { missing: [], items: 64 },
      test: { missing: [], items: 100 },
    });
    // Without a solver, with the one that is made for the net.
    expect(await client.run('trainingData', { netFile })).toMatchObject({ train: { items: 64 } });
    renameSync(join(folder, 'digits_train_lmdb'), trainData);
    expect(await client.run('trainingData', { solverFile })).toEqual({
      train: { missing: ['digits_train_lmdb'] },
      test: { missing: [], items: 100 },
    });
    const chosen = { solverFile, trainData, testData: trainData };
    expect(await client.run('trainingData', chosen)).toEqual({
      train: { missing: [], items: 64 },
      test: { missing: [], items: 64 },
    });

    const choices = [{ layer: 'ip1', blob: 0, keep: 0.5 }];
    const run = { file: model, choices, schedule: { kind: 'oneShot' }, iterations: 1, engine } as const;
    const files = { encoding: 'relative', existing: 'replace', holdOut: 0 } as const;
    await expect(client.run('retrain', { ...run, ...files, solverFile })).rejects.toThrow(
      'Cannot find the data "digits_train_lmdb"',
    );
    const { report } = await client.run('retrain', { ...run, ...files, ...chosen });
    expect(report).toMatchObject({ trainData, testData: trainData, last: { test: { items: 64 } } });

    const target = join(folder, 'of-moved.npz');
    const calibration = { data: trainData };
    await client.run('saliency', { netFile, model, target, calibration, engine });
    expect(readFileSync(target).equals(readFileSync(saliencyFileOf(model)))).toBe(true);
  });

  test('can be cancelled, and tell errors of users as such', async () => {
    const controller = new AbortController();
    controller.abort();
    const job = client.run('evaluate', { netFile, models: [model], engine }, { signal: controller.signal });
    expect(isCancelled(await job.catch((error: unknown) => error))).toBe(true);
    const other = join(folder, 'other.prototxt');
    writeFileSync(other, 'layer { name: "a" type: "Sparkle" top: "a" }');
    await expect(client.run('evaluate', { netFile: other, models: [model], engine })).rejects.toMatchObject({
      value: { kind: 'user' },
    });
    await expect(
      client.run('evaluate', {
        ...{ netFile, models: [model] },
        engine: { kind: 'native', tensorflowFolder: folder },
      }),
    ).rejects.toMatchObject({ value: { kind: 'user' } });
    expect(client.isBusy()).toBe(false);
  });
});
