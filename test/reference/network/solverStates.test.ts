import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/caffe/byteSource';
import { openModel } from '../../../src/caffe/model';
import { parseNet, parseSolver } from '../../../src/caffe/readNet';
import { readSolverState } from '../../../src/caffe/solverState';
import { Net } from '../../../src/network/net';
import { Solver } from '../../../src/network/solver';
import { ReferenceEngine } from '../../../src/tensor/reference';

const models = new URL('../../../../shared/models/', import.meta.url).pathname;

const cases = [
  {
    folder: 'lenet5-z0',
    net: 'lenet_train_test',
    solver: 'lenet_solver',
    state: 'lenet_iter_10000.solverstate',
    model: 'lenet_iter_10000.caffemodel',
    image: [1, 28, 28],
    iter: 10_000,
    rate: 0.01 * (1 + 0.0001 * 10_000) ** -0.75,
  },
  {
    folder: 'cifar10-bxuan',
    net: 'cifar10_quick_train_test',
    solver: 'cifar10_quick_solver_lr1',
    state: 'cifar10_quick_iter_5000.solverstate.h5',
    model: 'cifar10_quick_iter_5000.caffemodel.h5',
    image: [3, 32, 32],
    iter: 5000,
    rate: 0.0001,
  },
];

describe.skipIf(!existsSync(models))('training goes on from what the real Caffe saved', () => {
  it.each(cases)(
    '$folder $state',
    async ({ folder, net: netFile, solver: solverFile, state, model, image, iter, rate }) => {
      const read = (name: string) => readFileSync(`${models}${folder}/${name}`);
      const engine = new ReferenceEngine();
      const net = new Net(parseNet(read(`${netFile}.prototxt`).toString()), {
        phase: 'TRAIN',
        engine,
        sourceShapes: ({ type }) => (type === 'Data' ? [[2, ...image], [2]] : undefined),
      });
      const weights = memorySource(model, read(model));
      const loaded = await net.loadWeights(weights, await openModel(weights));
      expect(loaded).toEqual(net.weights().map(({ name }) => name));
      net.blob('data').data.forEach((_, i, values) => (values[i] = (i % 7) / 7));
      net.blob('label').data.set([3, 5]);
      const feed = () => Promise.resolve();
      const solver = new Solver(parseSolver(read(`${solverFile}.prototxt`).toString()), net, engine, feed);
      const saved = await readSolverState(memorySource(state, read(state)));
      solver.restore(saved);
      expect(solver.state()).toMatchObject({ iter, history: saved.history.map(({ shape }) => ({ shape })) });
      const step = await solver.step();
      expect(step.iteration).toBe(iter + 1);
      expect(step.rate).toBeCloseTo(rate, 8);
      expect(step.loss).toBeGreaterThan(0);
    },
  );
});
