import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadWeights } from '../../src/jobs/loadWeights';
import { classify } from '../../src/jobs/classify';
import { evaluate } from '../../src/jobs/evaluate';
import { LayerPruner } from '../../src/jobs/layerPruner';
import { saliency } from '../../src/jobs/saliency';
import { sweep } from '../../src/jobs/sweep';
import { accuracyOf, addBatch, lossOf, noSums } from '../../src/jobs/tally';
import { TestNet } from '../../src/jobs/testNet';
import type { Engine } from '../../src/tensor/engine';
import { PortableEngine } from '../../src/tensor/portable';
import { findPython, runPython } from '../python';
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

/** What OpenCV's dnn makes of CIFAR-10 images: the items it gets wrong, as [item, label, predicted]. */
const OPENCV = `
import sys, json, numpy, cv2
model, net, mean, data = sys.argv[1:]
net = cv2.dnn.readNetFromCaffe(net, model)
records = numpy.fromfile(data, dtype=numpy.uint8).reshape(-1, 3073)
mean = numpy.frombuffer(open(mean, 'rb').read()[-12288:], dtype='<f4').reshape(3, 32, 32)
images = records[:, 1:].reshape(-1, 3, 32, 32).astype(numpy.float32) - mean
answers = []
for start in range(0, len(images), 100):
    net.setInput(images[start:start + 100])
    answers.extend(net.forward().argmax(1).tolist())
labels = records[:, 0].tolist()
print(json.dumps([[i, l, a] for i, (l, a) in enumerate(zip(labels, answers)) if l != a]))
`;

describe.skipIf(!existsSync(shared))('on CIFAR-10', () => {
  const python = existsSync(shared) ? findPython('cv2', 'numpy') : undefined;
  const folder = join(models, 'cifar10-bxuan');
  const data = join(models, 'cifar10-data/test_first1000.bin');
  const trained = join(folder, 'cifar10_quick_iter_4000.caffemodel');

  it.skipIf(python === undefined)(
    'the images that go wrong are those that go wrong in OpenCV, with a mean file',
    async () => {
      const netFile = join(folder, 'cifar10_quick_train_test.prototxt');
      const { result } = await runJob(evaluate({ netFile, data, models: [trained] }, context()));
      const wrong = result.evaluations[0].wrong.map(({ item, label, predicted }) => [item, label, predicted]);
      const deploy = join(folder, 'cifar10_quick.prototxt');
      const expected = runPython(python!, OPENCV, trained, deploy, join(folder, 'mean.binaryproto'), data);
      expect(wrong).toEqual(JSON.parse(expected));
      expect(wrong.length).toBeGreaterThan(200);
    },
  );

  it('an HDF5 model is evaluated too', async () => {
    const model = join(folder, 'cifar10_quick_iter_5000.caffemodel.h5');
    const netFile = join(folder, 'cifar10_quick_train_test.prototxt');
    const { result } = await runJob(evaluate({ netFile, data, models: [trained, model] }, context()));
    const [first, better] = result.evaluations.map(({ top1 }) => top1!);
    // On all 10,000 images 71.81 % and 75.96 %.
    expect(first).toBeGreaterThan(0.69);
    expect(better).toBeGreaterThan(first);
  });
});

describe.skipIf(!existsSync(shared))('saliency', () => {
  it('beats magnitude at the same keep ratios, without retraining', async () => {
    const netFile = trainTest;
    const model = join(models, 'lenet5-dns/caffe_lenet5_original.caffemodel');
    const calibration = { data: join(shared, 'mnist/train-images-idx3-ubyte.gz'), samples: 3000 };
    const { result: ranking } = await runJob(saliency({ netFile, model, calibration }, context()));
    const test = await TestNet.open({ netFile, data: idx }, { engine });
    await loadWeights(test.net, model, context().signal);
    const measure = async (keeps: Record<string, number>, scores: typeof ranking | undefined) => {
      const pruners = Object.keys(keeps).map((layer) => new LayerPruner(test.net, layer, scores?.get(layer)));
      const kept = Object.values(keeps).map((keep, i) => pruners[i].prune(keep));
      const sums = noSums();
      for await (const batch of test.batches(context().signal)) {
        addBatch(sums, test.net, test.scores, batch, test.net.forward());
      }
      for (const pruner of pruners) pruner.restore();
      return { kept, accuracy: accuracyOf(sums)!, loss: lossOf(sums) };
    };
    // The tutorial's ratios, and milder ones.
    for (const keeps of [
      { conv1: 0.3, conv2: 0.1, ip1: 0.01, ip2: 0.2 },
      { conv1: 0.6, conv2: 0.2, ip1: 0.05, ip2: 0.3 },
    ]) {
      const byMagnitude = await measure(keeps, undefined);
      const bySaliency = await measure(keeps, ranking);
      expect(bySaliency.kept).toEqual(byMagnitude.kept);
      expect(bySaliency.accuracy).toBeGreaterThan(byMagnitude.accuracy);
      expect(bySaliency.loss).toBeLessThan(byMagnitude.loss);
    }
    await test.dispose();
  });
});
