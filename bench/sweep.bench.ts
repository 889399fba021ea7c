// What a sensitivity sweep costs: every variant as a run of its own (the way of a script), against one sweep.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LayerPruner } from '../src/jobs/layerPruner';
import { createSample } from '../src/jobs/sample';
import { sweep } from '../src/jobs/sweep';
import { addBatch, noSums } from '../src/jobs/tally';
import { loadWeights } from '../src/jobs/loadWeights';
import { TestNet } from '../src/jobs/testNet';
import { createEngine } from '../src/tensor/createEngine';
import { compare, heading } from './measure';

const folder = mkdtempSync(join(tmpdir(), 'sweep-bench-'));
const signal = new AbortController().signal;
const engine = createEngine();
try {
  await drain(createSample({ folder: join(folder, 'sample'), replace: false }, { signal }));
  const netFile = join(folder, 'sample/train_val.prototxt');
  const model = join(folder, 'sample/lenet.caffemodel');
  const keeps = [0.5, 0.3, 0.2, 0.1, 0.05];
  const layers = { conv1: keeps, conv2: keeps, ip1: keeps, ip2: keeps };
  const source = { netFile, model };

  heading('Sensitivity sweep');
  await compare({
    what: 'LeNet, 4 layers x 5 keep ratios, 2,000 images',
    baseline: {
      name: 'a whole run for each',
      async run() {
        for (const layer of Object.keys(layers)) {
          for (const keep of keeps) {
            const test = await TestNet.open(source, { engine });
            await loadWeights(test.net, model, signal);
            new LayerPruner(test.net, layer).prune(keep);
            const sums = noSums();
            for await (const batch of test.batches(signal)) {
              addBatch(sums, test.net, test.scores, batch, test.net.forward());
            }
            await test.dispose();
          }
        }
      },
    },
    ours: {
      name: 'sweep',
      run: () => drain(sweep({ ...source, layers, collapse: 0 }, { signal, engine })),
    },
    repeats: 3,
  });
} finally {
  engine.dispose();
  rmSync(folder, { recursive: true });
}

async function drain(job: AsyncGenerator<unknown, unknown, void>): Promise<void> {
  while ((await job.next()).done !== true);
}
