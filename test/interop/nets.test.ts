import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { atomicWrite } from '../../src/caffe/atomicWrite';
import { floats, writeHdf5 } from '../../src/caffe/hdf5Writer';
import { printMessage } from '../../src/caffe/prototxt/printMessage';
import { parseNet } from '../../src/caffe/readNet';
import { messageType } from '../../src/caffe/schema';
import { loadWeights } from '../../src/jobs/loadWeights';
import { TestNet } from '../../src/jobs/testNet';
import { layerOf } from '../../src/network/graph';
import { PortableEngine } from '../../src/tensor/portable';
import { partOf, realNets } from '../support/models';
import { readNpz } from '../support/npz';
import { pruned } from './pruned';
import { caffeTest, hasCaffe, upgradeNet } from './realCaffe';

const folder = mkdtempSync(join(tmpdir(), 'interop-nets-'));
const engine = new PortableEngine();
const { signal } = new AbortController();
afterAll(() => {
  engine.dispose();
  rmSync(folder, { recursive: true });
});

/** A deploy net that reads its input from an HDF5 file: what `caffe test` can run. */
async function withInput(text: string, file: string): Promise<string> {
  const net = parseNet(text);
  const inputs = partOf(readNpz(readFileSync(file)), 'in:');
  const members = [...inputs].map(
    ([name, { shape, data }]) => [name, floats(shape, () => Promise.resolve(data))] as const,
  );
  await atomicWrite(join(folder, 'input.h5'), (output) => writeHdf5(output, new Map(members)), {
    replace: true,
  });
  writeFileSync(join(folder, 'input.txt'), 'input.h5\n');
  const [{ shape }] = inputs.values();
  const source = layerOf('HDF5Data', 'input', {
    top: [...inputs.keys()],
    hdf5_data_param: { source: 'input.txt', batch_size: shape[0] },
  });
  const layer = [source, ...net.layer.filter(({ type }) => type !== 'Input')].map(
    ({ line: _, ...fields }) => fields,
  );
  const netFile = join(folder, 'net.prototxt');
  writeFileSync(netFile, printMessage({ ...net, layer }, messageType('NetParameter')));
  return netFile;
}

describe.skipIf(!hasCaffe || realNets.length === 0)('real nets give what Caffe gives', () => {
  test.for(realNets)('$name', async ({ model, prototxt, file }, { skip }) => {
    const text = readFileSync(prototxt, 'utf8');
    if (upgradeNet(folder, text) === undefined) return skip('it is of a fork');
    const netFile = await withInput(text, file);
    const dense = join(folder, basename(model));
    await copyFile(model, dense);
    for (const weights of [dense, await pruned(dense, 0.5)]) {
      const theirs = caffeTest(folder, netFile, weights).values;
      const ours = await TestNet.open({ netFile }, { engine });
      try {
        await loadWeights(ours.net, weights, signal);
        await ours.batches(signal).next();
        ours.net.forward();
        expect(Object.keys(theirs)).not.toEqual([]);
        for (const [name, values] of Object.entries(theirs)) {
          const { data } = ours.net.blob(name);
          expect(values).toHaveLength(data.length);
          const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          const error = values.reduce((most, value, k) => Math.max(most, Math.abs(value - data[k])), 0);
          expect(error / largest, name).toBeLessThan(1e-4);
        }
      } finally {
        await ours.dispose();
      }
    }
  });
});
