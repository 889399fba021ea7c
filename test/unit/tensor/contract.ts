import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConvolutionShape, Engine, LrnShape, PoolingShape, Update } from '../../../src/tensor/engine';
import { ReferenceEngine } from '../../../src/tensor/reference';
import { Values } from './values';

const reference = new ReferenceEngine();

const small = fc.integer({ min: 1, max: 9 });

/** Geometries of convolutions, as Caffe computes their output; those without output are left out. */
const convolutions = fc
  .record({
    num: fc.integer({ min: 1, max: 5 }),
    groupChannels: fc.integer({ min: 1, max: 6 }),
    groupOutputs: fc.integer({ min: 1, max: 9 }),
    group: fc.constantFrom(1, 1, 1, 2, 3),
    height: fc.integer({ min: 1, max: 20 }),
    width: fc.integer({ min: 1, max: 20 }),
    kernelHeight: fc.integer({ min: 1, max: 5 }),
    kernelWidth: fc.integer({ min: 1, max: 5 }),
    strideHeight: fc.integer({ min: 1, max: 3 }),
    strideWidth: fc.integer({ min: 1, max: 3 }),
    padHeight: fc.integer({ min: 0, max: 3 }),
    padWidth: fc.integer({ min: 0, max: 3 }),
    dilationHeight: fc.integer({ min: 1, max: 3 }),
    dilationWidth: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ groupChannels, groupOutputs, ...s }): ConvolutionShape => {
    const out = (size: number, pad: number, dilation: number, kernel: number, stride: number) =>
      Math.floor((size + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1;
    return {
      ...s,
      channels: groupChannels * s.group,
      outputs: groupOutputs * s.group,
      outHeight: out(s.height, s.padHeight, s.dilationHeight, s.kernelHeight, s.strideHeight),
      outWidth: out(s.width, s.padWidth, s.dilationWidth, s.kernelWidth, s.strideWidth),
    };
  })
  .filter((s) => s.outHeight > 0 && s.outWidth > 0);

/** Shapes of the nets that matter most, and those that meet the borders of the kernels' blocks. */
const base = { strideHeight: 1, strideWidth: 1, dilationHeight: 1, dilationWidth: 1, group: 1 };
const square = (
  num: number,
  channels: number,
  size: number,
  outputs: number,
  kernel: number,
  pad = 0,
  stride = 1,
) => ({
  ...base,
  num,
  channels,
  height: size,
  width: size,
  outputs,
  outHeight: Math.floor((size + 2 * pad - kernel) / stride) + 1,
  outWidth: Math.floor((size + 2 * pad - kernel) / stride) + 1,
  kernelHeight: kernel,
  kernelWidth: kernel,
  strideHeight: stride,
  strideWidth: stride,
  padHeight: pad,
  padWidth: pad,
});
export const known: [string, ConvolutionShape][] = [
  ['LeNet conv1', square(3, 1, 28, 20, 5)],
  ['LeNet conv2', square(3, 20, 12, 50, 5)],
  ['3x3 same, more taps than a pass', square(2, 64, 8, 64, 3, 1)],
  ['3x3 same, odd size', square(2, 5, 15, 7, 3, 1)],
  ['3x3 same, whole tiles', square(3, 16, 32, 24, 3, 1)],
  ['3x3 same, several images to a panel', square(5, 20, 8, 18, 3, 1)],
  ['3x3 same, tiles cut off', square(3, 12, 14, 13, 3, 1)],
  ['3x3 valid', square(2, 9, 21, 10, 3)],
  ['5x5 same, tiles cut off', square(3, 10, 11, 13, 5, 2)],
  ['5x5 valid', square(9, 16, 10, 12, 5)],
  ['3x3 of stride 2', square(2, 16, 16, 32, 3, 1, 2)],
  ['11x11 of stride 4', square(1, 3, 43, 6, 11, 0, 4)],
  ['1x1', square(2, 33, 7, 20, 1)],
  ['1x1 of stride 2', square(2, 33, 8, 20, 1, 0, 2)],
  ['depthwise 3x3', { ...square(2, 12, 14, 12, 3, 1), group: 12 }],
  ['depthwise with multiplier, stride 2', { ...square(2, 4, 14, 12, 3, 1, 2), group: 4 }],
  ['one large image, cut into rows', square(1, 8, 70, 5, 3, 1)],
  ['more outputs than a pass of the gradient', square(1, 3, 5, 530, 3, 1, 2)],
];

const taps = (s: ConvolutionShape) => (s.channels / s.group) * s.kernelHeight * s.kernelWidth;
const inputSize = (s: ConvolutionShape) => s.num * s.channels * s.height * s.width;
const outputSize = (s: ConvolutionShape) => s.num * s.outputs * s.outHeight * s.outWidth;

export function convolve(engine: Engine, v: Values, s: ConvolutionShape): void {
  const x = v.random(inputSize(s));
  const w = v.random(s.outputs * taps(s));
  const bias = v.random(s.outputs);
  const y = v.random(outputSize(s));
  engine.convolution(s, x, w, bias, y);
  engine.convolution(s, x, w, bias, v.random(y.length), v.random(s.outputs), 0.1);
  engine.convolution(s, x, w, null, v.random(y.length), null, 0);
  const unbiased = v.random(outputSize(s));
  engine.convolution(s, x, w, null, unbiased);
  const dx = v.random(inputSize(s));
  engine.convolutionInput(s, unbiased, w, dx);
  const dw = v.random(s.outputs * taps(s));
  engine.convolutionWeights(s, x, unbiased, dw);
}

/** Geometries of pooling, Caffe's rounding up and its clipping of the last window included. */
const poolings = fc
  .record({
    planes: small,
    height: fc.integer({ min: 1, max: 17 }),
    width: fc.integer({ min: 1, max: 17 }),
    kernelHeight: fc.integer({ min: 1, max: 5 }),
    kernelWidth: fc.integer({ min: 1, max: 5 }),
    strideHeight: fc.integer({ min: 1, max: 3 }),
    strideWidth: fc.integer({ min: 1, max: 3 }),
    padHeight: fc.integer({ min: 0, max: 2 }),
    padWidth: fc.integer({ min: 0, max: 2 }),
  })
  .map((s): PoolingShape => {
    const out = (size: number, pad: number, kernel: number, stride: number) => {
      const count = Math.ceil((size + 2 * pad - kernel) / stride) + 1;
      return (count - 1) * stride >= size + pad ? count - 1 : count;
    };
    return {
      ...s,
      outHeight: out(s.height, s.padHeight, s.kernelHeight, s.strideHeight),
      outWidth: out(s.width, s.padWidth, s.kernelWidth, s.strideWidth),
    };
  })
  .filter(
    (s) => s.outHeight > 0 && s.outWidth > 0 && s.padHeight < s.kernelHeight && s.padWidth < s.kernelWidth,
  );

const lrns = fc.record({
  num: fc.integer({ min: 1, max: 3 }),
  channels: small,
  plane: fc.integer({ min: 1, max: 300 }),
  size: fc.constantFrom(1, 3, 5),
  alpha: fc.constantFrom(1e-4, 0.5, 2),
  beta: fc.constantFrom(0.75, 0.5, 1.3),
  k: fc.constantFrom(1, 2),
});

const optimisers: [string, (engine: Engine, update: Update) => void][] = [
  [
    'sgd',
    (e, u) => {
      e.sgd(u, 0.9);
    },
  ],
  [
    'nesterov',
    (e, u) => {
      e.nesterov(u, 0.9);
    },
  ],
  [
    'adaGrad',
    (e, u) => {
      e.adaGrad(u, 1e-4);
    },
  ],
  [
    'rmsProp',
    (e, u) => {
      e.rmsProp(u, 0.98, 1e-4);
    },
  ],
  [
    'adaDelta',
    (e, u) => {
      e.adaDelta(u, 0.95, 1e-4);
    },
  ],
  [
    'adam',
    (e, u) => {
      e.adam(u, 0.9, 0.999, 1e-4);
    },
  ],
];

/** Tests that engines do what the plain loops do. */
export function describeEngines(title: string, engines: readonly Engine[], runs = 40): void {
  /** Runs an operation on the plain loops and on every engine, from the same values, and compares all it wrote. */
  function expectSame(seed: number, operation: (engine: Engine, values: Values) => void): void {
    const draw = (from: number) => {
      const values = new Values(reference, from);
      operation(reference, values);
      return values;
    };
    const wanted = draw(seed);
    const others = () => [1, 2, 3].map((more) => draw(seed + more));
    for (const engine of engines) {
      const got = new Values(engine, seed);
      try {
        operation(engine, got);
        got.expectClose(wanted, others);
      } finally {
        got.free();
      }
    }
  }

  /** {@link expectSame} over many shapes. */
  function property<T>(
    shapes: fc.Arbitrary<T>,
    operation: (engine: Engine, values: Values, shape: T) => void,
    count = runs,
  ): void {
    fc.assert(
      fc.property(shapes, fc.integer(), (shape, seed) => {
        expectSame(seed, (engine, values) => {
          operation(engine, values, shape);
        });
      }),
      { numRuns: count },
    );
  }

  const byName = engines.map((engine) => [engine.name, engine] as const);

  describe(title, () => {
    it('multiplies matrices', () => {
      const sizes = fc.record({
        m: fc.integer({ min: 1, max: 40 }),
        n: fc.integer({ min: 1, max: 40 }),
        k: fc.integer({ min: 1, max: 40 }),
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        alpha: fc.constantFrom(1, 0.5, -2),
        beta: fc.constantFrom(0, 1, -0.5),
      });
      property(
        sizes,
        (e, v, { m, n, k, transposeA, transposeB, alpha, beta }) => {
          e.gemm(
            transposeA,
            transposeB,
            m,
            n,
            k,
            alpha,
            v.random(m * k),
            v.random(k * n),
            beta,
            v.random(m * n),
          );
        },
        100,
      );
    });

    it.each([
      [150, 70, 600],
      [3, 130, 1100],
      [1, 500, 800],
      [260, 9, 520],
    ])('multiplies matrices larger than its blocks: %i × %i × %i', (m, n, k) => {
      for (const [transposeA, transposeB] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ])
        expectSame(m, (e, v) => {
          e.gemm(transposeA, transposeB, m, n, k, 1, v.random(m * k), v.random(k * n), 1, v.random(m * n));
        });
    });

    it.each(byName)('leaves nothing of what c held when beta is 0: %s', (_, engine) => {
      const c = engine.allocate(6).fill(NaN);
      const a = engine.allocate(4).fill(1);
      engine.gemm(false, false, 2, 3, 2, 1, a, engine.allocate(6).fill(2), 0, c);
      expect([...c]).toEqual([4, 4, 4, 4, 4, 4]);
    });

    it('computes inner products', () => {
      const sizes = fc.record({
        m: small,
        n: fc.integer({ min: 1, max: 50 }),
        k: fc.integer({ min: 1, max: 70 }),
        transpose: fc.boolean(),
        bias: fc.boolean(),
      });
      property(
        sizes,
        (e, v, { m, n, k, transpose, bias }) => {
          e.innerProduct(
            m,
            n,
            k,
            transpose,
            v.random(m * k),
            v.random(k * n),
            bias ? v.random(n) : null,
            v.random(m * n),
          );
        },
        60,
      );
    });

    it('convolves', () => {
      property(convolutions, convolve, 120);
    });

    it.each(known)('convolves %s', (_name, shape) => {
      expectSame(7, (e, v) => {
        convolve(e, v, shape);
      });
    });

    it('pools', () => {
      property(
        poolings,
        (e, v, s) => {
          const x = v.random(s.planes * s.height * s.width);
          const y = v.random(s.planes * s.outHeight * s.outWidth);
          const index = v.random(y.length);
          const dx = v.random(x.length);
          e.maxPool(s, x, v.random(y.length), null);
          e.maxPool(s, x, y, index);
          e.maxPoolBackward(s, index, y, dx);
          const mean = v.random(y.length);
          const meanDx = v.random(x.length);
          e.averagePool(s, x, mean);
          e.averagePoolBackward(s, mean, meanDx);
        },
        150,
      );
    });

    it.each(byName)(
      'takes the first of equal values of a window, and NaN where there is nothing else: %s',
      (_, engine) => {
        const s = {
          planes: 1,
          height: 2,
          width: 8,
          outHeight: 1,
          outWidth: 4,
          kernelHeight: 2,
          kernelWidth: 2,
          strideHeight: 2,
          strideWidth: 2,
          padHeight: 0,
          padWidth: 0,
        };
        const x = engine.allocate(16);
        x.set([3, 3, 1, 2, NaN, NaN, 0, NaN, 3, 3, 2, 2, NaN, NaN, 0, 0]);
        const y = engine.allocate(4);
        const index = engine.allocate(4);
        engine.maxPool(s, x, y, index);
        expect([...y]).toEqual([3, 2, NaN, 0]);
        expect([...index]).toEqual([0, 3, 0, 6]);
      },
    );

    it('normalises locally', () => {
      property(lrns, (e, v, s: LrnShape) => {
        const count = s.num * s.channels * s.plane;
        const x = v.random(count);
        const scale = v.random(count);
        const y = v.random(count);
        e.lrn(s, x, scale, y);
        e.lrnBackward(s, x, y, scale, v.random(count), v.random(count));
      });
    });

    it('takes softmax', () => {
      property(
        fc.tuple(small, fc.integer({ min: 1, max: 30 }), fc.constantFrom(1, 1, 2, 5, 8)),
        (e, v, [outer, classes, inner]) => {
          e.softmax(
            outer,
            classes,
            inner,
            v.random(outer * classes * inner, 20),
            v.random(outer * classes * inner),
          );
        },
      );
    });

    it.each(byName)('takes softmax of values far apart: %s', (_, engine) => {
      const x = engine.allocate(5);
      x.set([-1000, 0, 88, -Infinity, 87]);
      engine.softmax(1, 5, 1, x, x);
      const e = Math.exp(-1);
      const wanted = [0, 0, 1 / (1 + e), 0, e / (1 + e)];
      for (let i = 0; i < 5; i++) expect(x[i]).toBeCloseTo(wanted[i], 6);
    });

    it('applies value by value', () => {
      property(
        fc.tuple(fc.integer({ min: 1, max: 40_000 }), fc.constantFrom(0, 0.01, -0.5)),
        (e, v, [count, slope]) => {
          const x = v.random(count);
          const y = v.random(count);
          e.relu(x, y, slope);
          e.reluBackward(x, y, v.random(count), slope);
          e.relu(y, y, slope);
          e.axpy(0.3, x, y);
          e.sum([x, y, x], [1, -0.5, 2], y);
          e.sum([x, y], [1, 2], v.random(count), slope);
          e.sum([y], [-1], v.random(count), slope);
          v.note(e.sumOfSquares(x));
        },
        12,
      );
    });

    it('works per channel', () => {
      property(
        fc.tuple(small, fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 2, 7, 300)),
        (e, v, [outer, size, inner]) => {
          const count = outer * size * inner;
          const x = v.random(count);
          const factor = v.random(size);
          e.scale(outer, size, inner, x, factor, null, v.random(count));
          e.scale(outer, size, inner, x, factor, v.random(size), v.random(count));
          e.prelu(outer, size, inner, x, factor, v.random(count));
          e.prelu(outer, size, inner, x, factor, x);
          e.channelSum(outer, size, inner, x, v.random(size));
          e.channelDot(outer, size, inner, x, v.random(count), v.random(size));
        },
      );
    });

    it('normalises batches', () => {
      property(
        fc.tuple(
          fc.integer({ min: 1, max: 9 }),
          fc.integer({ min: 1, max: 9 }),
          fc.constantFrom(1, 3, 64, 700),
        ),
        (e, v, [num, channels, plane]) => {
          const shape = { num, channels, plane, eps: 1e-2 };
          const count = num * channels * plane;
          const [x, normal, dy] = [v.random(count), v.random(count), v.random(count)];
          const [mean, variance] = [v.random(channels), v.random(channels)];
          const affine = {
            factor: v.random(channels),
            bias: v.random(channels),
            factorDiff: v.random(channels),
            biasDiff: v.random(channels),
          };
          const partly = { ...affine, bias: null, factorDiff: null, biasDiff: null };
          for (const then of [undefined, affine, partly]) {
            e.batchNorm(shape, x, then, mean, variance, normal, v.random(count), 0.1);
            e.batchNormBackward(shape, normal, variance, dy, then, v.random(count));
          }
          e.batchNorm(shape, x, affine, mean, variance, normal, x);
          e.batchNormBackward(shape, normal, variance, dy, affine, dy);
        },
      );
    });

    it.each(optimisers)('steps %s, masked or not', (_name, step) => {
      property(
        fc.tuple(fc.integer({ min: 1, max: 20_000 }), fc.boolean()),
        (e, v, [count, masked]) => {
          const mask = v.random(count);
          for (let i = 0; i < count; i++) mask[i] = mask[i] > 0 ? 1 : 0;
          const update: Update = {
            data: v.random(count),
            diff: v.random(count),
            history: v.positive(count),
            history2: v.positive(count),
            mask: masked ? mask : undefined,
            rate: 0.01,
          };
          for (let i = 0; i < 3; i++) step(e, update);
        },
        12,
      );
    });

    it.each(byName)('keeps pruned weights at exactly +0, whatever the gradient: %s', (_, engine) => {
      const fill = (values: number[]) => {
        const array = engine.allocate(values.length);
        array.set(values);
        return array;
      };
      for (const [, step] of optimisers) {
        const update = {
          data: fill([1, -1, 2, 3, 4, -0]),
          diff: fill([NaN, Infinity, -Infinity, 1e38, 0, 0]),
          history: fill([1, 2, 3, 4, 5, 6]),
          history2: fill([1, 2, 3, 4, 5, 6]),
          mask: fill([0, 0, 0, 0, 0, 0]),
          rate: 0.1,
        };
        step(engine, update);
        for (const array of [update.data, update.history, update.history2])
          for (const value of array) expect(Object.is(value, 0)).toBe(true);
      }
    });
  });
}
