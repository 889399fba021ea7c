import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeModel } from '../../../src/caffe/writeModel';
import type { BlobFigures, LayerRow, ModelSummary, WorkerJobs } from '../../../src/protocol';
import { JobClient, JobServer } from '../../../src/rpc';
import { decodeNpy } from '../../../src/sparsity/npy';
import { workerJobs } from '../../../src/worker/jobs';

const folder = mkdtempSync(join(tmpdir(), 'caffe-pruner-jobs-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'tiny.caffemodel');
const kernel = Float32Array.from({ length: 2 * 1 * 2 * 3 }, (_, i) => i - 6);
const matrix = Float32Array.from({ length: 5 * 7 }, (_, i) => (i % 5 === 0 ? 0 : i));

const write = (name: string) =>
  writeModel(
    path,
    {
      name,
      layers: [
        { name: 'conv', type: 'Convolution', blobs: [{ shape: [2, 1, 2, 3], data: kernel }] },
        { name: 'relu', type: 'ReLU', blobs: [] },
        { name: 'ip', type: 'InnerProduct', blobs: [{ shape: [5, 7], data: matrix }] },
      ],
    },
    { replace: true },
  );
beforeAll(() => write('tiny'));

const server = new JobServer<WorkerJobs>(workerJobs(), (response) =>
  client.receive(structuredClone(response)),
);
const client: JobClient<WorkerJobs> = new JobClient<WorkerJobs>((request) =>
  server.receive(structuredClone(request)),
);

async function open(): Promise<{ summary?: ModelSummary; layers: LayerRow[] }> {
  const seen: { summary?: ModelSummary; layers: LayerRow[] } = { layers: [] };
  for await (const event of client.start('open', { path })) {
    if ('summary' in event) seen.summary = event.summary;
    else seen.layers.push(...event.layers);
  }
  return seen;
}

describe('the worker', () => {
  test('opens a model, and opens it again after it changed', async () => {
    const { summary, layers } = await open();
    expect(summary).toMatchObject({ name: 'tiny', kind: 'V2', layers: 3, damage: [] });
    expect(
      layers.map(({ name, blobs }) => [name, blobs.map(({ shape, prunable }) => [shape, prunable])]),
    ).toEqual([
      ['conv', [[[2, 1, 2, 3], true]]],
      ['relu', []],
      ['ip', [[[5, 7], true]]],
    ]);
    await write('renamed');
    expect((await open()).summary?.name).toBe('renamed');
  });

  test('describes the blobs of some layers', async () => {
    const figures: BlobFigures[] = [];
    for await (const batch of client.start('inspect', { path, from: 1, to: 3 })) figures.push(...batch);
    expect(figures).toHaveLength(1);
    expect(figures[0]).toMatchObject({ layer: 2, blob: 0, statistics: { count: 35, nonZero: 28, max: 34 } });
    expect(figures[0].histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(35);
  });

  test('counts a part of the range', async () => {
    const { counts } = await client.run('histogram', { path, layer: 0, blob: 0, min: -6, max: -2, bins: 2 });
    expect([...counts]).toEqual([2, 3]);
  });

  test('draws kernels as tiles', async () => {
    const picture = await client.run('picture', { path, layer: 0, blob: 0, maxRows: 100, maxColumns: 100 });
    expect(picture).toMatchObject({ rows: 2, columns: 6, scale: 6, layout: { tileRows: 2, tileColumns: 3 } });
    expect([...picture.values]).toEqual([-6, -5, -4, 0, 1, 2, -3, -2, -1, 3, 4, 5]);
  });

  test('draws part of a matrix, and a large one smaller with the largest value of each pixel', async () => {
    const region = { top: 1, left: 2, height: 2, width: 3 };
    const part = await client.run('picture', { path, layer: 2, blob: 0, region, maxRows: 9, maxColumns: 9 });
    expect([...part.values]).toEqual([9, 0, 11, 16, 17, 18]);
    const small = await client.run('picture', { path, layer: 2, blob: 0, maxRows: 1, maxColumns: 2 });
    expect([...small.values]).toEqual([31, 34]);
    expect(small.region).toEqual({ top: 0, left: 0, height: 5, width: 7 });
  });

  test('clips a region that lies outside', async () => {
    const region = { top: -5, left: 6, height: 1e9, width: NaN };
    const { region: seen } = await client.run('picture', {
      path,
      layer: 2,
      blob: 0,
      region,
      maxRows: 9,
      maxColumns: 9,
    });
    expect(seen).toEqual({ top: 0, left: 6, height: 5, width: 1 });
  });

  test('exports a blob as .npy with its shape', async () => {
    const target = join(folder, 'conv.npy');
    await client.run('exportNpy', { path, layer: 0, blob: 0, target, replace: false });
    const { shape, array } = decodeNpy(readFileSync(target));
    expect(shape).toEqual([2, 1, 2, 3]);
    expect([...array]).toEqual([...kernel]);
  });

  test('says exactly what pruning would do', async () => {
    const choices = await client.run('choices', { path, rule: { method: 'keep', keep: 0.5 } });
    const outcomes: WorkerJobs['tryPruning']['event'][] = [];
    const params = { file: path, choices, seed: 1 };
    await client.run('tryPruning', params, { onEvent: (outcome) => outcomes.push(outcome) });
    expect(outcomes.map(({ layer, zeros }) => [layer, zeros])).toEqual([
      [0, 7],
      [2, 18],
    ]);
  });

  test('refuses a blob that is not there and a file that is no model', async () => {
    const place = { path, layer: 7, blob: 0, maxRows: 1, maxColumns: 1 };
    await expect(client.run('picture', place)).rejects.toThrow(/no blob 0 in layer 7/);
    const other = join(folder, 'other.caffemodel');
    writeFileSync(other, 'this is no model');
    await expect(client.run('open', { path: other })).rejects.toMatchObject({ value: { kind: 'user' } });
  });
});
