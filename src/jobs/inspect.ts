import { type ByteSource, memorySource, openFile } from '../caffe/byteSource';
import { blobChunks } from '../caffe/readBlob';
import { type Model, type ModelBlob, openModel } from '../caffe/model';
import { addToHistogram, createHistogram, type Histogram } from '../sparsity/histogram';
import type { TrimmedCounts } from '../sparsity/magnitudeCounts';
import { type Statistics, StatisticsAccumulator } from '../sparsity/statistics';
import type { Job, JobContext, Progress } from './job';

export interface InspectParameters {
  /** The model file, or its bytes and name where it is not on this machine's disk. */
  file: string;
  bytes?: Uint8Array;
  /** Bins of each histogram; 256 when missing. */
  bins?: number;
}

/** What there is to know of one blob without its values. */
export interface BlobInspection {
  /** Position of the layer in the model, and of the blob in the layer. */
  layer: number;
  blob: number;
  statistics: Statistics;
  histogram: Histogram;
  /** For zeros by threshold, see `countAtMost`. */
  magnitudes: TrimmedCounts;
}

export type InspectEvent = Progress & { inspection: BlobInspection };

const defaultBins = 256;

/**
 * Statistics and histograms of all blobs, in net order, with a working set of a few MB whatever the model's size.
 * Blobs whose data do not fit their shape are described by the values that are there.
 */
export async function* inspect(
  { file, bytes, bins = defaultBins }: InspectParameters,
  { signal }: JobContext,
): Job<InspectEvent, Model> {
  const source = bytes ? memorySource(file, bytes) : await openFile(file);
  try {
    const model = await openModel(source);
    const total = model.layers.reduce((sum, { blobs }) => blobs.reduce((n, { count }) => n + count, sum), 0);
    let done = 0;
    for (const layer of model.layers) {
      for (const blob of layer.blobs) {
        signal.throwIfAborted();
        const described = await inspectBlob(source, blob, bins, signal);
        done += blob.count;
        yield {
          fraction: total === 0 ? 1 : done / total,
          message: layer.name,
          inspection: { layer: layer.index, blob: blob.index, ...described },
        };
      }
    }
    return model;
  } finally {
    await source.close();
  }
}

/** Two passes in chunks: the range must be known before values can be counted into bins. */
export async function inspectBlob(
  source: ByteSource,
  blob: ModelBlob,
  bins: number,
  signal: AbortSignal,
): Promise<Omit<BlobInspection, 'layer' | 'blob'>> {
  const accumulator = new StatisticsAccumulator();
  // A blob that fits one chunk is not read twice.
  let only: Float32Array | undefined;
  for await (const { chunk } of blobChunks(source, blob)) {
    signal.throwIfAborted();
    accumulator.add(chunk);
    if (chunk.length === blob.count) only = chunk;
  }
  const statistics = accumulator.result();
  const histogram = createHistogram(statistics.min, statistics.max, bins);
  if (only) {
    addToHistogram(histogram, only);
  } else {
    for await (const { chunk } of blobChunks(source, blob)) {
      signal.throwIfAborted();
      addToHistogram(histogram, chunk);
    }
  }
  return { statistics, histogram, magnitudes: accumulator.magnitudes.trim() };
}
