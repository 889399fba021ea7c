import { afterAll, describe, expect, it } from 'vitest';
import { hasRelaxedSimd } from '../../../src/tensor/kernels';
import { PortableEngine } from '../../../src/tensor/portable';
import { convolve, describeEngines, known } from './contract';
import { Values } from './values';

const engines = [1, 2, 3, 4].flatMap((threads) => [
  new PortableEngine({ threads, instructions: 'simd' }),
  ...(hasRelaxedSimd() ? [new PortableEngine({ threads, instructions: 'relaxed' })] : []),
]);

afterAll(() => {
  for (const engine of engines) engine.dispose();
});

describeEngines('the portable engine', engines);

describe('results', () => {
  it.each(hasRelaxedSimd() ? (['simd', 'relaxed'] as const) : (['simd'] as const))(
    'do not depend on the number of threads, to the last bit (%s)',
    (instructions) => {
      const outputs = engines
        .filter((engine) => engine.instructions === instructions)
        .map((engine) => {
          const values = new Values(engine, 3);
          for (const [, shape] of known) convolve(engine, values, shape);
          const [a, b, c] = [values.random(300 * 700), values.random(700 * 90), values.random(300 * 90)];
          engine.gemm(false, false, 300, 90, 700, 1, a, b, 0, c);
          const sum = values.random(30);
          engine.channelSum(20, 30, 500, a, sum.fill(0));
          values.note(engine.sumOfSquares(a));
          const bytes = values.bytes();
          values.free();
          return bytes;
        });
      expect(outputs).toHaveLength(4);
      for (const output of outputs.slice(1)) expect(output.equals(outputs[0])).toBe(true);
    },
  );
});

describe('memory', () => {
  it('is all 0, aligned to cache lines, and stays where it is when it grows', () => {
    const engine = new PortableEngine({ threads: 2 });
    const first = engine.allocate(100).fill(3);
    const large = engine.allocate(20e6);
    expect(first.byteOffset % 64).toBe(0);
    expect(large.byteOffset % 64).toBe(0);
    engine.axpy(2, large.subarray(0, 100).fill(1), first);
    expect(first.every((value) => value === 5)).toBe(true);
    engine.free(first);
    expect(engine.allocate(100).every((value) => value === 0)).toBe(true);
    engine.dispose();
  });

  it('is used again', () => {
    const engine = new PortableEngine({ threads: 1 });
    const before = engine.bytesUsed;
    for (let round = 0; round < 100; round++) {
      const arrays = [10, 2e6, 3, 5e5].map((count) => engine.allocate(count));
      for (const i of [1, 0, 3, 2]) engine.free(arrays[i]);
    }
    expect(engine.bytesUsed).toBe(before);
    expect(engine.bytesReserved).toBeLessThan(32e6);
    engine.dispose();
  });

  it('grows by no more after the first runs of an operation', () => {
    const engine = new PortableEngine({ threads: 2 });
    const values = new Values(engine, 1);
    const run = () => {
      for (const [, shape] of known) convolve(engine, values, shape);
      values.free();
    };
    run();
    const before = engine.bytesReserved;
    for (let i = 0; i < 20; i++) run();
    expect(engine.bytesReserved).toBe(before);
    engine.dispose();
  });

  it('refuses what does not fit and what is not its own, and goes on', () => {
    const engine = new PortableEngine({ threads: 1 });
    expect(() => engine.allocate(2 ** 30)).toThrow(/array of 4\.0 GiB was asked for.*smaller batch/);
    expect(() => {
      engine.axpy(1, new Float32Array(3), engine.allocate(3));
    }).toThrow(/did not allocate/);
    const array = engine.allocate(3);
    engine.free(array);
    expect(() => {
      engine.free(array);
    }).toThrow(/twice/);
    expect(engine.allocate(3).length).toBe(3);
    engine.dispose();
  });
});
