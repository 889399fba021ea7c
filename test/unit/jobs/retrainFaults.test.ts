import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type * as Fs from 'node:fs';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import * as h5wasm from 'h5wasm/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { openFile } from '../../../src/caffe/byteSource';
import type { NetParameter, SolverParameter } from '../../../src/caffe/messages';
import { openModel } from '../../../src/caffe/model';
import { printMessage } from '../../../src/caffe/prototxt/printMessage';
import { messageType } from '../../../src/caffe/schema';
import { findCompanions } from '../../../src/jobs/companions';
import { retrain, type RetrainParameters } from '../../../src/jobs/retrain';
import type { AutoSchedule } from '../../../src/jobs/schedule';
import type { Schedule } from '../../../src/jobs/schedule';
import { train } from '../../../src/jobs/train';
import { Steering } from '../../../src/rpc';
import { ReferenceEngine } from '../../../src/tensor/reference';
import { buildCli } from '../cli/build';
import { CLASSES, layer, runJob, tinyData, tinyNet, trainTiny } from './tinyNet';
import { described } from '../../support/described';
import { stalledDisk } from '../../support/stalledDisk';

/** A disk that takes `room` more bytes. */
const disk = vi.hoisted(() => ({ room: Infinity, written: 0, flushes: true, refusal: '' }));
vi.mock('node:fs', async (importOriginal) => {
  const { onDisk } = await import('../../support/disk');
  return onDisk(disk, await importOriginal<typeof Fs>());
});

const { folder: data, netFile, images } = tinyData(300);
const trained = join(data, 'trained.caffemodel');
const folder = join(data, 'run');
const file = join(folder, 'net.caffemodel');
const { signal } = new AbortController();
const context = { signal, engine: new ReferenceEngine() };

beforeAll(() => trainTiny(netFile, trained, 60));
afterAll(() => rmSync(data, { recursive: true }));
beforeEach(() => {
  mkdirSync(folder);
  copyFileSync(trained, file);
});
afterEach(() => {
  disk.room = Infinity;
  rmSync(folder, { recursive: true });
});

/** The tiny net with all that is random in training: dropout, and images that are mirrored and cropped. */
function restlessNet(): NetParameter {
  const net = tinyNet(20);
  const layers = net.layer.map((each) =>
    each.type === 'Data'
      ? {
          ...each,
          transform_param: { scale: 0.01, mirror: true },
          data_param: { ...each.data_param, source: images },
        }
      : each,
  );
  const at = layers.findIndex(({ name }) => name === 'ip2');
  layers.splice(at, 0, layer('Dropout', 'drop', ['ip1'], ['ip1'], { dropout_param: { dropout_ratio: 0.2 } }));
  return { ...net, layer: layers };
}

const solver = (more: Partial<SolverParameter> = {}): SolverParameter => ({
  net_param: restlessNet(),
  test_iter: [5],
  type: 'Adam',
  base_lr: 0.002,
  momentum: 0.9,
  lr_policy: 'fixed',
  iter_size: 2,
  random_seed: 3,
  ...more,
});

const parameters = (more: Partial<RetrainParameters> = {}): RetrainParameters => ({
  solverFile: netFile,
  solver: solver(),
  holdOut: 100,
  file,
  choices: [
    { layer: 'ip1', blob: 0, keep: 0.1 },
    { layer: 'conv', blob: 0, keep: 0.5 },
  ],
  schedule: { kind: 'gradual', interval: 7 },
  iterations: 40,
  measureEvery: 10,
  encoding: 'relative',
  existing: 'replace',
  ...more,
});

const outputs = () =>
  ['caffemodel', 'npz', 'json'].map((kind) =>
    readFileSync(join(folder, `net.pruned.${kind}`)).toString('base64'),
  );
const checkpointFiles = () => readdirSync(folder).filter((name) => name.includes('retraining'));
const stateOf = (iteration: number) => `${file}.retraining_iter_${iteration}.solverstate`;

/** Runs until the measurement of an iteration, then stops it as `how` says. */
async function interrupt(run: RetrainParameters, iteration: number): Promise<void> {
  const controller = new AbortController();
  const job = retrain(run, { ...context, signal: controller.signal });
  const wait = async () => {
    for (;;) {
      const { value, done } = await job.next();
      if (done === true) return;
      if (value.measurement && value.measurement.iteration >= iteration) controller.abort();
    }
  };
  await expect(wait()).rejects.toThrow(/abort/);
}

test.each<[Schedule | AutoSchedule, number, SolverParameter['snapshot_format']?]>([
  [{ kind: 'oneShot' }, 10],
  [{ kind: 'iterative', rounds: 4 }, 20],
  [{ kind: 'gradual', interval: 7 }, 10],
  [{ kind: 'gradual', interval: 7 }, 30],
  [{ kind: 'splicing', interval: 3 }, 10],
  [{ kind: 'splicing', interval: 3 }, 30],
  [{ kind: 'auto', tolerance: 0.02, perRound: 15 }, 6],
  [{ kind: 'auto', tolerance: 0.02, perRound: 15 }, 25],
  [{ kind: 'splicing', interval: 3 }, 10, 'HDF5'],
])(
  '%j interrupted after iteration %i goes on to the same bytes',
  async (schedule, iteration, snapshot_format) => {
    const run = parameters({ schedule, solver: solver({ snapshot_format }) });
    const extension = snapshot_format === 'HDF5' ? '.solverstate.h5' : '.solverstate';
    await runJob(retrain(run, context));
    const whole = outputs();
    for (const name of readdirSync(folder)) if (name !== 'net.caffemodel') unlinkSync(join(folder, name));

    await interrupt(run, iteration);
    const [state, ...others] = checkpointFiles().filter((name) => name.endsWith(extension));
    expect(others).toEqual([]);
    expect(readdirSync(folder)).not.toContain('net.pruned.caffemodel');
    await runJob(retrain({ ...run, resume: join(folder, state) }, context));
    expect(outputs()).toEqual(whole);
    expect(checkpointFiles()).toEqual([]);
  },
);

test.each([
  ['BINARYPROTO', ''],
  ['HDF5', '.h5'],
] as const)(
  'a training that goes on from its %s comes to the same bytes',
  async (snapshot_format, extension) => {
    const run = { solverFile: netFile, solver: solver({ snapshot_format }), holdOut: 100 };
    const to = (name: string, more: object) =>
      runJob(train({ ...run, prefix: join(folder, name), ...more }, context)).then(({ result }) => result);
    const whole = await to('whole', { iterations: 30 });
    const half = await to('half', { iterations: 13 });
    const base = join(folder, 'half_iter_13');
    expect(half).toMatchObject({
      model: `${base}.caffemodel${extension}`,
      state: `${base}.solverstate${extension}`,
    });
    const rest = await to('half', { iterations: 30, resume: half.state });
    expect(readFileSync(rest.model).equals(readFileSync(whole.model))).toBe(true);
  },
);

test('a killed process leaves a whole checkpoint, and --resume comes to the same bytes', async () => {
  const script = join(data, 'cli.cjs');
  await buildCli(script);
  const net = join(data, 'restless.prototxt');
  writeFileSync(net, printMessage(restlessNet() as never, messageType('NetParameter')));
  const solverFile = join(data, 'solver.prototxt');
  const { net_param, ...rest } = solver({ net });
  expect(net_param).toBeDefined();
  writeFileSync(solverFile, printMessage(rest as never, messageType('SolverParameter')));
  const stall = join(data, 'stall.cjs');
  writeFileSync(stall, stalledDisk('net.pruned'));
  const start = (more: string[] = [], options: string[] = []) =>
    spawn(process.execPath, [
      ...[
        ...options,
        script,
        'retrain',
        file,
        '--solver',
        solverFile,
        '--iterations',
        '60',
        '--measure-every',
        '7',
      ],
      ...['--keep', '0.2', '--schedule', 'splicing', '--interval', '5', '--hold-out', '100', '--json'],
      ...['--replace', ...more],
    ]);
  await once(start(), 'close');
  const whole = outputs();

  // It has its outputs still to write when it is killed, however fast it is.
  const killed = start([], ['--require', stall]);
  for await (const line of createInterface(killed.stdout)) {
    if (line.includes('"iteration":28') && line.includes('measurement')) killed.kill('SIGKILL');
  }
  const states = checkpointFiles().filter((name) => name.endsWith('.solverstate'));
  expect(states.length).toBeGreaterThan(0);
  for (const state of states) {
    const source = await openFile(join(folder, state.replace('.solverstate', '.caffemodel')));
    expect((await openModel(source)).damage).toEqual([]);
    await source.close();
  }
  const [code] = (await once(start(['--resume', join(folder, states[0])]), 'close')) as [number];
  expect(code).toBe(0);
  expect(outputs()).toEqual(whole);
});

test('a cancelled process says how to go on', async () => {
  const child = spawn(process.execPath, [
    // However fast it is, it has its outputs still to write when it is cancelled.
    ...['--require', join(data, 'stall.cjs')],
    ...[join(data, 'cli.cjs'), 'retrain', file, '--solver', join(data, 'solver.prototxt'), '--keep', '0.2'],
    ...['--iterations', '5000', '--measure-every', '7', '--hold-out', '100'],
  ]);
  let output = '';
  for await (const line of createInterface(child.stdout)) {
    output += `${line}\n`;
    if (line.startsWith('iteration 7:')) child.kill('SIGINT');
  }
  const [, state] = /--resume (\S+)$/m.exec(output)!;
  expect(checkpointFiles()).toContain(basename(state));
});

test('a process whose output nobody reads any more stops at a checkpoint', async () => {
  const child = spawn(process.execPath, [
    ...[join(data, 'cli.cjs'), 'retrain', file, '--solver', join(data, 'solver.prototxt'), '--keep', '0.2'],
    ...['--iterations', '5000', '--measure-every', '7', '--hold-out', '100', '--json'],
  ]);
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  const closed = once(child, 'close');
  for await (const line of createInterface(child.stdout)) if (line.includes('"iteration":7,')) break;
  child.stdout.destroy();
  expect(await closed).toEqual([130, null]);
  expect(told).not.toContain('EPIPE');
  expect(checkpointFiles()).toHaveLength(4);
});

test('a full disk at a checkpoint leaves the one before, and says how to go on', async () => {
  const run = parameters();
  await runJob(retrain(run, context));
  const whole = outputs();
  const fill = async () => {
    const job = retrain(run, context);
    for (let next = await job.next(); next.done !== true; next = await job.next())
      if (next.value.measurement?.iteration === 20) disk.room = 10_000;
  };
  const failure = await described(fill());
  expect(failure).toContain('the disk is full');
  expect(failure).toContain(`resume from ${stateOf(20)}`);
  const left = checkpointFiles();
  expect(left.every((name) => name.includes('_iter_20.'))).toBe(true);
  expect(left).toHaveLength(4);
  disk.room = Infinity;
  await runJob(retrain({ ...run, resume: stateOf(20) }, context));
  expect(outputs()).toEqual(whole);
});

test('a full disk at a snapshot of a training leaves the one before', async () => {
  const run = {
    solverFile: netFile,
    solver: solver({ snapshot: 5 }),
    prefix: join(folder, 'scratch'),
    iterations: 10,
  };
  // A snapshot with the histories of Adam, but no second one.
  disk.room = 3.5 * readFileSync(trained).length;
  const failure = await described(runJob(train(run, context)));
  expect(failure).toContain('the disk is full');
  expect(failure).toContain(`resume from ${run.prefix}_iter_5.solverstate`);
  disk.room = Infinity;
  const { result } = await runJob(train({ ...run, resume: `${run.prefix}_iter_5.solverstate` }, context));
  expect(result.iterations).toBe(10);
});

test('a data file that goes away is named, and the training goes on when it is back', async () => {
  await h5wasm.ready;
  const parts = ['a.h5', 'b.h5'].map((name) => join(folder, name));
  for (const [k, part] of parts.entries()) {
    const h5 = new h5wasm.File(part, 'w');
    const values = Float32Array.from({ length: 100 * 36 }, (_, i) => ((i * 7 + k) % 13) / 13);
    h5.create_dataset({ name: 'data', data: values, shape: [100, 1, 6, 6] });
    const labels = Float32Array.from({ length: 100 }, (_, i) => i % CLASSES);
    h5.create_dataset({ name: 'label', data: labels, shape: [100] });
    h5.close();
  }
  const list = join(folder, 'list.txt');
  writeFileSync(list, parts.join('\n'));
  const net = tinyNet(20);
  net.layer[0] = layer('HDF5Data', 'data', [], ['data', 'label'], {
    hdf5_data_param: { source: list, batch_size: 20 },
  });
  const run = parameters({ solver: solver({ net_param: net }), holdOut: 0 });
  await runJob(retrain(run, context));
  const whole = outputs();

  const bytes = readFileSync(parts[1]);
  const remove = async () => {
    const job = retrain(run, context);
    for (let next = await job.next(); next.done !== true; next = await job.next())
      if (next.value.measurement?.iteration === 20) unlinkSync(parts[1]);
  };
  const failure = await described(remove());
  expect(failure).toContain(parts[1]);
  expect(failure).toContain(`resume from ${stateOf(20)}`);
  writeFileSync(parts[1], bytes);
  await runJob(retrain({ ...run, resume: stateOf(20) }, context));
  expect(outputs()).toEqual(whole);
});

test('outputs that are there and are not to give way end a run before it begins', async () => {
  const sparse = join(folder, 'net.pruned.npz');
  writeFileSync(sparse, 'mine');
  const events: unknown[] = [];
  const begin = async () => {
    for await (const event of retrain(parameters({ existing: 'refuse' }), context)) events.push(event);
  };
  expect(await described(begin())).toContain(`${sparse}: the file is there already`);
  expect(events).toEqual([]);
});

test('a model that changed meanwhile is no original of the outputs, and the run goes on when it is back', async () => {
  const run = parameters();
  await runJob(retrain(run, context));
  const whole = outputs();
  const bytes = readFileSync(file);
  const replace = async () => {
    const job = retrain(run, context);
    for (let next = await job.next(); next.done !== true; next = await job.next())
      if (next.value.measurement?.iteration === 20) writeFileSync(file, bytes.subarray(0, bytes.length / 2));
  };
  const failure = await described(replace());
  expect(failure).toContain(`${file}: the model is not the one that the retraining began with`);
  expect(failure).toContain(`resume from ${stateOf(40)}`);
  writeFileSync(file, bytes);
  await runJob(retrain({ ...run, resume: stateOf(40) }, context));
  expect(outputs()).toEqual(whole);
});

test.each([1, 40])(
  'a loss that becomes NaN is reported, and the checkpoint stays (measured every %i)',
  async (measureEvery) => {
    // The rate explodes after a few iterations.
    const run = parameters({
      solver: solver({ type: 'SGD', iter_size: 1, base_lr: 1e-90, gamma: 100, lr_policy: 'exp' }),
      measureEvery,
      iterations: 60,
    });
    expect(await described(runJob(retrain(run, context)))).toMatch(
      /layer "\w+".*Lower base_lr.*resume from .*\.solverstate/s,
    );
    expect(checkpointFiles()).toHaveLength(4);
  },
);

test('a checkpoint of another run is refused', async () => {
  await interrupt(parameters(), 10);
  const other = parameters({ choices: [{ layer: 'ip2', blob: 0, keep: 0.1 }], resume: stateOf(10) });
  await expect(runJob(retrain(other, context))).rejects.toThrow(/of another run/);
});

test('notes of a checkpoint that somebody changed are refused, and name their file', async () => {
  const run = parameters();
  await interrupt(run, 10);
  const file = stateOf(10).replace(/solverstate$/, 'progress.json');
  const whole = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  for (const broken of [
    null,
    7,
    { ...whole, history: undefined },
    { ...whole, history: [null] },
    { ...whole, best: 99 },
    { ...whole, losses: 'few' },
    { ...whole, run: { iterations: 40 } },
  ]) {
    writeFileSync(file, JSON.stringify(broken));
    const failure = await described(runJob(retrain({ ...run, resume: stateOf(10) }, context)));
    expect(failure).toContain(`${file}: The notes of the checkpoint cannot be read`);
  }
});

test('a checkpoint tells what its run was asked for, and a run that goes on tells what was measured', async () => {
  const run = parameters({ holdOut: 0.1 });
  await interrupt(run, 20);
  const { checkpoints } = await findCompanions(file);
  const { choices, schedule, iterations, holdOut, encoding } = run;
  expect(checkpoints).toEqual([
    { state: stateOf(20), iteration: 20, run: { choices, schedule, iterations, holdOut, encoding } },
  ]);
  const { events, result } = await runJob(retrain({ ...run, resume: stateOf(20) }, context));
  expect(events.flatMap(({ measurement }) => measurement?.iteration ?? [])).toEqual([0, 10, 20, 30, 40]);
  // The training loss too, from the beginning, and no part of it twice.
  const trained = events.flatMap((event) => event.trained ?? []);
  expect(trained.map(({ iteration }) => iteration)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  expect(trained).toEqual(result.report.losses);
  // A tenth of all items.
  expect(result.report.heldOut).toBe(30);
});

test('the checkpoint of a run that is given up stays until the new run has one', async () => {
  await interrupt(parameters(), 20);
  const first = retrain(parameters({ abandoned: stateOf(20) }), context);
  for (let next = await first.next(); next.done !== true; next = await first.next()) {
    if (next.value.measurement) break;
    expect(checkpointFiles()).toContain(basename(stateOf(20)));
  }
  expect(checkpointFiles().filter((name) => name.endsWith('.solverstate'))).toEqual([basename(stateOf(0))]);
  await first.return(undefined as never);
});

test('a run that is paused says so, and goes on or stops with what it has', async () => {
  const control = new Steering();
  const job = retrain(parameters({ iterations: 400 }), { ...context, control });
  let pauses = 0;
  const run = async () => {
    for (;;) {
      const next = await job.next();
      if (next.done === true) return next.value;
      const { iteration, paused } = next.value;
      if (paused) {
        pauses++;
        setTimeout(() => control.steer(pauses === 1 ? 'resume' : 'stop'), 20);
      } else if (iteration > 5 && pauses < 2) {
        control.steer('pause');
      }
    }
  };
  const { report } = await run();
  expect(pauses).toBe(2);
  expect(report.iterations).toBeLessThan(400);
  expect(report.last.iteration).toBe(report.iterations);
  expect(checkpointFiles()).toEqual([]);
});
