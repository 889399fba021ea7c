import { phrase } from '../phrase';
import { atomicWrite, type AtomicWriteOptions } from './atomicWrite';
import { BlobIndexer } from './blobIndexer';
import type { ByteSource } from './byteSource';
import { CaffeError } from './errors';
import type { Damage, ModelBlob } from './model';
import { readBlob } from './readBlob';
import { WireType } from './wireReader';
import { blobFrame, checkCount, writeFloats, type BlobData } from './wireWriter';

/**
 * Reads a `.binaryproto`: one BlobProto, such as the mean image that `compute_image_mean` writes. The shape is as
 * the file says: num, channels, height, width of old, or any.
 * @throws CaffeError when the file is no BlobProto or is damaged
 */
export async function readBinaryproto(source: ByteSource): Promise<BlobData> {
  const { blob, damage } = await new BinaryprotoIndexer(source).index();
  if (damage.length > 0 || blob.count === 0) {
    throw new CaffeError(
      damage.length > 0
        ? phrase`this is no sound binaryproto: ${damage[0].message}`
        : phrase`the blob is empty`,
      {
        file: source.name,
        byteOffset: damage[0]?.byteOffset ?? 0,
        advice: phrase`Make it again with compute_image_mean`,
      },
    );
  }
  return { shape: blob.shape, data: await readBlob(source, blob) };
}

/** Writes a blob as a `.binaryproto`; errors as of `atomicWrite`. */
export async function writeBinaryproto(
  target: string,
  { shape, data }: BlobData,
  options?: AtomicWriteOptions,
): Promise<void> {
  checkCount(shape, data);
  await atomicWrite(
    target,
    async (file) => {
      const { head, tail } = blobFrame(shape);
      await file.write(head);
      await writeFloats(file, data);
      await file.write(tail);
    },
    options,
  );
}

class BinaryprotoIndexer extends BlobIndexer {
  /** The file as one BlobProto. */
  async index(): Promise<{ blob: ModelBlob; damage: Damage[] }> {
    const { size } = this.source;
    const blobs: ModelBlob[] = [];
    await this.readBlob(
      blobs,
      { number: 0, wireType: WireType.bytes, tagOffset: 0, offset: 0, length: size },
      size,
    );
    return { blob: blobs[0], damage: this.damage };
  }
}
