import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/tensor/createEngine';
import { hasTensorflow } from '../../../src/tensor/native';
import { TensorflowEngine } from '../../../src/tensor/tensorflow';
import { tensorflowFolder } from '../../support/engines';
import { convolve, describeEngines, known } from './contract';
import { Values } from './values';
import { described } from '../../support/described';

await tf.setBackend('cpu');
const engine = new TensorflowEngine(tf, { threads: 2 });

afterAll(() => {
  engine.dispose();
});

// The plain JavaScript backend stands in for the native one: the same operations by the same names.
describeEngines('the TensorFlow engine', [engine], 25);

if (tensorflowFolder !== undefined) {
  const native = createEngine({ kind: 'native', tensorflowFolder });
  afterAll(() => {
    native.dispose();
  });
  describeEngines('the native engine', [native], 25);
}

describe('TensorFlow', () => {
  it('is what runs, by name', () => {
    expect(engine.name).toBe('TensorFlow.js 4.22.0 (cpu)');
  });

  it('keeps no tensor behind', () => {
    const values = new Values(engine, 1);
    for (const [, shape] of known) convolve(engine, values, shape);
    engine.gemm(false, false, 3, 4, 5, 1, values.random(15), values.random(20), 1, values.random(12));
    expect(tf.memory().numTensors).toBe(0);
    values.free();
  });
});

describe('native TensorFlow', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'native-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const install = (program: string) => {
    const own = join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'index.js'), program);
  };

  it('says when it is not installed, and what to do', async () => {
    const create = async () => createEngine({ kind: 'native', tensorflowFolder: folder });
    expect(await described(create())).toMatch(
      /not installed in .*native-.*Install Native TensorFlow Engine.*portable engine/,
    );
    expect(() => createEngine({ kind: 'native' })).toThrow(/not the folder/);
    expect(hasTensorflow(folder)).toBe(false);
  });

  it('says when it does not run here', () => {
    install('throw new Error("libtensorflow.so.2: cannot open shared object file\\nmore");');
    expect(() => createEngine({ kind: 'native', tensorflowFolder: folder })).toThrow(
      /does not run on this machine.*libtensorflow\.so\.2: cannot open shared object file/,
    );
    expect(hasTensorflow(folder)).toBe(true);
  });

  it('finds the function that newer Node.js took away', () => {
    rmSync(join(folder, 'node_modules'), { recursive: true });
    install(`
      const util = require('node:util');
      if (!util.isNullOrUndefined(undefined) || util.isNullOrUndefined(0)) throw new Error('not the function');
      module.exports = { version_core: '9.9', getBackend: () => 'tensorflow' };`);
    const native = createEngine({ kind: 'native', tensorflowFolder: folder });
    expect(native.name).toBe('TensorFlow.js 9.9 (tensorflow)');
    native.dispose();
  });
});
