import { CaffeError } from '../caffe/errors';
import type { Net } from '../network/net';

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
  private readonly ranking: Float32Array;
  private readonly descending: Float32Array;

  /** @param saliency ranks the weights instead of their magnitude */
  constructor(net: Net, layer: string, saliency?: Float32Array) {
    this.live = net.paramsOf(layer)[0].data;
    this.original = this.live.slice();
    this.ranking = saliency ?? this.original.map(Math.abs);
    if (this.ranking.length !== this.original.length) {
      throw new CaffeError(
        `There are ${this.ranking.length} saliencies for ${this.original.length} weights`,
        { layer },
      );
    }
    this.descending = this.ranking.toSorted().reverse();
  }

  /**
   * Prunes the layer: kept are the weights that rank above the one at position int((n-1) keep) of the descending order;
   * a keep ratio of 1 leaves it whole.
   *
   * @returns the number of weights kept
   */
  prune(keep: number): number {
    const { live, original, ranking, descending } = this;
    if (keep >= 1) {
      live.set(original);
      return live.length;
    }
    const threshold = descending[Math.floor((descending.length - 1) * keep)];
    let kept = 0;
    for (let i = 0; i < live.length; i++) {
      const stays = ranking[i] > threshold;
      live[i] = stays ? original[i] : 0;
      if (stays) kept++;
    }
    return kept;
  }

  restore(): void {
    this.live.set(this.original);
  }
}
