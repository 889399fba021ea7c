import { phrase } from '../phrase';
import { BlobIndexer } from './blobIndexer';
import type { ByteSource } from './byteSource';
import { CaffeError } from './errors';
import { v0LayerType, v1LayerType } from './layerTypes';
import type { Damage, Model, ModelKind, ModelLayer } from './model';
import { WireType, type Field } from './wireReader';

/** More than any net has; a file that claims more is hostile, and its index would fill the memory. */
const mostLayers = 100_000;

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

/** Indexes a protobuf model of any version; see `openModel`. */
export async function indexCaffemodel(source: ByteSource): Promise<Model> {
  const index = await new ModelIndexer(source).index();
  const credible = index.layers.some(({ name, type, blobs }) =>
    name === '' ? isText(type) && blobs.length > 0 : isText(name) && (type || blobs.length > 0),
  );
  if (!credible) throw await refusal(source, index.damage[0]);
  return index;
}

class ModelIndexer extends BlobIndexer {
  private readonly layers: ModelLayer[] = [];
  private kind: ModelKind = 'V2';

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
      throw this.reader.error(phrase`the file claims more than ${mostLayers} layers`, field.tagOffset);
    }
    if (this.layers.length === 0) this.kind = fields === v2Fields ? 'V2' : 'V1';
    const end = this.clamp(field, this.source.size, phrase`layer`);
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
    try {
      await this.readLayer(layer, fields, end);
    } catch (error) {
      this.note(error);
    }
    if (fields === v1Fields && layer.originalType === '') {
      // V1's type defaults to NONE; a connection whose layer is nested has the type of that one.
      layer.originalType = 'NONE';
    }
    this.layerName = undefined;
    this.reader.position = end;
  }

  private async readLayer(layer: ModelLayer, fields: LayerFields, end: number): Promise<void> {
    const { reader } = this;
    for (let field; (field = await reader.next(end));) {
      const { number, wireType } = field;
      if (wireType === WireType.bytes && number === fields.name) {
        layer.name = await this.readText(field, end);
        this.layerName = layer.name;
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
        // The rule that puts the layer into one phase says more than the phase of the net that was saved.
        const phase = phaseOf(await reader.readInt64(end));
        layer.phase ??= phase;
      } else if (wireType === WireType.bytes && number === fields.include) {
        const inner = this.clamp(field, end, phrase`rule`);
        layer.phase = (await this.readRulePhase(inner)) ?? layer.phase;
        reader.position = inner;
      } else if (wireType === WireType.bytes && number === fields.blobs) {
        this.count(field);
        await this.readBlob(layer.blobs, field, end);
      } else if (wireType === WireType.bytes && number === fields.nested) {
        this.kind = 'V0';
        const inner = this.clamp(field, end, phrase`layer`);
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
}

const decoder = new TextDecoder();
const phaseOf = (value: number): ModelLayer['phase'] =>
  value === 0 ? 'TRAIN' : value === 1 ? 'TEST' : undefined;
// eslint-disable-next-line no-control-regex -- control characters are what tells random bytes from a name
const isText = (name: string) => name !== '' && !/[\u0000-\u001f\ufffd]/.test(name);

/** Why a file is no Caffe model, as helpfully as its first bytes allow. */
async function refusal(source: ByteSource, damage: Damage | undefined): Promise<CaffeError> {
  const at = { file: source.name };
  if (source.size === 0) return new CaffeError(phrase`the file is empty`, at);
  const start = decoder.decode(await source.read(0, Math.min(source.size, 512)));
  if (start.startsWith('version https://git-lfs.github.com/')) {
    return new CaffeError(phrase`this is a Git LFS pointer, not the model itself`, {
      ...at,
      advice: phrase`Run "git lfs pull" to fetch the model`,
    });
  }
  if (/^(?:\s|#[^\n]*\n)*(?:name\s*:|layers?\s*\{|input\s*:)/.test(start)) {
    return new CaffeError(phrase`this is the text of a net (prototxt), not a model with weights`, {
      ...at,
      advice: phrase`Rename it to .prototxt`,
    });
  }
  if (/^\s*<(?:!doctype html|html|\?xml)/i.test(start)) {
    return new CaffeError(phrase`this is a web page, not a Caffe model`, {
      ...at,
      advice: phrase`Download the file itself, not the page that tells of it`,
    });
  }
  if (start.startsWith('PK\u0003\u0004') || start.startsWith('\u001f')) {
    return new CaffeError(phrase`this is a compressed archive, not a Caffe model`, {
      ...at,
      advice: phrase`Unpack it first`,
    });
  }
  return new CaffeError(
    damage
      ? phrase`this is no Caffe model: ${damage.message}`
      : phrase`this is no Caffe model: it holds no layer`,
    {
      ...at,
      byteOffset: damage?.byteOffset ?? 0,
      advice: phrase`Check that the file was copied or downloaded whole`,
    },
  );
}
