import { type ByteSource, memorySource, openFile } from '../caffe/byteSource';
import { blobChunks, chunkFloats, loadBlob } from '../caffe/readBlob';
import { type Model, type ModelBlob, openModel } from '../caffe/model';
import { addToHistogram, createHistogram, type Histogram } from '../sparsity/histogram';
import type { TrimmedCounts } from '../sparsity/magnitudeCounts';
import { borrowFloats, returnFloats } from '../sparsity/scan';
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

/** Values that are held at once: a larger blob is read twice, as the range must be known before values are counted. */
const heldValues = 4 * chunkFloats;

export async function inspectBlob(
  source: ByteSource,
  blob: ModelBlob,
  bins: number,
  signal: AbortSignal,
): Promise<Omit<BlobInspection, 'layer' | 'blob'>> {
  const accumulator = new StatisticsAccumulator();
  const describe = (values: Float32Array) => {
    signal.throwIfAborted();
    accumulator.add(values);
  };
  const memory = borrowFloats(heldValues);
  try {
    let all: Float32Array | undefined;
    if (blob.count <= heldValues) {
      all = memory.subarray(0, blob.count);
      await loadBlob(source, blob, all, describe);
    } else {
      for await (const { chunk } of blobChunks(source, blob, memory)) {
        describe(chunk);
        if (chunk.length === blob.count) all = chunk;
      }
    }
    const statistics = accumulator.result();
    const histogram = createHistogram(statistics.min, statistics.max, bins);
    if (all) {
      addToHistogram(histogram, all);
    } else {
      for await (const { chunk } of blobChunks(source, blob, memory)) {
        signal.throwIfAborted();
        addToHistogram(histogram, chunk);
      }
    }
    return { statistics, histogram, magnitudes: accumulator.magnitudes.trim() };
  } finally {
    returnFloats(memory);
  }
}
