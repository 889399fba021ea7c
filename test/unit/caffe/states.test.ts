import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as h5wasm from 'h5wasm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBinaryproto, writeBinaryproto } from '../../../src/caffe/binaryproto';
import { memorySource } from '../../../src/caffe/byteSource';
import { readSolverState, writeSolverState } from '../../../src/caffe/solverState';
import { bytes, concat, number, packedFloats, shape, text } from './wire';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'caffe-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('solver state', () => {
  const state = {
    iter: 10000,
    learnedNet: 'lenet_iter_10000.caffemodel',
    currentStep: 3,
    history: [
      { shape: [2, 3], data: Float32Array.of(1, 2, 3, -4, 5, -0) },
      { shape: [2], data: Float32Array.of(0.5, 0.25) },
    ],
  };
  const encoded = concat(
    number(1, 10000),
    text(2, state.learnedNet),
    bytes(3, packedFloats(5, [...state.history[0].data]), shape(2, 3)),
    bytes(3, packedFloats(5, [0.5, 0.25]), shape(2)),
    number(4, 3),
  );

  it('is read', async () => {
    expect(await readSolverState(memorySource('x.solverstate', encoded))).toEqual(state);
  });

  it('is written as protobuf has it', async () => {
    const target = join(folder, 'x.solverstate');
    await writeSolverState(target, state);
    expect(new Uint8Array(await readFile(target))).toEqual(encoded);
  });

  it('is written as HDF5 under a name that ends in .h5, with what Caffe and the HDF5 library look for', async () => {
    const target = join(folder, 'x.solverstate.h5');
    await writeSolverState(target, state);
    expect(await readSolverState(memorySource(target, await readFile(target)))).toEqual(state);
    await h5wasm.ready;
    h5wasm.FS!.writeFile('state.h5', await readFile(target));
    const file = new h5wasm.File('state.h5', 'r');
    const members = (path: string) => (file.get(path) as h5wasm.Group).keys();
    const dataset = (path: string) => file.get(path) as h5wasm.Dataset;
    expect(members('/').sort()).toEqual(['current_step', 'history', 'iter', 'learned_net']);
    expect(dataset('iter')).toMatchObject({ shape: [1], dtype: '<i', value: Int32Array.of(10000) });
    expect(dataset('current_step').value).toEqual(Int32Array.of(3));
    expect(dataset('learned_net').value).toBe(state.learnedNet);
    expect(members('history')).toEqual(['0', '1']);
    for (const [i, { shape, data }] of state.history.entries())
      expect(dataset(`history/${i}`)).toMatchObject({ shape, dtype: '<f', value: data });
    file.close();
    h5wasm.FS!.unlink('state.h5');
  });

  it('is refused when a part is missing', async () => {
    const cut = memorySource('x.solverstate', encoded.subarray(0, encoded.length - 20));
    await expect(readSolverState(cut)).rejects.toThrow(/no sound solver state/);
    await expect(readSolverState(memorySource('x', text(2, 'net')))).rejects.toThrow(/no iteration count/);
  });

  it('does not write values that do not fill their shape', async () => {
    const wrong = { ...state, history: [{ shape: [3], data: new Float32Array(2) }] };
    await expect(writeSolverState(join(folder, 'x'), wrong)).rejects.toThrow(RangeError);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('binaryproto', () => {
  it('reads legacy dimensions', async () => {
    const file = concat(
      number(1, 1),
      number(2, 3),
      number(3, 1),
      number(4, 2),
      packedFloats(5, [1, 2, 3, 4, 5, 6]),
    );
    expect(await readBinaryproto(memorySource('mean.binaryproto', file))).toEqual({
      shape: [1, 3, 1, 2],
      data: Float32Array.of(1, 2, 3, 4, 5, 6),
    });
  });

  it('round-trips', async () => {
    const target = join(folder, 'mean.binaryproto');
    const mean = { shape: [1, 2, 2], data: Float32Array.of(1, -2, NaN, 4) };
    await writeBinaryproto(target, mean);
    expect(await readBinaryproto(memorySource(target, await readFile(target)))).toEqual(mean);
  });

  it.each([
    ['empty', new Uint8Array(0)],
    ['cut off', packedFloats(5, [1, 2, 3]).subarray(0, 9)],
    ['text', new TextEncoder().encode('this is no blob')],
  ])('refuses what is %s', async (_, file) => {
    await writeFile(join(folder, 'x'), file);
    await expect(readBinaryproto(memorySource('x', file))).rejects.toThrow(/no sound binaryproto|empty/);
  });
});
