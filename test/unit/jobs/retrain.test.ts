import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeBinaryproto } from '../../../src/caffe/binaryproto';
import { openFile } from '../../../src/caffe/byteSource';
import { openModel } from '../../../src/caffe/model';
import type { SolverParameter } from '../../../src/caffe/messages';
import { readBlob } from '../../../src/caffe/readBlob';
import { retrain, type RetrainParameters } from '../../../src/jobs/retrain';
import type { Schedule } from '../../../src/jobs/schedule';
import { train } from '../../../src/jobs/train';
import { Trainer } from '../../../src/jobs/trainer';
import { textOf } from '../../../src/phrase';
import { gradualKeep, maskOfKeep, splice } from '../../../src/sparsity/masks';
import { ReferenceEngine } from '../../../src/tensor/reference';
import { CLASSES, layer, runJob, tinyData, tinyNet, trainTiny } from './tinyNet';

const { folder, netFile, images } = tinyData(300);
const file = join(folder, 'net.caffemodel');
const signal = new AbortController().signal;
const context = { signal, engine: new ReferenceEngine() };
beforeAll(() => trainTiny(netFile, file, 60));
afterAll(() => rmSync(folder, { recursive: true }));

const solver = (more: Partial<SolverParameter> = {}): SolverParameter => ({
  net_param: tinyNet(20),
  test_iter: [5],
  base_lr: 0.05,
  lr_policy: 'fixed',
  momentum: 0.9,
  weight_decay: 0.001,
  random_seed: 3,
  ...more,
});

const parameters = (more: Partial<RetrainParameters> = {}): RetrainParameters => ({
  solverFile: netFile,
  solver: solver(),
  holdOut: 100,
  file,
  choices: [
    { layer: 'ip1', blob: 0, keep: 0.1 },
    { layer: 'conv', blob: 0, keep: 0.5 },
  ],
  schedule: { kind: 'gradual', interval: 5 },
  iterations: 40,
  encoding: 'relative',
  existing: 'replace',
  ...more,
});

async function blobsOf(path: string): Promise<Map<string, Float32Array>> {
  const source = await openFile(path);
  const blobs = new Map<string, Float32Array>();
  for (const layer of (await openModel(source)).layers)
    for (const blob of layer.blobs)
      blobs.set(`${layer.name}/${blob.index}`, (await readBlob(source, blob)).slice());
  await source.close();
  return blobs;
}

/** Checks in every checkpoint that what is masked is zero, on the way through a job. */
async function* watchCheckpoints(job: ReturnType<typeof retrain>): typeof job {
  for (;;) {
    const next = await job.next();
    if (next.done === true) return next.value;
    const { measurement } = next.value;
    if (measurement) {
      const checkpoint = await blobsOf(`${file}.retraining_iter_${measurement.iteration}.caffemodel`);
      for (const { layer, blob, kept, count } of measurement.layers)
        expect(zeros(checkpoint.get(`${layer}/${blob}`)!)).toBeGreaterThanOrEqual(count - kept);
    }
    yield next.value;
  }
}

const zeros = (values: Float32Array) => values.filter((value) => value === 0).length;

describe.each(['SGD', 'Nesterov', 'AdaGrad', 'RMSProp', 'AdaDelta', 'Adam'])('%s', (type) => {
  test.each<Schedule>([
    { kind: 'oneShot' },
    { kind: 'iterative', rounds: 4 },
    { kind: 'gradual', interval: 5 },
    { kind: 'splicing', interval: 5 },
  ])('$kind leaves pruned weights exactly zero in every file', async (schedule) => {
    const adaptive = type === 'Adam' || type === 'RMSProp';
    const rate = type === 'AdaDelta' ? 1 : adaptive ? 0.001 : 0.02;
    const { momentum, ...rest } = solver({ type, base_lr: rate, delta: 1e-6 });
    const takesMomentum = !['AdaGrad', 'RMSProp'].includes(type);
    const run = parameters({ schedule, solver: takesMomentum ? { momentum, ...rest } : rest });
    const { result, events } = await runJob(watchCheckpoints(retrain(run, context)));
    const blobs = await blobsOf(result.outputs.dense);
    for (const { layer, blob, kept, count } of result.report.best.layers) {
      const keep = layer === 'ip1' ? 0.1 : 0.5;
      expect(kept).toBeLessThanOrEqual(Math.ceil(keep * count));
      expect(zeros(blobs.get(`${layer}/${blob}`)!)).toBeGreaterThanOrEqual(count - kept);
      expect(kept).toBeGreaterThan(0);
    }
    expect(events.filter(({ measurement }) => measurement).length).toBe(21);
    expect(readdirSync(folder).filter((name) => name.includes('retraining'))).toEqual([]);
  });
});

test('the same seed gives the same bytes', async () => {
  const run = async () => {
    const { result } = await runJob(
      retrain(parameters({ schedule: { kind: 'splicing', interval: 4 } }), context),
    );
    return Object.values({ ...result.outputs }).map((path: string) => readFileSync(path).toString('base64'));
  };
  expect(await run()).toEqual(await run());
});

test('retraining brings the accuracy back', async () => {
  const run = parameters({ iterations: 150, schedule: { kind: 'gradual', interval: 10 }, measureEvery: 30 });
  const { result, events } = await runJob(retrain(run, context));
  const baseline = events.find((event) => event.baseline)!.baseline!.validation!;
  expect(result.report.best.validation!.accuracy).toBeGreaterThanOrEqual(baseline.accuracy! - 0.05);
  expect(result.report.best.keep).toBeLessThan(0.12);
});

test('as sparse as possible stays within the tolerance', async () => {
  const run = parameters({
    choices: [
      { layer: 'ip1', blob: 0, keep: 0 },
      { layer: 'conv', blob: 0, keep: 0 },
      { layer: 'ip2', blob: 0, keep: 0 },
    ],
    schedule: { kind: 'auto', tolerance: 0.05, perRound: 20 },
    iterations: 200,
  });
  const { result } = await runJob(retrain(run, context));
  const { best, baseline } = result.report;
  expect(best.validation!.accuracy).toBeGreaterThanOrEqual(baseline.validation!.accuracy! - 0.05);
  expect(best.keep).toBeLessThan(0.5);
  expect(result.recipe.warnings).toEqual([]);
});

test.each([
  [
    0.001,
    /^the tolerance of 0\.10 points is finer than 100 items can tell: .* by about \d\.\d\d points; \d+ items would do$/,
  ],
  [0, /^the tolerance of 0\.00 points is finer than 100 items can tell: .* points$/],
])('a tolerance of %d, finer than chance, is warned of', async (tolerance, warning) => {
  const choices = [{ layer: 'ip1', blob: 0, keep: 0 }];
  const run = parameters({ choices, schedule: { kind: 'auto', tolerance, perRound: 5 }, iterations: 5 });
  const { result } = await runJob(retrain(run, context));
  expect(result.recipe.warnings).toEqual([expect.stringMatching(warning)]);
  expect(result.warnings.map((said) => textOf(said))).toEqual(result.recipe.warnings);
});

test('data that are chosen take the place of what the net names, and the recipe tells so', async () => {
  const few = tinyData(60);
  const net = tinyNet(20);
  net.layer[0] = { ...net.layer[0], data_param: { ...net.layer[0].data_param, source: 'nowhere' } };
  const run = parameters({
    solver: solver({ net_param: net, test_iter: [100] }),
    trainData: images,
    testData: few.images,
    iterations: 5,
  });
  const { result } = await runJob(retrain(run, context));
  rmSync(few.folder, { recursive: true });
  expect(result.report).toMatchObject({ heldOut: 100, trainData: images, testData: few.images });
  expect(result.report.baseline.test!.items).toBe(60);

  const two = {
    ...net,
    layer: [net.layer[0], { ...net.layer[0], name: 'more', top: ['a', 'b'] }, ...net.layer.slice(1)],
  };
  await expect(runJob(retrain({ ...run, solver: solver({ net_param: two }) }, context))).rejects.toThrow(
    'The net reads data in 2 layers when it is trained',
  );
});

test('train writes a snapshot that it goes on from', async () => {
  const prefix = join(folder, 'scratch');
  const half = await runJob(
    train({ solverFile: netFile, solver: solver(), prefix, iterations: 30 }, context),
  );
  expect(half.result.model).toBe(`${prefix}_iter_30.caffemodel`);
  const whole = await runJob(
    train(
      { solverFile: netFile, solver: solver(), prefix, iterations: 60, resume: half.result.state },
      context,
    ),
  );
  expect(whole.result.iterations).toBe(60);
  expect(whole.result.test!.accuracy).toBeGreaterThan(0.8);
});

describe('a net whose InfogainLoss names a file', () => {
  const costs = join(folder, 'costs.binaryproto');
  const net = (source: string) => {
    const tiny = tinyNet(20);
    tiny.layer[tiny.layer.length - 1] = layer('InfogainLoss', 'loss', ['ip2', 'label'], ['loss'], {
      infogain_loss_param: { source },
    });
    return tiny;
  };
  /** H, row by row: what it counts to give the class of the column to an item of the row's. */
  const writeCosts = (entry: (label: number, other: number) => number) =>
    writeBinaryproto(
      costs,
      {
        shape: [1, 1, CLASSES, CLASSES],
        data: Float32Array.from({ length: CLASSES ** 2 }, (_, i) =>
          entry(Math.floor(i / CLASSES), i % CLASSES),
        ),
      },
      { replace: true },
    );
  const lossesOf = async (given: SolverParameter) => {
    const trainer = await Trainer.open({ solverFile: netFile, solver: given }, context.engine);
    const losses = [];
    for (let i = 0; i < 30; i++) losses.push((await trainer.step()).loss);
    const figures = await trainer.measure('test', signal);
    await trainer.dispose();
    return { losses, ...figures };
  };

  test('is trained as by the softmax loss where the matrix is the identity', async () => {
    await writeCosts((label, other) => Number(label === other));
    const plain = await lossesOf(solver());
    const weighted = await lossesOf(solver({ net_param: net('costs.binaryproto') }));
    plain.losses.forEach((loss, i) => expect(weighted.losses[i]).toBeCloseTo(loss, 4));
    expect(weighted.accuracy).toBe(plain.accuracy);
    expect(plain.losses.at(-1)).toBeLessThan(0.8 * plain.losses[0]);
  });

  test('learns what the matrix tells it to learn', async () => {
    // Only the first class counts: the others are not learned.
    await writeCosts((label, other) => Number(label === 0 && other === 0));
    const { losses, accuracy } = await lossesOf(solver({ net_param: net('costs.binaryproto') }));
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]);
    expect(accuracy).toBeLessThan(0.5);
  });

  test('is retrained under masks', async () => {
    await writeCosts((label, other) => (label === other ? 0.9 : 0.1 / (CLASSES - 1)));
    const run = parameters({ solver: solver({ net_param: net('costs.binaryproto') }), iterations: 60 });
    const { result } = await runJob(retrain(run, context));
    expect(result.report.best.keep).toBeLessThan(0.12);
    expect(result.report.best.test!.accuracy).toBeGreaterThan(0.7);
  });

  test('names the matrix that is not there', async () => {
    const run = parameters({ solver: solver({ net_param: net('no.binaryproto') }) });
    await expect(runJob(retrain(run, context))).rejects.toThrow(
      'Cannot find the infogain matrix "no.binaryproto"',
    );
  });
});

test('the cubic of gradual pruning', () => {
  expect([0, 0.5, 1].map((progress) => gradualKeep(1, 0.1, progress))).toEqual([1, 0.1 + 0.9 / 8, 0.1]);
});

test('surgery prunes below, brings back above, and leaves alone in between', () => {
  // The threshold that keeps a half is 5: below 4.5 weights go, above 5.5 they come.
  const values = Float32Array.of(1, 4.4, 4.6, 5, 5.4, 6, 7, 2);
  expect(Array.from(maskOfKeep(values, 0.5))).toEqual([0, 0, 0, 0, 1, 1, 1, 0]);
  const mask = Float32Array.of(1, 1, 1, 0, 0, 0, 1, 1);
  splice(values, mask, 0.5);
  expect(Array.from(mask)).toEqual([0, 0, 1, 0, 0, 1, 1, 0]);
});
