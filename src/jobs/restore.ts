import { openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { type ModelBlob, openModel } from '../caffe/model';
import { writeModel } from '../caffe/writeModel';
import { type Patch, writePatched } from '../caffe/writePatched';
import { phrase } from '../phrase';
import { Npz } from '../sparsity/npz';
import { type Manifest, type ManifestBlob, readManifest, readSparseBlob } from '../sparsity/sparseFile';
import type { Job, JobContext, Progress } from './job';
import { reporting } from './report';

export interface RestoreParameters {
  /** The .npz that pruning wrote. */
  file: string;
  /** Where the dense model goes. */
  target: string;
  /** The model that was pruned: its bytes are kept but for the weights. Without it a model is made of the .npz alone. */
  original?: string;
  replace: boolean;
}

export interface RestoreResult {
  target: string;
  blobs: number;
}

/**
 * Turns sparse weights back into a dense model, bit for bit: into a copy of the original model, which gives the very
 * file that pruning wrote, or into a new one with the layers that have blobs.
 * @throws CaffeError when the .npz is damaged or does not fit the original
 */
export async function* restore(
  { file, target, original, replace }: RestoreParameters,
  { signal }: JobContext,
): Job<Progress, RestoreResult> {
  const source = await openFile(file);
  try {
    const npz = await Npz.open(source);
    const manifest = await readManifest(npz, file);
    const blobs = manifest.layers.reduce((sum, layer) => sum + layer.blobs.length, 0);
    yield* reporting(async (report) => {
      const onProgress = (fraction: number) => report(fraction, '');
      const read = (entry: ManifestBlob) => {
        signal.throwIfAborted();
        return readSparseBlob(npz, entry, file);
      };
      if (original === undefined) {
        checkSize(manifest, file);
        await writeModel(
          target,
          {
            name: manifest.name,
            layers: manifest.layers.map((layer) => ({
              ...layer,
              blobs: layer.blobs.map((entry) => ({ shape: entry.shape, data: () => read(entry) })),
            })),
          },
          { signal, replace, onProgress },
        );
      } else {
        await intoOriginal(original, target, manifest, read, { signal, replace, onProgress });
      }
    });
    return { target, blobs };
  } finally {
    await source.close();
  }
}

/** Protobuf's limit, which Caffe's reader has too; a small .npz of nothing but zeros may claim any size. */
const largestModel = 2 ** 31;

function checkSize({ layers }: Manifest, file: string): void {
  const shapes = layers.flatMap(({ blobs }) => blobs.map(({ shape }) => shape));
  const bytes = shapes.reduce((sum, shape) => sum + shape.reduce((product, dim) => product * dim, 4), 0);
  if (bytes < largestModel) return;
  throw new CaffeError(
    phrase`the model would have ${bytes} bytes, and a .caffemodel cannot have 2 GiB or more`,
    {
      file,
      advice: phrase`Restore it into the model that was pruned`,
    },
  );
}

async function intoOriginal(
  original: string,
  target: string,
  manifest: Manifest,
  read: (entry: ManifestBlob) => Promise<Float32Array>,
  options: { signal: AbortSignal; replace: boolean; onProgress: (fraction: number) => void },
): Promise<void> {
  const source = await openFile(original);
  try {
    const model = await openModel(source);
    const pairs: [ModelBlob, ManifestBlob][] = [];
    const place = { file: original, advice: phrase`Choose the model that was pruned, or restore without it` };
    manifest.layers.forEach((layer, index) => {
      const there = model.layers[index];
      if (there?.name !== layer.name || there.blobs.length !== layer.blobs.length) {
        throw new CaffeError(phrase`the model has no layer like this at position ${index}`, {
          ...place,
          layer: layer.name,
        });
      }
      layer.blobs.forEach((entry, position) => {
        const blob = there.blobs[position];
        if (blob.shape.join() !== entry.shape.join()) {
          throw new CaffeError(
            phrase`blob ${position} is ${blob.shape.join('×')} in the model and ${entry.shape.join('×')} in the .npz`,
            { ...place, layer: layer.name },
          );
        }
        pairs.push([blob, entry]);
      });
    });
    const patches = async function* (): AsyncGenerator<Patch> {
      for (const [blob, entry] of pairs) yield { blob, values: await read(entry) };
    };
    await writePatched(source, target, patches(), options);
  } finally {
    await source.close();
  }
}
