/** What a data layer puts into its tops for one pass of the net. */
export interface Batch {
  /** One for each top, in the layer's order: N×C×H×W values, then N labels. */
  tops: { shape: number[]; data: Float32Array }[];
  /** The position of each of the N items in its source. */
  items: number[];
}

/** The data of a data layer, read ahead while the net computes. */
export interface Feed {
  /** The source as the user knows it. */
  readonly name: string;
  /** The shapes of the tops for a whole batch. */
  readonly shapes: readonly (readonly number[])[];
  readonly batchSize: number;
  /** How many items the source has, where that is known without a pass over them. */
  readonly count?: number;
  /** The next batch of an endless run: after the last item comes the first, as in Caffe. */
  next(): Promise<Batch>;
  /** Lets the endless run begin after so many batches, as if they had been asked for; before the first `next`. */
  skip(batches: number): void;
  /** Every item once, in the order of the source; the last batch may be shorter. Each pass draws the same numbers. */
  pass(): AsyncGenerator<Batch, void>;
  close(): Promise<void>;
}

/** What a kind of source has to say; {@link feedOf} makes a feed of it. */
export interface FeedSource {
  name: string;
  shapes: number[][];
  batchSize: number;
  count?: number;
  /** @param passed how many items to pass over, with the random numbers that were drawn for them */
  endless(passed: number): AsyncGenerator<Batch, void>;
  pass(): AsyncGenerator<Batch, void>;
  close(): Promise<void>;
}

/** Batches prepared before they are asked for: one is decoded while the net works on the one before it. */
const AHEAD = 2;

export function feedOf(source: FeedSource): Feed {
  const { name, shapes, batchSize, count } = source;
  let run: AsyncGenerator<Batch, void> | undefined;
  let passed = 0;
  return {
    name,
    shapes,
    batchSize,
    count,
    async next() {
      run ??= readAhead(source.endless(passed), AHEAD);
      const batch = await run.next();
      if (batch.done === true) throw new Error('an endless run of batches has ended');
      return batch.value;
    },
    skip(batches) {
      if (run !== undefined) throw new Error('the run has begun already');
      passed = batches * batchSize;
    },
    pass: () => readAhead(source.pass(), AHEAD),
    async close() {
      await run?.return();
      await source.close();
    },
  };
}

/** The same values, up to `ahead` of them made before they are asked for. */
export async function* readAhead<T>(values: AsyncGenerator<T, void>, ahead: number): AsyncGenerator<T, void> {
  const pending: Promise<IteratorResult<T, void>>[] = [];
  try {
    for (;;) {
      while (pending.length < ahead) {
        const next = values.next();
        // The one who asks for it is told; until then it is nobody's unhandled error.
        next.catch(() => undefined);
        pending.push(next);
      }
      const next = await pending.shift()!;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await values.return();
  }
}
