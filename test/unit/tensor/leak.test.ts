import { expect, it } from 'vitest';
import { lenet } from '../../../bench/nets';
import { Net } from '../../../src/network/net';
import { Solver } from '../../../src/network/solver';
import { PortableEngine } from '../../../src/tensor/portable';

it('takes no more memory after 1,000 batches than after 10, and none after the net', async () => {
  const engine = new PortableEngine({ threads: 2 });
  const before = engine.bytesUsed;
  const net = new Net(lenet(2, true), { engine, phase: 'TRAIN' });
  const parameters = { base_lr: 1e-4, lr_policy: 'fixed', momentum: 0.9, weight_decay: 5e-4 };
  const solver = new Solver(parameters, net, engine, () => Promise.resolve());
  const memory = () => [engine.bytesUsed, engine.bytesReserved];
  for (let i = 0; i < 10; i++) await solver.step();
  const early = memory();
  for (let i = 10; i < 1000; i++) await solver.step();
  expect(memory()).toEqual(early);
  solver.dispose();
  net.dispose();
  // What remains is the workspace for the largest operation so far.
  expect(engine.bytesUsed - before).toBeLessThan(2 ** 20);
  engine.dispose();
});
