import { atomicWrite } from '../caffe/atomicWrite';
import { blobChunks, readBlob } from '../caffe/readBlob';
import { inspectBlob } from '../jobs/inspect';
import { prune, tryPruning } from '../jobs/prune';
import { restore } from '../jobs/restore';
import { createSample } from '../jobs/sample';
import { sourceShapes } from '../jobs/sourceShapes';
import { digestOf } from '../jobs/digest';
import { existingOutputs, outputPaths } from '../jobs/outputs';
import { readPicture } from '../jobs/picture';
import type { BlobFigures, LayerRow, WorkerJobs } from '../protocol';
import type { JobHandlers } from '../rpc';
import { addToHistogram, createHistogram } from '../sparsity/histogram';
import { encodeNpy } from '../sparsity/npy';
import { pictureLayout } from '../sparsity/pictureLayout';
import { choicesFor, isPrunable } from '../sparsity/recipe';
import { computeJobs } from './computeJobs';
import { blobAt, OpenModels } from './models';

/** Layers, and figures of blobs, that travel in one message. */
const layersPerMessage = 2_000;
/** Bins of the histograms that come with the figures. */
const bins = 512;
/** Figures are sent when there are this many, or after this long, whichever comes first. */
const figuresPerMessage = 64;
const figuresEveryMs = 50;
/** A page has no use for more bins than this. */
const mostBins = 1 << 14;

/** What the worker does: one entry for each job of the table. */
export function workerJobs(models = new OpenModels()): JobHandlers<WorkerJobs> {
  return {
    ...computeJobs(),

    open: ({ path }) =>
      models.using(
        path,
        async function* ({ model }) {
          const { name, kind, size, damage, layers } = model;
          yield { summary: { name, kind, size, damage, layers: layers.length } };
          for (let first = 0; first < layers.length; first += layersPerMessage) {
            const rows = layers.slice(first, first + layersPerMessage).map((layer): LayerRow => ({
              index: layer.index,
              name: layer.name,
              type: layer.type,
              originalType: layer.originalType,
              phase: layer.phase,
              byteOffset: layer.byteOffset,
              blobs: layer.blobs.map((blob) => ({
                index: blob.index,
                shape: blob.shape,
                count: blob.count,
                encoding: blob.encoding,
                byteOffset: blob.byteOffset,
                prunable: isPrunable(layer, blob),
                problem: blob.problem,
              })),
            }));
            yield { layers: rows };
          }
        },
        { again: true },
      ),

    inspect: ({ path, from, to }, { signal }) =>
      models.using(path, async function* ({ source, model }) {
        let batch: BlobFigures[] = [];
        let sent = 0;
        for (const layer of model.layers.slice(from, to)) {
          for (const [blob, description] of layer.blobs.entries()) {
            signal.throwIfAborted();
            const figures = await inspectBlob(source, description, bins, signal);
            batch.push({ layer: layer.index, blob, ...figures });
            if (batch.length < figuresPerMessage && performance.now() - sent < figuresEveryMs) continue;
            yield batch;
            batch = [];
            sent = performance.now();
          }
        }
        if (batch.length > 0) yield batch;
      }),

    histogram: ({ path, min, max, bins, ...place }, { signal }) =>
      models.using(path, async function* (opened) {
        const histogram = createHistogram(min, max, Math.max(1, Math.min(mostBins, Math.trunc(bins))));
        for await (const { chunk } of blobChunks(opened.source, blobAt(opened, place).blob)) {
          signal.throwIfAborted();
          addToHistogram(histogram, chunk);
        }
        yield* [];
        return histogram;
      }),

    picture: ({ path, region, maxRows, maxColumns, ...place }, context) =>
      models.using(path, async function* (opened) {
        const { layer, blob } = blobAt(opened, place);
        yield* [];
        const layout = pictureLayout(layer.type, blob.index, shapeOf(blob));
        return readPicture(opened.source, blob, layout, { region, maxRows, maxColumns }, context);
      }),

    exportNpy: ({ path, target, replace, ...place }, { signal }) =>
      models.using(path, async function* (opened) {
        const { blob } = blobAt(opened, place);
        yield* [];
        const bytes = encodeNpy(await readBlob(opened.source, blob), shapeOf(blob));
        await atomicWrite(target, (file) => file.write(bytes), { signal, replace });
      }),

    choices: ({ path, rule }) =>
      models.using(path, async function* ({ model }) {
        yield* [];
        return choicesFor(model, rule);
      }),

    async *existingOutputs({ path }) {
      yield* [];
      return existingOutputs(outputPaths(path));
    },

    async *digest({ path }, { signal }) {
      yield* [];
      return digestOf(path, signal);
    },

    tryPruning,
    prune,
    restore,
    createSample,
    sourceShapes,
  };
}

/** The shape, or one axis over all values where the shape does not fit them. */
const shapeOf = ({ shape, count }: { shape: number[]; count: number }): number[] =>
  shape.reduce((product, dim) => product * dim, 1) === count ? shape : [count];
