import { describe, expect, it } from 'vitest';
import type { LayerParameter } from '../../../src/caffe/messages';
import { Random } from '../../../src/caffe/random';
import type { Phase } from '../../../src/network/layer';
import { Net } from '../../../src/network/net';
import { ReferenceEngine } from '../../../src/tensor/reference';
import { layer, netOf } from '../../support/nets';

/** Runs one layer on the given blobs (shape, values) and gives the net back. */
function run(checked: LayerParameter, blobs: Record<string, [number[], number[]]>, phase: Phase = 'TEST') {
  const shapes = Object.fromEntries(Object.entries(blobs).map(([name, [shape]]) => [name, shape]));
  const net = new Net(netOf(shapes, [checked]), { phase, engine: new ReferenceEngine(), seed: 5 });
  for (const [name, [shape, values]] of Object.entries(blobs))
    net.setInput(name, shape, Float32Array.from(values));
  net.forward();
  return net;
}

const values = (net: Net, blob: string) => [...net.blob(blob).data];
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const closeTo = (expected: number[]) => expected.map((value) => expect.closeTo(value, 5) as number);

describe('Accuracy', () => {
  const scores: [number[], number[]] = [
    [4, 3],
    [3, 2, 1, 1, 3, 2, 2, 2, 1, 0, 1, 2],
  ];
  const accuracy = (accuracy_param: LayerParameter['accuracy_param'], top = ['a']) =>
    layer('Accuracy', ['x', 'l'], top, { accuracy_param });

  it.each([
    // Of equal scores neither is better than the other, so the third item is wrong at top 1.
    [{}, [0, 1, 0, 0], 2 / 4],
    [{ top_k: 2 }, [0, 2, 1, 0], 3 / 4],
    [{ top_k: 3 }, [2, 2, 2, 0], 1],
    [{ ignore_label: 0 }, [0, 1, 0, 2], 1],
    [{ ignore_label: 0 }, [0, 0, 0, 0], 0],
  ])('%j of labels %j is %d', (param, labels, expected) => {
    expect(values(run(accuracy(param), { x: scores, l: [[4], labels] }), 'a')).toEqual(closeTo([expected]));
  });

  it('tells each class apart in a second top', () => {
    const net = run(accuracy({}, ['a', 'perClass']), { x: scores, l: [[4], [0, 1, 0, 1]] });
    expect(values(net, 'perClass')).toEqual([0.5, 0.5, 0]);
  });

  it('names a label that is no class', () => {
    expect(() => run(accuracy({}), { x: scores, l: [[4], [0, 1, 3, 0]] })).toThrow(
      /label 3 is outside of 0..2/,
    );
  });
});

describe('Dropout', () => {
  const dropout = layer('Dropout', ['x'], ['y'], { dropout_param: { dropout_ratio: 0.25 } });
  const ones: [number[], number[]] = [[4000], new Array<number>(4000).fill(3)];

  it('drops the ratio and scales the rest in TRAIN', () => {
    const y = values(run(dropout, { x: ones }, 'TRAIN'), 'y');
    const kept = y.filter((value) => value !== 0);
    expect(new Set(kept)).toEqual(new Set([4]));
    expect(kept.length / y.length).toBeCloseTo(0.75, 1);
    expect(values(run(dropout, { x: ones }, 'TRAIN'), 'y')).toEqual(y);
  });

  it('does nothing in TEST', () => {
    expect(values(run(dropout, { x: ones }), 'y')).toEqual(ones[1]);
  });
});

describe('BatchNorm', () => {
  it('sums means and unbiased variances in TRAIN, and uses their averages in TEST', () => {
    const norm = layer('BatchNorm', ['x'], ['y'], {
      batch_norm_param: { moving_average_fraction: 0.5, eps: 0 },
    });
    const batch: [number[], number[]] = [
      [4, 1],
      [1, 2, 3, 6],
    ];
    const net = run(norm, { x: batch }, 'TRAIN');
    net.forward();
    // Mean 3, unbiased variance 14/3; after two batches 1.5 times each, and 1.5 of them.
    const statistics = net.paramsOf('y').map(({ data }) => data[0]);
    expect(statistics).toEqual(closeTo([4.5, 7, 1.5]));
    const test = new Net(netOf({ x: [4, 1] }, [norm]), { phase: 'TEST', engine: new ReferenceEngine() });
    test.paramsOf('y').forEach(({ data }, i) => (data[0] = statistics[i]));
    test.setInput('x', ...([[4, 1], Float32Array.from(batch[1])] as const));
    test.forward();
    const sigma = Math.sqrt(14 / 3);
    expect(values(test, 'y')).toEqual(closeTo([-2 / sigma, -1 / sigma, 0, 3 / sigma]));
  });
});

describe('arranging layers', () => {
  it('ShuffleChannel deals the groups out', () => {
    const net = run(layer('ShuffleChannel', ['x'], ['y'], { shuffle_channel_param: { group: 2 } }), {
      x: [[1, 6, 1, 1], numbers(6)],
    });
    expect(values(net, 'y')).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it('Permute reorders the axes', () => {
    const net = run(layer('Permute', ['x'], ['y'], { permute_param: { order: [0, 2, 1] } }), {
      x: [[1, 2, 3], numbers(6)],
    });
    expect(values(net, 'y')).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it('Filter lets the chosen items through, and what follows adapts', () => {
    const net = new Net(
      netOf({ x: [3, 2], s: [3] }, [
        layer('Filter', ['x', 's'], ['f']),
        layer('Power', ['f'], ['y'], { power_param: { scale: 2 } }),
      ]),
      { phase: 'TEST', engine: new ReferenceEngine() },
    );
    net.setInput('x', [3, 2], Float32Array.from(numbers(6)));
    for (const [selector, expected] of [
      [
        [1, 0, 1],
        [0, 2, 8, 10],
      ],
      [
        [0, 1, 0],
        [4, 6],
      ],
      [
        [1, 1, 1],
        [0, 2, 4, 6, 8, 10],
      ],
    ]) {
      net.setInput('s', [3], Float32Array.from(selector));
      net.forward();
      expect(values(net, 'y')).toEqual(expected);
      expect(net.blob('y').shape).toEqual([expected.length / 2, 2]);
    }
  });

  it('Im2col lays the windows out as columns', () => {
    const net = run(layer('Im2col', ['x'], ['y'], { convolution_param: { kernel_size: [2] } }), {
      x: [[1, 1, 2, 3], numbers(6)],
    });
    expect(net.blob('y').shape).toEqual([1, 4, 1, 2]);
    expect(values(net, 'y')).toEqual([0, 1, 1, 2, 3, 4, 4, 5]);
  });

  it('max pooling tells where its values are from', () => {
    const net = run(layer('Pooling', ['x'], ['y', 'm'], { pooling_param: { kernel_size: 2, stride: 2 } }), {
      x: [
        [1, 1, 2, 4],
        [5, 1, 2, 3, 4, 9, 8, 7],
      ],
    });
    expect([values(net, 'y'), values(net, 'm')]).toEqual([
      [9, 8],
      [5, 6],
    ]);
  });

  it('Silence makes no output of its bottoms', () => {
    expect(run(layer('Silence', ['x'], []), { x: [[1], [1]] }).outputs).toEqual([]);
  });
});

describe('PriorBox', () => {
  it('makes boxes of both sizes and all ratios around each place', () => {
    const net = run(
      layer('PriorBox', ['map', 'image'], ['y'], {
        prior_box_param: {
          min_size: [4],
          max_size: [9],
          aspect_ratio: [4],
          variance: [0.1, 0.1, 0.2, 0.2],
        },
      }),
      {
        map: [
          [1, 1, 1, 2],
          [0, 0],
        ],
        image: [[1, 3, 10, 20], new Array<number>(600).fill(0)],
      },
    );
    const { shape, data } = net.blob('y');
    expect(shape).toEqual([1, 2, 32]);
    // Around (5, 5) of an image of 20×10: 4×4, 6×6 = √(4·9), then 12×3 and 3×12.
    expect([...data.subarray(0, 16)]).toEqual(
      closeTo([
        ...[3 / 20, 3 / 10, 7 / 20, 7 / 10],
        ...[2 / 20, 2 / 10, 8 / 20, 8 / 10],
        ...[-1 / 20, 3.5 / 10, 11 / 20, 6.5 / 10],
        ...[3.5 / 20, -1 / 10, 6.5 / 20, 11 / 10],
      ]),
    );
    expect(data[16]).toBeCloseTo(13 / 20, 5);
    expect([...data.subarray(32, 40)]).toEqual(closeTo([0.1, 0.1, 0.2, 0.2, 0.1, 0.1, 0.2, 0.2]));
  });
});

describe('DetectionOutput', () => {
  const boxes = [0.1, 0.1, 0.5, 0.5, 0.12, 0.1, 0.5, 0.5, 0.6, 0.6, 0.9, 0.9];
  const priors: [number[], number[]] = [
    [1, 2, 12],
    [...boxes, ...new Array<number>(12).fill(0.1)],
  ];
  const output = (detection_output_param: LayerParameter['detection_output_param']) =>
    layer('DetectionOutput', ['loc', 'conf', 'prior'], ['y'], {
      detection_output_param: { num_classes: 2, code_type: 'CENTER_SIZE', ...detection_output_param },
    });
  const detect = (
    param: LayerParameter['detection_output_param'],
    confidences: number[],
    locations = new Array<number>(12).fill(0),
  ) => run(output(param), { loc: [[1, 12], locations], conf: [[1, 6], confidences], prior: priors });
  // Background and the class, for each box.
  const confidences = [0.1, 0.9, 0.2, 0.8, 0.3, 0.7];

  it('keeps the best of boxes that overlap', () => {
    const net = detect({ nms_param: { nms_threshold: 0.5 } }, confidences);
    expect(net.blob('y').shape).toEqual([1, 1, 2, 7]);
    expect(values(net, 'y')).toEqual(closeTo([0, 1, 0.9, 0.1, 0.1, 0.5, 0.5, 0, 1, 0.7, 0.6, 0.6, 0.9, 0.9]));
  });

  it('keeps no more than keep_top_k, and nothing below the threshold', () => {
    expect(detect({ keep_top_k: 1 }, confidences).blob('y').shape[2]).toBe(1);
    expect(detect({ confidence_threshold: 0.85 }, confidences).blob('y').shape[2]).toBe(1);
  });

  it('gives a row of -1 for each image without any', () => {
    expect(values(detect({ confidence_threshold: 0.95 }, confidences), 'y')).toEqual([
      0, -1, -1, -1, -1, -1, -1,
    ]);
  });

  it('shifts and stretches by centre and size', () => {
    const locations = [1, 0, Math.log(2) / 0.1, 0, ...new Array<number>(8).fill(0)];
    const net = detect({ keep_top_k: 1 }, confidences, locations);
    // 0.4 wide, 0.1 · 1 · 0.4 to the right, twice as wide.
    expect(values(net, 'y').slice(3)).toEqual(closeTo([0.34 - 0.4, 0.1, 0.34 + 0.4, 0.5]));
  });
});

describe('recurrent layers', () => {
  const steps = 3;
  const cont = [0, 0, 1, 0, 1, 1];
  const x: [number[], number[]] = [[steps, 2, 2], Array.from({ length: 12 }, (_, i) => Math.sin(i + 1))];
  const filler = { type: 'uniform', min: -1, max: 1 };
  const recurrent_param = { num_output: 2, weight_filler: filler, bias_filler: filler };

  /** weights (rows × columns) · v + bias. */
  const affine = (weights: Float32Array, v: number[], bias?: Float32Array) =>
    numbers(weights.length / v.length).map(
      (row) => v.reduce((sum, value, i) => sum + value * weights[row * v.length + i], 0) + (bias?.[row] ?? 0),
    );
  const plus = (a: number[], b: number[]) => a.map((value, i) => value + b[i]);
  const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

  /** Runs `step` over the sequence of each stream; gives the outputs as steps × streams × 2. */
  function unroll<S>(
    start: S,
    step: (x: number[], goesOn: number, state: S) => { output: number[]; state: S },
  ) {
    const out: number[] = [];
    const states = [start, start];
    for (let t = 0; t < steps; t++) {
      for (let n = 0; n < 2; n++) {
        const at = (t * 2 + n) * 2;
        const { output, state } = step(x[1].slice(at, at + 2), cont[t * 2 + n], states[n]);
        states[n] = state;
        out.push(...output);
      }
    }
    return out;
  }

  it('LSTM is what its equations say', () => {
    const net = run(layer('LSTM', ['x', 'cont'], ['y'], { recurrent_param }), {
      x,
      cont: [[steps, 2], cont],
    });
    const [wx, b, wh] = net.paramsOf('y').map(({ data }) => data);
    const expected = unroll({ h: [0, 0], c: [0, 0] }, (input, goesOn, { h, c }) => {
      const gates = plus(
        affine(wx, input, b),
        affine(
          wh,
          h.map((value) => value * goesOn),
        ),
      );
      const cell = c.map(
        (value, i) => goesOn * sigmoid(gates[2 + i]) * value + sigmoid(gates[i]) * Math.tanh(gates[6 + i]),
      );
      const hidden = cell.map((value, i) => sigmoid(gates[4 + i]) * Math.tanh(value));
      return { output: hidden, state: { h: hidden, c: cell } };
    });
    expect(values(net, 'y')).toEqual(closeTo(expected));
  });

  it('RNN is what its equations say', () => {
    const net = run(layer('RNN', ['x', 'cont'], ['y'], { recurrent_param }), { x, cont: [[steps, 2], cont] });
    const [wx, b, wh, wo, bo] = net.paramsOf('y').map(({ data }) => data);
    const expected = unroll([0, 0], (input, goesOn, h) => {
      const state = plus(
        affine(wx, input, b),
        affine(
          wh,
          h.map((value) => value * goesOn),
        ),
      ).map(Math.tanh);
      return { output: affine(wo, state, bo).map(Math.tanh), state };
    });
    expect(values(net, 'y')).toEqual(closeTo(expected));
  });

  it.each(['RNN', 'LSTM'])('%s goes on from one batch to the next where cont says so', (type) => {
    const whole = run(layer(type, ['x', 'cont'], ['y'], { recurrent_param }), {
      x,
      cont: [[steps, 2], cont],
    });
    const parts = run(layer(type, ['x', 'cont'], ['y'], { recurrent_param }), {
      x: [[1, 2, 2], x[1].slice(0, 4)],
      cont: [[1, 2], cont.slice(0, 2)],
    });
    const outputs = [...values(parts, 'y')];
    for (let t = 1; t < steps; t++) {
      parts.setInput('x', [1, 2, 2], Float32Array.from(x[1].slice(4 * t, 4 * t + 4)));
      parts.setInput('cont', [1, 2], Float32Array.from(cont.slice(2 * t, 2 * t + 2)));
      parts.forward();
      outputs.push(...values(parts, 'y'));
    }
    expect(outputs).toEqual(values(whole, 'y'));
  });

  it('takes and gives hidden states where they are exposed', () => {
    const exposed = { ...recurrent_param, expose_hidden: true };
    const state: [number[], number[]] = [
      [1, 2, 2],
      [0.1, 0.2, 0.3, 0.4],
    ];
    const net = run(layer('LSTM', ['x', 'cont', 'h0', 'c0'], ['y', 'h', 'c'], { recurrent_param: exposed }), {
      x,
      cont: [
        [steps, 2],
        [1, 1, 1, 1, 1, 1],
      ],
      h0: state,
      c0: state,
    });
    expect(values(net, 'h')).toEqual(values(net, 'y').slice(-4));
    const other = run(
      layer('LSTM', ['x', 'cont', 'h0', 'c0'], ['y', 'h', 'c'], { recurrent_param: exposed }),
      {
        x,
        cont: [
          [steps, 2],
          [0, 0, 1, 1, 1, 1],
        ],
        h0: state,
        c0: state,
      },
    );
    expect(values(other, 'y')).not.toEqual(values(net, 'y'));
  });
});

describe('fillers', () => {
  const filled = (
    weight_filler: NonNullable<LayerParameter['inner_product_param']>['weight_filler'],
    n = 100,
    k = 50,
  ) =>
    run(layer('InnerProduct', ['x'], ['y'], { inner_product_param: { num_output: n, weight_filler } }), {
      x: [[1, k], new Array<number>(k).fill(0)],
    }).paramsOf('y')[0].data;
  const mean = (data: Float32Array) => data.reduce((sum, value) => sum + value, 0) / data.length;
  const deviation = (data: Float32Array) => Math.sqrt(mean(data.map((value) => value * value)));
  const largest = (data: Float32Array) => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

  it.each([
    ['xavier', {}, Math.sqrt(3 / 50)],
    ['xavier', { variance_norm: 'FAN_OUT' as const }, Math.sqrt(3 / 100)],
    ['xavier', { variance_norm: 'AVERAGE' as const }, Math.sqrt(3 / 75)],
    ['uniform', { min: -2, max: 2 }, 2],
  ])('%s %j is uniform up to %d', (type, more, limit) => {
    const data = filled({ type, ...more });
    expect(largest(data)).toBeLessThanOrEqual(limit);
    expect(largest(data)).toBeGreaterThan(0.99 * limit);
    expect(deviation(data)).toBeCloseTo(limit / Math.sqrt(3), 1);
  });

  it.each([
    ['msra', {}, Math.sqrt(2 / 50)],
    ['gaussian', { std: 0.3 }, 0.3],
  ])('%s %j is normal of deviation %d', (type, more, sigma) => {
    const data = filled({ type, ...more });
    expect(deviation(data) / sigma).toBeCloseTo(1, 1);
    expect(Math.abs(mean(data))).toBeLessThan(0.05 * sigma);
  });

  it('gaussian keeps `sparse` weights per output on average', () => {
    const data = filled({ type: 'gaussian', sparse: 10 });
    expect(data.filter((value) => value !== 0).length / data.length).toBeCloseTo(0.1, 1);
  });

  it('positive_unitball sums up to 1 for each output', () => {
    expect(mean(filled({ type: 'positive_unitball' })) * 50).toBeCloseTo(1, 4);
  });

  it('bilinear makes a kernel that enlarges by 2', () => {
    const net = run(
      layer('Deconvolution', ['x'], ['y'], {
        convolution_param: {
          num_output: 1,
          kernel_size: [4],
          stride: [2],
          pad: [1],
          bias_term: false,
          weight_filler: { type: 'bilinear' },
        },
      }),
      { x: [[1, 1, 3, 3], new Array<number>(9).fill(1)] },
    );
    // All ones stay ones away from the border.
    expect(values(net, 'y').slice(7, 11)).toEqual(closeTo([1, 1, 1, 1]));
  });

  it.each(['constnat', 'bilinear'])('refuses %s for a matrix, naming the layer', (type) => {
    expect(() => filled({ type })).toThrow(expect.objectContaining({ layer: 'y' }));
  });

  it('draws the same numbers from the same seed', () => {
    expect(filled({ type: 'xavier' })).toEqual(filled({ type: 'xavier' }));
    expect(new Random(1).unit()).not.toBe(new Random(2).unit());
  });
});
