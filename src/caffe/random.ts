/**
 * The generator that Caffe draws from (boost::mt19937: the 32-bit Mersenne Twister of Matsumoto and Nishimura,
 * 1998), so that a seed means the same stream of numbers here and there.
 */
export class Random {
  private readonly state = new Uint32Array(624);
  private position = 624;

  /** @param seed taken modulo 2^32, as `random_seed` of a solver. */
  constructor(seed: number) {
    this.seed(seed);
  }

  /** Begins the stream of a seed, as if newly made. */
  seed(seed: number): void {
    const { state } = this;
    state[0] = seed;
    for (let i = 1; i < 624; i++) {
      const previous = state[i - 1] ^ (state[i - 1] >>> 30);
      state[i] = Math.imul(1812433253, previous) + i;
    }
    this.position = 624;
  }

  /** The next integer, uniform in 0..2^32-1. */
  next(): number {
    if (this.position === 624) this.twist();
    let y = this.state[this.position++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** An integer in 0..n-1, drawn as Caffe's `DataTransformer::Rand` draws it: the next one modulo n. */
  below(n: number): number {
    return this.next() % n;
  }

  /** A number in [0, 1) with the 32 bits of one draw. */
  unit(): number {
    return this.next() / 4294967296;
  }

  /** A normal deviate with mean 0 and standard deviation 1 (Box and Muller 1958), from two draws. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.unit()));
    return radius * Math.cos(2 * Math.PI * this.unit());
  }

  /** Puts the items into a random order in place (Fisher and Yates, from the last to the first). */
  shuffle<T>(items: { [index: number]: T; readonly length: number }): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = Math.floor(this.unit() * (i + 1));
      [items[i], items[j]] = [items[j], items[i]];
    }
  }

  private twist(): void {
    const { state } = this;
    for (let i = 0; i < 624; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
      state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.position = 0;
  }
}
