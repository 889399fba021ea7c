import { phrase } from '../phrase';
import type { ByteSource } from './byteSource';
import { bytesPerValue } from './encoding';
import { CaffeError } from './errors';
import { Hdf5File, type Hdf5Dataset, type Hdf5Group, type Hdf5Type } from './hdf5';
import type { Damage, Encoding, Model, ModelBlob, ModelLayer } from './model';

const mostLayers = 100_000;
const deepestGroup = 8;
const mostDamage = 100;

/**
 * Indexes a `.caffemodel.h5` as `Net::ToHDF5` of Caffe writes it: a group `data` with one group for each layer
 * (in alphabetical order: the HDF5 library keeps no other; `writeModel` keeps the net's), which holds the datasets `0`,
 * `1`, ... A blob shared with an earlier layer is not written a second time. Types, bottoms and tops are not in such a file.
 */
export async function indexHdf5Model(source: ByteSource): Promise<Model> {
  const file = await Hdf5File.open(source);
  const root = await file.root();
  const data = await file.child(root, 'data');
  if (data?.kind !== 'group') {
    throw new CaffeError(phrase`this HDF5 file is no Caffe model: it has no group "data"`, {
      file: source.name,
      byteOffset: root.byteOffset,
      advice: root.links.has('history') ? phrase`It looks like a solver state` : undefined,
    });
  }
  const diff = await file.child(root, 'diff');
  const layers: ModelLayer[] = [];
  const damage: Damage[] = [];
  await readLayers(file, data, diff?.kind === 'group' ? diff : undefined, '', 0, layers, damage);
  if (layers.length === 0) {
    throw new CaffeError(phrase`this model holds no layer`, {
      file: source.name,
      byteOffset: data.byteOffset,
    });
  }
  return { kind: 'HDF5', name: '', size: source.size, layers, damage };
}

/** Reads the layers in `group`; a layer named "a/b" is the group b in the group a. */
async function readLayers(
  file: Hdf5File,
  group: Hdf5Group,
  diffGroup: Hdf5Group | undefined,
  prefix: string,
  depth: number,
  layers: ModelLayer[],
  damage: Damage[],
): Promise<void> {
  for (const [link, byteOffset] of group.links) {
    const name = prefix + link;
    if (layers.length === mostLayers) {
      report(damage, { message: phrase`the file claims more than ${mostLayers} layers`, byteOffset });
      return;
    }
    try {
      const member = await file.object(byteOffset);
      if (member.kind !== 'group') continue;
      const layer: ModelLayer = {
        index: layers.length,
        name,
        type: '',
        originalType: '',
        bottoms: [],
        tops: [],
        blobs: [],
        byteOffset,
        byteLength: 0,
      };
      layers.push(layer);
      const diff = diffGroup && (await file.child(diffGroup, link));
      const diffLayer = diff?.kind === 'group' ? diff : undefined;
      await readBlobs(file, member, diffLayer, layer, damage);
      if (depth < deepestGroup) {
        await readLayers(file, member, diffLayer, `${name}/`, depth + 1, layers, damage);
      }
    } catch (error) {
      if (!(error instanceof CaffeError)) throw error;
      report(damage, { message: error.what, layer: name, byteOffset: error.byteOffset ?? byteOffset });
    }
  }
}

async function readBlobs(
  file: Hdf5File,
  group: Hdf5Group,
  diffGroup: Hdf5Group | undefined,
  layer: ModelLayer,
  damage: Damage[],
): Promise<void> {
  const indices = [...group.links.keys()].filter((name) => /^\d+$/.test(name)).map(Number);
  for (const index of indices.sort((a, b) => a - b)) {
    const dataset = await file.child(group, `${index}`);
    if (dataset?.kind !== 'dataset') continue;
    const diff = diffGroup && (await file.child(diffGroup, `${index}`));
    const blob = toBlob(index, dataset, diff?.kind === 'dataset' ? product(diff.shape) : 0);
    layer.blobs.push(blob);
    if (blob.problem) {
      report(damage, {
        message: phrase`blob ${index}: ${blob.problem}`,
        layer: layer.name,
        byteOffset: blob.byteOffset,
      });
    }
  }
}

/** The blob that a dataset holds, whether in a model or in a solver state. */
export function toBlob(index: number, dataset: Hdf5Dataset, diffCount = 0): ModelBlob {
  const { shape, type, layout, byteOffset } = dataset;
  const encoding = encodingOf(type);
  const stored = layout.kind === 'contiguous' ? Math.floor(layout.length / type.size) : product(shape);
  const blob: ModelBlob = {
    index,
    shape,
    count: encoding ? stored : 0,
    encoding: encoding ?? 'float',
    segments: [],
    diffCount,
    byteOffset,
  };
  if (!encoding) {
    blob.problem = phrase`its values are of a type that Caffe does not write (${type.size} bytes, ${type.class})`;
  } else if (product(shape) !== stored) {
    blob.problem = phrase`the shape ${shape.join('x')} needs ${product(shape)} values, but ${stored} are stored`;
  } else if (layout.kind === 'chunked') {
    blob.chunked = dataset;
  }
  if (encoding && layout.kind === 'contiguous' && stored > 0) {
    blob.segments = [{ offset: layout.offset, count: stored, stride: bytesPerValue[encoding] }];
  }
  return blob;
}

function encodingOf({ class: typeClass, size, littleEndian, signed }: Hdf5Type): Encoding | undefined {
  if (!littleEndian) return undefined;
  if (typeClass === 'float') return ({ 2: 'half', 4: 'float', 8: 'double' } as const)[size];
  if (typeClass === 'integer' && size === 4) return signed ? 'int32' : 'uint32';
  return undefined;
}

function report(damage: Damage[], entry: Damage): void {
  if (damage.length < mostDamage) damage.push(entry);
}

const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
