import type { ByteSource } from './byteSource';
import { CaffeError } from './errors';
import { v0LayerType, v1LayerType } from './layerTypes';
import type { Damage, Encoding, Model, ModelBlob, ModelKind, ModelLayer, Segment } from './model';
import { bytesPerValue } from './encoding';
import { WireReader, WireType, type Field } from './wireReader';

/** More than any net has; a file that claims more is hostile, and its index would fill the memory. */
const mostLayers = 100_000;
const mostEntries = 1_000_000;
const longestText = 1 << 16;
const mostText = 1 << 24;
const mostDamage = 100;
/** `kMaxBlobAxes` of Caffe's blob.hpp. */
const mostAxes = 32;

/** Field numbers of caffe.proto, for each format a layer can be written in. */
interface LayerFields {
  name: number;
  type: number;
  bottom?: number;
  top?: number;
  blobs: number;
  phase?: number;
  include?: number;
  /** The layer nested in this one: V0's, in a V1 connection. */
  nested?: number;
}
const v2Fields: LayerFields = { name: 1, type: 2, bottom: 3, top: 4, blobs: 7, phase: 10, include: 8 };
const v1Fields: LayerFields = { bottom: 2, top: 3, name: 4, type: 5, blobs: 6, include: 32, nested: 1 };
const v0Fields: LayerFields = { name: 1, type: 2, blobs: 50 };

/** Fields of BlobProto that hold values; 10 to 13 are NVIDIA's fork (`raw_data_type`, `raw_data`, `raw_diff`). */
const blobField = {
  num: 1,
  channels: 2,
  height: 3,
  width: 4,
  data: 5,
  diff: 6,
  shape: 7,
  doubleData: 8,
  doubleDiff: 9,
  rawDataType: 10,
  rawData: 12,
  rawDiff: 13,
} as const;
const rawEncodings: readonly Encoding[] = ['double', 'float', 'half', 'int32', 'uint32'];

/** Indexes a protobuf model of any version; see `openModel`. */
export async function indexCaffemodel(source: ByteSource): Promise<Model> {
  const index = await new Indexer(source).index();
  const credible = index.layers.some((layer) => isText(layer.name) && (layer.type || layer.blobs.length > 0));
  if (!credible) throw await refusal(source, index.damage[0]);
  return index;
}

class Indexer {
  private readonly reader: WireReader;
  private readonly layers: ModelLayer[] = [];
  private readonly damage: Damage[] = [];
  private entries = 0;
  private text = 0;
  private kind: ModelKind = 'V2';
  private layer: ModelLayer | undefined;
  /** The last thing found wrong, to be told of the blob it was found in. */
  private fault: string | undefined;

  constructor(private readonly source: ByteSource) {
    this.reader = new WireReader(source);
  }

  async index(): Promise<Model> {
    const { reader, source } = this;
    let name = '';
    try {
      for (let field; (field = await reader.next(source.size));) {
        if (field.number === 1 && field.wireType === WireType.bytes) {
          name = await this.readText(field, source.size);
        } else if ((field.number === 100 || field.number === 2) && field.wireType === WireType.bytes) {
          await this.readTopLayer(field, field.number === 100 ? v2Fields : v1Fields);
        } else {
          await reader.skip(field, source.size);
        }
      }
    } catch (error) {
      this.note(error);
    }
    return { kind: this.kind, name, size: source.size, layers: this.layers, damage: this.damage };
  }

  private async readTopLayer(field: Field, fields: LayerFields): Promise<void> {
    if (this.layers.length === mostLayers) {
      throw this.reader.error(`the file claims more than ${mostLayers} layers`, field.tagOffset);
    }
    if (this.layers.length === 0) this.kind = fields === v2Fields ? 'V2' : 'V1';
    const end = this.clamp(field, this.source.size, 'layer');
    const layer: ModelLayer = {
      index: this.layers.length,
      name: '',
      type: '',
      originalType: '',
      bottoms: [],
      tops: [],
      blobs: [],
      byteOffset: field.tagOffset,
      byteLength: end - field.tagOffset,
    };
    this.layers.push(layer);
    this.layer = layer;
    try {
      await this.readLayer(layer, fields, end);
    } catch (error) {
      this.note(error);
    }
    if (fields === v1Fields && layer.originalType === '') {
      // V1's type defaults to NONE; a connection whose layer is nested has the type of that one.
      layer.originalType = 'NONE';
    }
    this.layer = undefined;
    this.reader.position = end;
  }

  private async readLayer(layer: ModelLayer, fields: LayerFields, end: number): Promise<void> {
    const { reader } = this;
    for (let field; (field = await reader.next(end));) {
      const { number, wireType } = field;
      if (wireType === WireType.bytes && number === fields.name) {
        layer.name = await this.readText(field, end);
      } else if (wireType === WireType.bytes && number === fields.type) {
        layer.originalType = await this.readText(field, end);
        layer.type = fields === v0Fields ? v0LayerType(layer.originalType) : layer.originalType;
      } else if (wireType === WireType.varint && number === fields.type) {
        const { original, type } = v1LayerType(await reader.readInt64(end));
        layer.originalType = original;
        layer.type = type;
      } else if (wireType === WireType.bytes && number === fields.bottom) {
        layer.bottoms.push(await this.readEntry(field, end));
      } else if (wireType === WireType.bytes && number === fields.top) {
        layer.tops.push(await this.readEntry(field, end));
      } else if (wireType === WireType.varint && number === fields.phase) {
        layer.phase ??= phaseOf(await reader.readInt64(end));
      } else if (wireType === WireType.bytes && number === fields.include) {
        const inner = this.clamp(field, end, 'rule');
        layer.phase = (await this.readRulePhase(inner)) ?? layer.phase;
        reader.position = inner;
      } else if (wireType === WireType.bytes && number === fields.blobs) {
        this.count(field);
        await this.readBlob(layer, field, end);
      } else if (wireType === WireType.bytes && number === fields.nested) {
        this.kind = 'V0';
        const inner = this.clamp(field, end, 'layer');
        await this.readLayer(layer, v0Fields, inner);
        reader.position = inner;
      } else {
        await reader.skip(field, end);
      }
    }
  }

  /** `NetStateRule.phase` of a layer's `include`. */
  private async readRulePhase(end: number): Promise<ModelLayer['phase']> {
    let phase: ModelLayer['phase'];
    for (let field; (field = await this.reader.next(end));) {
      if (field.number === 1 && field.wireType === WireType.varint) {
        phase = phaseOf(await this.reader.readInt64(end));
      } else {
        await this.reader.skip(field, end);
      }
    }
    return phase;
  }

  private async readBlob(layer: ModelLayer, blobAt: Field, layerEnd: number): Promise<void> {
    this.fault = undefined;
    const end = this.clamp(blobAt, layerEnd, 'blob');
    const parts = new BlobParts();
    const blob: ModelBlob = {
      index: layer.blobs.length,
      shape: [],
      count: 0,
      encoding: 'float',
      segments: [],
      diffCount: 0,
      byteOffset: blobAt.tagOffset,
    };
    layer.blobs.push(blob);
    try {
      await this.readBlobFields(parts, end);
    } catch (error) {
      this.note(error);
    }
    Object.assign(blob, parts.finish());
    if (this.fault) {
      blob.problem = this.fault;
    } else if (blob.problem) {
      this.addDamage({
        message: `blob ${blob.index}: ${blob.problem}`,
        layer: layer.name,
        byteOffset: blob.byteOffset,
      });
    }
    this.reader.position = end;
  }

  private async readBlobFields(parts: BlobParts, end: number): Promise<void> {
    const { reader } = this;
    for (let field; (field = await reader.next(end));) {
      const { number, wireType } = field;
      if (wireType === WireType.varint && number <= blobField.width) {
        parts.legacyShape ??= [0, 0, 0, 0];
        parts.legacyShape[number - 1] = await reader.readInt64(end);
      } else if (wireType === WireType.varint && number === blobField.rawDataType) {
        parts.rawType = await reader.readInt64(end);
      } else if (wireType === WireType.bytes && number === blobField.shape) {
        const inner = this.clamp(field, end, 'shape');
        await this.readShape(parts, inner);
        reader.position = inner;
      } else if (number === blobField.data) {
        await this.readValues(parts.floats, 'float', field, end);
      } else if (number === blobField.doubleData) {
        await this.readValues(parts.doubles, 'double', field, end);
      } else if (number === blobField.diff || number === blobField.doubleDiff) {
        const size = number === blobField.diff ? 4 : 8;
        const runs: Segment[] = [];
        await this.readValues(runs, size === 4 ? 'float' : 'double', field, end);
        parts.diffCount += countOf(runs);
      } else if (wireType === WireType.bytes && number === blobField.rawData) {
        // A later occurrence of a single field replaces the earlier one.
        parts.raw = { offset: field.offset, length: this.clamp(field, end, 'raw_data') - field.offset };
        reader.position = field.offset + parts.raw.length;
      } else {
        if (wireType === WireType.bytes && number === blobField.rawDiff) parts.rawDiffLength = field.length;
        await reader.skip(field, end);
      }
    }
  }

  /** Notes packed or unpacked values and moves past them. Values of another wire type are unknown fields. */
  private async readValues(
    into: Segment[],
    encoding: 'float' | 'double',
    field: Field,
    end: number,
  ): Promise<void> {
    const size = bytesPerValue[encoding];
    if (field.wireType === WireType.bytes) {
      this.count(field);
      const stop = this.clamp(field, end, 'data');
      const length = stop - field.offset;
      if (stop === field.offset + field.length && length % size !== 0) {
        throw this.reader.error(`${length} bytes of data are no whole number of values`, field.tagOffset);
      }
      if (length >= size) into.push({ offset: field.offset, count: Math.floor(length / size), stride: size });
      this.reader.position = stop;
    } else if (field.wireType === (size === 4 ? WireType.fixed32 : WireType.fixed64)) {
      this.count(field);
      const count = await this.reader.skipRun(field, end);
      into.push({ offset: field.offset, count, stride: field.offset - field.tagOffset + size });
    } else {
      await this.reader.skip(field, end);
    }
  }

  private async readShape(parts: BlobParts, end: number): Promise<void> {
    const { reader } = this;
    const shape = (parts.shape ??= []);
    const add = (dim: number, at: number) => {
      if (shape.length === mostAxes) throw reader.error(`a shape has more than ${mostAxes} axes`, at);
      shape.push(dim);
    };
    for (let field; (field = await reader.next(end));) {
      if (field.number === 1 && field.wireType === WireType.bytes) {
        const stop = this.clamp(field, end, 'shape');
        while (reader.position < stop) add(await reader.readInt64(stop), field.tagOffset);
      } else if (field.number === 1 && field.wireType === WireType.varint) {
        add(await reader.readInt64(end), field.tagOffset);
      } else {
        await reader.skip(field, end);
      }
    }
  }

  private async readText(field: Field, end: number): Promise<string> {
    const bytes = await this.reader.readBytes(field, end, longestText);
    this.text += bytes.length;
    if (this.text > mostText) throw this.reader.error('the names in the file are too long', field.tagOffset);
    return decoder.decode(bytes);
  }

  private readEntry(field: Field, end: number): Promise<string> {
    this.count(field);
    return this.readText(field, end);
  }

  /** The end of a value; where its length lies, that is noted and the value ends where its container does. */
  private clamp(field: Field, end: number, what: string): number {
    const stop = field.offset + field.length;
    if (stop <= end) return stop;
    this.addDamage({
      message:
        end === this.source.size
          ? `the ${what} is ${field.length} bytes long, but the file ends after ${end - field.offset} of them`
          : `the ${what} is ${field.length} bytes long, but what it lies in has only ${end - field.offset} left`,
      layer: this.layer?.name,
      byteOffset: field.tagOffset,
    });
    return end;
  }

  private count(field: Field): void {
    if (++this.entries > mostEntries) {
      throw this.reader.error(`the file claims more than ${mostEntries} blobs and names`, field.tagOffset);
    }
  }

  /** Records what is wrong with the file; anything but that is not for here. */
  private note(error: unknown): void {
    if (!(error instanceof CaffeError) || error.byteOffset === undefined) throw error;
    this.addDamage({ message: error.message, layer: this.layer?.name, byteOffset: error.byteOffset });
  }

  private addDamage(damage: Damage): void {
    this.fault = damage.message;
    if (this.damage.length < mostDamage) this.damage.push(damage);
  }
}

/** What the fields of one BlobProto said, before they are put together. */
class BlobParts {
  shape?: number[];
  legacyShape?: number[];
  readonly floats: Segment[] = [];
  readonly doubles: Segment[] = [];
  raw?: { offset: number; length: number };
  rawType = 0;
  rawDiffLength = 0;
  diffCount = 0;

  finish(): Pick<ModelBlob, 'shape' | 'count' | 'encoding' | 'segments' | 'diffCount' | 'problem'> {
    let problem: string | undefined;
    // As Blob::FromProto in Caffe: doubles go before floats; NVIDIA's raw data before both.
    let encoding: Encoding = this.doubles.length > 0 ? 'double' : 'float';
    let segments = this.doubles.length > 0 ? this.doubles : this.floats;
    let { diffCount } = this;
    if (this.raw) {
      const rawEncoding = rawEncodings[this.rawType];
      if (!rawEncoding) problem ??= `raw_data_type ${this.rawType} is unknown`;
      encoding = rawEncoding ?? 'float';
      const size = bytesPerValue[encoding];
      if (this.raw.length % size !== 0) {
        problem ??= `${this.raw.length} bytes of raw_data are no whole number of ${encoding} values`;
      }
      const count = rawEncoding ? Math.floor(this.raw.length / size) : 0;
      segments = count > 0 ? [{ offset: this.raw.offset, count, stride: size }] : [];
      diffCount ||= Math.floor(this.rawDiffLength / size);
    }
    const count = countOf(segments);
    const told = this.shape ?? this.legacyShape;
    if (told?.some((dim) => dim < 0)) problem ??= `the shape ${told.join('x')} has a negative axis`;
    else if (told && product(told) !== count) {
      problem ??= `the shape ${told.join('x')} needs ${product(told)} values, but ${count} are stored`;
    } else if (!told && count > 1) problem ??= `${count} values have no shape`;
    return { shape: told ?? (count === 1 ? [] : [count]), count, encoding, segments, diffCount, problem };
  }
}

const decoder = new TextDecoder();
const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
const countOf = (segments: readonly Segment[]) => segments.reduce((sum, { count }) => sum + count, 0);
const phaseOf = (value: number): ModelLayer['phase'] =>
  value === 0 ? 'TRAIN' : value === 1 ? 'TEST' : undefined;
// eslint-disable-next-line no-control-regex -- control characters are what tells random bytes from a name
const isText = (name: string) => name !== '' && !/[\u0000-\u001f\ufffd]/.test(name);

/** Why a file is no Caffe model, as helpfully as its first bytes allow. */
async function refusal(source: ByteSource, damage: Damage | undefined): Promise<CaffeError> {
  const at = { file: source.name };
  if (source.size === 0) return new CaffeError('the file is empty', at);
  const start = decoder.decode(await source.read(0, Math.min(source.size, 512)));
  if (start.startsWith('version https://git-lfs.github.com/')) {
    return new CaffeError('this is a Git LFS pointer, not the model itself', {
      ...at,
      advice: 'Run "git lfs pull" to fetch the model',
    });
  }
  if (/^\s*(#.*\s*)*(name\s*:|layers?\s*\{|input\s*:)/.test(start)) {
    return new CaffeError('this is the text of a net (prototxt), not a model with weights', {
      ...at,
      advice: 'Rename it to .prototxt',
    });
  }
  if (start.startsWith('PK\u0003\u0004') || start.startsWith('\u001f')) {
    return new CaffeError('this is a compressed archive, not a Caffe model', {
      ...at,
      advice: 'Unpack it first',
    });
  }
  return new CaffeError(
    damage ? `this is no Caffe model: ${damage.message}` : 'this is no Caffe model: it holds no layer',
    {
      ...at,
      byteOffset: damage?.byteOffset ?? 0,
      advice: 'Check that the file was copied or downloaded whole',
    },
  );
}
