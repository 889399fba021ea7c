import { truncateSync, writeFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { modelBytes } from '../unit/jobs/tinyNet';
import { hasSharedModels, useWorkbench } from './project';
import { retry, type Theme, type Workbench } from './workbench';

// Wide enough for every column of the table.
const session = useWorkbench({ size: { width: 1440, height: 900 } }, [
  'cifar10-bxuan/cifar10_quick_iter_4000.caffemodel',
  'cifar10-bxuan/cifar10_quick_iter_5000.caffemodel.h5',
  'derived-encodings-small/landmark_V0.caffemodel',
  'mtcnn/det3.caffemodel',
]);

/** The page of the model that is shown, once the figures of its first blob are there. */
async function openModel(workbench: Workbench, file: string) {
  await workbench.open(file);
  const page = workbench.webview();
  await page
    .getByRole('table', { name: 'Layers' })
    .or(page.getByRole('grid', { name: 'Layers' }))
    .waitFor();
  return page;
}

test('a model opens with its layers, their blobs and totals', async () => {
  const { workbench } = session;
  const page = await openModel(workbench, 'lenet.caffemodel');
  await page.getByRole('heading', { name: 'LeNet' }).waitFor();
  const row = page.getByRole('row').filter({ hasText: 'ip1' });
  for (const text of ['InnerProduct', '500×800', '400,500', '92.9%'])
    await row.getByText(text).first().waitFor();
  await page.getByText('4 layers').waitFor();
  await page.getByText('431,080').first().waitFor();
  await workbench.screenshot('inspect-lenet');
});

test('a layer that is chosen shows its distribution, statistics and values', async () => {
  const { workbench } = session;
  const page = await openModel(workbench, 'lenet.caffemodel');
  await page.getByRole('row').filter({ hasText: 'ip1' }).getByText('InnerProduct').click();
  const detail = page.getByRole('region', { name: 'Blob' });
  await detail.getByRole('heading', { name: 'ip1' }).waitFor();
  await detail.getByText('400,000').first().waitFor();
  await detail.getByRole('img').first().waitFor();
  await detail.getByText('Show as table').first().click();
  await detail.getByRole('table').first().waitFor();
  await detail.getByRole('radio', { name: 'bias' }).click();
  await detail.getByText('500 values').waitFor();
  await workbench.screenshot('inspect-bias');
});

test('layers are filtered by name and type', async () => {
  const page = await openModel(session.workbench, 'lenet.caffemodel');
  const filter = page.getByRole('textbox', { name: 'Filter layers by name or type' });
  await filter.fill('conv');
  await page.getByText('2 of 4').waitFor();
  expect(await page.getByRole('row').filter({ hasText: 'conv' }).count()).toBe(2);
  expect(await page.getByRole('row').filter({ hasText: 'ip' }).count()).toBe(0);
  await filter.fill('');
});

test('the table of layers fits beside the explorer, and cuts no type and no number off', async () => {
  const { workbench } = session;
  const page = await openModel(workbench, 'lenet.caffemodel');
  const grid = page.getByRole('grid', { name: 'Layers' });
  await grid.getByRole('row').filter({ hasText: 'InnerProduct' }).first().waitFor();
  const cut = await grid
    .getByRole('gridcell')
    .evaluateAll((cells) =>
      cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent),
    );
  expect(cut).toEqual([]);
  await workbench.page.setViewportSize({ width: 1280, height: 800 });
  await retry(async () => {
    const over = await grid.evaluate((table) => table.scrollWidth - table.clientWidth);
    if (over > 0 || (await grid.getByText('Share').isVisible())) throw new Error(`${over} pixels too wide`);
  });
  await workbench.page.setViewportSize({ width: 1440, height: 900 });
});

test('layers are walked through with the keyboard alone', async () => {
  const { workbench } = session;
  const page = await openModel(workbench, 'lenet.caffemodel');
  await page.getByRole('row').filter({ hasText: 'conv1' }).getByText('Convolution').click();
  await workbench.page.keyboard.press('ArrowDown');
  await page.getByRole('heading', { name: 'conv2' }).waitFor();
});

test.each<Theme>(['light', 'high-contrast', 'high-contrast-light', 'dark'])(
  'the page wears the theme %s',
  async (theme) => {
    const { workbench } = session;
    const page = await openModel(workbench, 'lenet.caffemodel');
    await workbench.setTheme(theme);
    const wanted = { light: 'vscode-light', dark: 'vscode-dark' }[theme as string] ?? 'vscode-high-contrast';
    await page.locator(`body.${wanted}`).waitFor();
    await page.getByRole('heading', { name: 'LeNet' }).waitFor();
    await workbench.screenshot(`inspect-${theme}`);
  },
);

test('a narrow window keeps everything within reach', async () => {
  const { workbench } = session;
  const page = await openModel(workbench, 'lenet.caffemodel');
  await workbench.page.setViewportSize({ width: 800, height: 600 });
  await page.getByRole('row').filter({ hasText: 'ip2' }).getByText('ip2').click();
  await page.getByRole('heading', { name: 'ip2' }).waitFor();
  await workbench.screenshot('inspect-narrow');
  const overflow = await page.locator('body').evaluate((body) => body.scrollWidth - body.clientWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  await workbench.page.setViewportSize({ width: 1440, height: 900 });
});

test('of a file that is cut off the rest is shown, marked as damaged', async () => {
  const { workbench, folder } = session;
  cpSync(join(folder, 'lenet.caffemodel'), join(folder, 'cut.caffemodel'));
  truncateSync(join(folder, 'cut.caffemodel'), 1_000_000);
  const page = await openModel(workbench, 'cut.caffemodel');
  await page.getByRole('alert').getByText('The file is damaged').waitFor();
  await page.getByRole('row').filter({ hasText: 'conv2' }).waitFor();
  await workbench.screenshot('inspect-damaged');
});

test.each([
  ['empty', ''],
  ['text', 'version https://example.com/spec\nsize 12345\n'],
])('a file that is no model is refused with a message: %s', async (name, content) => {
  const { workbench, folder } = session;
  writeFileSync(join(folder, `${name}.caffemodel`), content);
  await workbench.open(`${name}.caffemodel`);
  await workbench.webview().getByRole('heading', { name: 'cannot be shown' }).waitFor();
  await workbench.screenshot(`inspect-${name}`);
});

test.skipIf(!hasSharedModels).each([
  ['cifar10_quick_iter_4000.caffemodel', 'conv1'],
  ['cifar10_quick_iter_5000.caffemodel.h5', 'HDF5'],
  ['landmark_V0.caffemodel', 'V0'],
  ['det3.caffemodel', 'PReLU'],
])('a real model opens: %s', async (file, text) => {
  const { workbench } = session;
  const page = await openModel(workbench, file);
  await page.getByText(text).first().waitFor();
  await workbench.screenshot(`inspect-${file}`);
});

test('the zeros of a net too long to be read unasked are told so far, and of all layers on request', async () => {
  const { workbench, folder } = session;
  const layers = Array.from({ length: 2500 }, (_, i) => ({
    name: `ip${i}`,
    type: 'InnerProduct',
    // Every weight of the first 2,000 layers is zero, and none of the others.
    blobs: [{ shape: [4], data: new Float32Array(4).fill(Number(i >= 2000)) }],
  }));
  writeFileSync(join(folder, 'long.caffemodel'), modelBytes(layers));
  const page = await openModel(workbench, 'long.caffemodel');
  await page.getByText('100% so far').waitFor();
  // The selected layer is now the last one, far from the first rows.
  await page.getByRole('button', { name: '#' }).click();
  await page.getByRole('button', { name: '#' }).click();
  await page.getByText('ip2499').first().waitFor();
  await page.getByRole('button', { name: '#' }).click();
  await workbench.screenshot('inspect-long');
  await page.getByRole('button', { name: 'Gather the statistics of all layers' }).click();
  await page.getByRole('banner').getByText('80.0%').waitFor();
  expect(await page.getByText('so far').count()).toBe(0);
});
