/** A protobuf encoder for tests, by hand, so that what is tested does not write its own input. */
type Bytes = Uint8Array<ArrayBuffer>;

export function concat(...parts: Uint8Array[]): Bytes {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

export function varint(value: number | bigint): Bytes {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const more = rest > 0x7fn;
    bytes.push(Number(rest & 0x7fn) | (more ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return new Uint8Array(bytes);
}

export const tag = (field: number, wireType: number): Bytes => varint(field * 8 + wireType);
export const number = (field: number, value: number | bigint): Bytes => concat(tag(field, 0), varint(value));
export const bytes = (field: number, ...parts: Uint8Array[]): Bytes => {
  const value = concat(...parts);
  return concat(tag(field, 2), varint(value.length), value);
};
export const text = (field: number, value: string): Bytes => bytes(field, new TextEncoder().encode(value));

const bytesOf = (values: ArrayBufferView): Bytes =>
  new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
export const floats = (values: readonly number[]): Bytes => bytesOf(new Float32Array(values));
export const doubles = (values: readonly number[]): Bytes => bytesOf(new Float64Array(values));
export const halves = (bits: readonly number[]): Bytes => bytesOf(new Uint16Array(bits));

export const packedFloats = (field: number, values: readonly number[]): Bytes => bytes(field, floats(values));
export const unpackedFloats = (field: number, values: readonly number[]): Bytes =>
  concat(...values.map((value) => concat(tag(field, 5), floats([value]))));
export const unpackedDoubles = (field: number, values: readonly number[]): Bytes =>
  concat(...values.map((value) => concat(tag(field, 1), doubles([value]))));
/** A BlobShape in field 7 of a BlobProto. */
export const shape = (...dims: (number | bigint)[]): Bytes => bytes(7, bytes(1, ...dims.map(varint)));
