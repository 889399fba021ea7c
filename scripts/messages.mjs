// Writes src/caffe/messages.ts, the TypeScript types of the messages of src/caffe/caffe.proto.
// usage: node scripts/messages.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import protobuf from 'protobufjs';

const proto = fileURLToPath(new URL('../src/caffe/caffe.proto', import.meta.url));
const target = fileURLToPath(new URL('../src/caffe/messages.ts', import.meta.url));

/** Fields that are always there: the reader gives an empty list or text where a file sets none. */
/** @type {Record<string, string[]>} */
const always = {
  NetParameter: ['layer'],
  LayerParameter: [
    'name',
    'type',
    'bottom',
    'top',
    'loss_weight',
    'param',
    'propagate_down',
    'include',
    'exclude',
  ],
};

/** @param {string} text */
const doc = (text) => `/** ${text} */`;

/** @param {protobuf.Enum} type */
const union = (type) =>
  Object.keys(type.values)
    .map((name) => `'${name}'`)
    .join(' | ');

/** @param {protobuf.Field} field */
function typeOf(field) {
  const type = field.resolvedType;
  if (type instanceof protobuf.Type) return type.name;
  if (type instanceof protobuf.Enum) return type.parent instanceof protobuf.Type ? union(type) : type.name;
  if (field.type === 'string' || field.type === 'bool') return field.type === 'bool' ? 'boolean' : 'string';
  return field.type === 'bytes' ? 'Uint8Array' : 'number';
}

/** @param {protobuf.Type} type */
function describe(type) {
  const fields = type.fieldsArray.flatMap((field) => {
    const one = typeOf(field);
    const value = !field.repeated ? one : one.includes('|') ? `(${one})[]` : `${one}[]`;
    const optional = always[type.name]?.includes(field.name) || field.required ? '' : '?';
    return [doc(field.comment ?? ''), `${field.name}${optional}: ${value};`];
  });
  if (type.name === 'LayerParameter' || type.name === 'V1LayerParameter')
    fields.push(doc('Where the layer begins in its prototxt: the line, counted from 1.'), 'line?: number;');
  return [doc(type.comment ?? ''), `export interface ${type.name} {`, ...fields, '}', ''];
}

/** @param {protobuf.ReflectionObject[]} objects @returns {string[]} */
function describeAll(objects) {
  return objects.flatMap((object) => {
    if (object instanceof protobuf.Type) return [...describe(object), ...describeAll(object.nestedArray)];
    if (object instanceof protobuf.Enum && !(object.parent instanceof protobuf.Type))
      return [doc(object.comment ?? ''), `export type ${object.name} = ${union(object)};`, ''];
    return [];
  });
}

/** The text of messages.ts. */
export async function generate() {
  const { root } = protobuf.parse(readFileSync(proto, 'utf8'), new protobuf.Root(), {
    keepCase: true,
    alternateCommentMode: true,
  });
  root.resolveAll();
  const text = [
    '// Written by scripts/messages.mjs from caffe.proto; change that file, then run the script.',
    '// Enums are their names; a field that a file does not set is undefined, whatever its default.',
    '',
    ...describeAll(/** @type {protobuf.Namespace} */ (root.lookup('caffe')).nestedArray),
  ].join('\n');
  return prettier.format(text, { ...(await prettier.resolveConfig(target)), parser: 'typescript' });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, await generate());
