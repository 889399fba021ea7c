import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/caffe/byteSource';
import { openModel } from '../../../src/caffe/model';
import { Net } from '../../../src/network/net';
import { PortableEngine } from '../../../src/tensor/portable';
import { parseNet } from '../../../src/caffe/readNet';

const shared = new URL('../../../../shared/', import.meta.url).pathname;
const lenet = `${shared}models/bvlc-caffe/mnist/lenet.prototxt`;

/** The values of an idx file behind its header, which is as long as its number of axes says. */
function readIdx(name: string): Uint8Array {
  const bytes = gunzipSync(readFileSync(`${shared}mnist/${name}`));
  return bytes.subarray(4 + 4 * bytes[3]);
}

/** Models with the number of the 10,000 test images that the real Caffe, or OpenCV, gets right (ACCURACY.tsv). */
const cases = [
  { model: 'lenet5-z0/lenet_iter_10000.caffemodel', prototxt: lenet, scores: 'ip2', right: 9920 },
  { model: 'lenet5-dns/caffe_lenet5_original.caffemodel', prototxt: lenet, scores: 'ip2', right: 9909 },
  { model: 'lenet5-dns/caffe_lenet5_sparse.caffemodel', prototxt: lenet, scores: 'ip2', right: 9909 },
  { model: 'lenet5-v1-dnnfooled/lenet_iter_10000', prototxt: lenet, scores: 'ip2', right: 9918 },
  ...['original', 'sparse'].map((kind, i) => ({
    model: `lenet300-dns/caffe_lenet300100_${kind}.caffemodel`,
    prototxt: `${shared}models/lenet300-dns/lenet300100.prototxt`,
    scores: 'ip3',
    right: [9772, 9801][i],
  })),
];

describe.skipIf(!existsSync(`${shared}mnist`))('MNIST, to the last of 10,000 images', () => {
  const batch = 500;

  it.each(cases)('$model gets $right right', async ({ model: file, prototxt, scores, right }) => {
    const images = readIdx('t10k-images-idx3-ubyte.gz');
    const labels = readIdx('t10k-labels-idx1-ubyte.gz');
    const engine = new PortableEngine();
    const shape = [batch, 1, 28, 28];
    const net = new Net(parseNet(readFileSync(prototxt, 'utf8')), {
      phase: 'TEST',
      engine,
      inputShapes: { data: shape },
    });
    const source = memorySource(file, readFileSync(`${shared}models/${file}`));
    await net.loadWeights(source, await openModel(source));
    let found = 0;
    for (let start = 0; start < labels.length; start += batch) {
      const pixels = images.subarray(start * 784, (start + batch) * 784);
      net.setInput(
        'data',
        shape,
        Float32Array.from(pixels, (value) => value / 256),
      );
      net.forward();
      const { data } = net.blob(scores);
      for (let n = 0; n < batch; n++) {
        const of = data.subarray(n * 10, n * 10 + 10);
        if (of.indexOf(of.reduce((most, value) => Math.max(most, value))) === labels[start + n]) found++;
      }
    }
    expect(found).toBe(right);
    net.dispose();
    engine.dispose();
  });
});
