import type { Encoding } from './model';

/** Bytes of one stored value. */
export const bytesPerValue: Record<Encoding, number> = { float: 4, double: 8, half: 2, int32: 4, uint32: 4 };

const scratch = new DataView(new ArrayBuffer(4));

/** IEEE 754 half precision, given as its 16 bits, as a number. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The 16 bits of the half-precision number nearest to the float `value`, ties to even. */
export function floatToHalf(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rebased = magnitude - 0x38000000;
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  // Subnormal halves are multiples of 2^-24; adding 0.5 makes the float unit round to such a multiple.
  scratch.setUint32(0, magnitude);
  scratch.setFloat32(0, scratch.getFloat32(0) + 0.5);
  return sign | (scratch.getUint32(0) - 0x3f000000);
}

/** Reads the value at `offset`, in Caffe's own number type: a float. */
export const decodeValue: Record<Encoding, (view: DataView, offset: number) => number> = {
  float: (view, offset) => view.getFloat32(offset, true),
  double: (view, offset) => view.getFloat64(offset, true),
  half: (view, offset) => halfToFloat(view.getUint16(offset, true)),
  int32: (view, offset) => view.getInt32(offset, true),
  uint32: (view, offset) => view.getUint32(offset, true),
};

/** Writes `value` at `offset` as the encoding has it. */
export const encodeValue: Record<Encoding, (view: DataView, offset: number, value: number) => void> = {
  float: (view, offset, value) => view.setFloat32(offset, value, true),
  double: (view, offset, value) => view.setFloat64(offset, value, true),
  half: (view, offset, value) => view.setUint16(offset, floatToHalf(value), true),
  int32: (view, offset, value) => view.setInt32(offset, value, true),
  uint32: (view, offset, value) => view.setUint32(offset, value, true),
};
