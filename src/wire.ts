/**
 * Messages between the extension and a page as text. VS Code passes messages on as JSON, in which NaN and infinities
 * become null and, where it cannot tell which extension speaks, typed arrays become objects with a key for each number;
 * here they arrive as they were sent.
 */

const arrayTypes = {
  Float32Array,
  Float64Array,
  Int32Array,
  Uint32Array,
  Uint16Array,
  Uint8Array,
  Uint8ClampedArray,
} as const;
type ArrayName = keyof typeof arrayTypes;

interface EncodedArray {
  $array: ArrayName;
  base64: string;
}
interface EncodedNumber {
  $number: string;
}

/** The message as text. Typed arrays are written with their bytes in base64. */
export const toText = (message: unknown): string => JSON.stringify(message, encode);

function encode(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return { $number: String(value) } satisfies EncodedNumber;
  }
  if (!ArrayBuffer.isView(value)) return value;
  const name = Object.keys(arrayTypes).find((type) => value instanceof arrayTypes[type as ArrayName]);
  if (name === undefined) throw new TypeError('this kind of array is not passed on to pages');
  const base64 = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  return { $array: name as ArrayName, base64 } satisfies EncodedArray;
}

/** The message that {@link toText} wrote. */
export const fromText = (text: string): unknown => JSON.parse(text, decode);

function decode(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('$number' in value) return Number((value as EncodedNumber).$number);
  if (!('$array' in value)) return value;
  const { $array, base64 } = value as EncodedArray;
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return new arrayTypes[$array](bytes.buffer);
}
