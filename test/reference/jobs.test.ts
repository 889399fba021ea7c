import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classify } from '../../src/jobs/classify';
import { evaluate } from '../../src/jobs/evaluate';
import { sweep } from '../../src/jobs/sweep';
import { accuracyOf } from '../../src/jobs/tally';
import type { Engine } from '../../src/tensor/engine';
import { PortableEngine } from '../../src/tensor/portable';
import { runJob } from '../unit/jobs/tinyNet';

const shared = join(import.meta.dirname, '../../../shared');
const models = join(shared, 'models');
const idx = join(shared, 'mnist/t10k-images-idx3-ubyte.gz');
const lenet = join(models, 'lenet5-z0/lenet_iter_10000.caffemodel');
const trainTest = join(models, 'lenet5-z0/lenet_train_test.prototxt');

let engine: Engine;
beforeAll(() => void (engine = new PortableEngine()));
afterAll(() => engine.dispose());
const context = () => ({ engine, signal: new AbortController().signal });

describe.skipIf(!existsSync(shared))('on MNIST', () => {
  it('LeNet-5 gives what the real Caffe gives, to the last image: 99.20 %, loss 0.0273', async () => {
    const data = join(models, 'mnist-data/lmdb-mapsize-doubling/mnist_test_lmdb');
    const { result } = await runJob(evaluate({ netFile: trainTest, data, models: [lenet] }, context()));
    const [{ items, top1, loss, outputs, wrong }] = result.evaluations;
    expect({ items, top1, wrong: wrong.length }).toEqual({ items: 10_000, top1: 0.992, wrong: 80 });
    expect(outputs.accuracy).toBeCloseTo(0.992, 6);
    expect(loss!.toFixed(4)).toBe('0.0273');
  });

  // The right answers of ACCURACY.tsv, on all 10,000 images, as OpenCV's dnn gives them.
  const table = existsSync(shared) ? readFileSync(join(models, 'ACCURACY.tsv'), 'utf8') : '';
  it.each([
    ['lenet5-dns/caffe_lenet5_original.caffemodel', 'lenet5-dns/lenet5.prototxt'],
    ['lenet5-dns/caffe_lenet5_sparse.caffemodel', 'lenet5-dns/lenet5.prototxt'],
  ])('%s as a deploy net', async (model, net) => {
    const expected = Number(
      table
        .split('\n')
        .find((line) => line.startsWith(`${model}|`))
        ?.split('\t')[1],
    );
    const params = {
      netFile: join(models, net),
      data: idx,
      transform: { scale: 1 / 256 },
      models: [join(models, model)],
    };
    const { result } = await runJob(evaluate(params, context()));
    expect(result.evaluations[0].top1).toBe(expected);
  });

  it('the sweep gives the whole net and each variant its accuracy', async () => {
    const params = {
      netFile: trainTest,
      data: idx,
      model: lenet,
      layers: { ip2: [1, 0.3], ip1: [0.1] },
      limit: 2000,
    };
    const { result } = await runJob(sweep(params, context()));
    const { result: whole } = await runJob(evaluate({ ...params, models: [lenet] }, context()));
    const accuracy = whole.evaluations[0].top1!;
    expect(accuracyOf(result.baseline)).toBe(accuracy);
    const [full, ...pruned] = result.points.map(({ sums }) => accuracyOf(sums)!);
    expect(full).toBe(accuracy);
    for (const value of pruned) {
      expect(value).toBeLessThanOrEqual(accuracy);
      expect(value).toBeGreaterThan(0.95);
    }
  });

  it('classifies the sample picture of a zero', async () => {
    const image = join(models, 'lenet5-v1-dnnfooled/mnist_sample_image.png');
    const netFile = join(models, 'lenet5-z0/lenet.prototxt');
    const { guesses } = await classify({ model: lenet, netFile, image, trainVal: trainTest }, context());
    expect(guesses[0].index).toBe(0);
    expect(guesses[0].score).toBeGreaterThan(0.9);
  });
});
