import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import * as fc from 'fast-check';
import * as h5wasm from 'h5wasm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { atomicWrite } from '../../../src/caffe/atomicWrite';
import { memorySource, openFile } from '../../../src/caffe/byteSource';
import { floatToHalf, halfToFloat } from '../../../src/caffe/encoding';
import { CaffeError } from '../../../src/caffe/errors';
import { openModel, type Model } from '../../../src/caffe/model';
import { blobChunks, readBlob } from '../../../src/caffe/readBlob';
import { writeModel, type ModelToWrite } from '../../../src/caffe/writeModel';
import { writePatched, type Patch } from '../../../src/caffe/writePatched';
import {
  bytes,
  concat,
  doubles,
  halves,
  number,
  packedFloats,
  shape,
  tag,
  text,
  unpackedFloats,
  varint,
} from './wire';

/** A blob by the name of its layer. */
const findBlob = (model: Model, layer: string, index: number) =>
  model.layers.find(({ name }) => name === layer)?.blobs[index];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'caffe-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('atomicWrite', () => {
  const content = new Uint8Array([1, 2, 3]);

  it('writes in order and at offsets', async () => {
    const target = join(folder, 'a');
    const result = await atomicWrite(target, async (file) => {
      await file.write(content);
      await file.writeAt(new Uint8Array([9]), 1);
      await file.write(content);
      return file.position;
    });
    expect(result).toBe(6);
    expect([...(await readFile(target))]).toEqual([1, 9, 3, 1, 2, 3]);
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('shows nothing at the target before it is whole, and nothing at all after a failure', async () => {
    const target = join(folder, 'a');
    await writeFile(target, 'old');
    const failure = atomicWrite(
      target,
      async (file) => {
        await file.write(content);
        expect(await readFile(target, 'utf8')).toBe('old');
        throw new Error('in the middle');
      },
      { replace: true },
    );
    await expect(failure).rejects.toThrow('in the middle');
    expect(await readdir(folder)).toEqual(['a']);
    expect(await readFile(target, 'utf8')).toBe('old');
  });

  it('replaces only when asked', async () => {
    const target = join(folder, 'a');
    await writeFile(target, 'old');
    await expect(atomicWrite(target, (file) => file.write(content))).rejects.toThrow(/there already/);
    expect(await readFile(target, 'utf8')).toBe('old');
    await atomicWrite(target, (file) => file.write(content), { replace: true });
    expect([...(await readFile(target))]).toEqual([...content]);
  });

  it('does not overwrite a file that comes while it writes', async () => {
    const target = join(folder, 'a');
    const late = atomicWrite(target, async (file) => {
      await file.write(content);
      await writeFile(target, 'newcomer');
    });
    await expect(late).rejects.toThrow(/there already/);
    expect(await readFile(target, 'utf8')).toBe('newcomer');
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('stops when aborted', async () => {
    const controller = new AbortController();
    const aborted = atomicWrite(
      join(folder, 'a'),
      async (file) => {
        await file.write(content);
        controller.abort();
        await file.write(content);
      },
      { signal: controller.signal },
    );
    await expect(aborted).rejects.toThrow(/abort/i);
    expect(await readdir(folder)).toEqual([]);
  });

  it('says what keeps it from writing', async () => {
    await mkdir(join(folder, 'taken'));
    const cases: [string, RegExp][] = [
      [join(folder, 'missing', 'a'), /folder does not exist/],
      [join(folder, 'x'.repeat(300)), /name is too long/],
      [join(folder, 'taken'), /a folder has this name|may not write/],
    ];
    for (const [target, message] of cases) {
      const error = await atomicWrite(target, (file) => file.write(content), { replace: true }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(CaffeError);
      expect((error as CaffeError).message).toMatch(message);
      expect((error as CaffeError).file).toBe(target);
    }
    expect(await readdir(folder)).toEqual(['taken']);
  });

  it('keeps the target as it was when its process is killed in the middle', async () => {
    const target = join(folder, 'a');
    await writeFile(target, 'old');
    const { outputFiles } = await build({
      stdin: {
        contents: `import { atomicWrite } from './src/caffe/atomicWrite';
          void atomicWrite(process.argv[1], async (file) => {
            await file.write(new Uint8Array(1 << 20));
            process.stdout.write('half');
            await new Promise((resolve) => setTimeout(resolve, 60_000));
          }, { replace: true });`,
        resolveDir: fileURLToPath(new URL('../../..', import.meta.url)),
      },
      bundle: true,
      platform: 'node',
      write: false,
    });
    const child = spawn(process.execPath, ['-e', outputFiles[0].text, target]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(await readFile(target, 'utf8')).toBe('old');
    expect(await readdir(folder)).toHaveLength(2);
    await atomicWrite(target, (file) => file.write(content), { replace: true });
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('removes what a killed process left, and nothing else', async () => {
    const target = join(folder, 'a');
    let temporary = '';
    await atomicWrite(target, async () => {
      [temporary] = await readdir(folder);
    });
    const dead = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => dead.on('exit', resolve));
    const of = (pid: number | undefined) => temporary.replace(`-${process.pid}-`, `-${pid}-`);
    const left = [of(dead.pid), temporary];
    const others = [of(process.ppid), left[0].replace('.a.', '.b.'), '.a.hidden'];
    for (const name of [...left, ...others]) await writeFile(join(folder, name), 'partial');
    await atomicWrite(target, (file) => file.write(content), { replace: true });
    expect((await readdir(folder)).sort()).toEqual(['a', ...others].sort());
  });

  it('leaves alone what this process is writing', async () => {
    const target = join(folder, 'a');
    await atomicWrite(
      target,
      async (file) => {
        await atomicWrite(target, (other) => other.write(content.subarray(0, 1)));
        await file.write(content);
      },
      { replace: true },
    );
    expect(new Uint8Array(await readFile(target))).toEqual(content);
    expect(await readdir(folder)).toEqual(['a']);
  });
});

describe('openFile', () => {
  it('notices that the file changed', async () => {
    const path = join(folder, 'a');
    await writeFile(path, new Uint8Array(100));
    const source = await openFile(path);
    expect(await source.read(10, 5)).toHaveLength(5);
    await utimes(path, 1, 1);
    await expect(source.read(0, 1)).rejects.toThrow(/changed on disk/);
    await writeFile(path, new Uint8Array(5));
    await expect(source.read(50, 10)).rejects.toThrow(/changed on disk/);
    await source.close();
  });

  it('does not read another file that was opened after it was closed', async () => {
    for (const name of ['a', 'b']) await writeFile(join(folder, name), 'abc');
    const source = await openFile(join(folder, 'a'));
    await source.close();
    const other = await openFile(join(folder, 'b'));
    await expect(source.read(0, 1)).rejects.toThrow(/cannot be read/);
    await source.close();
    expect(await other.read(0, 3)).toHaveLength(3);
    await other.close();
  });

  it('says what cannot be opened or read', async () => {
    await expect(openFile(join(folder, 'none'))).rejects.toThrow(/cannot be opened \(ENOENT\)/);
    await expect(openFile(folder)).rejects.toThrow(CaffeError);
    await writeFile(join(folder, 'a'), 'abc');
    const source = await openFile(join(folder, 'a'));
    for (const [offset, length] of [
      [0, 4],
      [-1, 1],
      [4, 0],
      [NaN, 1],
      [0, 2 ** 52],
    ]) {
      await expect(source.read(offset, length)).rejects.toThrow(/ends at byte 3/);
    }
    await source.close();
  });
});

describe('writePatched', () => {
  const values = [0.5, -1.25, 3, -0, 7, 8];
  const blobs: Record<string, Uint8Array> = {
    'packed floats': concat(packedFloats(5, values), shape(6)),
    'unpacked floats': concat(unpackedFloats(5, values), shape(6)),
    'several segments': concat(
      packedFloats(5, values.slice(0, 2)),
      unpackedFloats(5, values.slice(2)),
      shape(6),
    ),
    doubles: concat(bytes(8, doubles([0.5, -1.25, 3, -0, 7 + 1e-12, 8])), shape(6)),
    halves: concat(
      shape(6),
      number(10, 2),
      bytes(12, halves([0x3800, 0xbd00, 0x4200, 0x8000, 0x4700, 0x4800])),
    ),
    'with gradients': concat(packedFloats(5, values), packedFloats(6, values), shape(6)),
  };
  const net = (blob: Uint8Array) =>
    concat(
      text(1, 'net'),
      bytes(
        100,
        text(1, 'a'),
        text(2, 'InnerProduct'),
        bytes(7, blob),
        text(999, 'of a fork'),
        bytes(7, blob),
      ),
      text(555, 'unknown'),
    );

  it.each(Object.entries(blobs))('changes the named values alone: %s', async (_, blob) => {
    const file = net(blob);
    const source = memorySource('net.caffemodel', file);
    const model = await openModel(source);
    const target = join(folder, 'out.caffemodel');
    const weight = findBlob(model, 'a', 0)!;
    const fractions: number[] = [];
    await writePatched(
      source,
      target,
      [
        { blob: weight, start: 1, values: Float32Array.of(0, 3) },
        { blob: weight, start: 4, values: Float32Array.of(7, 0) },
      ],
      { onProgress: (fraction) => fractions.push(fraction) },
    );
    const written = await readFile(target);
    expect(written).toHaveLength(file.length);
    expect(fractions.at(-1)).toBe(1);
    const out = memorySource('out', written);
    const after = await openModel(out);
    expect(after).toEqual(model);
    expect([...(await readBlob(out, findBlob(after, 'a', 0)!))]).toEqual([0.5, 0, 3, -0, 7, 0]);
    expect([...(await readBlob(out, findBlob(after, 'a', 1)!))]).toEqual(values);
    // Every byte that differs belongs to one of the two values that differ.
    const different = [...written.keys()].filter((at) => written[at] !== file[at]);
    expect(different.length).toBeGreaterThan(0);
    expect(different.length).toBeLessThanOrEqual(16);
  });

  it('copies the file when there is nothing to patch', async () => {
    const file = net(blobs['packed floats']);
    await writePatched(memorySource('net', file), join(folder, 'out'), []);
    expect(new Uint8Array(await readFile(join(folder, 'out')))).toEqual(file);
  });

  it('asks for patches one by one, and leaves nothing when one fails', async () => {
    const file = net(blobs['packed floats']);
    const source = memorySource('net', file);
    const weight = findBlob(await openModel(source), 'a', 0)!;
    async function* patches(): AsyncGenerator<Patch> {
      yield { blob: weight, values: new Float32Array(3) };
      expect(await readdir(folder)).toHaveLength(1);
      throw new Error('no more');
    }
    await expect(writePatched(source, join(folder, 'out'), patches())).rejects.toThrow('no more');
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses patches that overlap or do not fit', async () => {
    const source = memorySource('net', net(blobs['packed floats']));
    const blob = findBlob(await openModel(source), 'a', 0)!;
    const cases: [Patch[], RegExp][] = [
      [[{ blob, values: new Float32Array(7) }], /do not fit/],
      [[{ blob, start: 5, values: new Float32Array(2) }], /do not fit/],
      [
        [
          { blob, values: new Float32Array(3) },
          { blob, start: 2, values: new Float32Array(2) },
        ],
        /overlap/,
      ],
    ];
    for (const [patches, message] of cases) {
      await expect(writePatched(source, join(folder, 'out'), patches)).rejects.toThrow(message);
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it('fails when the source changes meanwhile', async () => {
    const path = join(folder, 'net.caffemodel');
    await writeFile(path, net(blobs['packed floats']));
    const source = await openFile(path);
    const blob = findBlob(await openModel(source), 'a', 0)!;
    async function* patches(): AsyncGenerator<Patch> {
      yield { blob, values: new Float32Array(6) };
      await utimes(path, 1, 1);
    }
    await expect(writePatched(source, join(folder, 'out'), patches())).rejects.toThrow(/changed on disk/);
    await source.close();
    expect(await readdir(folder)).toEqual(['net.caffemodel']);
  });
});

describe('writeModel', () => {
  it('writes what Caffe writes', async () => {
    const target = join(folder, 'net.caffemodel');
    await writeModel(target, {
      name: 'net',
      layers: [
        { name: 'data', type: 'Input', tops: ['data'], phase: 'TEST' },
        {
          name: 'ip',
          type: 'InnerProduct',
          bottoms: ['data'],
          tops: ['ip'],
          phase: 'TRAIN',
          parameters: bytes(117, number(1, 2)),
          blobs: [
            { shape: [2, 3], data: () => Promise.resolve(Float32Array.of(1, 2, 3, 4, 5, 6)) },
            { shape: [2], data: Float32Array.of(7, 8) },
          ],
        },
      ],
    });
    expect(new Uint8Array(await readFile(target))).toEqual(
      concat(
        text(1, 'net'),
        bytes(100, text(1, 'data'), text(2, 'Input'), text(4, 'data'), number(10, 1)),
        bytes(
          100,
          text(1, 'ip'),
          text(2, 'InnerProduct'),
          text(3, 'data'),
          text(4, 'ip'),
          bytes(7, packedFloats(5, [1, 2, 3, 4, 5, 6]), shape(2, 3)),
          bytes(7, packedFloats(5, [7, 8]), shape(2)),
          number(10, 0),
          bytes(117, number(1, 2)),
        ),
      ),
    );
  });

  const layer = fc.record({
    name: fc.string({ minLength: 1, maxLength: 200, unit: fc.constantFrom('a', 'Z', '/', ' ', 'ü', '层') }),
    type: fc.constantFrom('Convolution', 'InnerProduct', 'OfAFork'),
    bottoms: fc.array(fc.string({ maxLength: 9 }), { maxLength: 3 }),
    tops: fc.array(fc.string({ maxLength: 9 }), { maxLength: 3 }),
    phase: fc.constantFrom('TRAIN' as const, 'TEST' as const, undefined),
    blobs: fc.array(
      fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 4 }).chain((dims) =>
        fc
          .float32Array({
            minLength: dims.reduce((a, b) => a * b, 1),
            maxLength: dims.reduce((a, b) => a * b, 1),
          })
          .map((data) => ({ shape: dims, data })),
      ),
      { maxLength: 3 },
    ),
  });
  const model: fc.Arbitrary<ModelToWrite> = fc.record({
    name: fc.string({ maxLength: 300 }),
    layers: fc.array(layer, { minLength: 1, maxLength: 5 }),
  });

  it('round-trips any model', async () => {
    await fc.assert(
      fc.asyncProperty(model, async (written) => {
        const target = join(folder, 'net.caffemodel');
        await writeModel(target, written, { replace: true });
        const source = memorySource(target, await readFile(target));
        const read = await openModel(source);
        expect(read).toMatchObject({ kind: 'V2', name: written.name, damage: [] });
        expect(read.layers).toHaveLength(written.layers.length);
        for (const [i, { blobs = [], ...rest }] of written.layers.entries()) {
          const { name, type, bottoms, tops, phase } = read.layers[i];
          expect({ name, type, bottoms, tops, phase }).toEqual(rest);
          expect(read.layers[i].blobs).toHaveLength(blobs.length);
          for (const [j, { shape: dims, data }] of blobs.entries()) {
            expect(read.layers[i].blobs[j].shape).toEqual(dims);
            expect(await readBlob(source, read.layers[i].blobs[j])).toEqual(data);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('round-trips the blobs of any model as HDF5 under a name that ends in .h5', async () => {
    await h5wasm.ready;
    const { FS, File } = h5wasm;
    await fc.assert(
      fc.asyncProperty(model, async ({ name, layers }) => {
        // HDF5 has paths for names.
        const named = layers.map((each, i) => ({ ...each, name: `${i}${each.name.replace(/\//g, '/x')}` }));
        const target = join(folder, 'net.caffemodel.h5');
        await writeModel(target, { name, layers: named }, { replace: true });
        const bytes = await readFile(target);
        const source = memorySource(target, bytes);
        const read = await openModel(source);
        expect(read).toMatchObject({ kind: 'HDF5', damage: [] });
        FS!.writeFile('net.h5', bytes);
        const file = new File('net.h5', 'r');
        for (const { name: layerName, blobs = [] } of named) {
          expect(read.layers.find((each) => each.name === layerName)?.blobs).toHaveLength(blobs.length);
          for (const [j, { shape: dims, data }] of blobs.entries()) {
            const blob = findBlob(read, layerName, j)!;
            expect(blob.shape).toEqual(dims);
            expect(await readBlob(source, blob)).toEqual(data);
            const dataset = file.get(`data/${layerName}/${j}`) as h5wasm.Dataset;
            expect(dataset).toMatchObject({ shape: dims, dtype: '<f' });
            if (dims.length > 0) expect(dataset.value).toEqual(data);
          }
        }
        file.close();
        FS!.unlink('net.h5');
      }),
      { numRuns: 60 },
    );
  });

  it('does not write two layers of one name into HDF5', async () => {
    const blobs = [{ shape: [1], data: Float32Array.of(1) }];
    const layers = ['ip', 'ip'].map((name) => ({ name, type: 'InnerProduct', blobs }));
    const target = join(folder, 'net.caffemodel.h5');
    await expect(writeModel(target, { name: 'net', layers })).rejects.toMatchObject({ layer: 'ip' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('writes HDF5 of many layers', async () => {
    const target = join(folder, 'net.caffemodel.h5');
    const blob = (i: number) => ({ shape: [1], data: Float32Array.of(i) });
    const layers = Array.from({ length: 5000 }, (_, i) => ({ name: `l${i}`, type: '', blobs: [blob(i)] }));
    await writeModel(target, { name: 'net', layers });
    await h5wasm.ready;
    h5wasm.FS!.writeFile('net.h5', await readFile(target));
    const file = new h5wasm.File('net.h5', 'r');
    expect((file.get('data') as h5wasm.Group).keys()).toHaveLength(5000);
    for (const i of [0, 2500, 4999])
      expect((file.get(`data/l${i}/0`) as h5wasm.Dataset).value).toEqual(Float32Array.of(i));
    file.close();
    h5wasm.FS!.unlink('net.h5');
  });

  it('survives any damage to a model', async () => {
    const target = join(folder, 'net.caffemodel');
    await fc.assert(
      fc.asyncProperty(model, fc.infiniteStream(fc.nat()), async (written, random) => {
        await writeModel(target, written, { replace: true });
        const file = await readFile(target);
        const next = () => random.next().value as number;
        for (let i = 0; i < 20; i++) {
          const damaged = new Uint8Array(file.subarray(0, i % 2 ? next() % (file.length + 1) : file.length));
          for (let flips = next() % 8; flips > 0 && damaged.length > 0; flips--) {
            damaged[next() % damaged.length] ^= 1 << (next() % 8);
          }
          const source = memorySource('damaged.caffemodel', damaged);
          try {
            const read = await openModel(source);
            for (const blob of read.layers.flatMap(({ blobs }) => blobs)) {
              expect(await readBlob(source, blob)).toHaveLength(blob.count);
              expect(blob.count).toBeLessThanOrEqual(damaged.length);
            }
          } catch (error) {
            if (!(error instanceof CaffeError)) throw error;
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('refuses random bytes or says what is damaged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (random) => {
        const result = await openModel(memorySource('random', random)).catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toBeInstanceOf(CaffeError);
      }),
      { numRuns: 500 },
    );
  });
});

describe('files beyond 4 GiB', () => {
  it.skipIf(process.platform === 'win32')('are indexed and read at any offset', async () => {
    const huge = 5 * 2 ** 30;
    const path = join(folder, 'huge.caffemodel');
    const big = concat(tag(5, 2), varint(huge));
    const bigTail = shape(huge / 4);
    const small = concat(packedFloats(5, [1, 2, 3]), shape(3));
    const blobLength = big.length + huge + bigTail.length;
    const head = concat(text(1, 'ip'), text(2, 'InnerProduct'), tag(7, 2), varint(blobLength));
    const after = concat(bigTail, bytes(7, small));
    const layerHead = concat(tag(100, 2), varint(head.length + big.length + huge + after.length));
    const start = concat(layerHead, head, big);
    const file = await open(path, 'w');
    // The floats are a hole in the file: it takes no room on the disk.
    await file.write(start, 0, start.length, 0);
    await file.write(after, 0, after.length, start.length + huge);
    await file.close();
    const source = await openFile(path);
    const model = await openModel(source);
    expect(model.damage).toEqual([]);
    expect(model.layers[0].blobs.map(({ count }) => count)).toEqual([huge / 4, 3]);
    expect([...(await readBlob(source, model.layers[0].blobs[1]))]).toEqual([1, 2, 3]);
    for await (const { chunk } of blobChunks(source, model.layers[0].blobs[0])) {
      expect(chunk.length).toBeLessThanOrEqual(1 << 18);
      break;
    }
    await source.close();
  });
});

describe('half precision', () => {
  it('is exact both ways for every half', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfToFloat(bits);
      if (Number.isNaN(value)) expect((bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0).toBe(true);
      else expect(floatToHalf(value)).toBe(bits);
    }
  });

  it('rounds to the nearest half, ties to even', () => {
    const cases: [number, number][] = [
      [1 + 1 / 2048, 0x3c00],
      [1 + 3 / 2048, 0x3c02],
      [65519.99, 0x7bff],
      [65520, 0x7c00],
      [-1e9, 0xfc00],
      [2 ** -25, 0],
      [2 ** -25 * 1.001, 1],
      [3 * 2 ** -25, 2],
      [2 ** -14 - 2 ** -26, 0x0400],
      [NaN, 0x7e00],
    ];
    for (const [value, bits] of cases) expect([value, floatToHalf(value)]).toEqual([value, bits]);
  });
});
