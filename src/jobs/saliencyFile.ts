import { atomicWrite } from '../caffe/atomicWrite';
import { openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { phrase, type Phrase } from '../phrase';
import { Npz, NpzWriter } from '../sparsity/npz';
import type { Saliency } from './saliency';

/** Writes saliencies as an .npz: an array for each layer, by its name. */
export async function writeSaliency(
  target: string,
  saliency: Saliency,
  options: { replace: boolean; signal: AbortSignal },
): Promise<void> {
  await atomicWrite(
    target,
    async (file) => {
      const npz = new NpzWriter(file);
      for (const [layer, values] of saliency) await npz.add(layer, values);
      await npz.finish();
    },
    options,
  );
}

/** An opened file of saliencies. */
export interface SaliencyFile {
  /**
   * The saliencies of a layer's weights (blob 0).
   * @throws CaffeError when the file has none for it, or another number than it has weights
   */
  of(layer: string, count: number): Promise<Float32Array>;
  close(): Promise<void>;
}

export async function openSaliency(path: string): Promise<SaliencyFile> {
  const source = await openFile(path);
  try {
    const npz = await Npz.open(source);
    return {
      async of(layer, count) {
        const fail = (what: Phrase) =>
          new CaffeError(what, {
            file: path,
            layer,
            advice: phrase`Measure the saliency of this model, or leave the layer out`,
          });
        if (!npz.has(layer)) throw fail(phrase`there are no saliencies for the layer`);
        const { array } = await npz.read(layer, 8 * count);
        if (!(array instanceof Float32Array) || array.length !== count) {
          throw fail(phrase`there are ${array.length} saliencies for ${count} weights`);
        }
        return array;
      },
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}
