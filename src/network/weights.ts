import type { ByteSource } from '../caffe/byteSource';
import type { LayerParameter } from '../caffe/messages';
import type { ModelBlob, ModelLayer } from '../caffe/model';
import { blobChunks } from '../caffe/readBlob';
import { phrase } from '../phrase';
import type { Blob } from './layer';
import { refuse, shapesDiffer, shapeText, type Shape } from './shape';

/** The types of Dynamic Network Surgery, whose blobs are followed by as many masks. */
const surgery = /^C(Convolution|InnerProduct)$/;

/** `Blob::ShapeEquals`: the same shape, or the same but for the ones in front that the 4-D format of old wrote. */
function fits(stored: Shape, wanted: Shape): boolean {
  if (stored.length !== 4 || wanted.length > 4) return !shapesDiffer(stored, wanted);
  return !shapesDiffer(stored, [...new Array<number>(4 - wanted.length).fill(1), ...wanted]);
}

/**
 * Copies the weights of a layer of a model into a layer of a net, chunk by chunk.
 * - A model of Dynamic Network Surgery gives an ordinary layer its masked weights; an ordinary model leaves the
 *   masks of such a layer as they are.
 * - HDF5 models leave out the blobs that a layer shares with another (`isShared`).
 * @throws CaffeError when the number or the shapes of the blobs do not fit
 */
export async function copyWeights(
  source: ByteSource,
  stored: ModelLayer,
  layer: LayerParameter,
  params: readonly Blob[],
  isShared: (blob: Blob) => boolean,
): Promise<void> {
  const hasMasks =
    surgery.test(stored.type) && !surgery.test(layer.type) && stored.blobs.length === 2 * params.length;
  const blobs = stored.blobs.filter(({ index }) => !hasMasks || index < params.length);
  const needed = surgery.test(layer.type) ? params.slice(0, params.length / 2) : params;
  const missing = needed.filter((blob, i) => !blobs.some(({ index }) => index === i) && !isShared(blob));
  refuse(
    layer,
    missing.length > 0 || blobs.some(({ index }) => index >= params.length),
    phrase`the model has ${stored.blobs.length} blobs for this layer, the net ${params.length}`,
    phrase`Check bias_term, or rename the layer in the prototxt to learn it from scratch`,
  );
  for (const blob of blobs) {
    const { data, shape } = params[blob.index];
    const what = phrase`blob ${blob.index}`;
    refuse(
      layer,
      blob.problem !== undefined,
      phrase`${what} of the model cannot be used: ${blob.problem ?? ''}`,
    );
    refuse(
      layer,
      !fits(blob.shape, shape),
      phrase`${what} is ${shapeText(blob.shape)} in the model and ${shapeText(shape)} in the net`,
      phrase`To learn the layer from scratch, rename it in the prototxt`,
    );
    await eachChunk(source, blob, (start, chunk) => data.set(chunk, start));
    const mask = hasMasks ? stored.blobs[params.length + blob.index] : undefined;
    if (mask === undefined) continue;
    refuse(
      layer,
      mask.count !== data.length,
      phrase`the mask of ${what} has ${mask.count} values, not ${data.length}`,
    );
    await eachChunk(source, mask, (start, chunk) => {
      for (let i = 0; i < chunk.length; i++) data[start + i] *= chunk[i];
    });
  }
}

async function eachChunk(
  source: ByteSource,
  blob: ModelBlob,
  visit: (start: number, chunk: Float32Array) => void,
): Promise<void> {
  for await (const { start, chunk } of blobChunks(source, blob)) visit(start, chunk);
}
