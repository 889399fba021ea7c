import { describe, expect, test } from 'vitest';
import { CaffeError } from '../../../src/caffe/errors';
import { parseNet, parseSolver } from '../../../src/caffe/readNet';

const empty = {
  bottom: [],
  top: [],
  loss_weight: [],
  param: [],
  propagate_down: [],
  include: [],
  exclude: [],
};

describe('parseNet', () => {
  test('gives layers with their lines, lists that are always there, and only what is set', () => {
    const net = parseNet(`name: "tiny"
layer { name: 'conv' type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 20 kernel_size: [3, 5] pool_of_a_fork: 1 } }
layer {
  name: "pool" type: "Pooling" pooling_param { pool: AVE }
}`);
    expect(net).toEqual({
      name: 'tiny',
      layer: [
        {
          ...empty,
          name: 'conv',
          type: 'Convolution',
          bottom: ['data'],
          top: ['conv'],
          line: 2,
          convolution_param: { num_output: 20, kernel_size: [3, 5] },
        },
        { ...empty, name: 'pool', type: 'Pooling', line: 4, pooling_param: { pool: 'AVE' } },
      ],
    });
  });

  test.each([
    ['layer {\n  name: "x', 2, 'no closing quote'],
    ['layer {\n\n  name: x }', 3, '"name" must be a string in quotes'],
    ['layer { name: "a"', 1, '"layer" is never closed'],
    ['layer { name: "a" }\n\nlayers { name: "b" }', 1, 'both `layer` and `layers`'],
    ['\nlayer { pooling_param { pool: MEAN } }', 2, 'one of MAX, AVE, STOCHASTIC'],
    ['layer { convolution_param { num_output: -1 } }', 1, 'at least 0'],
  ])('refuses %j and says where', (text, line, message) => {
    let error: unknown;
    try {
      parseNet(text, 'net.prototxt');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CaffeError);
    expect(error).toMatchObject({ line, file: 'net.prototxt' });
    expect((error as CaffeError).message).toContain(message);
  });
});

describe('upgrades, as in util/upgrade_proto.cpp', () => {
  test('a V1 layer', () => {
    const { layer } =
      parseNet(`layers { name: "c" type: CONVOLUTION bottom: "d" top: "c" blobs_lr: 1 blobs_lr: 2
      weight_decay: 1 weight_decay: 0 param: "w" blob_share_mode: PERMISSIVE
      convolution_param { num_output: 3 } include { phase: TRAIN } loss_weight: 2 }`);
    expect(layer).toEqual([
      {
        ...empty,
        name: 'c',
        type: 'Convolution',
        bottom: ['d'],
        top: ['c'],
        line: 1,
        loss_weight: [2],
        include: [{ phase: 'TRAIN' }],
        param: [
          { name: 'w', share_mode: 'PERMISSIVE', lr_mult: 1, decay_mult: 1 },
          { lr_mult: 2, decay_mult: 0 },
        ],
        convolution_param: { num_output: 3 },
      },
    ]);
  });

  test('image settings of a V1 data layer', () => {
    const { layer } = parseNet(`layers { name: "d" type: DATA top: "d"
      data_param { source: "db" batch_size: 4 scale: 0.5 mirror: true crop_size: 7 mean_file: "m" } }`);
    expect(layer[0]).toMatchObject({ data_param: { source: 'db', batch_size: 4 } });
    expect(layer[0].data_param).not.toHaveProperty('scale');
    expect(layer[0].transform_param).toEqual({ scale: 0.5, mirror: true, crop_size: 7, mean_file: 'm' });
  });

  test('V0 layers, with a padding layer before a convolution', () => {
    const { layer } = parseNet(`input: "data" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4
      layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
      layers { layer { name: "conv1" type: "conv" num_output: 8 kernelsize: 5 stride: 2 biasterm: false
        blobs_lr: 1 weight_filler { type: "xavier" } } bottom: "pad1" top: "conv1" }
      layers { layer { name: "drop" type: "dropout" dropout_ratio: 0.25 } bottom: "conv1" top: "conv1" }`);
    expect(layer).toEqual([
      {
        ...empty,
        name: 'input',
        type: 'Input',
        top: ['data'],
        input_param: { shape: [{ dim: [1, 2, 3, 4] }] },
      },
      {
        ...empty,
        name: 'conv1',
        type: 'Convolution',
        bottom: ['data'],
        top: ['conv1'],
        line: 3,
        param: [{ lr_mult: 1 }],
        convolution_param: {
          num_output: 8,
          kernel_size: [5],
          stride: [2],
          bias_term: false,
          pad: [2],
          weight_filler: { type: 'xavier' },
        },
      },
      {
        ...empty,
        name: 'drop',
        type: 'Dropout',
        bottom: ['conv1'],
        top: ['conv1'],
        line: 5,
        dropout_param: { dropout_ratio: 0.25 },
      },
    ]);
  });

  test('three params of BatchNorm', () => {
    const { layer } = parseNet(
      'layer { type: "BatchNorm" param { lr_mult: 1 } param { name: "v" } param { } }',
    );
    expect(layer[0].param).toEqual([
      { lr_mult: 0, decay_mult: 0 },
      { name: 'v', lr_mult: 0, decay_mult: 0 },
      { lr_mult: 0, decay_mult: 0 },
    ]);
  });

  test('solver_type', () => {
    expect(parseSolver('base_lr: 0.1 solver_type: ADAGRAD')).toEqual({ base_lr: 0.1, type: 'AdaGrad' });
    expect(() => parseSolver('type: "SGD" solver_type: SGD')).toThrow('both `type` and `solver_type`');
  });

  test('a net inside a solver', () => {
    const { net_param } = parseSolver('net_param {\n layers { name: "r" type: RELU } }');
    expect(net_param?.layer).toEqual([{ ...empty, name: 'r', type: 'ReLU', line: 2 }]);
  });
});
