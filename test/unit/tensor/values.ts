import { expect } from 'vitest';
import type { Engine } from '../../../src/tensor/engine';

/** Arrays of an engine, filled with the same random numbers whatever the engine. */
export class Values {
  private readonly arrays: Float32Array[] = [];
  private readonly numbers: number[] = [];

  constructor(
    private readonly engine: Engine,
    private seed: number,
  ) {}

  /** `count` values between −range and range. */
  random(count: number, range = 1): Float32Array {
    const array = this.engine.allocate(count);
    for (let i = 0; i < count; i++) {
      this.seed = (Math.imul(this.seed, 1664525) + 1013904223) | 0;
      array[i] = (this.seed / 2 ** 31) * range;
    }
    this.arrays.push(array);
    return array;
  }

  /** `count` values between 0 and 1. */
  positive(count: number): Float32Array {
    return this.random(count)
      .map(Math.abs)
      .reduce((array, value, i) => {
        array[i] = value;
        return array;
      }, this.arrays.at(-1)!);
  }

  note(value: number): void {
    this.numbers.push(value);
  }

  /**
   * Compares all arrays, written to or not: relative to the largest value of each, here or, where the terms of a sum have
   * cancelled, what it is where the same is done to `others`, other random numbers.
   */
  expectClose(wanted: Values, others: () => readonly Values[], tolerance = 2e-5): void {
    expect(this.arrays.length).toBe(wanted.arrays.length);
    for (const [index, array] of this.arrays.entries()) {
      const other = wanted.arrays[index];
      const differs = (scale: number) =>
        array.findIndex(
          (value, i) => !(Math.abs(value - other[i]) <= tolerance * scale) && !Object.is(value, other[i]),
        );
      const scale = Math.max(1e-3, largest(other));
      if (differs(scale) < 0) continue;
      const i = differs(Math.max(scale, ...others().map(({ arrays }) => largest(arrays[index]))));
      if (i >= 0)
        expect.fail(
          `array ${String(index)}, place ${String(i)} of ${String(array.length)}: ${String(array[i])} instead of ${String(other[i])}`,
        );
    }
    for (const [i, value] of this.numbers.entries())
      expect(Math.abs(value / wanted.numbers[i] - 1)).toBeLessThan(tolerance);
  }

  bytes(): Buffer {
    const numbers = new Float64Array(this.numbers);
    return Buffer.concat(
      [...this.arrays, numbers].map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)),
    );
  }

  free(): void {
    for (const array of this.arrays.splice(0)) this.engine.free(array);
  }
}

const largest = (array: Float32Array): number =>
  array.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
