import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { SweepPoint, SweepResults } from '../../src/jobs/sweepResults';
import { modelBytes } from '../unit/jobs/tinyNet';
import { useWorkbench } from './project';
import { retry } from './workbench';

// A net with as many layers as SqueezeNet, which was swept before.
const session = useWorkbench({ size: { width: 1280, height: 1100 } });
const modules = Array.from({ length: 8 }, (_, i) => `fire${i + 2}`);
const layers = [
  'conv1',
  ...modules.flatMap((fire) => ['squeeze1x1', 'expand1x1', 'expand3x3'].map((part) => `${fire}/${part}`)),
  'conv10',
];
const keeps = [0.9, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05];
const items = 1000;

const page = () => session.workbench.webview();
const chart = () => page().getByRole('figure', { name: 'Accuracy by keep ratio' });
const legend = () => chart().getByRole('listbox', { name: 'Lines' });
const option = (name: string) => legend().getByRole('option', { name });
const lit = () => legend().locator('.lit').allInnerTexts();

beforeAll(() => {
  const bytes = modelBytes(
    layers.map((name, i) => ({
      name,
      type: 'Convolution',
      blobs: [{ shape: [8, 4, 3, 3], data: Float32Array.from({ length: 288 }, (_, j) => Math.sin(i + j)) }],
    })),
  );
  writeFileSync(join(session.folder, 'squeezed.caffemodel'), bytes);
  const sums = (accuracy: number) => ({
    items,
    judged: items,
    top1: Math.round(items * accuracy),
    top5: 0,
    loss: items * (3 - 2 * accuracy),
  });
  const points = layers.flatMap((layer, i) =>
    // Each layer at ratios of its own.
    keeps.map((keep): SweepPoint => {
      const own = keep * (1 - 0.004 * i);
      const accuracy = 0.575 - 0.5 * Math.exp((-own * (8 + 3 * ((i * 7) % 13))) / 2);
      return { layer, keep: own, kept: Math.floor(288 * own), sums: sums(accuracy), state: 'measured' };
    }),
  );
  const results: SweepResults = {
    format: 'caffe-pruner sweep',
    version: 1,
    model: { file: 'squeezed.caffemodel', sha256: createHash('sha256').update(bytes).digest('hex') },
    net: { file: 'squeezed.prototxt', sha256: '0' },
    data: 'digits_test_lmdb',
    items,
    ranking: 'magnitude',
    weights: Object.fromEntries(layers.map((layer) => [layer, 288])),
    baseline: { ...sums(0.575), done: true },
    points,
  };
  writeFileSync(join(session.folder, 'squeezed.sweep.json'), JSON.stringify(results));
});

test('the legend of many lines is a list beside the chart, all of which can be reached', async () => {
  const { workbench } = session;
  await workbench.contextMenu('squeezed.caffemodel', 'Sweep Sensitivity');
  await legend().waitFor();
  expect(await legend().getByRole('option').count()).toBe(layers.length + 1);
  const [plot, list] = await Promise.all([chart().locator('.plot').boundingBox(), legend().boundingBox()]);
  expect(list!.x).toBeGreaterThan(plot!.x + plot!.width - 1);
  expect(list!.height).toBeLessThanOrEqual(plot!.height);
  await workbench.screenshot('sweep-many');
});

test('the mouse lights up a line from its name, and from the chart', async () => {
  const { workbench } = session;
  await option('fire4/expand3x3').hover();
  expect(await lit()).toEqual([expect.stringContaining('fire4/expand3x3')]);
  await workbench.screenshot('sweep-many-hover');
  await page().getByRole('heading', { name: 'Accuracy by keep ratio' }).hover();
  expect(await lit()).toEqual([]);
  // Somewhere on a way from the top to the bottom of the chart there is a line.
  const over = chart().locator('.u-over');
  const { height, width } = (await over.boundingBox())!;
  let met: string[] = [];
  for (let y = 5; y < height && met.length === 0; y += 8) {
    await over.hover({ position: { x: width / 3, y } });
    met = await lit();
  }
  expect(met).toHaveLength(1);
});

test('the keyboard chooses a line, which alone is read and in the table', async () => {
  const { workbench } = session;
  await page().getByRole('heading', { name: 'Accuracy by keep ratio' }).hover();
  await legend().focus();
  await legend().press('End');
  await legend().press('ArrowUp');
  expect(await option('conv10').getAttribute('aria-selected')).toBe('true');
  expect(await lit()).toEqual([expect.stringContaining('conv10')]);
  // It has come into sight.
  const [list, item] = await Promise.all([legend().boundingBox(), option('conv10').boundingBox()]);
  expect(item!.y + item!.height).toBeLessThanOrEqual(list!.y + list!.height + 1);

  const plot = chart().getByLabel(/Arrow keys read it point by point/);
  await plot.press('End');
  await chart()
    .getByText(/^Keep ratio of the layer 81 %: conv10 57\.\d\d %$/)
    .waitFor();
  await plot.press('ArrowLeft');
  await chart()
    .getByText(/^Keep ratio of the layer 63 %: conv10 57\.\d\d %$/)
    .waitFor();
  await chart().getByText('As a table').click();
  expect(await chart().getByRole('columnheader').allInnerTexts()).toEqual([
    'Keep ratio of the layer',
    'conv10',
  ]);
  expect(await chart().locator('tbody tr').count()).toBe(keeps.length);
  await workbench.screenshot('sweep-many-chosen');

  await plot.press('Escape');
  expect(await lit()).toEqual([]);
  expect(await chart().getByRole('columnheader').count()).toBe(layers.length + 2);
  // The heads of rows and columns stay in sight.
  const head = chart().getByRole('columnheader').first();
  const before = await head.boundingBox();
  await chart()
    .locator('.as-table .scroll')
    .evaluate((element) => element.scrollTo(600, 600));
  expect(await head.boundingBox()).toEqual(before);
  await workbench.screenshot('sweep-many-table');
  await chart().getByText('As a table').click();
});

test('in a narrow window the legend is below the chart', async () => {
  const { workbench } = session;
  await workbench.page.setViewportSize({ width: 760, height: 1100 });
  await retry(async () => {
    const [plot, list] = await Promise.all([chart().locator('.plot').boundingBox(), legend().boundingBox()]);
    expect(list!.y).toBeGreaterThanOrEqual(plot!.y + plot!.height);
  });
  const overflow = await page()
    .locator('body')
    .evaluate((body) => body.scrollWidth - body.clientWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  await workbench.screenshot('sweep-many-narrow');
  await workbench.page.setViewportSize({ width: 1280, height: 1100 });
});

test.each(['light', 'high-contrast'] as const)('a chosen line stands out in the theme %s', async (theme) => {
  const { workbench } = session;
  await workbench.setTheme(theme);
  await page()
    .locator(theme === 'light' ? 'body.vscode-light' : 'body.vscode-high-contrast')
    .waitFor();
  await option('fire2/squeeze1x1').click();
  expect(await lit()).toEqual([expect.stringContaining('fire2/squeeze1x1')]);
  await workbench.screenshot(`sweep-many-${theme}`);
  await option('fire2/squeeze1x1').click();
});

test('the picture that is saved names every line', async () => {
  const { workbench, folder } = session;
  await page().getByRole('button', { name: 'Save as SVG' }).click();
  const file = join(folder, 'model.sweep.svg');
  await workbench.answerDialog(file);
  await retry(async () => expect(existsSync(file)).toBe(true));
  const svg = readFileSync(file, 'utf8');
  for (const layer of layers) expect(svg).toContain(`<title>${layer}</title>`);
});
