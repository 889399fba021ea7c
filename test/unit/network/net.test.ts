import { describe, expect, it } from 'vitest';
import type { LayerParameter, NetParameter } from '../../../src/caffe/messages';
import { Random } from '../../../src/caffe/random';
import type { Phase } from '../../../src/network/layer';
import { Net, type NetOptions } from '../../../src/network/net';
import { ReferenceEngine } from '../../../src/tensor/reference';
import { inputs, layer, netOf } from '../../support/nets';

const make = (net: NetParameter, options: Partial<NetOptions> = {}) =>
  new Net(net, { phase: 'TRAIN', engine: new ReferenceEngine(), ...options });

/** y = factor · x. */
const times = (factor: number, bottom: string, top: string, more: Partial<LayerParameter> = {}) =>
  layer('Power', [bottom], [top], { power_param: { scale: factor }, ...more });

const total = (bottom: string, top: string, more: Partial<LayerParameter> = {}) =>
  layer('Reduction', [bottom], [top], { loss_weight: [1], ...more });

describe('Net', () => {
  it('adds the gradients of all readers of a blob, as Caffe does by its Splits', () => {
    const net = make(
      netOf({ x: [3] }, [times(2, 'x', 'a'), times(3, 'x', 'b'), total('a', 'la'), total('b', 'lb')], {
        force_backward: true,
      }),
    );
    net.setInput('x', [3], Float32Array.of(1, 2, 3));
    expect(net.forward()).toBe(2 * 6 + 3 * 6);
    net.backward();
    expect([...net.blob('x').diff]).toEqual([5, 5, 5]);
    expect(net.layers.map(({ name }) => name)).toEqual(['x', 'x_x_0_split', 'a', 'b', 'la', 'lb']);
    expect(net.blobNames).toContain('x_x_0_split_1');
  });

  it('lets a blob be a loss and be read as well', () => {
    const net = make(
      netOf({ x: [2] }, [times(2, 'x', 'a', { loss_weight: [10] }), times(3, 'a', 'b'), total('b', 'l')], {
        force_backward: true,
      }),
    );
    net.setInput('x', [2], Float32Array.of(1, 2));
    expect(net.forward()).toBe(10 * 6 + 3 * 6);
    net.backward();
    expect([...net.blob('x').diff]).toEqual([2 * (10 + 3), 2 * (10 + 3)]);
  });

  it('works in place', () => {
    const net = make(
      netOf({ x: [4] }, [times(2, 'x', 'a'), layer('ReLU', ['a'], ['a'], { name: 'r' }), total('a', 'l')], {
        force_backward: true,
      }),
    );
    net.setInput('x', [4], Float32Array.of(-1, 2, -3, 4));
    expect(net.forward()).toBe(12);
    expect([...net.blob('a').data.map(Math.abs)]).toEqual([0, 4, 0, 8]);
    net.backward();
    expect([...net.blob('x').diff]).toEqual([0, 2, 0, 2]);
  });

  it.each(['PReLU', 'Scale', 'BatchNorm', 'LRN', 'Power', 'Swish'])(
    '%s gives the same in place as with a top of its own',
    (type) => {
      const results = ['own', 'x2'].map((top) => {
        const net = make(
          netOf(
            { x: [2, 3, 2, 2] },
            [
              times(1, 'x', 'x2'),
              layer(type, ['x2'], [top], {
                name: 'checked',
                power_param: { power: 2, shift: 3 },
                scale_param: { filler: { type: 'uniform' } },
              }),
              layer('Reduction', [top], ['l'], { loss_weight: [1], reduction_param: { operation: 'SUMSQ' } }),
            ],
            { force_backward: true },
          ),
        );
        net.setInput(
          'x',
          [2, 3, 2, 2],
          Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
        );
        const loss = net.forward();
        net.backward();
        return [
          loss,
          net.blob(top).data,
          net.blob('x').diff,
          net.paramsOf('checked').map(({ diff }) => diff),
        ];
      });
      expect(results[0]).toEqual(results[1]);
    },
  );

  it('computes no gradient that nobody needs', () => {
    const ip = (bottom: string, top: string, more: Partial<LayerParameter> = {}) =>
      layer('InnerProduct', [bottom], [top], { inner_product_param: { num_output: 2 }, ...more });
    const net = make(
      netOf({ x: [1, 2], y: [1, 2] }, [
        ip('x', 'frozen', { param: [{ lr_mult: 0 }, { lr_mult: 0 }] }),
        ip('frozen', 'learns'),
        layer('EuclideanLoss', ['learns', 'y'], ['l']),
      ]),
    );
    net.setInput('x', [1, 2], Float32Array.of(1, 2));
    net.setInput('y', [1, 2], Float32Array.of(3, 4));
    net.paramsOf('frozen')[0].data.fill(1);
    net.forward();
    net.backward();
    expect(net.paramsOf('learns')[0].diff).not.toEqual(new Float32Array(4));
    expect(net.paramsOf('frozen')[0].diff).toEqual(new Float32Array(4));
    expect(net.blob('frozen').diff).toEqual(new Float32Array(2));
  });

  it('heeds propagate_down', () => {
    const build = (propagate_down: boolean[]) => {
      const net = make(
        netOf({ x: [1, 2] }, [
          layer('InnerProduct', ['x'], ['a'], { inner_product_param: { num_output: 2 } }),
          times(2, 'a', 'b', { propagate_down }),
          total('b', 'l'),
        ]),
      );
      net.setInput('x', [1, 2], Float32Array.of(1, 2));
      net.forward();
      net.backward();
      return [...net.paramsOf('a')[1].diff];
    };
    expect(build([])).toEqual([2, 2]);
    expect(build([false])).toEqual([0, 0]);
  });

  it('refuses to learn through a label', () => {
    const net = netOf({ x: [2, 3] }, [
      layer('InnerProduct', ['x'], ['a'], { inner_product_param: { num_output: 3 } }),
      layer('InnerProduct', ['x'], ['b'], { inner_product_param: { num_output: 1 } }),
      layer('SoftmaxWithLoss', ['a', 'b'], ['l']),
    ]);
    expect(() => make(net)).toThrow(/cannot backpropagate to bottom 1, 'b'/);
  });

  it('refuses to learn through a layer without a gradient', () => {
    const net = netOf({ x: [2, 3] }, [
      layer('InnerProduct', ['x'], ['a'], { inner_product_param: { num_output: 3 } }),
      layer('Threshold', ['a'], ['b']),
      total('b', 'l'),
    ]);
    expect(() => make(net)).toThrow(/Threshold has no gradient/);
  });

  it('adapts to inputs of another shape', () => {
    const net = make(
      netOf({ x: [1, 1, 4, 4] }, [
        layer('Convolution', ['x'], ['c'], {
          convolution_param: { num_output: 2, kernel_size: [3], weight_filler: { value: 1 } },
        }),
        layer('Pooling', ['c'], ['p'], { pooling_param: { pool: 'AVE', global_pooling: true } }),
      ]),
      { phase: 'TEST' },
    );
    for (const [num, size] of [
      [1, 4],
      [3, 6],
      [2, 3],
    ]) {
      net.setInput('x', [num, 1, size, size], new Float32Array(num * size * size).fill(1));
      net.forward();
      expect(net.blob('p').shape).toEqual([num, 2, 1, 1]);
      expect([...net.blob('p').data]).toEqual(new Array(num * 2).fill(9));
    }
  });

  it('refuses an input that does not fit the weights', () => {
    const net = make(
      netOf({ x: [1, 4] }, [layer('InnerProduct', ['x'], ['y'], { inner_product_param: { num_output: 2 } })]),
    );
    net.setInput('x', [1, 5], new Float32Array(5));
    expect(() => net.forward()).toThrow(/1×5 does not fit weights of 2×4/);
  });

  it('shares parameters of the same name and adds their gradients', () => {
    const net = make(
      netOf({ x: [1, 2] }, [
        layer('InnerProduct', ['x'], ['a'], {
          param: [{ name: 'w', lr_mult: 3 }],
          inner_product_param: { num_output: 2, bias_term: false, weight_filler: { value: 1 } },
        }),
        layer('InnerProduct', ['a'], ['b'], {
          param: [{ name: 'w' }],
          inner_product_param: { num_output: 2, bias_term: false },
        }),
        total('b', 'l'),
      ]),
    );
    expect(net.params).toHaveLength(1);
    expect(net.params[0]).toMatchObject({ layer: 'a', lrMult: 3 });
    net.setInput('x', [1, 2], Float32Array.of(1, 2));
    // a = (3, 3), b = (6, 6).
    expect(net.forward()).toBe(12);
    net.backward();
    // From b: 1·aᵀ in each row; from a: the gradient (2, 2) times x.
    expect([...net.params[0].blob.diff]).toEqual([3 + 2, 3 + 4, 3 + 2, 3 + 4]);
  });

  it('refuses shared parameters of different rates', () => {
    const shared = (bottom: string, top: string, lr_mult: number) =>
      layer('InnerProduct', [bottom], [top], {
        param: [{ name: 'w', lr_mult }],
        inner_product_param: { num_output: 2, bias_term: false },
      });
    expect(() => make(netOf({ x: [1, 2] }, [shared('x', 'a', 1), shared('a', 'b', 2)]))).toThrow(
      /shared param 'w' has mismatched lr_mult: 2 here and 1 in layer 'a'/,
    );
  });

  it('uses the weights of another net', () => {
    const net = netOf({ x: [1, 2] }, [
      layer('InnerProduct', ['x'], ['y'], {
        inner_product_param: { num_output: 1, weight_filler: { type: 'uniform' } },
      }),
    ]);
    const engine = new ReferenceEngine();
    const train = new Net(net, { phase: 'TRAIN', engine });
    const test = new Net(net, { phase: 'TEST', engine, seed: 2 });
    test.shareWeights(train);
    train.paramsOf('y')[0].data.set([2, 3]);
    test.setInput('x', [1, 2], Float32Array.of(1, 1));
    test.forward();
    expect([...test.blob('y').data]).toEqual([5]);
  });

  it('finds where the first NaN is', () => {
    const net = make(netOf({ x: [2] }, [times(1, 'x', 'a'), layer('Log', ['a'], ['b']), times(1, 'b', 'c')]));
    net.setInput('x', [2], Float32Array.of(1, -1));
    net.forward();
    expect(net.findNotFinite()).toEqual({ layer: 'b', what: 'output' });
    net.setInput('x', [2], Float32Array.of(1, 2));
    net.forward();
    expect(net.findNotFinite()).toBeUndefined();
  });

  it('refuses an unknown type with its line before anything is allocated', () => {
    const engine = new ReferenceEngine();
    let allocated = 0;
    engine.allocate = (count) => {
      allocated += count;
      return new Float32Array(count);
    };
    const net = netOf({ x: [2] }, [layer('Wat', ['x'], ['y'], { line: 7 })]);
    expect(() => make(net, { engine })).toThrow(expect.objectContaining({ layer: 'y', line: 7 }));
    expect(allocated).toBe(0);
  });

  it.each([
    [[layer('Python', ['x'], ['y'], { line: 7 })], /layers written in Python run in Caffe alone/],
    [[layer('Input', [], ['y'], { line: 7 })], /the shape of blob 'y' is not known/],
    [[layer('Data', [], ['y'], { line: 7, data_param: { batch_size: 3 } })], /not known: 3×\?×\?×\?/],
  ])('refuses what it cannot run: %#', (layers, message) => {
    expect(() => make(netOf({ x: [2] }, layers))).toThrow(message);
  });

  it('gives back all the memory that it took, reshaped or not', () => {
    const engine = new ReferenceEngine();
    const held = new Set<Float32Array>();
    engine.allocate = (count) => {
      const array = new Float32Array(count);
      if (count > 0) held.add(array);
      return array;
    };
    engine.free = (array: Float32Array) => {
      if (array.length > 0) expect(held.delete(array)).toBe(true);
    };
    const net = make(
      netOf({ x: [1, 3, 8, 8], label: [1] }, [
        layer('Convolution', ['x'], ['c'], { convolution_param: { num_output: 4, kernel_size: [3] } }),
        layer('BatchNorm', ['c'], ['c'], { name: 'bn' }),
        layer('Pooling', ['c'], ['p'], { pooling_param: { pool: 'MAX', global_pooling: true } }),
        layer('Flatten', ['p'], ['f']),
        layer('SoftmaxWithLoss', ['f', 'label'], ['l']),
        layer('Accuracy', ['f', 'label'], ['a']),
      ]),
      { engine },
    );
    let before = 0;
    for (const num of [1, 4, 2, 4, 2, 4]) {
      net.setInput('x', [num, 3, 8, 8], new Float32Array(num * 192));
      net.setInput('label', [num], new Float32Array(num));
      net.forward();
      net.backward();
      if (num === 4) {
        if (before > 0) expect(held.size).toBe(before);
        before = held.size;
      }
    }
    net.dispose();
    expect(held.size).toBe(0);
  });

  it('runs a part of the layers', () => {
    const net = make({
      layer: [...inputs({ x: [1] }), times(2, 'x', 'a'), times(3, 'a', 'b'), times(5, 'b', 'c')],
    });
    net.setInput('x', [1], Float32Array.of(1));
    net.forward();
    net.blob('a').data[0] = 10;
    net.forward('b', 'b');
    expect([net.blob('b').data[0], net.blob('c').data[0]]).toEqual([30, 30]);
  });

  describe('does along what follows in place', () => {
    const random = new Random(1);
    const x = Float32Array.from({ length: 300 }, () => random.unit() - 0.5);
    const parameters = Float32Array.from({ length: 300 }, () => random.unit() + 0.1);
    const options: Record<string, Partial<LayerParameter>> = {
      Convolution: { convolution_param: { num_output: 4, kernel_size: [3], pad: [1], axis: -3 } },
      Scale: { scale_param: { bias_term: true } },
      ReLU: { relu_param: { negative_slope: 0.1 } },
    };
    /** Layers one after the other: from the second on in place, or into blobs of their own. */
    const chain = (types: string[], phase: Phase, inPlace: boolean, shape = [3, 4, 5, 5]) => {
      const blobs = types.map((_, i) => (inPlace ? 'y' : `y${i}`));
      const net = make(
        netOf(
          { x: shape },
          [
            ...types.map((type, i) =>
              layer(type, i > 0 ? [blobs[i - 1]] : type === 'Eltwise' ? ['x', 'x'] : ['x'], [blobs[i]], {
                name: type,
                ...options[type],
              }),
            ),
            times(1, blobs.at(-1) ?? '', 'out'),
            layer('Reduction', ['out'], ['l'], { loss_weight: [1], reduction_param: { operation: 'SUMSQ' } }),
          ],
          { force_backward: phase === 'TRAIN' },
        ),
        { phase },
      );
      for (const { blob } of net.params) blob.data.set(parameters.subarray(0, blob.data.length));
      net.setInput('x', shape, x);
      return net;
    };
    const close = (a: Float32Array, b: Float32Array) => {
      for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i], 4);
    };

    it.each([
      [['Convolution', 'BatchNorm', 'Scale', 'ReLU'], 'TEST'],
      [['Convolution', 'ReLU'], 'TEST'],
      [['Convolution', 'BatchNorm', 'Scale', 'ReLU'], 'TRAIN'],
      [['BatchNorm', 'Scale', 'Scale', 'ReLU'], 'TRAIN'],
      [['Convolution', 'Scale', 'ReLU'], 'TRAIN'],
      [['Convolution', 'ReLU'], 'TRAIN'],
      [['Eltwise', 'ReLU'], 'TRAIN'],
    ] as const)('%j in %s', (types, phase) => {
      const nets = [true, false].map((inPlace) => chain([...types], phase, inPlace));
      for (const net of nets) {
        net.forward();
        if (phase === 'TRAIN') net.backward();
      }
      const [fused, plain] = nets;
      close(fused.blob('out').data, plain.blob('out').data);
      close(fused.blob('x').diff, plain.blob('x').diff);
      fused.params.forEach(({ blob }, i) => {
        close(blob.data, plain.params[i].blob.data);
        close(blob.diff, plain.params[i].blob.diff);
      });
    });

    it('only where the outputs are the channels', () => {
      const [fused, plain] = [true, false].map((inPlace) =>
        chain(['Convolution', 'BatchNorm', 'ReLU'], 'TEST', inPlace, [1, 3, 4, 5, 5]),
      );
      fused.forward();
      plain.forward();
      close(fused.blob('out').data, plain.blob('out').data);
    });

    it('unless only a part is asked for', () => {
      const types = ['Convolution', 'BatchNorm', 'Scale', 'ReLU'];
      const [fused, plain] = [true, false].map((inPlace) => chain(types, 'TEST', inPlace));
      plain.forward();
      for (const [i, type] of types.entries()) {
        fused.forward(undefined, type);
        close(fused.blob('y').data, plain.blob(`y${i}`).data);
        fused.forward(types[i + 1] ?? 'out');
        close(fused.blob('out').data, plain.blob('out').data);
      }
    });
  });
});
