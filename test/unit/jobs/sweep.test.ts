import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openFile } from '../../../src/caffe/byteSource';
import { openModel } from '../../../src/caffe/model';
import { openFeed } from '../../../src/data/openFeed';
import { jointSteps, keepsWithin } from '../../../src/jobs/chooseKeeps';
import { restartIndex } from '../../../src/jobs/suffix';
import { sweep, type SweepParams } from '../../../src/jobs/sweep';
import {
  figuresOf,
  loadSweep,
  mergeSweeps,
  saveSweep,
  type SweepPoint,
  type SweepResults,
  waitingOf,
} from '../../../src/jobs/sweepResults';
import { accuracyOf, lossOf, type Sums } from '../../../src/jobs/tally';
import { Net } from '../../../src/network/net';
import { ReferenceEngine } from '../../../src/tensor/reference';
import { layer, runJob, tinyData, tinyNet, trainTiny } from './tinyNet';

const { folder, netFile } = tinyData(60);
const model = join(folder, 'tiny.caffemodel');
beforeAll(() => trainTiny(netFile, model));
afterAll(() => rmSync(folder, { recursive: true }));

const context = (signal = new AbortController().signal) => ({ engine: new ReferenceEngine(), signal });
const layers = { conv: [0.5, 0.1], branch: [0.6], ip1: [0.3, 0.02], ip2: [1, 0.4] };
const params = (more: Partial<SweepParams> = {}): SweepParams => ({
  netFile,
  net: tinyNet(20),
  model,
  layers,
  collapse: 0,
  ...more,
});
const figures = ({ points }: SweepResults) =>
  points.map(({ layer: name, keep, kept, sums }) => [name, keep, kept, sums.items, sums.top1, sums.loss]);

/** The same measurement the plain way: prune, whole passes over all data. */
async function plain(name: string, keep: number) {
  const feed = await openFeed(tinyNet(20).layer[0], { phase: 'TEST', folders: [folder] });
  const net = new Net(tinyNet(20), {
    phase: 'TEST',
    engine: new ReferenceEngine(),
    sourceShapes: () => feed.shapes.map((s) => [...s]),
  });
  const source = await openFile(model);
  await net.loadWeights(source, await openModel(source));
  const [{ data }] = net.paramsOf(name);
  const sorted = [...data].map(Math.abs).sort((a, b) => b - a);
  const threshold = keep === 1 ? -1 : sorted[Math.floor((sorted.length - 1) * keep)];
  data.forEach((value, i) => (data[i] = Math.abs(value) > threshold ? value : 0));
  let loss = 0;
  let right = 0;
  for await (const { tops, items } of feed.pass()) {
    net.feed('data', tops);
    loss += net.forward() * items.length;
    right += net.blob('accuracy').data[0] * items.length;
  }
  await Promise.all([feed.close(), source.close()]);
  return { loss, right: Math.round(right), kept: data.filter((value) => value !== 0).length };
}

describe('sweep', () => {
  it('measures each point exactly as whole passes with that layer pruned do', async () => {
    const { result } = await runJob(sweep(params(), context()));
    expect(result.points.map(({ layer: name, keep }) => [name, keep])).toEqual(
      Object.entries(layers).flatMap(([name, keeps]) => keeps.map((keep) => [name, keep])),
    );
    for (const { layer: name, keep, kept, sums, state } of result.points) {
      const expected = await plain(name, keep);
      expect({ name, keep, kept, loss: sums.loss, right: sums.top1 }).toEqual({ name, keep, ...expected });
      expect(state).toBe('measured');
    }
    const whole = await plain('ip2', 1);
    expect([result.baseline.loss, result.baseline.top1]).toEqual([whole.loss, whole.right]);
  });

  // Six points and the whole net on batches of five: some are stopped in the middle of a batch, with some points ahead.
  it.each([1, 4, 7, 8, 30])(
    'goes on after an interruption at event %i, to the same results',
    async (events) => {
      const results = join(folder, `resumed${events}.json`);
      const controller = new AbortController();
      let now = 0;
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 300));
      const job = sweep(params({ results, net: tinyNet(5) }), context(controller.signal));
      for (let i = 0; i < events; i++) await job.next();
      controller.abort();
      await expect(runJob(job)).rejects.toThrow(/abort/i);
      clock.mockRestore();
      const half = await loadSweep(results);
      const measured = [half.baseline, ...half.points.map(({ sums }) => sums)].map(({ items }) => items / 5);
      expect(measured.reduce((sum, batches) => sum + batches)).toBe(events);
      expect(half.points.every(({ state }) => state === 'open')).toBe(true);
      // No point is lost from sight: it is begun, or it waits.
      const { points } = half;
      const inSight = [...figuresOf(points), ...waitingOf(points)].map(({ layer: name, keep }) => [
        name,
        keep,
      ]);
      expect(inSight.length).toBe(points.length);
      expect(inSight).toEqual(expect.arrayContaining(points.map(({ layer: name, keep }) => [name, keep])));

      const more = { ...layers, conv: [0.5, 0.3, 0.1] };
      const { result } = await runJob(sweep(params({ results, net: tinyNet(5), layers: more }), context()));
      const { result: straight } = await runJob(sweep(params({ net: tinyNet(5), layers: more }), context()));
      expect(figures(result)).toEqual(figures(straight));
      expect(figures(await loadSweep(results))).toEqual(figures(result));

      const before = readFileSync(results, 'utf8');
      const again = await runJob(sweep(params({ results, net: tinyNet(5), layers: more }), context()));
      expect(again.events).toEqual([]);
      expect(readFileSync(results, 'utf8')).toBe(before);
    },
  );

  it('reads a loss that is no number as such, and refuses a file that lacks something', async () => {
    const results = join(folder, 'edited.json');
    await runJob(sweep(params({ results, layers: { ip1: [0.5] } }), context()));
    const whole = await loadSweep(results);
    await saveSweep(results, { ...whole, baseline: { ...whole.baseline, loss: NaN } });
    expect((await loadSweep(results)).baseline.loss).toBeNaN();
    const broken = [
      null,
      { ...whole, points: [null] },
      { ...whole, points: [{ ...whole.points[0], sums: undefined }] },
      { ...whole, points: [{ ...whole.points[0], state: 'lost' }] },
      { ...whole, baseline: undefined },
      { ...whole, weights: { ip1: 'many' } },
      { ...whole, model: null },
    ];
    for (const value of broken) {
      writeFileSync(results, JSON.stringify(value));
      await expect(loadSweep(results)).rejects.toThrow('The file holds no results of a sweep');
    }
  });

  it('leaves points that were begun and are not asked for any more', async () => {
    const results = join(folder, 'fewer.json');
    await runJob(sweep(params({ results, layers: { ip1: [0.5] } }), context()));
    const earlier = await loadSweep(results);
    const [measured] = earlier.points;
    await saveSweep(results, {
      ...earlier,
      points: [
        measured,
        { ...measured, keep: 0.3, state: 'open' },
        { ...measured, keep: 0.1, state: 'open' },
      ],
    });
    const { result } = await runJob(sweep(params({ results, layers: { ip1: [0.3] } }), context()));
    expect(result.points.map(({ keep, state }) => [keep, state])).toEqual([
      [0.5, 'measured'],
      [0.3, 'measured'],
    ]);
  });

  it('refuses results of another sweep', async () => {
    const results = join(folder, 'other.json');
    await runJob(sweep(params({ results, limit: 20 }), context()));
    await expect(runJob(sweep(params({ results }), context()))).rejects.toThrow('another number of items');
    expect(existsSync(results)).toBe(true);
  });

  it('cut into shards and merged gives what one run gives', async () => {
    const files = [1, 2, 3].map((index) => join(folder, `shard${index}.json`));
    for (const [i, results] of files.entries()) {
      await runJob(sweep(params({ results, shard: { index: i + 1, count: 3 } }), context()));
    }
    const shards = await Promise.all(files.map(loadSweep));
    expect(shards.map(({ points }) => points.length)).toEqual([3, 2, 2]);
    const { result } = await runJob(sweep(params(), context()));
    const merged = mergeSweeps(shards, files);
    expect(new Map(figures(merged).map((f) => [f.slice(0, 2).join(), f]))).toEqual(
      new Map(figures(result).map((f) => [f.slice(0, 2).join(), f])),
    );
    expect(() => mergeSweeps([shards[0], { ...shards[1], ranking: 'saliency' }], files)).toThrow(
      'another ranking',
    );
  });

  it('leaves a layer when its accuracy has collapsed on enough items', async () => {
    const many = tinyData(1100);
    const { result } = await runJob(
      sweep(
        {
          ...params({ layers: { ip2: [0.9, 0.01, 0.005], ip1: [0.8] }, collapse: 0.7 }),
          netFile: many.netFile,
        },
        context(),
      ),
    );
    expect(
      result.points.map(({ layer: name, keep, state, sums }) => [name, keep, state, sums.items]),
    ).toEqual([
      ['ip2', 0.9, 'measured', 1100],
      ['ip2', 0.01, 'collapsed', 1000],
      ['ip2', 0.005, 'skipped', 1000],
      ['ip1', 0.8, 'measured', 1100],
    ]);
    rmSync(many.folder, { recursive: true });
  });

  it.each<[string, Record<string, number[]>, string]>([
    ['a layer without weights', { relu: [0.5] }, 'no such layer'],
    ['a keep ratio above 1', { ip1: [1.5] }, 'not between 0 and 1'],
  ])('refuses %s', async (_, wrong, message) => {
    await expect(runJob(sweep(params({ layers: wrong }), context()))).rejects.toThrow(message);
  });
});

describe('restartIndex', () => {
  const netOf = (...tail: Parameters<typeof layer>[]) =>
    new Net(
      {
        layer: [
          layer('Input', 'data', [], ['data'], { input_param: { shape: [{ dim: [1, 2, 3, 3] }] } }),
          ...tail.map((args) => layer(...args)),
        ],
      },
      { phase: 'TEST', engine: new ReferenceEngine() },
    );
  const conv = { convolution_param: { num_output: 2, kernel_size: [1] } };

  it('is the layer itself where nothing behind it touches what came before', () => {
    const net = netOf(
      ['Convolution', 'a', ['data'], ['a'], conv],
      ['ReLU', 'ra', ['a'], ['a']],
      ['Convolution', 'b', ['a'], ['b'], conv],
      ['ReLU', 'rb', ['b'], ['b']],
    );
    expect(net.layers[restartIndex(net, 'b')].name).toBe('b');
    expect(net.layers[restartIndex(net, 'a')].name).toBe('a');
  });

  it('goes back to where a blob is made that a later layer changes in place', () => {
    const net = netOf(
      ['Convolution', 'a', ['data'], ['a'], conv],
      ['Convolution', 'b', ['data'], ['b'], conv],
      ['Power', 'pa', ['a'], ['a'], { power_param: { scale: 2 } }],
      ['Eltwise', 'sum', ['a', 'b'], ['sum']],
    );
    expect(net.layers[restartIndex(net, 'b')].name).toBe('a');
  });

  it('is the first of the layers that share the weights', () => {
    const shared = { ...conv, param: [{ name: 'w' }, { name: 'v' }] };
    const net = netOf(
      ['Convolution', 'a', ['data'], ['a'], shared],
      ['Convolution', 'b', ['a'], ['b'], shared],
    );
    expect(net.layers[restartIndex(net, 'b')].name).toBe('a');
  });
});

describe('choosing keep ratios', () => {
  const sums = (accuracy: number, loss: number): Sums => ({
    items: 1000,
    judged: 1000,
    top1: Math.round(1000 * accuracy),
    top5: 1000,
    loss: 1000 * loss,
  });
  const point = (
    name: string,
    keep: number,
    kept: number,
    accuracy: number,
    loss: number,
    state: SweepPoint['state'] = 'measured',
  ): SweepPoint => ({ layer: name, keep, kept, sums: sums(accuracy, loss), state });
  const results: SweepResults = {
    format: 'caffe-pruner sweep',
    version: 1,
    model: { file: 'm', sha256: '1' },
    net: { file: 'n', sha256: '2' },
    data: 'd',
    items: 1000,
    ranking: 'magnitude',
    weights: { small: 100, large: 900 },
    baseline: { ...sums(0.99, 0.1), done: true },
    points: [
      point('small', 0.5, 50, 0.98, 0.15),
      point('small', 0.1, 10, 0.5, 2),
      point('large', 0.5, 450, 0.99, 0.1),
      point('large', 0.2, 180, 0.97, 0.2),
      point('large', 0.1, 90, 0.985, 0.2),
      point('large', 0.05, 45, 0.1, 9, 'collapsed'),
    ],
  };

  it('takes for each layer the smallest keep ratio within the tolerance, before the first beyond it', () => {
    expect(keepsWithin(results, 0)).toEqual({ small: 1, large: 0.5 });
    // 0.1 of "large" is within, but 0.2 before it is not.
    expect(keepsWithin(results, 0.01)).toEqual({ small: 0.5, large: 0.5 });
    expect(keepsWithin(results, 0.02)).toEqual({ small: 0.5, large: 0.1 });
  });

  it('steps to the sparsest choice, first where most weights go for least loss', () => {
    const steps = jointSteps(results);
    expect(steps.map(({ keeps, kept }) => [keeps, kept])).toEqual([
      [{}, 1],
      [{ large: 0.5 }, 0.55],
      [{ large: 0.1 }, 0.19],
      [{ small: 0.5, large: 0.1 }, 0.14],
      [{ small: 0.1, large: 0.1 }, 0.1],
    ]);
    expect(steps[3].drop).toBeCloseTo(0.02 + 0.01, 10);
    expect(accuracyOf(results.baseline)).toBe(0.99);
    expect(lossOf(results.baseline)).toBeCloseTo(0.1, 10);
  });
});
