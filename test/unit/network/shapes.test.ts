import { describe, expect, it } from 'vitest';
import type { LayerParameter, NetParameter } from '../../../src/caffe/messages';
import { inferShapes, shapeText, type NetPurpose } from '../../../src/network/shapes';
import { layer, netOf } from '../../support/nets';

const test: NetPurpose = { phase: 'TEST' };
const image = { data: [2, 3, 8, 8] };
const conv = (more: LayerParameter['convolution_param'] = {}) => ({
  convolution_param: { num_output: 4, kernel_size: [3], ...more },
});

/** The shapes of all blobs, as text. */
const shapes = (net: NetParameter, purpose = test, sources = {}) =>
  Object.fromEntries(
    [...inferShapes(net, purpose, sources).blobs].map(([name, shape]) => [
      name,
      shape ? shapeText(shape) : undefined,
    ]),
  );

/** The layers of LeNet's train_val.prototxt. */
const lenet: NetParameter = {
  name: 'LeNet',
  layer: [
    layer('Data', [], ['data', 'label'], {
      include: [{ phase: 'TRAIN' }],
      data_param: { batch_size: 64 },
      line: 3,
    }),
    layer('Data', [], ['data', 'label'], { include: [{ phase: 'TEST' }], data_param: { batch_size: 100 } }),
    layer('Convolution', ['data'], ['conv1'], { convolution_param: { num_output: 20, kernel_size: [5] } }),
    layer('Pooling', ['conv1'], ['pool1'], { pooling_param: { kernel_size: 2, stride: 2 } }),
    layer('Convolution', ['pool1'], ['conv2'], { convolution_param: { num_output: 50, kernel_size: [5] } }),
    layer('Pooling', ['conv2'], ['pool2'], { pooling_param: { kernel_size: 2, stride: 2 } }),
    layer('InnerProduct', ['pool2'], ['ip1'], { inner_product_param: { num_output: 500 } }),
    layer('ReLU', ['ip1'], ['ip1'], { name: 'relu1' }),
    layer('InnerProduct', ['ip1'], ['ip2'], { inner_product_param: { num_output: 10 } }),
    layer('Accuracy', ['ip2', 'label'], ['accuracy'], { include: [{ phase: 'TEST' }] }),
    layer('SoftmaxWithLoss', ['ip2', 'label'], ['loss']),
  ],
};

describe('inferShapes', () => {
  it('tells of LeNet what Caffe tells', () => {
    const sourceShapes = ({ type }: LayerParameter) =>
      type === 'Data' ? [[64, 1, 28, 28], [64]] : undefined;
    const net = inferShapes(lenet, { phase: 'TRAIN' }, { sourceShapes });
    expect(net.errors).toEqual([]);
    expect(net.parameters).toBe(431_080);
    // 20·25·24² + 50·500·8² + 500·800 + 10·500 for one image.
    expect(net.macs).toBe(64 * (288_000 + 1_600_000 + 400_000 + 5_000));
    // Caffe's log, without the Splits: 4 bytes for every value of every top, in-place tops again.
    expect(net.memory).toBe(4 * (64 * (784 + 1 + 11_520 + 2_880 + 3_200 + 800 + 500 + 500 + 10) + 1));
    expect(net.outputs).toEqual(['loss']);
    expect(net.layers.find(({ layer: { name } }) => name === 'conv2')?.params).toEqual([
      [50, 20, 5, 5],
      [50],
    ]);
  });

  it('goes on with what the source does not tell', () => {
    expect(shapes(lenet)).toEqual({
      data: '100×?×?×?',
      label: '100',
      conv1: '100×20×?×?',
      pool1: '100×20×?×?',
      conv2: '100×50×?×?',
      pool2: '100×50×?×?',
      ip1: '100×500',
      ip2: '100×10',
      accuracy: 'scalar',
      loss: 'scalar',
    });
    const { errors, parameters } = inferShapes(lenet, test);
    expect(errors).toEqual([]);
    expect(parameters).toBeNaN();
  });

  it('names an unknown type with its line and stays silent about what follows from it', () => {
    const net = netOf(image, [
      layer('Convolutoin', ['data'], ['c'], { line: 12 }),
      layer('ReLU', ['c'], ['c'], { name: 'r' }),
      layer('Pooling', ['c'], ['p'], { pooling_param: { kernel_size: 2 } }),
      layer('Convolution', ['data'], ['d'], conv()),
    ]);
    const { errors, blobs } = inferShapes(net, test);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ layer: 'c', line: 12, message: 'unknown layer type "Convolutoin"' });
    expect(blobs.get('p')).toBeUndefined();
    expect(blobs.get('d')).toEqual([2, 4, 6, 6]);
  });

  it('leaves open what a Python layer and an Input without a shape make, without an error', () => {
    const net = netOf(image, [
      layer('Input', [], ['x']),
      layer('Python', ['data'], ['y']),
      layer('ReLU', ['x'], ['z']),
      layer('ReLU', ['y'], ['w']),
    ]);
    expect(inferShapes(net, test).errors).toEqual([]);
    expect(shapes(net)).toMatchObject({
      data: '2×3×8×8',
      x: undefined,
      y: undefined,
      z: undefined,
      w: undefined,
    });
  });

  it('makes layers of inputs in the old style', () => {
    const net: NetParameter = {
      input: ['a', 'b'],
      input_dim: [1, 2, 3, 4, 5, 6, 7, 8],
      layer: [layer('Flatten', ['a'], ['f'])],
    };
    expect(shapes(net)).toEqual({ a: '1×2×3×4', b: '5×6×7×8', f: '1×24' });
  });

  it.each<[string, LayerParameter, string]>([
    [
      'convolution with dilation',
      layer('Convolution', ['data'], ['y'], conv({ dilation: [2], pad: [1] })),
      '2×4×6×6',
    ],
    [
      'convolution with stride, rounded down',
      layer('Convolution', ['data'], ['y'], conv({ stride: [2] })),
      '2×4×3×3',
    ],
    [
      'a rectangular convolution',
      layer('Convolution', ['data'], ['y'], {
        convolution_param: { num_output: 1, kernel_h: 3, kernel_w: 1 },
      }),
      '2×1×6×8',
    ],
    ['deconvolution', layer('Deconvolution', ['data'], ['y'], conv({ stride: [2] })), '2×4×17×17'],
    [
      'pooling, rounded up',
      layer('Pooling', ['data'], ['y'], { pooling_param: { kernel_size: 3, stride: 2 } }),
      '2×3×4×4',
    ],
    [
      'pooling, rounded down',
      layer('Pooling', ['data'], ['y'], {
        pooling_param: { kernel_size: 3, stride: 2, round_mode: 'FLOOR' },
      }),
      '2×3×3×3',
    ],
    [
      'pooling, rounded down as forks say it',
      layer('Pooling', ['data'], ['y'], {
        pooling_param: { kernel_size: 3, stride: 2, ceil_mode: false },
      }),
      '2×3×3×3',
    ],
    [
      'pooling without a window that begins in the padding',
      layer('Pooling', ['data'], ['y'], { pooling_param: { kernel_size: 2, stride: 2, pad: 1 } }),
      '2×3×5×5',
    ],
    [
      'global pooling',
      layer('Pooling', ['data'], ['y'], { pooling_param: { global_pooling: true } }),
      '2×3×1×1',
    ],
    [
      'inner product from axis 2',
      layer('InnerProduct', ['data'], ['y'], { inner_product_param: { num_output: 5, axis: 2 } }),
      '2×3×5',
    ],
    [
      'reshape with copied and inferred sizes',
      layer('Reshape', ['data'], ['y'], { reshape_param: { shape: { dim: [0, -1, 4] } } }),
      '2×48×4',
    ],
    [
      'reshape of the last axis',
      layer('Reshape', ['data'], ['y'], { reshape_param: { shape: { dim: [2, 4] }, axis: -2, num_axes: 1 } }),
      '2×3×8×2×4',
    ],
    ['reduction', layer('Reduction', ['data'], ['y'], { reduction_param: { axis: 1 } }), '2'],
    [
      'the places of the largest',
      layer('ArgMax', ['data'], ['y'], { argmax_param: { top_k: 3, out_max_val: true } }),
      '2×2×3×1',
    ],
    [
      'embedding',
      layer('Embed', ['data'], ['y'], { embed_param: { num_output: 7, input_dim: 9 } }),
      '2×3×8×8×7',
    ],
    [
      'prior boxes',
      layer('PriorBox', ['data', 'data'], ['y'], {
        prior_box_param: { min_size: [3], max_size: [5], aspect_ratio: [2] },
      }),
      '1×2×1024',
    ],
    ['a pyramid of poolings', layer('SPP', ['data'], ['y'], { spp_param: { pyramid_height: 3 } }), '2×63'],
  ])('knows %s', (_, checked, expected) => {
    const net = netOf(image, [checked]);
    expect(inferShapes(net, test).errors).toEqual([]);
    expect(shapes(net).y).toBe(expected);
  });

  it.each<[LayerParameter, RegExp]>([
    [
      layer('Convolution', ['data'], ['y'], { convolution_param: { kernel_size: [3] } }),
      /num_output must be positive/,
    ],
    [
      layer('Convolution', ['data'], ['y'], conv({ group: 2 })),
      /group 2 does not divide the 3 input channels/,
    ],
    [
      layer('Convolution', ['data'], ['y'], conv({ kernel_size: [9] })),
      /2×3×8×8 is too small for the window 9×9/,
    ],
    [
      layer('Convolution', ['data'], ['y'], conv({ kernel_h: 3 })),
      /either kernel or kernel_h\/w|either kernel_size/,
    ],
    [layer('Convolution', ['data'], ['y'], conv({ kernel_size: [3, 3, 3] })), /once per spatial dimension/],
    [layer('Pooling', ['data'], ['y']), /kernel_size is required/],
    [
      layer('Pooling', ['data'], ['y'], { pooling_param: { kernel_size: 2, pad: 2 } }),
      /pad 2×2 must be smaller/,
    ],
    [
      layer('Pooling', ['data'], ['y'], { pooling_param: { kernel_size: 2, pool: 'STOCHASTIC' } }),
      /stochastic/,
    ],
    [layer('LRN', ['data'], ['y'], { lrn_param: { local_size: 4 } }), /odd values/],
    [
      layer('Reshape', ['data'], ['y'], { reshape_param: { shape: { dim: [5, -1] } } }),
      /no multiple of the 5/,
    ],
    [layer('Slice', ['data'], ['y', 'z'], { slice_param: { axis: 1 } }), /evenly divide axis 1 of size 3/],
    [layer('Slice', ['data'], ['y', 'z'], { slice_param: { slice_point: [3] } }), /stay below 3/],
    [layer('Eltwise', ['data', 'flat'], ['y']), /same shape: 2×3×8×8, 2×192/],
    [layer('Concat', ['data', 'flat'], ['y']), /same number of axes/],
    [layer('SoftmaxWithLoss', ['flat', 'data'], ['y']), /number of labels \(384\)/],
    [layer('Accuracy', ['flat'], ['y']), /takes at least 2|takes 2 bottom blob/],
    [layer('ReLU', ['data'], ['y', 'z']), /produces 1 top blob\(s\), not 2/],
    [layer('ReLU', ['data'], ['y'], { param: [{}] }), /too many params specified: 1 for 0/],
    [layer('ReLU', ['data'], ['y'], { propagate_down: [true, true] }), /propagate_down/],
    [layer('ReLU', ['data'], ['y'], { loss_weight: [1, 1] }), /loss_weight/],
    [layer('ReLU', ['dta'], ['y']), /unknown bottom blob 'dta' \(bottom index 0\)/],
    [layer('Crop', ['data', 'data'], ['y'], { crop_param: { offset: [1] } }), /does not fit into 2×3×8×8/],
    [layer('ReLU', ['data'], ['flat']), /top blob 'flat' produced by multiple sources/],
    [layer('Dropout', ['data'], ['y'], { dropout_param: { dropout_ratio: 1 } }), /dropout_ratio/],
  ])('refuses $type: %#', (checked, message) => {
    const net = netOf(image, [
      layer('Flatten', ['data'], ['flat']),
      { ...checked, name: 'checked', line: 42 },
    ]);
    const { errors } = inferShapes(net, test);
    expect(errors.map(({ message: text }) => text)).toEqual([expect.stringMatching(message)]);
    expect(errors[0]).toMatchObject({ layer: 'checked', line: 42 });
  });

  it('checks shared parameters: the same shape, or with PERMISSIVE the same count', () => {
    const shared = (axis: number, share_mode?: 'PERMISSIVE') =>
      netOf({ a: [2, 6], b: [2, 2, 3] }, [
        layer('InnerProduct', ['a'], ['x'], {
          param: [{ name: 'w' }],
          inner_product_param: { num_output: 3, bias_term: false },
        }),
        layer('InnerProduct', ['b'], ['y'], {
          param: [{ name: 'w', share_mode }],
          inner_product_param: { num_output: 3 * axis, axis, bias_term: false },
        }),
      ]);
    expect(inferShapes(shared(1), test)).toMatchObject({ errors: [], parameters: 18 });
    expect(inferShapes(shared(2), test).errors[0].message).toMatch(
      /cannot share param 'w' owned by layer 'x': shape mismatch, 3×6 there and 6×3 here/,
    );
    expect(inferShapes(shared(2, 'PERMISSIVE'), test).errors).toEqual([]);
  });

  it.each<[LayerParameter['include'], LayerParameter['exclude'], NetPurpose, boolean]>([
    [[], [], test, true],
    [[{ phase: 'TRAIN' }], [], test, false],
    [[{ phase: 'TRAIN' }, { phase: 'TEST' }], [], test, true],
    [[], [{ phase: 'TEST' }], test, false],
    [[{ min_level: 2 }], [], { ...test, level: 1 }, false],
    [[{ min_level: 2, max_level: 3 }], [], { ...test, level: 3 }, true],
    [[{ stage: ['a', 'b'] }], [], { ...test, stages: ['a'] }, false],
    [[{ stage: ['a'], not_stage: ['b'] }], [], { ...test, stages: ['a'] }, true],
    [[{ not_stage: ['a'] }], [], { ...test, stages: ['a'] }, false],
  ])('includes %j, excludes %j in %j: %s', (include, exclude, purpose, expected) => {
    const net: NetParameter = {
      layer: [layer('Input', [], ['x'], { include, exclude, input_param: { shape: [{ dim: [1] }] } })],
    };
    expect(inferShapes(net, purpose).blobs.has('x')).toBe(expected);
  });
});

it('comes to an end soon with very many bottoms that nobody makes', () => {
  const layers = Array.from({ length: 40_000 }, (_, i) => layer('ReLU', ['lost'], [`y${i}`]));
  expect(inferShapes(netOf({}, layers), test).errors).toHaveLength(40_000);
});
