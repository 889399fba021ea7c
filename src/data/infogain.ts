import { readBinaryproto } from '../caffe/binaryproto';
import { openFile } from '../caffe/byteSource';
import type { LayerParameter } from '../caffe/messages';
import { phrase } from '../phrase';
import { locate } from './locate';

/**
 * Reads the matrices that InfogainLoss layers name as their source (a binaryproto, H[label][class] row by row).
 * @returns the matrix of a layer, by the layer; undefined for one that takes it from its third bottom
 * @throws CaffeError when a file is not found or is no binaryproto
 */
export async function readInfogain(
  layers: readonly LayerParameter[],
  folders: readonly string[],
): Promise<(layer: LayerParameter) => Float32Array | undefined> {
  const matrices = new Map<string, Float32Array>();
  for (const { type, bottom, infogain_loss_param: { source } = {} } of layers) {
    if (type !== 'InfogainLoss' || bottom.length > 2 || source === undefined || matrices.has(source))
      continue;
    const file = await openFile(await locate(source, folders, phrase`the infogain matrix`));
    try {
      matrices.set(source, (await readBinaryproto(file)).data);
    } finally {
      await file.close();
    }
  }
  return ({ infogain_loss_param }) => matrices.get(infogain_loss_param?.source ?? '');
}
