import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openFile } from '../../src/caffe/byteSource';
import { parseSolver } from '../../src/caffe/readNet';
import { readSolverState } from '../../src/caffe/solverState';
import { loadWeights } from '../../src/jobs/loadWeights';
import { snapshotFiles, snapshotPrefix } from '../../src/jobs/snapshots';
import { Trainer } from '../../src/jobs/trainer';
import { PortableEngine } from '../../src/tensor/portable';
import { caffeTrain, hasCaffe } from './realCaffe';

const folder = mkdtempSync(join(tmpdir(), 'interop-training-'));
const engine = new PortableEngine();
const { signal } = new AbortController();
afterAll(() => {
  engine.dispose();
  rmSync(folder, { recursive: true });
});

/** A net of two layers, with 40 items for it in batches of 8. */
cpSync(new URL('../fixtures/golden/solvers/sgd-fixed', import.meta.url).pathname, folder, {
  recursive: true,
});
writeFileSync(join(folder, 'train.txt'), 'train.h5\n');

/** Iterations to the snapshot, and in all: whole passes over the data, since Caffe begins anew with them. */
const half = 10;
const whole = 20;

/** With rates that change before and after the snapshot. */
const solvers = {
  SGD: 'base_lr: 0.05 momentum: 0.9 weight_decay: 0.001 lr_policy: "multistep" gamma: 0.5 stepvalue: 4 stepvalue: 15',
  Nesterov: 'base_lr: 0.05 momentum: 0.9 lr_policy: "exp" gamma: 0.95',
  AdaGrad: 'base_lr: 0.02 delta: 1e-6 lr_policy: "step" gamma: 0.5 stepsize: 7',
  RMSProp: 'base_lr: 0.005 rms_decay: 0.9 delta: 1e-6 lr_policy: "inv" gamma: 0.05 power: 0.75',
  AdaDelta: 'base_lr: 1 momentum: 0.95 delta: 1e-6 lr_policy: "poly" power: 0.5',
  Adam: 'base_lr: 0.01 momentum: 0.9 momentum2: 0.99 delta: 1e-6 lr_policy: "sigmoid" gamma: 0.2 stepsize: 12',
};

const readState = async (path: string) => {
  const source = await openFile(path);
  return readSolverState(source).finally(() => source.close());
};

/** Largest difference, as a part of the largest value. */
function difference(ours: Float32Array, theirs: Float32Array): number {
  const largest = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0) / largest;
}

describe.skipIf(!hasCaffe).each(Object.entries(solvers))('a training by %s', (type, parameters) => {
  test.each(['BINARYPROTO', 'HDF5'])('goes on in either, snapshots in %s', async (format) => {
    const text = (name: string) => `net: "net.prototxt" type: "${type}" ${parameters} max_iter: ${whole}
      display: 1 snapshot: ${half} snapshot_format: ${format} snapshot_prefix: "${name}-${type}" random_seed: 1 solver_mode: CPU`;
    const files = { ours: 'ours.prototxt', theirs: 'theirs.prototxt' };
    writeFileSync(join(folder, files.ours), text('ours'));
    writeFileSync(join(folder, files.theirs), text('theirs'));
    const solverFile = join(folder, files.ours);
    const open = () => Trainer.open({ solverFile, solver: parseSolver(text('ours')) }, engine);
    /** Our steps, told as `caffe train` tells its own: by the iterations done before. */
    const train = async (trainer: Trainer, last: number) => {
      const steps = new Map<number, { loss: number; rate: number }>();
      while (trainer.solver.iteration < last) {
        const { iteration, loss, rate } = await trainer.step();
        steps.set(iteration - 1, { loss, rate });
      }
      return steps;
    };
    const expectSame = (
      ours: ReadonlyMap<number, { loss: number; rate: number }>,
      theirs: ReadonlyMap<number, { loss: number; rate: number }>,
      from: number,
    ) => {
      for (let iteration = from; iteration < whole; iteration++) {
        const our = ours.get(iteration)!;
        const their = theirs.get(iteration)!;
        expect(Math.abs(our.loss / their.loss - 1), `loss of ${iteration}`).toBeLessThan(1e-3);
        expect(Math.abs(our.rate / their.rate - 1), `rate of ${iteration}`).toBeLessThan(1e-5);
      }
    };

    const theirs = caffeTrain(folder, files.theirs, '-weights', 'initial.caffemodel');
    const trainer = await open();
    await loadWeights(trainer.net, join(folder, 'initial.caffemodel'), signal);
    const ours = await train(trainer, half);
    const { state } = await trainer.snapshot(join(folder, `ours-${type}`), signal);
    for (const [iteration, step] of await train(trainer, whole)) ours.set(iteration, step);
    await trainer.dispose();
    expectSame(ours, theirs, 0);

    // The real Caffe goes on from ours.
    expectSame(ours, caffeTrain(folder, files.ours, '-snapshot', state), half);

    // Ours goes on from the real Caffe's, which is the same as ours.
    const other = state.replace('ours-', 'theirs-');
    const [our, their] = [await readState(state), await readState(other)];
    expect(our).toMatchObject({ iter: their.iter, currentStep: their.currentStep });
    expect(our.history.map(({ shape }) => shape)).toEqual(their.history.map(({ shape }) => shape));
    our.history.forEach(({ data }, i) => expect(difference(data, their.history[i].data)).toBeLessThan(2e-3));
    const second = await open();
    await second.resume(other, signal);
    expectSame(await train(second, whole), theirs, half);
    await second.dispose();
  });
});

describe.skipIf(!hasCaffe)('snapshots get the names that caffe train gives them', () => {
  test.each(['', 'snapshot_prefix: "net"', 'snapshot_prefix: "states"', 'snapshot_prefix: "states/net"'])(
    'with "%s"',
    async (field) => {
      mkdirSync(join(folder, 'states'), { recursive: true });
      const text = `net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 0 ${field}`;
      const solverFile = join(folder, 'named.prototxt');
      writeFileSync(solverFile, text);
      const prefix = await snapshotPrefix({ solverFile, solver: parseSolver(text) });
      const { model, state } = snapshotFiles(prefix, 0, false);
      expect([model, state].map((path) => existsSync(path))).toEqual([false, false]);
      caffeTrain(folder, 'named.prototxt', '-weights', 'initial.caffemodel');
      expect([model, state].map((path) => existsSync(path))).toEqual([true, true]);
    },
  );
});
