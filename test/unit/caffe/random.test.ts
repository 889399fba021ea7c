import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/caffe/random';

describe('Random', () => {
  it('is the Mersenne Twister: the known first and 10,000th numbers for the seed 5489 (C++11, 26.5.5)', () => {
    const random = new Random(5489);
    expect(random.next()).toBe(3499211612);
    for (let i = 2; i < 10_000; i++) random.next();
    expect(random.next()).toBe(4123659995);
  });

  it('shuffles to a permutation that the seed decides', () => {
    const shuffled = (seed: number) => {
      const items = Array.from({ length: 50 }, (_, i) => i);
      new Random(seed).shuffle(items);
      return items;
    };
    expect(shuffled(1)).toEqual(shuffled(1));
    expect(shuffled(1)).not.toEqual(shuffled(2));
    expect(shuffled(1).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});
