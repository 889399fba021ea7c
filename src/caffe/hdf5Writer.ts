import type { OutputFile } from './atomicWrite';
import { MessageType, signature } from './hdf5';
import { checkCount, concatBytes, writeFloats } from './wireWriter';

/** A group of named members. */
export type Hdf5Tree = ReadonlyMap<string, Hdf5Tree | Hdf5Leaf>;

/** A dataset to write. */
export interface Hdf5Leaf {
  shape: readonly number[];
  /** The body of its datatype message. */
  type: Uint8Array;
  write(file: OutputFile): Promise<void>;
}

const encoder = new TextEncoder();

/** A whole number of `size` bytes, little-endian. */
function uint(size: number, value: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0, rest = value; i < size; i++, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
  return bytes;
}
const nowhere = new Uint8Array(8).fill(0xff);

/** Little-endian IEEE floats: 32 bits, of them 8 of exponent at bit 23 and 23 of mantissa at bit 0, bias 127. */
const floatType = concatBytes(
  ...[Uint8Array.of(0x11, 0x20, 31, 0), uint(4, 4), uint(2, 0), uint(2, 32)],
  ...[Uint8Array.of(23, 8, 0, 23), uint(4, 127)],
);
/** Little-endian whole numbers with a sign: 32 bits. */
const intType = concatBytes(Uint8Array.of(0x10, 0x08, 0, 0), uint(4, 4), uint(2, 0), uint(2, 32));
/** Text that a zero byte ends. */
const textType = (length: number) => concatBytes(Uint8Array.of(0x13, 0, 0, 0), uint(4, length));

/** @param values makes them at the moment they are written, so that one dataset at a time is in memory */
export const floats = (shape: readonly number[], values: () => Promise<Float32Array>): Hdf5Leaf => ({
  shape,
  type: floatType,
  async write(file) {
    const data = await values();
    checkCount(shape, data);
    await writeFloats(file, data);
  },
});

export const integer = (value: number): Hdf5Leaf => ({
  shape: [1],
  type: intType,
  write: (file) => file.write(uint(4, value)),
});

export function text(value: string): Hdf5Leaf {
  const bytes = concatBytes(encoder.encode(value), new Uint8Array(1));
  return { shape: [], type: textType(bytes.length), write: (file) => file.write(bytes) };
}

/**
 * Writes an HDF5 file after the "HDF5 File Format Specification, version 3.0", such that every HDF5 library since 1.8
 * reads it: superblock 0, object headers 1, links in the headers of their groups, contiguous data. Members keep their
 * order. The file must be empty.
 */
export async function writeHdf5(file: OutputFile, root: Hdf5Tree): Promise<void> {
  // What is in a group is written before it; where the root is, and the end, is known last.
  await file.write(superblock(0, 0));
  const rootHeader = await writeGroup(file, root);
  await file.writeAt(superblock(rootHeader, file.position), 0);
}

function superblock(rootHeader: number, end: number): Uint8Array {
  return concatBytes(
    Uint8Array.of(...signature, 0, 0, 0, 0, 0, 8, 8, 0),
    // How much the nodes of symbol tables hold, as the library has it; there are none here. No flags.
    ...[uint(2, 4), uint(2, 16), uint(4, 0)],
    ...[uint(8, 0), nowhere, uint(8, end), nowhere],
    // The entry of the root: no name, its header, nothing cached.
    ...[uint(8, 0), uint(8, rootHeader), new Uint8Array(24)],
  );
}

/** A message of an object header. */
interface Message {
  type: number;
  body: Uint8Array;
}

/** Writes what is in a group, then the group; returns where its header is. */
async function writeGroup(file: OutputFile, group: Hdf5Tree): Promise<number> {
  // Links are in no heap and no tree; their order is not tracked.
  const messages: Message[] = [
    { type: MessageType.linkInfo, body: concatBytes(Uint8Array.of(0, 0), nowhere, nowhere) },
  ];
  for (const [name, member] of group) {
    const header = await ('write' in member ? writeDataset(file, member) : writeGroup(file, member));
    const bytes = encoder.encode(name);
    messages.push({
      type: MessageType.link,
      // Version 1; the length of the name takes two bytes.
      body: concatBytes(Uint8Array.of(1, 1), uint(2, bytes.length), bytes, uint(8, header)),
    });
  }
  return writeHeader(file, messages);
}

async function writeDataset(file: OutputFile, { shape, type, write }: Hdf5Leaf): Promise<number> {
  const start = file.position;
  await write(file);
  const length = file.position - start;
  await align(file);
  const contiguous = Uint8Array.of(3, 1);
  return writeHeader(file, [
    {
      type: MessageType.dataspace,
      body: concatBytes(
        Uint8Array.of(1, shape.length, 0, 0, 0, 0, 0, 0),
        ...shape.map((length) => uint(8, length)),
      ),
    },
    { type: MessageType.datatype, body: type },
    {
      type: MessageType.layout,
      body: concatBytes(contiguous, length > 0 ? uint(8, start) : nowhere, uint(8, length)),
    },
  ]);
}

async function writeHeader(file: OutputFile, messages: readonly Message[]): Promise<number> {
  // Type, length, no flags; the bodies are filled up to multiples of eight.
  const parts = messages.map(({ type, body }) => {
    const padded = Math.ceil(body.length / 8) * 8;
    return concatBytes(
      ...[uint(2, type), uint(2, padded), uint(4, 0), body],
      new Uint8Array(padded - body.length),
    );
  });
  const start = file.position;
  const body = concatBytes(...parts);
  // Version 1, number of messages, one link to it, their length.
  await file.write(
    concatBytes(uint(2, 1), uint(2, messages.length), uint(4, 1), uint(4, body.length), uint(4, 0), body),
  );
  return start;
}

/** Headers begin at multiples of eight. */
async function align(file: OutputFile): Promise<void> {
  await file.write(new Uint8Array(-file.position & 7));
}
