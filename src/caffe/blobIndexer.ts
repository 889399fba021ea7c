import { phrase, type Part, type Phrase } from '../phrase';
import type { ByteSource } from './byteSource';
import { bytesPerValue } from './encoding';
import { CaffeError } from './errors';
import type { Damage, Encoding, ModelBlob, Segment } from './model';
import { WireReader, WireType, type Field } from './wireReader';

/** More than any file of Caffe has; one that claims more is hostile, and its index would fill the memory. */
const mostEntries = 1_000_000;
const longestText = 1 << 16;
const mostText = 1 << 24;
const mostDamage = 100;
/** `kMaxBlobAxes` of Caffe's blob.hpp. */
const mostAxes = 32;

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

/**
 * Indexes the BlobProtos of a protobuf file and keeps the books on what is wrong with it: the base of what reads
 * models, solver states and means.
 */
export class BlobIndexer {
  readonly damage: Damage[] = [];
  protected readonly reader: WireReader;
  /** Name of the layer that is being read, for messages. */
  protected layerName: string | undefined;
  private entries = 0;
  private text = 0;
  /** The last thing found wrong, to be told of the blob it was found in. */
  private fault: Phrase | undefined;

  constructor(protected readonly source: ByteSource) {
    this.reader = new WireReader(source);
  }

  /** Indexes the BlobProto at `blobAt`, which lies in a message that ends at `containerEnd`. */
  protected async readBlob(blobs: ModelBlob[], blobAt: Field, containerEnd: number): Promise<void> {
    this.fault = undefined;
    const end = this.clamp(blobAt, containerEnd, 'blob');
    const parts = new BlobParts();
    const blob: ModelBlob = {
      index: blobs.length,
      shape: [],
      count: 0,
      encoding: 'float',
      segments: [],
      diffCount: 0,
      byteOffset: blobAt.tagOffset,
    };
    blobs.push(blob);
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
        message: phrase`blob ${blob.index}: ${blob.problem}`,
        layer: this.layerName,
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
        const inner = this.clamp(field, end, phrase`shape`);
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
        throw this.reader.error(
          phrase`${length} bytes of data are no whole number of values`,
          field.tagOffset,
        );
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
      if (shape.length === mostAxes) throw reader.error(phrase`a shape has more than ${mostAxes} axes`, at);
      shape.push(dim);
    };
    for (let field; (field = await reader.next(end));) {
      if (field.number === 1 && field.wireType === WireType.bytes) {
        const stop = this.clamp(field, end, phrase`shape`);
        while (reader.position < stop) add(await reader.readInt64(stop), field.tagOffset);
      } else if (field.number === 1 && field.wireType === WireType.varint) {
        add(await reader.readInt64(end), field.tagOffset);
      } else {
        await reader.skip(field, end);
      }
    }
  }

  protected async readText(field: Field, end: number): Promise<string> {
    const bytes = await this.reader.readBytes(field, end, longestText);
    this.text += bytes.length;
    if (this.text > mostText)
      throw this.reader.error(phrase`the names in the file are too long`, field.tagOffset);
    return decoder.decode(bytes);
  }

  protected readEntry(field: Field, end: number): Promise<string> {
    this.count(field);
    return this.readText(field, end);
  }

  /** The end of a value; where its length lies, that is noted and the value ends where its container does. */
  protected clamp(field: Field, end: number, what: Part): number {
    const stop = field.offset + field.length;
    if (stop <= end) return stop;
    this.addDamage({
      message:
        end === this.source.size
          ? phrase`the ${what} is ${field.length} bytes long, but the file ends after ${end - field.offset} of them`
          : phrase`the ${what} is ${field.length} bytes long, but what it lies in has only ${end - field.offset} left`,
      layer: this.layerName,
      byteOffset: field.tagOffset,
    });
    return end;
  }

  protected count(field: Field): void {
    if (++this.entries > mostEntries) {
      throw this.reader.error(
        phrase`the file claims more than ${mostEntries} blobs and names`,
        field.tagOffset,
      );
    }
  }

  /** Records what is wrong with the file; anything but that is not for here. */
  protected note(error: unknown): void {
    if (!(error instanceof CaffeError) || error.byteOffset === undefined) throw error;
    this.addDamage({ message: error.what, layer: this.layerName, byteOffset: error.byteOffset });
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
    let problem: Phrase | undefined;
    // As Blob::FromProto in Caffe: doubles go before floats; NVIDIA's raw data before both.
    let encoding: Encoding = this.doubles.length > 0 ? 'double' : 'float';
    let segments = this.doubles.length > 0 ? this.doubles : this.floats;
    let { diffCount } = this;
    if (this.raw) {
      const rawEncoding = rawEncodings[this.rawType];
      if (!rawEncoding) problem ??= phrase`raw_data_type ${this.rawType} is unknown`;
      encoding = rawEncoding ?? 'float';
      const size = bytesPerValue[encoding];
      if (this.raw.length % size !== 0) {
        problem ??= phrase`${this.raw.length} bytes of raw_data are no whole number of ${encoding} values`;
      }
      const count = rawEncoding ? Math.floor(this.raw.length / size) : 0;
      segments = count > 0 ? [{ offset: this.raw.offset, count, stride: size }] : [];
      diffCount ||= Math.floor(this.rawDiffLength / size);
    }
    const count = countOf(segments);
    const told = this.shape ?? this.legacyShape;
    if (told?.some((dim) => dim < 0)) problem ??= phrase`the shape ${told.join('x')} has a negative axis`;
    else if (told && product(told) !== count) {
      problem ??= phrase`the shape ${told.join('x')} needs ${product(told)} values, but ${count} are stored`;
    } else if (!told && count > 1) problem ??= phrase`${count} values have no shape`;
    return { shape: told ?? (count === 1 ? [] : [count]), count, encoding, segments, diffCount, problem };
  }
}

const decoder = new TextDecoder();
const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
const countOf = (segments: readonly Segment[]) => segments.reduce((sum, { count }) => sum + count, 0);
