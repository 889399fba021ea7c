import { afterAll, describe, expect, it } from 'vitest';
import type { LayerParameter } from '../../../src/caffe/messages';
import { Random } from '../../../src/caffe/random';
import type { Phase } from '../../../src/network/layer';
import { Net } from '../../../src/network/net';
import { engines } from '../../support/engines';
import { layer, netOf } from '../../support/nets';

/** A layer to check, named "out"; what it reads is made of random numbers around 0 unless given. */
interface Case {
  name: string;
  shapes: Record<string, number[]>;
  layer: LayerParameter;
  values?: Record<string, number[]>;
  /** Inputs without a gradient, such as labels. */
  fixed?: string[];
  phase?: Phase;
}

const image = { x: [2, 3, 4, 5] };
const filler = { type: 'uniform', min: -0.7, max: 0.7 };
const of = (type: string, more: Partial<LayerParameter> = {}, bottom = ['x']) =>
  layer(type, bottom, ['out'], more);
const sequence = { x: [4, 2, 3], cont: [4, 2] };
const cont = [0, 1, 1, 1, 1, 0, 1, 1];

const cases: Case[] = [
  { name: 'ReLU6', shapes: image, layer: of('ReLU6') },
  { name: 'Swish', shapes: image, layer: of('Swish', { swish_param: { beta: 1.7 } }) },
  { name: 'Clip', shapes: image, layer: of('Clip', { clip_param: { min: -0.51, max: 0.42 } }) },
  {
    name: 'PReLU shared',
    shapes: image,
    layer: of('PReLU', { prelu_param: { channel_shared: true, filler } }),
  },
  { name: 'MVN mean only', shapes: image, layer: of('MVN', { mvn_param: { normalize_variance: false } }) },
  { name: 'MVN across channels', shapes: image, layer: of('MVN', { mvn_param: { across_channels: true } }) },
  { name: 'Normalize', shapes: image, layer: of('Normalize', { norm_param: { scale_filler: filler } }) },
  {
    name: 'Normalize per place and channel',
    shapes: image,
    layer: of('Normalize', {
      norm_param: { across_spatial: false, channel_shared: false, scale_filler: filler },
    }),
  },
  { name: 'BatchNorm of vectors', shapes: { x: [5, 3] }, layer: of('BatchNorm'), phase: 'TRAIN' },
  {
    name: 'LRN within channel',
    shapes: image,
    layer: of('LRN', { lrn_param: { norm_region: 'WITHIN_CHANNEL', local_size: 3, alpha: 0.8 } }),
  },
  {
    name: 'Softmax along axis 2',
    shapes: image,
    layer: of('Softmax', { softmax_param: { axis: 2 } }),
  },
  {
    name: 'Scale by axes 1 and 2 with bias',
    shapes: image,
    layer: of('Scale', { scale_param: { num_axes: 2, bias_term: true, filler, bias_filler: filler } }),
  },
  { name: 'Scale by a scalar', shapes: image, layer: of('Scale', { scale_param: { num_axes: 0, filler } }) },
  {
    name: 'Bias by a second bottom',
    shapes: { ...image, b: [3, 4] },
    layer: of('Bias', {}, ['x', 'b']),
  },
  {
    name: 'Eltwise PROD of three',
    shapes: { x: [2, 3], y: [2, 3], z: [2, 3] },
    layer: of('Eltwise', { eltwise_param: { operation: 'PROD' } }, ['x', 'y', 'z']),
  },
  {
    name: 'Eltwise MAX of three',
    shapes: { x: [2, 3], y: [2, 3], z: [2, 3] },
    layer: of('Eltwise', { eltwise_param: { operation: 'MAX' } }, ['x', 'y', 'z']),
  },
  ...(['ASUM', 'SUMSQ', 'MEAN'] as const).map((operation) => ({
    name: `Reduction ${operation}`,
    shapes: image,
    layer: of('Reduction', { reduction_param: { operation, axis: 2, coeff: 0.7 } }),
  })),
  { name: 'Permute', shapes: image, layer: of('Permute', { permute_param: { order: [0, 2, 3, 1] } }) },
  {
    name: 'ShuffleChannel',
    shapes: { x: [2, 6, 2, 2] },
    layer: of('ShuffleChannel', { shuffle_channel_param: { group: 3 } }),
  },
  {
    name: 'BatchReindex',
    shapes: { x: [3, 2, 2], i: [4] },
    layer: of('BatchReindex', {}, ['x', 'i']),
    values: { i: [2, 0, 2, 1] },
    fixed: ['i'],
  },
  {
    name: 'Filter',
    shapes: { x: [4, 3], s: [4] },
    layer: of('Filter', { propagate_down: [true, false] }, ['x', 's']),
    values: { s: [1, 0, 0, 1] },
    fixed: ['s'],
  },
  { name: 'SPP', shapes: { x: [2, 2, 5, 7] }, layer: of('SPP', { spp_param: { pyramid_height: 2 } }) },
  {
    name: 'SPP average',
    shapes: { x: [2, 2, 5, 6] },
    layer: of('SPP', { spp_param: { pyramid_height: 2, pool: 'AVE' } }),
  },
  { name: 'Interp larger', shapes: image, layer: of('Interp', { interp_param: { height: 7, width: 9 } }) },
  {
    name: 'Interp cropped and smaller',
    shapes: { x: [1, 2, 7, 8] },
    layer: of('Interp', { interp_param: { shrink_factor: 2, pad_beg: -1, pad_end: -1 } }),
  },
  { name: 'Upsample', shapes: image, layer: of('Upsample', { upsample_param: { scale: 2 } }) },
  {
    name: 'Upsample by a mask',
    shapes: { x: [1, 1, 2, 2], m: [1, 1, 2, 2] },
    layer: of('Upsample', { upsample_param: { scale: 2 } }, ['x', 'm']),
    values: { m: [1, 6, 8, 15] },
    fixed: ['m'],
  },
  {
    name: 'Deconvolution dilated and grouped',
    shapes: { x: [2, 4, 3, 4] },
    layer: of('Deconvolution', {
      convolution_param: {
        num_output: 2,
        kernel_size: [2],
        dilation: [2],
        stride: [2, 1],
        group: 2,
        weight_filler: filler,
        bias_filler: filler,
      },
    }),
  },
  {
    name: 'Convolution over one axis',
    shapes: { x: [2, 3, 6] },
    layer: of('Convolution', {
      convolution_param: { num_output: 2, kernel_size: [3], pad: [1], weight_filler: filler },
    }),
  },
  {
    name: 'Im2col',
    shapes: { x: [2, 2, 3, 4] },
    layer: of('Im2col', { convolution_param: { kernel_size: [2], pad: [1], stride: [2, 1] } }),
  },
  {
    name: 'LSTMUnit',
    shapes: { x: [1, 2, 3], g: [1, 2, 12], cont: [1, 2] },
    layer: layer('LSTMUnit', ['x', 'g', 'cont'], ['c', 'out'], { name: 'out' }),
    values: { cont: [1, 0] },
    fixed: ['cont'],
  },
  {
    name: 'CConvolution',
    shapes: { x: [1, 2, 4, 4] },
    layer: of('CConvolution', {
      convolution_param: { num_output: 2, kernel_size: [3], weight_filler: filler, bias_filler: filler },
    }),
  },
  {
    name: 'CInnerProduct',
    shapes: { x: [2, 3] },
    layer: of('CInnerProduct', { inner_product_param: { num_output: 4, weight_filler: filler } }),
  },
  {
    name: 'InfogainLoss',
    shapes: { x: [3, 4], l: [3], h: [4, 4] },
    layer: of('InfogainLoss', { loss_param: { ignore_label: 0 } }, ['x', 'l', 'h']),
    values: { l: [1, 0, 3] },
    fixed: ['l', 'h'],
  },
  {
    name: 'MultinomialLogisticLoss',
    shapes: { x: [3, 2], l: [3] },
    layer: of('MultinomialLogisticLoss', {}, ['x', 'l']),
    values: { x: [0.3, 0.7, 0.2, 0.8, 0.6, 0.4], l: [1, 0, 1] },
    fixed: ['l'],
  },
  {
    name: 'SigmoidCrossEntropyLoss with ignored targets',
    shapes: { x: [3, 2], l: [3, 2] },
    layer: of('SigmoidCrossEntropyLoss', { loss_param: { ignore_label: 2, normalization: 'VALID' } }, [
      'x',
      'l',
    ]),
    values: { l: [1, 0, 2, 1, 0, 2] },
    fixed: ['l'],
  },
  {
    name: 'HingeLoss L1',
    shapes: { x: [3, 4], l: [3] },
    layer: of('HingeLoss', {}, ['x', 'l']),
    values: { l: [1, 0, 3] },
    fixed: ['l'],
  },
  ...[false, true].map((legacy_version) => ({
    name: `ContrastiveLoss${legacy_version ? ' legacy' : ''}`,
    shapes: { x: [4, 3], y: [4, 3], s: [4] },
    layer: of('ContrastiveLoss', { contrastive_loss_param: { margin: 1.5, legacy_version } }, [
      'x',
      'y',
      's',
    ]),
    values: { s: [1, 0, 0, 1] },
    fixed: ['s'],
  })),
  ...(['RNN', 'LSTM'] as const).flatMap((type) => {
    const recurrent_param = { num_output: 3, weight_filler: filler, bias_filler: filler };
    return [
      {
        name: type,
        shapes: sequence,
        layer: of(type, { recurrent_param }, ['x', 'cont']),
        values: { cont },
        fixed: ['cont'],
      },
      {
        name: `${type} with a static input`,
        shapes: { ...sequence, s: [2, 4] },
        layer: of(type, { recurrent_param }, ['x', 'cont', 's']),
        values: { cont },
        fixed: ['cont'],
      },
    ];
  }),
];

const step = 4e-3;
/** Distance between the values of the inputs: no step crosses a kink, such as at 0 or between two candidates for a maximum. */
const spacing = 0.03;

describe.each(engines)(
  'the gradient of every layer is what a small step says, $name engine',
  ({ makeEngine }) => {
    const engine = makeEngine();
    afterAll(() => engine.dispose());

    it.each(cases)('$name', ({ shapes, layer: checked, values = {}, fixed = [], phase = 'TEST' }) => {
      const random = new Random(7);
      const draw = (size: number) => Float32Array.from({ length: size }, () => 2 * random.unit() - 1);
      const make = () => {
        const net = new Net(netOf(shapes, [checked], { force_backward: true }), {
          phase,
          engine,
          gradients: true,
          seed: 3,
        });
        for (const [name, data] of given) net.setInput(name, shapes[name], data);
        return net;
      };
      const sizeOf = (name: string) => shapes[name].reduce((product, axis) => product * axis, 1);
      const total = Object.keys(shapes).reduce((sum, name) => sum + sizeOf(name), 0);
      const pool = Array.from({ length: total }, (_, i) => (i - Math.floor(total / 2) + 0.5) * spacing);
      random.shuffle(pool);
      const given = new Map(
        Object.keys(shapes).map((name) => [
          name,
          Float32Array.from(values[name] ?? pool.splice(0, sizeOf(name))),
        ]),
      );
      const net = make();
      net.forward();
      // The loss to differentiate: each output by a random weight, the loss of a loss layer by its own.
      const out = net.blob('out');
      const weights = draw(out.data.length).map((weight) => 2 * weight + Math.sign(weight));
      out.diff.set(weights);
      net.clearGradients();
      net.backward();
      const objective = (other: Net) => {
        other.forward();
        return other.blob('out').data.reduce((sum, value, i) => sum + value * weights[i], 0);
      };
      const learned = net.paramsOf('out').map((blob, i) => ({
        what: `blob ${i}`,
        values: blob.data,
        diff: blob.diff.slice(),
        set: (other: Net) => other.paramsOf('out')[i].data,
      }));
      const learnable = new Set(net.params.filter(({ lrMult }) => lrMult !== 0).map(({ blob }) => blob.data));
      const read = [...given.keys()]
        .filter((name) => !fixed.includes(name))
        .map((name) => ({
          what: name,
          values: net.blob(name).data,
          diff: net.blob(name).diff.slice(),
          set: (other: Net) => other.blob(name).data,
        }));
      for (const { what, values: at, diff, set } of [
        ...read,
        ...learned.filter(({ values }) => learnable.has(values)),
      ]) {
        for (let i = 0; i < at.length; i++) {
          // A net of its own for each probe: some layers remember.
          const probe = (by: number) => {
            const other = make();
            set(other)[i] += by;
            const value = objective(other);
            other.dispose();
            return value;
          };
          const slope = (probe(step) - probe(-step)) / (2 * step);
          const scale = Math.max(1, Math.abs(slope), Math.abs(diff[i]));
          expect(
            Math.abs(slope - diff[i]) / scale,
            `${what}[${i}]: ${diff[i]} against ${slope}`,
          ).toBeLessThan(4e-3);
        }
      }
    });
  },
);
