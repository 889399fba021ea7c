import { CaffeError, reasonOf } from '../caffe/errors';
import type { Model } from '../caffe/model';
import { phrase, type Phrase } from '../phrase';
import { packBits, unpackBits } from './bits';
import { type Codebook, mostCodeBits } from './codebook';
import { compressedBytes, decodeCompressed, encodeCompressed, matrixShape } from './compressedRows';
import type { Npz } from './npz';
import { type NpzWriter } from './npz';
import type { NpyArray } from './npy';
import type { EncodingSizes, SparseEncoding } from './recipe';
import {
  bestIndexWidth,
  decodeRelativeIndex,
  entriesOf,
  packGaps,
  indexWidths,
  type IndexWidth,
  relativeIndexBytes,
  RelativeIndexEncoder,
  unpackGaps,
} from './relativeIndex';
import { countRuns } from './scan';
import { encodeShared, huffmanCodedBytes, sharedBytes, type SharedWeights } from './sharedWeights';

/** The array that says what the others mean: JSON in UTF-8. Its name can be no layer's, which end in _W, _b or _blobN. */
const manifestName = 'caffe_pruner';

/** Caffe counts the values of a blob in an int. */
const mostValues = 2 ** 31 - 1;
/** Caffe's limit, kMaxBlobAxes. */
const mostAxes = 32;
/** Bytes that a manifest takes at most: that of a hundred layers takes some ten thousand. */
const longestManifest = 1 << 26;

/** What the .npz tells besides the values: enough to make a model of them. */
export interface Manifest {
  format: 'caffe-pruner sparse';
  version: 1;
  name: string;
  layers: ManifestLayer[];
}

export interface ManifestLayer {
  name: string;
  type: string;
  bottoms: string[];
  tops: string[];
  blobs: ManifestBlob[];
}

export interface ManifestBlob {
  /** Name of the arrays: `<key>` for dense values, `<key>_indx` and so on beside it for sparse ones. */
  key: string;
  encoding: 'dense' | SparseEncoding | 'shared';
  shape: number[];
  /** Bits of a gap, for `relative` and `shared`. */
  width?: IndexWidth;
  /** Bits of an index into the codebook, for `shared`. */
  bits?: number;
}

/**
 * A manifest with a key for each blob of the model: `<layer>_W` for the first, `<layer>_b` for the second,
 * `<layer>_blob2` and so on; names that two layers share are told apart by `#` and the position of the later layer.
 */
export function manifestFor(model: Model): Manifest {
  const taken = new Set<string>();
  return {
    format: 'caffe-pruner sparse',
    version: 1,
    name: model.name,
    layers: model.layers.map((layer) => ({
      name: layer.name,
      type: layer.type,
      bottoms: layer.bottoms,
      tops: layer.tops,
      blobs: layer.blobs.map((blob) => {
        const part = ['W', 'b'][blob.index] ?? `blob${blob.index}`;
        let key = `${layer.name}_${part}`;
        if (taken.has(key)) key = `${layer.name}#${layer.index}_${part}`;
        taken.add(key);
        return { key, encoding: 'dense' as const, shape: blob.shape };
      }),
    })),
  };
}

/** What there is to say of a blob's sparse forms. */
export interface Measurement {
  bytes: EncodingSizes;
  /** Bits of a gap in the relative index. */
  width: IndexWidth;
  /** Entries of the relative index, fillers included. */
  entries: number;
  nonZero: number;
  /** The sparse form with shared weights, where the values are shared. */
  shared?: SharedWeights;
}

/**
 * Measures how many bytes a blob takes in each encoding.
 * @param width bits of a gap; those of least bytes when left out
 * @param codebook the values that the weights share, and the bits of an index, where they share some
 */
export function measure(
  values: Float32Array,
  shape: readonly number[],
  { width: wanted, codebook }: { width?: IndexWidth; codebook?: Codebook } = {},
): Measurement {
  const runs = countRuns(values);
  const entries = entriesOf(runs);
  const width = wanted ?? bestIndexWidth(entries, codebook?.bits);
  const [rows, columns] = matrixShape(shape);
  const shared = codebook && encodeShared(values, codebook, width, entries[width]);
  return {
    width,
    entries: entries[width],
    nonZero: runs.nonZero,
    shared,
    bytes: {
      dense: 4 * values.length,
      relative: relativeIndexBytes(entries[width], width),
      csr: compressedBytes(runs.stored, rows),
      csc: compressedBytes(runs.stored, columns),
      ...(shared ? { shared: sharedBytes(shared), huffman: huffmanCodedBytes(shared) } : {}),
    },
  };
}

/** Adds one blob's arrays to the file and notes in the manifest how it is encoded. */
export async function writeSparseBlob(
  npz: NpzWriter,
  entry: ManifestBlob,
  values: Float32Array,
  encoding: 'dense' | SparseEncoding,
  { width, entries, shared }: Measurement,
): Promise<void> {
  const { key, shape } = entry;
  entry.encoding = encoding;
  if (encoding === 'dense') {
    await npz.add(key, values, shape);
    return;
  }
  if (shared) {
    entry.encoding = 'shared';
    entry.width = width;
    entry.bits = shared.bits;
    await npz.add(`${key}_codebook`, shared.codebook);
    await npz.add(`${key}_codes`, packBits(shared.codes, shared.bits));
    await npz.add(`${key}_bits`, Uint8Array.of(shared.bits), []);
    await npz.add(`${key}_indx`, packGaps(shared.gaps, width));
    await npz.add(`${key}_width`, Uint8Array.of(width), []);
    await npz.add(`${key}_entries`, Uint32Array.of(shared.codes.length), []);
  } else if (encoding === 'relative') {
    entry.width = width;
    const encoder = new RelativeIndexEncoder(values, width, entries);
    await npz.addParts(key, values, [encoder.count], encoder.values());
    await npz.add(`${key}_indx`, encoder.packedGaps());
    await npz.add(`${key}_width`, Uint8Array.of(width), []);
  } else {
    const order = encoding === 'csr' ? 'rows' : 'columns';
    const matrix = matrixShape(shape);
    const { data, indices, indptr } = encodeCompressed(values, matrix, order);
    await npz.add(`${key}_data`, data);
    await npz.add(`${key}_indices`, indices);
    await npz.add(`${key}_indptr`, indptr);
    // That of the matrix, as scipy takes it; the blob's own is in the manifest.
    await npz.add(`${key}_shape`, Int32Array.from(matrix));
    return;
  }
  await npz.add(`${key}_shape`, Int32Array.from(shape));
}

export async function writeManifest(npz: NpzWriter, manifest: Manifest): Promise<void> {
  await npz.add(manifestName, new TextEncoder().encode(JSON.stringify(manifest)));
}

/** @throws CaffeError when the .npz is none of ours */
export async function readManifest(npz: Npz, file: string): Promise<Manifest> {
  const refuse = (what: Phrase, cause?: unknown) =>
    new CaffeError(what, { file, cause, advice: phrase`Choose an .npz file that pruning wrote` });
  if (!npz.has(manifestName)) throw refuse(phrase`this .npz holds no sparse model of Caffe Pruner`);
  const { array } = await npz.read(manifestName, longestManifest);
  let manifest: unknown;
  try {
    manifest = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(array));
  } catch (cause) {
    throw refuse(phrase`the manifest of the .npz is damaged`, cause);
  }
  const { format, version, name, layers } = fieldsOf(manifest);
  if (format !== 'caffe-pruner sparse' || version !== 1) {
    throw refuse(phrase`the manifest of the .npz is of a kind that is not known here`);
  }
  if (typeof name !== 'string' || !Array.isArray(layers)) {
    throw refuse(phrase`the manifest of the .npz has no net and layers`);
  }
  layers.forEach((layer: unknown, index) => {
    const problem = problemOfLayer(layer);
    if (problem !== undefined)
      throw refuse(phrase`the manifest of the .npz is damaged: layer ${index} ${problem}`);
  });
  return manifest as Manifest;
}

/** The fields of what may be an object. */
const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const isTexts = (value: unknown) => Array.isArray(value) && value.every((text) => typeof text === 'string');

/** What keeps a value from being a {@link ManifestLayer}, or undefined. */
function problemOfLayer(layer: unknown): Phrase | undefined {
  const { name, type, bottoms, tops, blobs } = fieldsOf(layer);
  if (typeof name !== 'string' || typeof type !== 'string') return phrase`has no name and type`;
  if (!isTexts(bottoms) || !isTexts(tops)) return phrase`("${name}") has no bottoms and tops`;
  if (!Array.isArray(blobs)) return phrase`("${name}") has no blobs`;
  const problem = blobs.map(problemOfBlob).find((found) => found !== undefined);
  return problem && phrase`("${name}") has a blob ${problem}`;
}

/** What keeps a value from being a {@link ManifestBlob}, or undefined. */
function problemOfBlob(blob: unknown): Phrase | undefined {
  const { key, encoding, shape, width, bits } = fieldsOf(blob);
  if (typeof key !== 'string') return phrase`without a key`;
  if (
    !Array.isArray(shape) ||
    shape.length > mostAxes ||
    !shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0)
  ) {
    return phrase`"${key}" whose shape is none`;
  }
  const count = shape.reduce((product: number, dim: number) => product * dim, 1);
  if (count > mostValues) return phrase`"${key}" with more values than a blob can have`;
  if (typeof encoding !== 'string' || !['dense', 'relative', 'csr', 'csc', 'shared'].includes(encoding)) {
    return phrase`"${key}" in an encoding that is not known here`;
  }
  const isRelative = encoding === 'relative' || encoding === 'shared';
  if (isRelative && !indexWidths.includes(width as IndexWidth))
    return phrase`"${key}" with gaps of ${String(width)} bits`;
  if (
    encoding === 'shared' &&
    !(Number.isInteger(bits) && Number(bits) >= 1 && Number(bits) <= mostCodeBits)
  ) {
    return phrase`"${key}" with codes of ${String(bits)} bits`;
  }
  return undefined;
}

/**
 * The values of a blob of a manifest that was read.
 * @throws CaffeError naming the array that does not fit
 */
export async function readSparseBlob(
  npz: Npz,
  { key, encoding, shape, width, bits }: ManifestBlob,
  file: string,
): Promise<Float32Array> {
  const count = shape.reduce((product, dim) => product * dim, 1);
  // Of every array: an entry for each value, as numpy's widest numbers, or a codebook.
  const mostBytes = 8 * Math.max(count + 1, 2 ** mostCodeBits);
  const array = async (suffix = '') => (await npz.read(`${key}${suffix}`, mostBytes)).array;
  const typed = <T extends NpyArray>(value: NpyArray, type: new (length: number) => T): T => {
    if (!(value instanceof type)) throw new CaffeError(phrase`the array is of the wrong type`);
    return value;
  };
  const gaps = async (entries: number) => {
    const packed = typed<Uint8Array | Uint16Array>(
      await array('_indx'),
      width === 16 ? Uint16Array : Uint8Array,
    );
    return unpackGaps(packed, width!, entries);
  };
  try {
    let values: Float32Array;
    if (encoding === 'dense') {
      values = typed(await array(), Float32Array);
    } else if (encoding === 'relative') {
      const entries = typed(await array(), Float32Array);
      values = decodeRelativeIndex({ length: count, values: entries, gaps: await gaps(entries.length) });
    } else if (encoding === 'shared') {
      const [length = 0] = typed(await array('_entries'), Uint32Array);
      const codebook = typed(await array('_codebook'), Float32Array);
      const codes = unpackBits(typed(await array('_codes'), Uint8Array), bits!, length);
      const entries = new Float32Array(length);
      for (let i = 0; i < length; i++) {
        if (codes[i] >= codebook.length)
          throw new CaffeError(phrase`code ${codes[i]} is not in the codebook`);
        entries[i] = codebook[codes[i]];
      }
      values = decodeRelativeIndex({ length: count, values: entries, gaps: await gaps(length) });
    } else {
      values = decodeCompressed(
        {
          shape: matrixShape(shape),
          data: typed(await array('_data'), Float32Array),
          indices: typed(await array('_indices'), Int32Array),
          indptr: typed(await array('_indptr'), Int32Array),
        },
        encoding === 'csr' ? 'rows' : 'columns',
      );
    }
    if (values.length !== count)
      throw new CaffeError(phrase`${values.length} values do not fill the shape ${shape.join('×')}`);
    return values;
  } catch (cause) {
    if (cause instanceof CaffeError && cause.file !== undefined) throw cause;
    throw new CaffeError(phrase`the blob "${key}" cannot be restored: ${reasonOf(cause)}`, {
      file,
      cause,
    });
  }
}
