import { CaffeError } from '../caffe/errors';
import type { NetParameter } from '../caffe/messages';
import { layersFor } from '../network/graph';
import { phrase } from '../phrase';
import type { ComputeContext, Job, Progress } from './job';
import { prunableLayers } from './layerPruner';
import { loadWeights } from './loadWeights';
import { TestNet, withNet, type TestSource } from './testNet';

/** What the saliency of weights is measured on. */
export interface Calibration {
  /** The data; by default those that the net is trained on. Not those it is tested on. */
  data?: string;
  /** The first so many items of them. */
  samples?: number;
}

export interface SaliencyParams extends TestSource {
  model: string;
  calibration?: Calibration;
}

/** For each layer that can be pruned the saliency of its weights, in their order. */
export type Saliency = ReadonlyMap<string, Float32Array>;

export const DEFAULT_SAMPLES = 3000;
/**
 * What is added to each h_ii, in means of the layer's. The diagonal of a few thousand items is noisy, and knows nothing of
 * what many small removals do together; unlike it, the magnitude of a weight is exact.
 */
export const DAMPING = 10;
const TELL_EVERY_MS = 250;

/**
 * What the loss would gain, to second order, if a weight were removed (Optimal Brain Damage, LeCun, Denker and Solla
 * 1990, eq. 5): s_i = h_ii w_i² / 2. The diagonal of the Hessian is taken from the empirical Fisher information, the mean
 * over the items of the squared gradient of each item's own loss: h_ii = mean_n (dL_n/dw_i)², which costs a forward and
 * a backward pass for each item (a batch of one), no more; {@link DAMPING} is added to it.
 *
 * The net runs in the TEST phase: no dropout, the global statistics of BatchNorm.
 */
export async function* saliency(given: SaliencyParams, context: ComputeContext): Job<Progress, Saliency> {
  const params = await withNet(given);
  const { signal, engine } = context;
  const samples = params.calibration?.samples ?? DEFAULT_SAMPLES;
  const source: TestSource = {
    ...params,
    data: params.calibration?.data ?? trainingData(params) ?? params.data,
    batchSize: 1,
    // Layers that are not to learn have a saliency all the same.
    net: {
      ...params.net,
      layer: params.net.layer.map((layer) => ({
        ...layer,
        param: layer.param.map((spec) => ({ ...spec, lr_mult: 1 })),
      })),
    },
  };
  const test = await TestNet.open(source, { engine, gradients: true });
  try {
    const { net } = test;
    if (
      !net.layers.some(
        ({ type, loss_weight }) => type.endsWith('Loss') || loss_weight.some((weight) => weight !== 0),
      )
    ) {
      throw new CaffeError(phrase`The net has no loss, so that its weights have no gradient`, {
        file: params.netFile,
        advice: phrase`Measure the saliency with the train_val.prototxt`,
      });
    }
    await loadWeights(test.net, params.model, signal);
    const layers = prunableLayers(net).map(({ layer, weights }) => ({
      layer,
      blob: net.paramsOf(layer)[0],
      squares: new Float32Array(weights),
    }));

    const total = Math.min(samples, test.count ?? samples);
    const begin = performance.now();
    let told = 0;
    let done = 0;
    for await (const { items } of test.batches(signal, 0, samples)) {
      net.clearGradients();
      if (!Number.isFinite(net.forward())) throw test.notFinite();
      net.backward();
      for (const { blob, squares } of layers) {
        const { diff } = blob;
        for (let i = 0; i < squares.length; i++) squares[i] += diff[i] * diff[i];
      }
      done += items.length;
      const now = performance.now();
      if (now - told < TELL_EVERY_MS) continue;
      told = now;
      yield {
        fraction: done / total,
        message: phrase`${done} of ${total} items`,
        secondsLeft: ((now - begin) / 1000 / done) * (total - done),
      };
    }
    for (const { blob, squares } of layers) {
      const damping = (DAMPING * squares.reduce((sum, value) => sum + value, 0)) / squares.length;
      for (let i = 0; i < squares.length; i++) {
        squares[i] = ((squares[i] + damping) / done / 2) * blob.data[i] * blob.data[i];
      }
    }
    return new Map(layers.map(({ layer, squares }) => [layer, squares]));
  } finally {
    await test.dispose();
  }
}

/** The source of the layer that feeds the net in training, when there is one. */
function trainingData({ net, level, stages }: TestSource & { net: NetParameter }): string | undefined {
  const layer = layersFor(net, { phase: 'TRAIN', level, stages }).find(({ bottom }) => bottom.length === 0);
  return (layer?.data_param ?? layer?.image_data_param ?? layer?.hdf5_data_param)?.source;
}
