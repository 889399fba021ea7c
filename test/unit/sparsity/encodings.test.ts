import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { atomicWrite } from '../../../src/caffe/atomicWrite';
import { memorySource, openFile } from '../../../src/caffe/byteSource';
import { CaffeError } from '../../../src/caffe/errors';
import { decodeCompressed, encodeCompressed, matrixShape } from '../../../src/sparsity/compressedRows';
import { decodeNpy, encodeNpy } from '../../../src/sparsity/npy';
import { Npz, NpzWriter } from '../../../src/sparsity/npz';
import {
  bestIndexWidth,
  countEntries,
  decodeRelativeIndex,
  encodeRelativeIndex,
  indexWidths,
  packGaps,
  unpackGaps,
} from '../../../src/sparsity/relativeIndex';
import { findPython, runPython } from '../../python';

const folder = mkdtempSync(join(tmpdir(), 'encodings-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Sparse arrays with long runs of zeros, and with values whose bits matter. */
const sparse = fc
  .array(
    fc.tuple(
      fc.oneof(fc.nat(40), fc.constantFrom(15, 16, 31, 32, 255, 256, 257, 511, 512, 65535, 65536, 140_000)),
      fc.oneof(fc.float(), fc.constant(-0)),
    ),
    { maxLength: 12 },
  )
  .chain((runs) => fc.nat(300).map((tail) => ({ runs, tail })))
  .map(({ runs, tail }) => {
    const values = new Float32Array(runs.reduce((sum, [gap]) => sum + gap + 1, tail));
    let at = 0;
    for (const [gap, value] of runs) {
      at += gap;
      values[at++] = value;
    }
    return values;
  });

const bits = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

describe.each(indexWidths)('relative index of %i bits', (width) => {
  test('comes back bit for bit', () => {
    fc.assert(
      fc.property(sparse, (values) => {
        const encoded = encodeRelativeIndex(values, width);
        expect(encoded.values.length).toBe(countEntries(values)[width]);
        const gaps = unpackGaps(packGaps(encoded.gaps.slice(), width), width, encoded.gaps.length);
        expect(bits(decodeRelativeIndex({ ...encoded, gaps })).equals(bits(values))).toBe(true);
      }),
    );
  });

  test('puts fillers in exactly where a gap does not fit', () => {
    const largest = 2 ** width - 1;
    for (const [gap, expected] of [
      [0, [0]],
      [largest, [largest]],
      [largest + 1, [largest, 0]],
      [2 * largest + 2, [largest, largest, 0]],
    ] as const) {
      const values = new Float32Array(gap + 1);
      values[gap] = 1;
      expect(Array.from(encodeRelativeIndex(values, width).gaps)).toEqual(expected);
    }
  });
});

test('the width of least bytes is chosen', () => {
  expect(bestIndexWidth(countEntries(Float32Array.of(1, 0, 2)))).toBe(4);
  const far = new Float32Array(200_000);
  far[100_000] = 1;
  expect(bestIndexWidth(countEntries(far))).toBe(16);
});

test('entries past the end are refused', () => {
  const entry = { values: Float32Array.of(1, 2), gaps: Uint16Array.of(0, 5) };
  expect(() => decodeRelativeIndex({ length: 6, ...entry })).toThrow(CaffeError);
  expect(Array.from(decodeRelativeIndex({ length: 7, ...entry }))).toEqual([1, 0, 0, 0, 0, 0, 2]);
});

describe.each(['rows', 'columns'] as const)('compressed %s', (order) => {
  test('come back bit for bit', () => {
    fc.assert(
      fc.property(sparse, fc.integer({ min: 1, max: 9 }), (values, columns) => {
        const rows = Math.floor(values.length / columns);
        const matrix = values.subarray(0, rows * columns);
        const decoded = decodeCompressed(encodeCompressed(matrix, [rows, columns], order), order);
        expect(bits(decoded).equals(bits(matrix))).toBe(true);
      }),
    );
  });
});

test.each([
  [
    [50, 20, 5, 5],
    [50, 500],
  ],
  [
    [1, 1, 10, 500],
    [10, 500],
  ],
  [[10], [1, 10]],
  [
    [1, 1, 1, 20],
    [1, 20],
  ],
])('%j as a matrix is %j', (shape, expected) => {
  expect(matrixShape(shape)).toEqual(expected);
});

const write = async (
  name: string,
  arrays: Record<string, Float32Array | Uint8Array | Uint16Array | Int32Array>,
) => {
  const path = join(folder, name);
  await atomicWrite(path, async (file) => {
    const npz = new NpzWriter(file);
    for (const [key, array] of Object.entries(arrays)) await npz.add(key, array);
    await npz.finish();
  });
  return path;
};

test('an npz comes back, and in the same bytes each time', async () => {
  const arrays = {
    'a/b_W': Float32Array.of(1, -0, NaN),
    名: Uint16Array.of(65535),
    empty: new Int32Array(0),
  };
  const path = await write('a.npz', arrays);
  const source = await openFile(path);
  const npz = await Npz.open(source);
  expect(npz.names).toEqual(Object.keys(arrays));
  for (const [name, array] of Object.entries(arrays))
    expect((await npz.read(name, 1e6)).array).toEqual(array);
  const again = await openFile(await write('b.npz', arrays));
  expect(await again.read(0, again.size)).toEqual(await source.read(0, source.size));
  await source.close();
  await again.close();
});

test('a damaged npz is refused or read, and never anything else', async () => {
  const source = await openFile(await write('c.npz', { x: Float32Array.of(1, 2, 3), y: Uint8Array.of(4) }));
  const whole = await source.read(0, source.size);
  await source.close();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length - 1),
      fc.nat(255),
      fc.nat(whole.length),
      async (at, byte, length) => {
        const bytes = whole.slice(0, length);
        if (at < length) bytes[at] = byte;
        try {
          const npz = await Npz.open(memorySource('c.npz', bytes));
          for (const name of npz.names) await npz.read(name, 1e6);
        } catch (error) {
          expect(error).toBeInstanceOf(CaffeError);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test.each<[string, Parameters<typeof encodeNpy>, number[]]>([
  ['float', [Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]], [2, 3]],
  ['a scalar', [Uint8Array.of(7), []], []],
  ['one axis', [Int32Array.of(1, 2), [2]], [2]],
])('npy of %s', (_name, [array, shape], expected) => {
  expect(decodeNpy(encodeNpy(array, shape))).toEqual({ shape: expected, array });
});

const python = findPython('numpy', 'scipy.sparse');
describe.skipIf(!python)('numpy and scipy', () => {
  test('open what is written here, without pickle', async () => {
    const values = new Float32Array(3000);
    for (let i = 0; i < 3000; i += 1 + ((i * 7) % 61)) values[i] = i + 0.5;
    const wide = encodeRelativeIndex(values, 5);
    const csr = encodeCompressed(values, [30, 100]);
    const csc = encodeCompressed(values, [30, 100], 'columns');
    const path = await write('numpy.npz', {
      dense: values,
      W: wide.values,
      indx: packGaps(wide.gaps, 5) as Uint8Array,
      data: csr.data,
      indices: csr.indices,
      indptr: csr.indptr,
      cdata: csc.data,
      cindices: csc.indices,
      cindptr: csc.indptr,
    });
    const output = runPython(
      python!,
      `
import sys, numpy as np, scipy.sparse as sp
z = np.load(sys.argv[1], allow_pickle=False)
dense = z['dense']
gaps = np.unpackbits(z['indx'], bitorder='little')[: 5 * len(z['W'])].reshape(-1, 5) @ (1 << np.arange(5))
flat = np.zeros(3000, np.float32)
flat[np.cumsum(gaps + 1) - 1] = z['W']
assert (flat == dense).all()
assert (sp.csr_matrix((z['data'], z['indices'], z['indptr']), (30, 100)).toarray().ravel() == dense).all()
assert (sp.csc_matrix((z['cdata'], z['cindices'], z['cindptr']), (30, 100)).toarray().ravel() == dense).all()
print('same')
`,
      path,
    );
    expect(output.trim()).toBe('same');
  });
});
