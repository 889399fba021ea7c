import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../../src/caffe/random';
import { writeModel } from '../../../src/caffe/writeModel';
import { buildCli } from './build';

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
const script = join(folder, 'cli.js');
const model = join(folder, 'net.caffemodel');
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  await buildCli(script);
  const random = new Random(1);
  const data = Float32Array.from({ length: 600 }, () => random.normal());
  await writeModel(model, {
    name: 'net',
    layers: [{ name: 'ip', type: 'InnerProduct', blobs: [{ shape: [6, 100], data }] }],
  });
});

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
};

test.each<[string[], number, RegExp]>([
  [[], 2, /usage:/],
  [['nonsense'], 2, /no command "nonsense"/],
  [['inspect'], 2, /takes one model/],
  [['inspect', 'missing.caffemodel'], 1, /missing\.caffemodel: the file cannot be opened \(ENOENT\)/],
  [['prune', model], 2, /needs a rule/],
  [['prune', model, '--keep', '7'], 2, /no number from 0 to 1/],
  [['prune', model, '--keep', '0.5', '--std', '1'], 2, /one rule/],
  [['prune', model, '--nm', '4:2'], 2, /not like 2:4/],
  [['prune', model, '--layer', 'x=0.1'], 1, /layer "x": the model has no layer of this name/],
  [['train', 'x.prototxt', '--engine', 'fast'], 1, /x\.prototxt: The solver cannot be read \(ENOENT\)/],
  [['evaluate', model, '--net', 'x.prototxt', '--engine', 'fast'], 2, /takes portable, native/],
  [
    ['evaluate', model, '--net', 'x.prototxt', '--engine', 'native', '--tensorflow', folder],
    1,
    /TensorFlow is not installed in/,
  ],
  [['restore', 'x.npz'], 2, /needs --output/],
])('%j exits with %i', (args, status, message) => {
  const result = run(...args);
  expect(result.status).toBe(status);
  expect(result.stdout + result.stderr).toMatch(message);
});

test('inspect --json writes a line for each blob and one for the model', () => {
  const lines = run('inspect', model, '--json', '--bins', '8').stdout.trim().split('\n');
  const [blob, summary] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(blob).toMatchObject({ layer: 'ip', shape: [6, 100], statistics: { count: 600 } });
  expect(summary).toMatchObject({ kind: 'V2', parameters: 600, damage: [] });
});

test('prune, repeat the recipe to the byte, restore', () => {
  const first = run('prune', model, '--random', '10%', '--seed', '5', '--json');
  expect(first.status).toBe(0);
  expect(JSON.parse(first.stdout)).toMatchObject({ seed: 5, totals: { count: 600 } });
  const again = run('prune', model, '--recipe', join(folder, 'net.pruned.json'), '--keep-both', '--quiet');
  expect(again).toMatchObject({ status: 0, stderr: '' });
  for (const suffix of ['caffemodel', 'npz']) {
    const [a, b] = ['', '-2'].map((number) => readFileSync(join(folder, `net.pruned${number}.${suffix}`)));
    expect(a.equals(b)).toBe(true);
  }
  const back = join(folder, 'back.caffemodel');
  expect(run('restore', join(folder, 'net.pruned.npz'), '--output', back).status).toBe(0);
  expect(readFileSync(back).equals(readFileSync(join(folder, 'net.pruned.caffemodel')))).toBe(true);
  expect(run('prune', model, '--keep', '0.1')).toMatchObject({ status: 1 });
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
});

test
  .skipIf(!existsSync('/dev/full'))
  .each([[['inspect', model, '--json']], [['inspect', model]], [['--help']]])(
  '%j fails when what it tells does not fit the disk',
  (args) => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    expect(stderr).toMatch(/^caffe-pruner: standard output cannot be written \(ENOSPC\); .*not complete$/m);
    expect(stderr).not.toContain('    at ');
    expect(status).toBe(1);
  },
);
