import { basename } from 'node:path';
import { atomicWriteAll } from '../caffe/atomicWrite';
import type { ByteSource } from '../caffe/byteSource';
import type { Model, ModelBlob, ModelLayer } from '../caffe/model';
import { loadBlob } from '../caffe/readBlob';
import { PatchedWriter } from '../caffe/writePatched';
import { textOf, type Phrase } from '../phrase';
import { NpzWriter } from '../sparsity/npz';
import type { Codebook } from '../sparsity/codebook';
import {
  type BlobFigures,
  type EncodingSizes,
  type Plan,
  type Recipe,
  serializeRecipe,
  type Totals,
} from '../sparsity/recipe';
import type { IndexWidth } from '../sparsity/relativeIndex';
import { MagnitudeCounts } from '../sparsity/magnitudeCounts';
import { borrowFloats, countZeros, returnFloats } from '../sparsity/scan';
import { manifestFor, measure, writeManifest, writeSparseBlob } from '../sparsity/sparseFile';
import { version } from '../../package.json';
import type { OutputPaths } from './outputs';
import type { Report } from './report';

/** What becomes of a blob. */
export interface BlobChange {
  /** True for a pruned blob: it is encoded sparsely, and the recipe tells of it. */
  pruned: boolean;
  /** Bits of a gap in the relative index; when left out, those of least bytes. */
  index?: IndexWidth;
  /** Changes the values in place; of what they were, the magnitudes are counted. */
  apply(values: Float32Array, magnitudes: MagnitudeCounts): BlobOutcome | Promise<BlobOutcome>;
}

export interface BlobOutcome {
  threshold?: number;
  warnings?: Phrase[];
  /** The values that the weights share now. */
  codebook?: Codebook;
}

export interface WritePrunedOptions {
  source: ByteSource;
  model: Model;
  outputs: OutputPaths;
  replace: boolean;
  signal: AbortSignal;
  report: Report;
  plan: Plan;
  /** SHA-256 of the source, which is asked for last; when that fails, nothing is written. */
  sha256: () => Promise<string>;
  /** The change of a blob; undefined leaves it as it is. Asked for each blob once, in net order. */
  changeOf(layer: ModelLayer, blob: ModelBlob): BlobChange | undefined;
  /** What is to be warned of before what pruning warns of. */
  warnings?: Phrase[];
  /** What the recipe tells besides. */
  extra?: Record<string, unknown>;
}

/**
 * Writes the three outputs: the model's bytes with changed weights, the sparse weights and the recipe. Each blob is
 * read once, and one is in memory at a time. The outputs get their names only when all of them are whole.
 */
export async function writePruned({
  source,
  model,
  outputs,
  plan,
  sha256,
  changeOf,
  report,
  warnings: given = [],
  extra,
  ...options
}: WritePrunedOptions): Promise<{ recipe: Recipe; warnings: Phrase[] }> {
  const manifest = manifestFor(model);
  const figures: BlobFigures[] = [];
  const warnings = [...given];
  const totals: Totals = {
    count: 0,
    zerosBefore: 0,
    zerosAfter: 0,
    bytes: { dense: 0, relative: 0, csr: 0, csc: 0, shared: 0, huffman: 0 },
  };

  // All blobs one after the other take the same memory: to get it anew takes as long as to read the file.
  const memory = borrowFloats(largest(model));

  async function writeBlob(layer: ModelLayer, blob: ModelBlob, dense: PatchedWriter, npz: NpzWriter) {
    const magnitudes = new MagnitudeCounts();
    const values = memory.subarray(0, blob.count);
    await loadBlob(source, blob, values, (part) => magnitudes.add(part));
    // Zeros are in the first bucket.
    const zerosBefore = magnitudes.first > 0 ? 0 : countZeros(values);
    const change = changeOf(layer, blob);
    const outcome = await change?.apply(values, magnitudes);
    warnings.push(...(outcome?.warnings ?? []));
    // From here on the system is busy with one file while the bytes of the other are made.
    const patched = change && dense.write({ blob, values });
    // Who fails is waited for at the end.
    patched?.catch(() => undefined);
    try {
      const codebook = outcome?.codebook;
      const measured = measure(values, blob.shape, { width: change?.index, codebook });
      const { bytes, width } = measured;
      const zerosAfter = values.length - measured.nonZero;
      if (change?.pruned) {
        figures.push({
          layer: layer.name,
          type: layer.type,
          blob: blob.index,
          shape: blob.shape,
          count: values.length,
          zerosBefore,
          zerosAfter,
          threshold: outcome?.threshold,
          indexWidth: width,
          sharedValues: codebook?.values.length,
          bytes,
        });
      }
      addTo(totals, values.length, zerosBefore, zerosAfter, change?.pruned ? bytes : undefined);
      const entry = manifest.layers[layer.index].blobs[blob.index];
      await writeSparseBlob(npz, entry, values, change?.pruned ? plan.encoding : 'dense', measured);
    } finally {
      await patched;
    }
  }

  try {
    return await atomicWriteAll(
      [outputs.dense, outputs.sparse, outputs.recipe],
      async ([denseFile, sparseFile, recipeFile]) => {
        const npz = new NpzWriter(sparseFile);
        let current = '';
        const dense = new PatchedWriter(source, denseFile, (fraction) => report(fraction, current));
        for (const layer of model.layers) {
          current = layer.name;
          for (const blob of layer.blobs) {
            options.signal.throwIfAborted();
            await writeBlob(layer, blob, dense, npz);
          }
        }
        await dense.finish();
        denseFile.flush();
        await writeManifest(npz, manifest);
        await npz.finish();
        sparseFile.flush();
        if (!figures.some(({ sharedValues }) => sharedValues !== undefined)) {
          delete totals.bytes.shared;
          delete totals.bytes.huffman;
        }
        const recipe: Recipe = {
          format: 'caffe-pruner recipe',
          version: 1,
          writtenBy: `caffe-pruner ${version}`,
          input: { file: basename(source.name), bytes: source.size, sha256: await sha256() },
          ...plan,
          outputs: { dense: basename(outputs.dense), sparse: basename(outputs.sparse) },
          totals,
          warnings: warnings.map((warning) => textOf(warning)),
          blobs: figures,
          ...extra,
        };
        await recipeFile.write(new TextEncoder().encode(serializeRecipe(recipe)));
        // The digest is that of what lies at the path: of what was read only if no other file came there.
        await source.verify();
        return { recipe, warnings };
      },
      options,
    );
  } finally {
    returnFloats(memory);
  }
}

/** Values of the largest blob. */
const largest = ({ layers }: Model): number =>
  layers.reduce((most, { blobs }) => blobs.reduce((count, blob) => Math.max(count, blob.count), most), 0);

/** Blobs that are not pruned count as dense in every encoding, as the .npz holds them. */
function addTo(
  totals: Totals,
  count: number,
  zerosBefore: number,
  zerosAfter: number,
  bytes: Totals['bytes'] = { dense: 4 * count, relative: 4 * count, csr: 4 * count, csc: 4 * count },
): void {
  totals.count += count;
  totals.zerosBefore += zerosBefore;
  totals.zerosAfter += zerosAfter;
  // Where weights are not shared, the relative index is what stands in.
  const { relative, shared = relative, huffman = relative } = bytes;
  for (const [encoding, size] of Object.entries({ ...bytes, shared, huffman })) {
    totals.bytes[encoding as keyof EncodingSizes]! += size;
  }
}
