import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromText, toText } from '../../src/wire';

test.each([
  ['NaN and infinities', { min: NaN, max: Infinity, mean: -Infinity, std: 0.5 }],
  [
    'nested arrays',
    [{ counts: new Uint32Array([0, 7, 2 ** 32 - 1]) }, { values: new Float32Array([-0, NaN, 1e-40]) }],
  ],
  ['empty arrays', new Float32Array(0)],
  ['texts that look like numbers', { name: 'NaN', $: 'Infinity' }],
])('%s arrive as they were sent', (_what, message) => {
  expect(fromText(toText(message))).toEqual(message);
});

test('part of a buffer is sent as that part', () => {
  const whole = Float32Array.from({ length: 10 }, (_, i) => i);
  expect(fromText(toText(whole.subarray(3, 5)))).toEqual(new Float32Array([3, 4]));
});

test('any floats survive bit for bit', () => {
  fc.assert(
    fc.property(fc.float32Array(), (values) => {
      const back = fromText(toText(values)) as Float32Array;
      expect(new Uint32Array(back.buffer)).toEqual(new Uint32Array(values.slice().buffer));
    }),
  );
});
