import { CaffeError } from '../caffe/errors';
import { Random } from '../caffe/random';
import type { Net } from '../network/net';
import { phrase } from '../phrase';
import { weightGeometry, type WeightGeometry } from '../sparsity/geometry';
import { zeroAtOrBelow } from '../sparsity/scan';
import { pruneBlob } from '../sparsity/selection';

const PRUNABLE = /^C?(Convolution|InnerProduct)$|^(Deconvolution|Embed|LSTM|RNN)$/;

/** A layer whose weights (blob 0) can be pruned. */
export interface PrunableLayer {
  layer: string;
  /** Number of weights. */
  weights: number;
  /** Number of its outputs: filters or units. */
  outputs: number;
}

export function prunableLayers(net: Net): PrunableLayer[] {
  return net
    .weights()
    .filter(({ type, blobs }) => PRUNABLE.test(type) && blobs[0].data.length > 1)
    .map(({ name, blobs: [{ shape, data }] }) => ({ layer: name, weights: data.length, outputs: shape[0] }));
}

/** Prunes the weights of one layer of a net in memory, to one keep ratio after the other, and restores them. */
export class LayerPruner {
  /** The layer's own array, which the net computes with. */
  private readonly live: Float32Array;
  private readonly original: Float32Array;
  private readonly geometry: WeightGeometry;
  /** What each keep ratio came to: found once, used for every batch. */
  private readonly known = new Map<number, { threshold: number; kept: number }>();

  /** @param saliency ranks the weights instead of their magnitude */
  constructor(
    net: Net,
    layer: string,
    private readonly saliency?: Float32Array,
  ) {
    const [{ data, shape }] = net.paramsOf(layer);
    this.live = data;
    this.original = data.slice();
    this.geometry = weightGeometry(net.layers.find(({ name }) => name === layer)!.type, shape);
    if (saliency !== undefined && saliency.length !== data.length) {
      throw new CaffeError(phrase`There are ${saliency.length} saliencies for ${data.length} weights`, {
        layer,
      });
    }
  }

  /**
   * Prunes the layer from its original weights, as the prune job does with a keep ratio.
   *
   * @returns the number of weights kept
   */
  prune(keep: number): number {
    const { live, original, saliency } = this;
    live.set(original);
    const known = this.known.get(keep);
    if (known !== undefined) {
      zeroAtOrBelow(live, known.threshold, saliency ?? original);
      return known.kept;
    }
    const context = { geometry: this.geometry, std: NaN, random: new Random(0), saliency };
    const { threshold = -1, zeros } = pruneBlob(live, { method: 'keep', keep }, context);
    const kept = live.length - zeros;
    this.known.set(keep, { threshold, kept });
    return kept;
  }

  restore(): void {
    this.live.set(this.original);
  }
}
