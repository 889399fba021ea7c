import { CaffeError } from '../caffe/errors';
import type { Net } from '../network/net';
import { phrase } from '../phrase';
import type { Scores } from './scores';
import type { TestBatch } from './testNet';

/** What a net said of some items, added up. */
export interface Sums {
  /** Items seen. */
  items: number;
  /** The net's loss, each of its losses by its weight, times the items of its batch. */
  loss: number;
  /** Items that were compared with their label. */
  judged: number;
  /** Of these, those whose class has the highest score. */
  top1: number;
  /** Of these, those whose class is among the five highest. */
  top5: number;
}

export const noSums = (): Sums => ({ items: 0, loss: 0, judged: 0, top1: 0, top5: 0 });

/** What the net makes of an item with a label. `predicted` is the class with the highest score. */
export type Judgement = (item: number, label: number, predicted: number) => void;

/**
 * Adds what the last forward pass gave to the sums.
 *
 * As in Caffe's Accuracy layer, a class that ties with the right one counts as better.
 *
 * @param loss what the pass returned
 * @returns false when a value is not a finite number; nothing is added then
 * @throws CaffeError for a label that is no class of the net
 */
export function addBatch(
  sums: Sums,
  net: Net,
  scores: Scores | undefined,
  { items, labels }: TestBatch,
  loss: number,
  judgement?: Judgement,
): boolean {
  if (!Number.isFinite(loss)) return false;
  if (scores !== undefined && labels !== undefined) {
    const { blob, classes, ignoreLabel } = scores;
    const { data } = net.blob(blob);
    for (let i = 0; i < items.length * classes; i++) if (Number.isNaN(data[i])) return false;
    for (const [n, item] of items.entries()) {
      const label = labels[n];
      if (label === ignoreLabel) continue;
      if (!(label >= 0 && label < classes)) {
        throw new CaffeError(
          phrase`Item ${item} has the label ${label}, but the net has ${classes} classes`,
          {
            advice: phrase`Choose the data that belong to the net`,
          },
        );
      }
      const first = n * classes;
      const right = data[first + label];
      let better = 0;
      let best = label;
      for (let c = 0; c < classes; c++) {
        if (c === label || !(data[first + c] >= right)) continue;
        better++;
        if (best === label || data[first + c] > data[first + best]) best = c;
      }
      sums.judged++;
      if (better === 0) sums.top1++;
      if (better < 5) sums.top5++;
      judgement?.(item, label, best);
    }
  }
  sums.items += items.length;
  sums.loss += loss * items.length;
  return true;
}

/** The fraction of the judged items that are right; undefined when none was judged. */
export const accuracyOf = ({ judged, top1 }: Sums): number | undefined =>
  judged > 0 ? top1 / judged : undefined;

/** The mean loss over the items; 0 for a net without a loss. */
export const lossOf = ({ items, loss }: Sums): number => (items > 0 ? loss / items : 0);
