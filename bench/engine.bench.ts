import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import type { NetParameter } from '../src/caffe/messages';
import { Net } from '../src/network/net';
import { Solver } from '../src/network/solver';
import { PortableEngine } from '../src/tensor/portable';
import { findPython } from '../test/python';
import { compare, heading, row, type Contestant } from './measure';
import { det3, lenet, resnet20 } from './nets';
import { stockForward } from './stock';

/** `npm run bench engine`: nets on the portable engine, versus PyTorch and versus the stock WASM backend of tfjs. */

interface Task {
  what: string;
  net: NetParameter;
  train: boolean;
  repeats: number;
}

const tasks: Task[] = [
  { what: 'LeNet, training step of 64', net: lenet(64, true), train: true, repeats: 60 },
  { what: 'LeNet, forward of 100', net: lenet(100, false), train: false, repeats: 60 },
  { what: 'ResNet-20, training step of 128', net: resnet20(128, true), train: true, repeats: 12 },
  { what: 'ResNet-20, forward of 100', net: resnet20(100, false), train: false, repeats: 30 },
  { what: 'MTCNN det3, forward of 16', net: det3(16), train: false, repeats: 60 },
  { what: 'MTCNN det3, forward of 1', net: det3(1), train: false, repeats: 150 },
];

const threads = availableParallelism();

/** A net on our engine, ready to be timed. `masked`: with a mask, all of it 1, on every blob of weights. */
function onEngine({ net: parameter, train }: Task, masked = false): Contestant & { dispose: () => void } {
  const engine = new PortableEngine({ threads });
  const net = new Net(parameter, { engine, phase: train ? 'TRAIN' : 'TEST' });
  const { data } = net.blob('data');
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(i);
  const dispose = () => {
    net.dispose();
    engine.dispose();
  };
  if (!train) return { name: engine.name, run: () => void net.forward(), dispose };
  const labels = net.blob('label').data;
  for (let i = 0; i < labels.length; i++) labels[i] = i % 10;
  const parameters = { base_lr: 1e-4, lr_policy: 'fixed', momentum: 0.9, weight_decay: 5e-4 };
  const solver = new Solver(parameters, net, engine, () => Promise.resolve());
  if (masked)
    for (const { layer, index, blob } of net.params)
      solver.setMask(layer, index, new Float32Array(blob.data.length).fill(1));
  return {
    name: masked ? 'with masks' : engine.name,
    // Not the result: a number would be taken for a time.
    run: async () => void (await solver.step()),
    dispose,
  };
}

/** PyTorch in a process of its own that does a task each time it is asked. */
async function startPyTorch(python: string) {
  const child = spawn(python, ['bench/pytorch.py', String(threads)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('PyTorch ended');
    return value;
  };
  const version = await next();
  return {
    contestant: (what: string): Contestant => ({
      name: `${version}, ${String(threads)} threads`,
      run: async () => {
        child.stdin.write(`${what}\n`);
        return Number(await next());
      },
    }),
    stop: () => child.stdin.end(),
  };
}

heading('Engine versus PyTorch on the CPU, with as many threads');
const python = findPython('torch');
if (python === undefined) {
  row('PyTorch is not installed', '', '', '');
} else {
  const pytorch = await startPyTorch(python);
  for (const task of tasks) {
    const ours = onEngine(task);
    // Ours run on after they are compiled to their final form, which takes some runs.
    for (let i = 0; i < 10; i++) await ours.run();
    await compare({
      what: task.what,
      baseline: pytorch.contestant(task.what),
      ours,
      repeats: task.repeats,
      inARow: Math.ceil(task.repeats / 5),
    });
    ours.dispose();
  }
  pytorch.stop();
}

heading(
  'Engine versus @tensorflow/tfjs-backend-wasm, which has no gradients of convolutions and one thread in Node.js',
);
await tf.setBackend('wasm');
for (const task of tasks.filter(({ train }) => !train)) {
  const ours = onEngine(task);
  const baseline = { name: `tfjs ${tf.version_core} wasm`, run: stockForward(task.net) };
  for (let i = 0; i < 5; i++) {
    await ours.run();
    await baseline.run();
  }
  await compare({ what: task.what, baseline, ours, repeats: Math.ceil(task.repeats / 3) });
  ours.dispose();
}

heading('What masks cost in a training step');
const plain = onEngine(tasks[0]);
const masked = onEngine(tasks[0], true);
for (let i = 0; i < 10; i++) {
  await plain.run();
  await masked.run();
}
await compare({
  what: 'LeNet, training step of 64',
  baseline: { ...plain, name: 'without' },
  ours: masked,
  repeats: 200,
});
plain.dispose();
masked.dispose();
