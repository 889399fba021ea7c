import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { digestOf } from '../../../src/jobs/digest';
import { loadWeights } from '../../../src/jobs/loadWeights';
import { chooseJointly } from '../../../src/jobs/joint';
import { type Outcome, prune, tryPruning } from '../../../src/jobs/prune';
import { DAMPING, saliency } from '../../../src/jobs/saliency';
import { writeSaliency } from '../../../src/jobs/saliencyFile';
import { sweep } from '../../../src/jobs/sweep';
import { accuracyOf } from '../../../src/jobs/tally';
import { TestNet } from '../../../src/jobs/testNet';
import { ReferenceEngine } from '../../../src/tensor/reference';
import { layer, runJob, tinyData, tinyNet, trainTiny } from './tinyNet';

vi.mock('../../../src/jobs/digest', { spy: true });

const { folder, netFile } = tinyData(100);
const model = join(folder, 'tiny.caffemodel');
beforeAll(() => trainTiny(netFile, model));
afterAll(() => rmSync(folder, { recursive: true }));

const context = () => ({ engine: new ReferenceEngine(), signal: new AbortController().signal });
const params = () => ({ netFile, net: tinyNet(20), model });

describe('saliency', () => {
  it('is half the mean squared gradient of single items, damped, times the squared weight', async () => {
    const samples = 7;
    const { result } = await runJob(saliency({ ...params(), calibration: { samples } }, context()));
    expect([...result.keys()]).toEqual(['conv', 'branch', 'ip1', 'ip2']);

    // The gradient of each item's own loss by differences, for the most salient weight of each layer.
    const test = await TestNet.open({ ...params(), batchSize: 1 }, { engine: new ReferenceEngine() });
    await loadWeights(test.net, model, new AbortController().signal);
    for (const [name, values] of result) {
      const i = values.indexOf(Math.max(...values));
      const [{ data }] = test.net.paramsOf(name);
      // The damped diagonal h + DAMPING mean(h), whose mean is (1 + DAMPING) mean(h).
      const damped = values.map((value, j) => (2 * value) / (data[j] * data[j]));
      const mean = damped.reduce((sum, value) => sum + value, 0) / damped.length / (1 + DAMPING);
      const weight = data[i];
      const step = 0.004;
      let squares = 0;
      for await (const _ of test.batches(new AbortController().signal, 0, samples)) {
        data[i] = weight + step;
        const above = test.net.forward();
        data[i] = weight - step;
        const below = test.net.forward();
        data[i] = weight;
        squares += ((above - below) / (2 * step)) ** 2;
      }
      const expected = squares / samples + DAMPING * mean;
      expect(Math.abs(damped[i] - expected)).toBeLessThan(0.01 * expected);
    }
    await test.dispose();
  });

  it('does not leave out layers that are not to learn', async () => {
    const net = tinyNet(20);
    net.layer.find(({ name }) => name === 'conv')!.param = [{ lr_mult: 0 }, { lr_mult: 0 }];
    const { result } = await runJob(saliency({ ...params(), net, calibration: { samples: 3 } }, context()));
    expect(result.get('conv')!.some((value) => value > 0)).toBe(true);
  });

  it('refuses a net without a loss', async () => {
    const net = { layer: [...tinyNet(1).layer.slice(0, -2), layer('Silence', 'rest', ['label'], [])] };
    await expect(runJob(saliency({ ...params(), net }, context()))).rejects.toThrow('no loss');
  });

  it('ranks the weights of a sweep', async () => {
    const layers = { ip1: [0.1] };
    const calibration = { samples: 50 };
    const { result: bySaliency } = await runJob(
      sweep({ ...params(), layers, ranking: 'saliency', calibration }, context()),
    );
    const { result: byMagnitude } = await runJob(sweep({ ...params(), layers }, context()));
    expect(bySaliency.samples).toBe(50);
    expect(bySaliency.points[0].kept).toBe(byMagnitude.points[0].kept);
    expect(bySaliency.points[0].sums.loss).not.toBe(byMagnitude.points[0].sums.loss);
  });
});

describe('pruning by saliency', () => {
  const file = join(folder, 'saliency.npz');
  const plan = {
    file: model,
    existing: 'replace',
    encoding: 'relative',
    seed: 1,
    saliency: { file },
  } as const;
  const weights = async (path: string, layerName: string) => {
    const test = await TestNet.open(params(), { engine: new ReferenceEngine() });
    await loadWeights(test.net, path, context().signal);
    const values = test.net.paramsOf(layerName)[0].data.slice();
    await test.dispose();
    return values;
  };

  it('keeps the most salient weights, of each layer or of all together, and repeats from the recipe', async () => {
    const { result: measured } = await runJob(
      saliency({ ...params(), calibration: { samples: 20 } }, context()),
    );
    await writeSaliency(file, measured, { replace: true, signal: context().signal });
    const values = measured.get('ip1')!;
    const { result } = await runJob(
      prune({ ...plan, choices: [{ layer: 'ip1', blob: 0, method: 'keep', keep: 0.3 }] }, context()),
    );
    const threshold = [...values].sort((a, b) => b - a)[Math.floor((values.length - 1) * 0.3)];
    const before = await weights(model, 'ip1');
    const after = await weights(result.outputs.dense, 'ip1');
    expect(after).toEqual(before.map((value, i) => (values[i] > threshold ? value : 0)));
    expect(result.recipe.saliency?.sha256).toMatch(/^[0-9a-f]{64}$/);

    const tried: Outcome[] = [];
    const { file: path, seed, saliency: ranking } = { ...plan, file: model };
    const tryOut = { file: path, seed, choices: result.recipe.choices, saliency: ranking };
    vi.mocked(digestOf).mockClear();
    for await (const outcome of tryPruning(tryOut, context())) tried.push(outcome);
    // It comes with each move of a slider: there is no time to read whole files for a digest that nobody asks for.
    expect(digestOf).not.toHaveBeenCalled();
    expect(tried).toMatchObject([{ zeros: after.filter((value) => value === 0).length, threshold }]);

    const { saliency: recorded, choices } = result.recipe;
    const { result: again } = await runJob(
      prune({ ...plan, existing: 'keepBoth', choices, saliency: recorded }, context()),
    );
    expect(readFileSync(again.outputs.dense)).toEqual(readFileSync(result.outputs.dense));

    const shared = ['ip1', 'ip2'].map(
      (name) => ({ layer: name, blob: 0, method: 'global', keep: 0.2 }) as const,
    );
    const { result: global } = await runJob(prune({ ...plan, choices: shared }, context()));
    const all = [...values, ...measured.get('ip2')!].sort((a, b) => b - a);
    const limit = all[Math.floor((all.length - 1) * 0.2)];
    expect(await weights(global.outputs.dense, 'ip1')).toEqual(
      before.map((value, i) => (values[i] > limit ? value : 0)),
    );
  });

  it('refuses other saliencies than the recipe names, and layers without any', async () => {
    const choices = [{ layer: 'conv', blob: 0, method: 'keep', keep: 0.5 } as const];
    const other = { file, sha256: '0'.repeat(64) };
    await expect(runJob(prune({ ...plan, choices, saliency: other }, context()))).rejects.toThrow(
      'their digest differs',
    );
    await writeSaliency(file, new Map([['ip1', new Float32Array(3)]]), {
      replace: true,
      signal: context().signal,
    });
    await expect(runJob(prune({ ...plan, choices }, context()))).rejects.toThrow(
      'no saliencies for the layer',
    );
    const wrong = [{ ...choices[0], layer: 'ip1' }];
    await expect(runJob(prune({ ...plan, choices: wrong }, context()))).rejects.toThrow('3 saliencies for');
  });
});

describe('chooseJointly', () => {
  const layers = { conv: [0.7, 0.3], branch: [0.5], ip1: [0.7, 0.4, 0.2, 0.05], ip2: [0.7, 0.3] };

  it('meets a wanted sparsity and says what it really costs', async () => {
    const { result: results } = await runJob(sweep({ ...params(), layers, collapse: 0 }, context()));
    const { result } = await runJob(chooseJointly({ ...params(), results, goal: { kept: 0.3 } }, context()));
    expect(result.met).toBe(true);
    expect(result.kept).toBeLessThanOrEqual(0.3);
    expect(result.accuracy).toBeCloseTo(accuracyOf(results.baseline)! - result.drop, 10);

    const { result: tooSparse } = await runJob(
      chooseJointly({ ...params(), results, goal: { kept: 0.001 } }, context()),
    );
    expect(tooSparse.met).toBe(false);
  });

  it('holds a wanted accuracy as measured, not as expected', async () => {
    const { result: results } = await runJob(sweep({ ...params(), layers, collapse: 0 }, context()));
    for (const drop of [0, 0.03, 0.2, 1]) {
      const { result } = await runJob(chooseJointly({ ...params(), results, goal: { drop } }, context()));
      expect(result.met).toBe(true);
      expect(result.drop).toBeLessThanOrEqual(drop + 1e-9);
      // Nothing is too bad when everything may be lost: the sparsest step.
      if (drop === 1) expect(result.keeps).toEqual({ conv: 0.3, branch: 0.5, ip1: 0.05, ip2: 0.3 });
    }
  });
});
