import { readFileSync } from 'node:fs';
import type { Field, Namespace, ReflectionObject } from 'protobufjs';
import { expect, test } from 'vitest';
import { generate } from '../../../scripts/messages.mjs';
import { messageType, protobufRoot } from '../../../src/caffe/schema';

test('messages.ts is what scripts/messages.mjs writes', async () => {
  const text = readFileSync(new URL('../../../src/caffe/messages.ts', import.meta.url), 'utf8');
  expect(text).toBe(await generate());
});

test.each([
  ['LayerParameter', 'type', { number: 2, type: 'string', repeated: false }],
  ['LayerParameter', 'bottom', { number: 3, repeated: true }],
  ['SliceParameter', 'axis', { number: 3, type: 'int32', default: 1 }],
  ['PoolingParameter', 'pool', { number: 1, default: 'MAX' }],
  ['SolverParameter', 'snapshot_format', { number: 37, default: 'BINARYPROTO' }],
  ['ClipParameter', 'min', { required: true }],
  ['WindowDataParameter', 'crop_mode', { default: 'warp' }],
])('%s.%s', (message, field, expected) => {
  expect(messageType(message).fields.get(field)).toMatchObject(expected);
});

test('every message, field and enum of caffe.proto says what it is', () => {
  const silent: string[] = [];
  const visit = (objects: readonly ReflectionObject[]) => {
    for (const object of objects) {
      if (!object.comment) silent.push(object.fullName);
      if ('fieldsArray' in object) visit(object.fieldsArray as Field[]);
    }
  };
  visit((protobufRoot().lookup('caffe') as Namespace).nestedArray);
  expect(silent).toEqual([]);
});
