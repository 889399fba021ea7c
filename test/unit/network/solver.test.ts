import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NetParameter, SolverParameter } from '../../../src/caffe/messages';
import { Random } from '../../../src/caffe/random';
import { Net } from '../../../src/network/net';
import { learningRate, netsOf, Solver } from '../../../src/network/solver';
import { ReferenceEngine } from '../../../src/tensor/reference';
import { layer, netOf } from '../../support/nets';

const weight_filler = { type: 'uniform', min: -1, max: 1 };
const regression = netOf({ x: [4, 3], y: [4, 2] }, [
  layer('InnerProduct', ['x'], ['p'], { inner_product_param: { num_output: 2, weight_filler } }),
  layer('EuclideanLoss', ['p', 'y'], ['loss']),
]);

/** A net to train on random batches. */
function training(parameter: SolverParameter, seed = 1) {
  const engine = new ReferenceEngine();
  const net = new Net(regression, { phase: 'TRAIN', engine, seed });
  const random = new Random(seed);
  const fill = (values: Float32Array) => values.forEach((_, i) => (values[i] = 2 * random.unit() - 1));
  const feed = () => {
    fill(net.blob('x').data);
    fill(net.blob('y').data);
    return Promise.resolve();
  };
  const begin = () => new Solver({ base_lr: 0.1, lr_policy: 'fixed', ...parameter }, net, engine, feed);
  return { net, solver: begin(), begin };
}

const solvers = fc.record({
  type: fc.constantFrom('SGD', 'Nesterov', 'AdaGrad', 'RMSProp', 'AdaDelta', 'Adam'),
  momentum: fc.constantFrom(0, 0.5, 0.9),
  weight_decay: fc.constantFrom(0, 0.01),
  regularization_type: fc.constantFrom('L1', 'L2'),
  clip_gradients: fc.constantFrom(-1, 0.1),
  iter_size: fc.constantFrom(1, 2),
});

describe('Solver', () => {
  it('keeps pruned weights and what it remembers of them exactly 0, whatever the solver', async () => {
    await fc.assert(
      fc.asyncProperty(
        solvers,
        fc.array(fc.constantFrom(0, 1), { minLength: 6, maxLength: 6 }),
        fc.integer({ min: 0, max: 4 }),
        async (parameter, mask, before) => {
          const { net, solver } = training(parameter);
          for (let i = 0; i < before; i++) await solver.step();
          solver.setMask('p', 0, mask);
          for (let i = 0; i < 4; i++) {
            if (i > 0) await solver.step();
            const { data } = net.paramsOf('p')[0];
            const { history } = solver.state();
            const weightHistories = history.filter(({ shape }) => shape.length === 2);
            mask.forEach((lives, at) => {
              if (lives) return;
              expect(data[at]).toBe(0);
              for (const { data: remembered } of weightHistories) expect(remembered[at]).toBe(0);
            });
          }
          if (mask.includes(1)) expect(net.paramsOf('p')[0].data.some((value) => value !== 0)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('shows the net weights in surgery as exactly 0, and brings them back as they were trained', async () => {
    const masks = fc.array(fc.constantFrom(0, 1), { minLength: 6, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        solvers,
        fc.array(masks, { minLength: 1, maxLength: 4 }),
        async (parameter, changes) => {
          const { net, solver } = training(parameter);
          for (const mask of changes) {
            solver.setSplicedMask('p', 0, mask);
            for (let i = 0; i < 3; i++) {
              if (i > 0) await solver.step();
              const { data } = net.paramsOf('p')[0];
              const all = solver.weightsUnderMask('p', 0)!;
              mask.forEach((lives, at) => expect(data[at]).toBe(lives ? all[at] : 0));
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('goes on from a saved state as if it had not stopped', async () => {
    await fc.assert(
      fc.asyncProperty(solvers, async (parameter) => {
        const whole = training(parameter);
        for (let i = 0; i < 6; i++) await whole.solver.step();

        const first = training(parameter);
        for (let i = 0; i < 3; i++) await first.solver.step();
        const second = first.begin();
        second.restore(first.solver.state());
        for (let i = 0; i < 3; i++) await second.step();
        expect(first.net.paramsOf('p')[0].data).toEqual(whole.net.paramsOf('p')[0].data);
        expect(second.state()).toEqual(whole.solver.state());
      }),
      { numRuns: 20 },
    );
  });

  it('refuses the state of another kind of solver', () => {
    const { solver } = training({ type: 'SGD' });
    expect(() => solver.restore(training({ type: 'Adam' }).solver.state())).toThrow(/4 history blobs/);
  });

  it('refuses a mask of another size', () => {
    expect(() => training({}).solver.setMask('p', 0, [1, 0])).toThrow(/2 values does not fit a blob of 6/);
  });

  it('averages the loss over average_loss iterations', async () => {
    const { solver } = training({ average_loss: 2 });
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { loss, smoothedLoss } = await solver.step();
      losses.push(loss);
      const last = losses.slice(-2);
      expect(smoothedLoss).toBeCloseTo(last.reduce((sum, value) => sum + value, 0) / last.length, 6);
    }
  });

  it('stops at a loss that is no number and names the layer', async () => {
    const { net, solver } = training({});
    net.paramsOf('p')[0].data[1] = NaN;
    await expect(solver.step()).rejects.toMatchObject({
      layer: 'p',
      message: expect.stringMatching(/NaN in iteration 1; it appears first in the weights/) as string,
    });
  });

  it('leaves a blob with lr_mult 0 alone', async () => {
    const frozen = structuredClone(regression);
    frozen.layer[2].param = [{ lr_mult: 1 }, { lr_mult: 0 }];
    const engine = new ReferenceEngine();
    const net = new Net(frozen, { phase: 'TRAIN', engine });
    net.blob('x').data.fill(1);
    net.paramsOf('p')[1].data.set([0.5, -0.5]);
    const solver = new Solver({ base_lr: 0.1, lr_policy: 'fixed', weight_decay: 1 }, net, engine, () =>
      Promise.resolve(),
    );
    const before = net.paramsOf('p')[0].data.slice();
    await solver.step();
    expect([...net.paramsOf('p')[1].data]).toEqual([0.5, -0.5]);
    expect(net.paramsOf('p')[0].data).not.toEqual(before);
  });
});

describe('learningRate', () => {
  const base = { base_lr: 0.8, gamma: 0.5, power: 2, stepsize: 10, max_iter: 100, stepvalue: [10, 30] };
  it.each([
    ['fixed', 25, 0, 0.8],
    ['step', 25, 0, 0.8 * 0.5 ** 2],
    ['exp', 3, 0, 0.1],
    ['inv', 2, 0, 0.8 * 2 ** -2],
    ['multistep', 9, 0, 0.8],
    ['multistep', 10, 0, 0.4],
    ['multistep', 30, 1, 0.2],
    ['poly', 50, 0, 0.8 * 0.25],
    ['sigmoid', 10, 0, 0.4],
  ])('%s at iteration %i', (lr_policy, iteration, step, expected) => {
    expect(learningRate({ ...base, lr_policy }, iteration, step).rate).toBeCloseTo(expected, 10);
  });

  it('refuses a policy that Caffe does not know', () => {
    expect(() => learningRate({ lr_policy: 'cosine' }, 0, 0)).toThrow(
      /Unknown learning rate policy "cosine"/,
    );
  });

  it('refuses a step policy without a step', () => {
    expect(() => learningRate({ lr_policy: 'step', gamma: 1 }, 0, 0)).toThrow(/stepsize must be positive/);
  });
});

describe('netsOf', () => {
  const load = (path: string): Promise<NetParameter> => Promise.resolve({ name: path, layer: [] });

  it('makes one test net of the common net for each test_iter', async () => {
    const { train, tests } = await netsOf(
      {
        net: 'n',
        test_iter: [5, 7],
        test_state: [{ stage: ['a'] }, { level: 2 }],
        train_state: { stage: ['t'] },
      },
      load,
    );
    expect(train).toMatchObject({ net: { name: 'n' }, purpose: { phase: 'TRAIN', stages: ['t'] } });
    expect(tests).toMatchObject([
      { net: { name: 'n' }, purpose: { phase: 'TEST', stages: ['a'] }, iterations: 5 },
      { net: { name: 'n' }, purpose: { phase: 'TEST', level: 2 }, iterations: 7 },
    ]);
  });

  it('takes train_net and test_net apart', async () => {
    const { train, tests } = await netsOf({ train_net: 'a', test_net: ['b'], test_iter: [3] }, load);
    expect([train.net.name, tests[0].net.name]).toEqual(['a', 'b']);
  });

  it.each([
    [{}, /must name one net/],
    [{ net: 'a', train_net: 'b' }, /must name one net/],
    [{ train_net: 'a', test_net: ['b'] }, /test_iter must be specified/],
    [{ net: 'a', test_iter: [1], test_state: [{}, {}] }, /test_state/],
  ])('refuses %j', async (solver, message) => {
    await expect(netsOf(solver, load)).rejects.toThrow(message);
  });
});
