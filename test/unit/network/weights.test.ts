import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/caffe/byteSource';
import type { ModelBlob, ModelLayer } from '../../../src/caffe/model';
import { Net } from '../../../src/network/net';
import { ReferenceEngine } from '../../../src/tensor/reference';
import { layer, netOf } from '../../support/nets';

/** A model in memory: one layer "y" of the given blobs, floats back to back. */
function modelOf(type: string, blobs: { shape: number[]; values: number[]; index?: number }[]) {
  const values = Float32Array.from(blobs.flatMap((blob) => blob.values));
  let offset = 0;
  const stored: ModelLayer = {
    index: 0,
    name: 'y',
    type,
    originalType: type,
    bottoms: [],
    tops: [],
    byteOffset: 0,
    byteLength: 0,
    blobs: blobs.map(({ shape, values: own, index }, i): ModelBlob => {
      const segment = { offset, count: own.length, stride: 4 };
      offset += own.length * 4;
      return {
        index: index ?? i,
        shape,
        count: own.length,
        encoding: 'float',
        segments: [segment],
        diffCount: 0,
        byteOffset: segment.offset,
      };
    }),
  };
  const source = memorySource('test', new Uint8Array(values.buffer));
  return {
    source,
    model: { kind: 'V2' as const, name: '', size: source.size, layers: [stored], damage: [] },
  };
}

/** y = W x + b of 2 outputs and 3 inputs, with the model's weights. */
async function load(type: string, { source, model }: ReturnType<typeof modelOf>) {
  const net = new Net(
    netOf({ x: [1, 3] }, [layer(type, ['x'], ['y'], { inner_product_param: { num_output: 2 } })]),
    { phase: 'TEST', engine: new ReferenceEngine() },
  );
  await net.loadWeights(source, model);
  return net.paramsOf('y').map(({ data }) => [...data]);
}

const weights = { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] };
const bias = { shape: [2], values: [7, 8] };
const masks = [
  { shape: [2, 3], values: [1, 0, 1, 0, 1, 0] },
  { shape: [2], values: [0, 1] },
];

describe('Net.loadWeights', () => {
  it.each([
    ['the same shapes', weights, bias],
    ['the 4-D shapes of old', { ...weights, shape: [1, 1, 2, 3] }, { ...bias, shape: [1, 1, 1, 2] }],
  ])('takes %s', async (_, w, b) => {
    expect(await load('InnerProduct', modelOf('InnerProduct', [w, b]))).toEqual([w.values, b.values]);
  });

  it('applies the masks of Dynamic Network Surgery to an ordinary layer', async () => {
    const model = modelOf('CInnerProduct', [weights, bias, ...masks]);
    expect(await load('InnerProduct', model)).toEqual([
      [1, 0, 3, 0, 5, 0],
      [0, 8],
    ]);
  });

  it('loads its masks into a layer of its own type, and lets all live without any', async () => {
    expect(await load('CInnerProduct', modelOf('CInnerProduct', [weights, bias, ...masks]))).toEqual(
      [weights, bias, ...masks].map(({ values }) => values),
    );
    expect((await load('CInnerProduct', modelOf('InnerProduct', [weights, bias])))[2]).toEqual(
      new Array(6).fill(1),
    );
  });

  it.each([
    [[weights], /1 blobs for this layer, the net 2/],
    [[weights, bias, bias], /3 blobs for this layer, the net 2/],
    [[{ ...weights, shape: [3, 2] }, bias], /blob 0 is 3×2 in the model and 2×3 in the net/],
    [[{ ...weights, shape: [1, 2, 3] }, bias], /blob 0 is 1×2×3/],
  ])('refuses what does not fit: %#', async (blobs, message) => {
    await expect(load('InnerProduct', modelOf('InnerProduct', blobs))).rejects.toThrow(message);
  });

  it('does without the blobs that a layer shares, which HDF5 models leave out', async () => {
    const shared = { inner_product_param: { num_output: 3 }, param: [{ name: 'w' }] };
    const net = new Net(
      netOf({ x: [1, 3] }, [
        layer('InnerProduct', ['x'], ['first'], shared),
        layer('InnerProduct', ['first'], ['y'], shared),
      ]),
      { phase: 'TEST', engine: new ReferenceEngine() },
    );
    const { source, model } = modelOf('InnerProduct', [{ shape: [3], values: [7, 8, 9], index: 1 }]);
    await net.loadWeights(source, model);
    expect([...net.paramsOf('y')[1].data]).toEqual([7, 8, 9]);
  });
});
