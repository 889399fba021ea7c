import type { Net } from '../network/net';
import type { Scores } from './scores';
import type { TestBatch } from './testNet';

/** An item that the net gets wrong. */
export interface WrongItem {
  /** Position in the data. */
  item: number;
  label: number;
  /** The class with the highest score. */
  predicted: number;
}

/** What a net achieves on its data. */
export interface Evaluation {
  /** Number of items it was measured on. */
  items: number;
  /** The net's loss, each of its losses by its weight; the mean over the items. Only of a net that has one. */
  loss?: number;
  /** The mean over the items of each output of the net that is a single number, by the name of its blob. */
  outputs: Record<string, number>;
  /** Fraction of items whose class has the highest score. */
  top1?: number;
  /** Fraction of items whose class is among the five highest, where there are more than five. */
  top5?: number;
  /** `confusion[label][predicted]`: number of items. */
  confusion?: number[][];
  /** The first {@link MAX_WRONG} items that are wrong. */
  wrong: WrongItem[];
  seconds: number;
}

/** More wrong items than these are counted, but not listed. */
export const MAX_WRONG = 10_000;

/** A confusion matrix of more classes than these is not kept. */
const MAX_CONFUSION_CLASSES = 1000;

/** Adds up what a net says of one batch after the other. */
export class Tally {
  items = 0;
  private lossSum = 0;
  private judged = 0;
  private top1 = 0;
  private top5 = 0;
  private readonly sums = new Map<string, number>();
  private readonly confusion: number[][] | undefined;
  private readonly wrong: WrongItem[] = [];

  constructor(
    private readonly net: Net,
    private readonly scores: Scores | undefined,
  ) {
    const classes = scores?.classes ?? Infinity;
    if (classes <= MAX_CONFUSION_CLASSES) {
      this.confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    }
  }

  /**
   * Takes the outputs of a forward pass into account.
   *
   * @param loss what the pass returned
   * @returns false when a value is not a finite number; nothing is added then
   */
  add({ items, labels }: TestBatch, loss: number): boolean {
    const outputs = this.net.outputs
      .map((name) => [name, this.net.blob(name).data] as const)
      .filter(([, data]) => data.length === 1);
    if (!Number.isFinite(loss) || outputs.some(([, [value]]) => !Number.isFinite(value))) return false;
    if (this.scores !== undefined && labels !== undefined && !this.judge(this.scores, items, labels))
      return false;
    const n = items.length;
    this.items += n;
    this.lossSum += loss * n;
    for (const [name, [value]] of outputs) this.sums.set(name, (this.sums.get(name) ?? 0) + value * n);
    return true;
  }

  /** What was added up so far. */
  result(seconds: number): Evaluation {
    const { items, judged } = this;
    const hasLoss = this.net.layers.some(
      ({ type, loss_weight }) => /Loss$/.test(type) || loss_weight.some((w) => w !== 0),
    );
    return {
      items,
      ...(hasLoss && items > 0 ? { loss: this.lossSum / items } : {}),
      outputs: Object.fromEntries([...this.sums].map(([name, sum]) => [name, sum / items])),
      ...(judged > 0
        ? { top1: this.top1 / judged, top5: this.top5 / judged, confusion: this.confusion }
        : {}),
      wrong: this.wrong,
      seconds,
    };
  }

  /**
   * Compares scores and labels. As in Caffe's Accuracy layer, a class that ties with the right one counts as better.
   */
  private judge(
    { blob, classes, ignoreLabel }: Scores,
    items: readonly number[],
    labels: Float32Array,
  ): boolean {
    const { data } = this.net.blob(blob);
    for (let i = 0; i < items.length * classes; i++) if (Number.isNaN(data[i])) return false;
    for (const [n, item] of items.entries()) {
      const label = labels[n];
      if (label === ignoreLabel) continue;
      const first = n * classes;
      const right = data[first + label];
      let better = 0;
      let best = label;
      for (let c = 0; c < classes; c++) {
        if (c === label || !(data[first + c] >= right)) continue;
        better++;
        if (best === label || data[first + c] > data[first + best]) best = c;
      }
      this.judged++;
      if (better < 5) this.top5++;
      if (better === 0) this.top1++;
      else if (this.wrong.length < MAX_WRONG) this.wrong.push({ item, label, predicted: best });
      if (this.confusion?.[label] !== undefined) this.confusion[label][best]++;
    }
    return true;
  }
}
