import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EvaluateResult } from '../../../src/jobs/evaluate';
import { loadSweep, sweepFile } from '../../../src/jobs/sweepResults';
import { tinyData, tinyNetText, trainTiny } from '../jobs/tinyNet';
import { buildCli } from './build';

const { folder, netFile, images } = tinyData(40);
const script = join(folder, 'cli.js');
const model = join(folder, 'tiny.caffemodel');
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  await buildCli(script);
  await trainTiny(netFile, model);
  writeFileSync(netFile, tinyNetText);
});

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
};
const json = ({ stdout }: { stdout: string }) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

describe('evaluate', () => {
  test('compares a model with a pruned one, and keeps the result in the recipe', () => {
    expect(run('prune', model, '--keep', '0.5').status).toBe(0);
    const sparse = join(folder, 'tiny.pruned.npz');
    const result = run('evaluate', model, sparse, '--net', netFile, '--json', '--threads', '1');
    expect(result.stderr).not.toMatch(/rror/);
    const [{ evaluations, keptIn }] = json(result) as EvaluateResult[];
    expect(evaluations.map((evaluation) => [evaluation.model, evaluation.items])).toEqual([
      [model, 40],
      [sparse, 40],
    ]);
    expect(evaluations[0].top1).toBeGreaterThan(0.5);
    expect(keptIn).toEqual([join(folder, 'tiny.pruned.json')]);

    const shown = run('evaluate', model, '--net', netFile, '--classes', '--confusion', '--quiet').stdout;
    expect(shown).toMatch(/tiny\.caffemodel +40 /);
    expect(shown).toContain(`${(100 * evaluations[0].top1!).toFixed(2)} %`);
    expect(shown).toMatch(/^class +items +tiny\.caffemodel$/m);
  });
});

test('train and retrain tell what they do as text, a line of JSON at a time', () => {
  const solver = join(folder, 'tiny_solver.prototxt');
  writeFileSync(
    solver,
    `net: "${netFile}" base_lr: 0.01 lr_policy: "fixed" max_iter: 2 test_iter: 1 test_interval: 2`,
  );
  for (const args of [
    ['train', solver],
    [
      'retrain',
      model,
      '--solver',
      solver,
      '--keep',
      '0.5',
      '--schedule',
      'one-shot',
      '--iterations',
      '2',
      '--keep-both',
    ],
  ]) {
    const result = run(...args, '--json', '--threads', '1');
    expect(result).toMatchObject({ status: 0 });
    const events = (json(result) as { message?: unknown }[]).slice(0, -1);
    expect(events.length).toBeGreaterThan(0);
    for (const { message } of events) expect(message).toEqual(expect.any(String));
  }
});

describe('sweep', () => {
  const layers = ['--layer', 'ip1=0.5,0.2', '--layer', 'ip2=50%'];

  test('in shards that are merged gives what one run gives, and chooses', async () => {
    for (const index of [1, 2]) {
      expect(
        run('sweep', model, '--net', netFile, ...layers, '--shard', `${index}/2`, '--quiet').status,
      ).toBe(0);
    }
    const merged = join(folder, 'merged.json');
    const parts = [1, 2].map((index) => sweepFile(model, { index, count: 2 }));
    const goals = ['--tolerance', '100%', '--kept', '0.5', '--net', netFile];
    const result = run(
      'sweep',
      '--merge',
      ...parts,
      '--results',
      merged,
      '--csv',
      join(folder, 'points.csv'),
      ...goals,
    );
    expect(result.status).toBe(0);
    expect(result.stdout).toContain(`caffe-pruner prune ${model} --layer ip1=0.2 --layer ip2=0.5`);
    expect(result.stdout).toMatch(/all layers together, at most 50\.00 % of the weights:/);

    expect(run('sweep', model, '--net', netFile, ...layers, '--quiet').status).toBe(0);
    const whole = await loadSweep(sweepFile(model));
    expect((await loadSweep(merged)).points).toEqual(whole.points);
    const csv = readFileSync(join(folder, 'points.csv'), 'utf8').trim().split('\n');
    expect(csv[0]).toBe('layer,keep,kept,accuracy,loss,items,state');
    expect(csv).toHaveLength(4);
  });
});

test('saliency refuses an output that is there before it measures', () => {
  const output = join(folder, 'mine.npz');
  writeFileSync(output, 'mine');
  const { status, stderr } = run('saliency', model, '--net', netFile, '--output', output);
  expect(stderr).toBe(
    `caffe-pruner: ${output}: the file is there already. Choose another name or replace it.\n`,
  );
  expect(status).toBe(1);
  expect(readFileSync(output, 'utf8')).toBe('mine');
});

test('classify names the class of an image', () => {
  const result = run('classify', model, images, '--net', netFile);
  expect(result.status).toBe(1);
  expect(result.stderr).toContain('neither a JPEG nor a PNG');
});

test.each<[string[], number, RegExp]>([
  [['evaluate', '--net', netFile], 2, /one or more models/],
  [['evaluate', model], 2, /--net is needed/],
  [
    ['evaluate', model, '--net', 'nowhere.prototxt'],
    1,
    /nowhere\.prototxt: The net cannot be read \(ENOENT\)/,
  ],
  [['evaluate', model, '--net', netFile, '--items', '1.5'], 2, /--items takes a whole number/],
  [['evaluate', model, '--net', netFile, '--mean', 'a.binaryproto', '--mean', '3'], 2, /one file, or values/],
  [['evaluate', model, '--net', netFile, '--data', 'nowhere'], 1, /Cannot find the data "nowhere"/],
  [['sweep', '--net', netFile], 2, /takes one model/],
  [['sweep', model, '--net', netFile, '--shard', '3/2'], 2, /not like 1\/8/],
  [['sweep', model, '--net', netFile, '--layer', 'ip1'], 2, /not like ip1=0\.5,0\.1/],
  [['sweep', model, '--net', netFile, '--layer', 'relu=0.5'], 1, /layer "relu".*no such layer/],
  [['sweep', '--merge', netFile, '--results', 'x.json'], 1, /holds no results of a sweep/],
  [['classify', model, '--net', netFile], 2, /takes a model and images/],
])('%j exits with %i', (args, status, message) => {
  const result = run(...args);
  expect(result.stdout + result.stderr).toMatch(message);
  expect(result.status).toBe(status);
});
