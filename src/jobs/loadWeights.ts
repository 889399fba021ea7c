import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { openModel, requireSound } from '../caffe/model';
import type { Net } from '../network/net';
import { phrase } from '../phrase';
import { restore } from './restore';

/**
 * Puts the weights of a model file, or of a sparse `.npz` file, into a net.
 * @returns the net's layers for which the file has no weights: they keep what their fillers gave
 * @throws CaffeError when the file cannot be read or is damaged, its weights do not fit, or it has none for the net
 */
export async function loadWeights(net: Net, path: string, signal: AbortSignal): Promise<string[]> {
  if (/\.npz$/i.test(path)) return loadSparse(net, path, signal);
  const source = await openFile(path);
  try {
    const model = await openModel(source);
    requireSound(model, path, phrase`A damaged model is not run; get it anew`);
    const loaded = new Set(await net.loadWeights(source, model));
    const missing = net.weights().flatMap(({ name }) => (loaded.has(name) ? [] : [name]));
    if (loaded.size === 0) {
      throw new CaffeError(phrase`The model has weights for none of the layers of the net`, {
        file: path,
        advice: phrase`The net's layers are ${missing.join(', ')}`,
      });
    }
    return missing;
  } finally {
    await source.close();
  }
}

async function loadSparse(net: Net, file: string, signal: AbortSignal): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'caffe-pruner-'));
  try {
    const target = join(folder, 'restored.caffemodel');
    const job = restore({ file, target, replace: false }, { signal });
    while ((await job.next()).done !== true);
    return await loadWeights(net, target, signal);
  } finally {
    await rm(folder, { recursive: true });
  }
}
