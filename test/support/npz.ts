import { unzipSync } from 'fflate';

/** An array of a NumPy file. */
export interface NpyArray {
  shape: number[];
  data: Float32Array;
}

/** Reads a .npy file of little-endian numbers in C order; the values come as float32. */
export function readNpy(bytes: Uint8Array): NpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6] > 1;
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const type = /'descr': '([^']+)'/.exec(header)?.[1] ?? '';
  if (!header.includes("'fortran_order': False")) throw new Error(`not in C order: ${header}`);
  const shape = [...(/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '').matchAll(/\d+/g)].map(Number);
  const body = Uint8Array.from(bytes.subarray(start + length)).buffer;
  const values =
    type === '<f4'
      ? new Float32Array(body)
      : type === '<f8'
        ? Float32Array.from(new Float64Array(body))
        : type === '<i4'
          ? Float32Array.from(new Int32Array(body))
          : type === '<i8'
            ? Float32Array.from(new BigInt64Array(body), Number)
            : undefined;
  if (values === undefined) throw new Error(`unknown type ${type}`);
  return { shape, data: values };
}

/** Reads all arrays of a .npz file. */
export function readNpz(bytes: Uint8Array): Map<string, NpyArray> {
  return new Map(
    Object.entries(unzipSync(bytes)).map(([name, file]) => [name.replace(/\.npy$/, ''), readNpy(file)]),
  );
}
