import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';

/** The array types that an npz of ours holds. */
export type NpyArray = Float32Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

const descriptors: readonly (readonly [string, { new (buffer: ArrayBuffer): NpyArray }])[] = [
  ['<f4', Float32Array],
  ['<i4', Int32Array],
  ['<u4', Uint32Array],
  ['<u2', Uint16Array],
  ['|u1', Uint8Array],
];

/**
 * The header of an .npy file, version 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html):
 * magic, version, length and a Python literal, padded so that the data begin at a multiple of 64 bytes.
 */
export function npyHeader(array: NpyArray, shape: readonly number[]): Uint8Array {
  const descriptor = descriptors.find(([, type]) => array instanceof type)![0];
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const literal = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': (${dims}), }`;
  const length = Math.ceil((10 + literal.length + 1) / 64) * 64;
  const header = new Uint8Array(length).fill(0x20);
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, (length - 10) & 0xff, (length - 10) >> 8]);
  header.set(new TextEncoder().encode(literal), 10);
  header[length - 1] = 0x0a;
  return header;
}

/** The bytes of an array, little-endian, without a copy. */
export const bytesOfArray = (array: NpyArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** A whole .npy file. */
export function encodeNpy(array: NpyArray, shape: readonly number[]): Uint8Array {
  const header = npyHeader(array, shape);
  const bytes = new Uint8Array(header.length + array.byteLength);
  bytes.set(header);
  bytes.set(bytesOfArray(array), header.length);
  return bytes;
}

/**
 * Reads an .npy file of versions 1 to 3. Double and 64-bit integer arrays are converted (to Float32Array and
 * Int32Array), since numpy writes them unasked.
 * @throws CaffeError when it is no .npy file, of another type, or shorter than its shape says
 */
export function decodeNpy(bytes: Uint8Array): { shape: number[]; array: NpyArray } {
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte))
    throw new CaffeError(phrase`this is no .npy array`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [headerStart, headerLength] =
    bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const start = headerStart + headerLength;
  const literal = new TextDecoder('latin1').decode(bytes.subarray(headerStart, start));
  const descriptor = /'descr':\s*'([^']*)'/.exec(literal)?.[1];
  const dims = /'shape':\s*\(([^)]*)\)/.exec(literal)?.[1];
  if (descriptor === undefined || dims === undefined || start > bytes.length) {
    throw new CaffeError(phrase`the .npy header cannot be read`);
  }
  if (/'fortran_order':\s*True/.test(literal)) throw new CaffeError(phrase`the array is in Fortran order`);
  const shape = [...dims.matchAll(/\d+/g)].map(Number);
  const count = shape.reduce((product, dim) => product * dim, 1);
  const itemBytes = Number(descriptor.slice(2));
  if (!(count * itemBytes <= bytes.length - start)) {
    throw new CaffeError(
      phrase`the shape (${dims}) needs ${count * itemBytes} bytes and ${bytes.length - start} are there`,
    );
  }
  // A copy: the data must be aligned, and the file's bytes are not kept alive by it.
  const buffer = new Uint8Array(bytes.subarray(start, start + count * itemBytes)).buffer;
  const known = descriptors.find(([name]) => name === descriptor || `<${name.slice(1)}` === descriptor);
  if (known) return { shape, array: new known[1](buffer) };
  if (descriptor === '<f8') return { shape, array: Float32Array.from(new Float64Array(buffer)) };
  if (descriptor === '<i8') return { shape, array: Int32Array.from(new BigInt64Array(buffer), Number) };
  throw new CaffeError(phrase`arrays of the type ${descriptor} are not known here`);
}
