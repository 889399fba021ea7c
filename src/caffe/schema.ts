import { Enum, parse, Root, Type, type Field as ProtobufField } from 'protobufjs';
import proto from './caffe.proto';

export type ScalarType =
  'double' | 'float' | 'int32' | 'int64' | 'uint32' | 'uint64' | 'bool' | 'string' | 'bytes';

export interface EnumType {
  kind: 'enum';
  name: string;
  doc: string;
  /** Number and meaning by name, in the order of the numbers. */
  values: ReadonlyMap<string, { number: number; doc: string }>;
}

export interface MessageType {
  kind: 'message';
  name: string;
  doc: string;
  /** In the order of caffe.proto: what people set comes first. */
  fields: ReadonlyMap<string, FieldType>;
  /** The fields that must be set. */
  required: readonly FieldType[];
}

/** Whether the type of a field is a message; otherwise it is a scalar. */
export const isMessage = (type: FieldType['type'] | undefined): type is MessageType =>
  typeof type === 'object' && type.kind === 'message';

export interface FieldType {
  name: string;
  number: number;
  type: ScalarType | EnumType | MessageType;
  repeated: boolean;
  required: boolean;
  /** What the field is when a file does not set it, as caffe.proto states it; an enum's is a name. */
  default?: number | boolean | string;
  doc: string;
}

let root: Root | undefined;
const messages = new Map<string, MessageType>();
const enums = new Map<Enum, EnumType>();

/** caffe.proto as protobufjs sees it; parsed at the first call (some 30 ms). */
export function protobufRoot(): Root {
  if (!root) {
    root = new Root();
    parse(proto, root, { keepCase: true, alternateCommentMode: true });
    root.resolveAll();
  }
  return root;
}

/** The message of caffe.proto with this name, such as `LayerParameter`. */
export function messageType(name: string): MessageType {
  return messages.get(name) ?? describeMessage(protobufRoot().lookupType(`caffe.${name}`));
}

function describeMessage(type: Type): MessageType {
  const known = messages.get(type.name);
  if (known) return known;
  const fields = new Map<string, FieldType>();
  const required: FieldType[] = [];
  const message: MessageType = {
    kind: 'message',
    name: type.name,
    doc: type.comment ?? '',
    fields,
    required,
  };
  messages.set(type.name, message);
  for (const field of type.fieldsArray) {
    const described = describeField(field);
    fields.set(field.name, described);
    if (described.required) required.push(described);
  }
  return message;
}

function describeField(field: ProtobufField): FieldType {
  const type = field.resolvedType;
  const given = (field.options?.default ?? undefined) as number | boolean | string | undefined;
  return {
    name: field.name,
    number: field.id,
    type:
      type instanceof Type
        ? describeMessage(type)
        : type instanceof Enum
          ? describeEnum(type)
          : (field.type as ScalarType),
    repeated: field.repeated,
    required: field.required,
    ...(given === undefined ? {} : { default: given }),
    doc: field.comment ?? '',
  };
}

function describeEnum(type: Enum): EnumType {
  let described = enums.get(type);
  if (!described) {
    const values = Object.entries(type.values)
      .sort(([, a], [, b]) => a - b)
      .map(([name, number]) => [name, { number, doc: type.comments[name] ?? '' }] as const);
    described = { kind: 'enum', name: type.name, doc: type.comment ?? '', values: new Map(values) };
    enums.set(type, described);
  }
  return described;
}
