import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeImage } from '../../src/data/image';
import { useWorkbench } from './project';
import { retry } from './workbench';

// One story: each test goes on from what the one before left in the folder.
const session = useWorkbench({ size: { width: 1280, height: 1500 } });
const page = () => session.workbench.webview();
const button = (name: string | RegExp) => page().getByRole('button', { name });
const keepsOf = (layer: string) => page().getByLabel(`Keep ratios of ${layer}, in percent`);
const points = () => page().getByRole('grid', { name: 'Measured points' }).getByRole('row');
const measured = (count: string) => page().getByText(`${count} keep ratios are measured.`).waitFor();

test('a right click opens the view that sweeps, with every layer and ratios by its size', async () => {
  const { workbench } = session;
  await workbench.contextMenu('lenet.caffemodel', 'Sweep Sensitivity');
  await page().getByRole('tab', { name: 'Sweep', selected: true }).waitFor();
  await page().getByText('train_val.prototxt').waitFor();
  await page().getByText('48 keep ratios in 4 layers').waitFor();
  expect(await keepsOf('conv1').inputValue()).toMatch(/^76, 58, .*, 4$/);
});

test('a sweep over the tutorial’s ratios draws a line for each layer and lists the points', async () => {
  const { workbench } = session;
  await button('The LeNet Tutorial’s Ratios').click();
  await page().getByLabel('Only the first').check();
  await page().getByLabel('Number of items').fill('200');
  await button(/Sweep$/).click();
  await measured('20 of 20');
  const chart = page().getByRole('figure', { name: 'Accuracy by keep ratio' });
  for (const name of ['conv1', 'conv2', 'ip1', 'ip2', 'whole net'])
    await chart.locator('.legend').getByText(name).waitFor();
  await page()
    .getByText(/^The whole net: 9\d\.\d\d % right, loss 0\.\d+ on 200 items\.$/)
    .waitFor();
  const ip1 = points().filter({ hasText: 'ip1' }).first();
  expect(await ip1.getByRole('gridcell').allInnerTexts()).toEqual(
    expect.arrayContaining(['ip1', '30 %', '119,999', '200', 'measured']),
  );
  await workbench.screenshot('sweep');
});

test('the chart is read by keyboard, switched to the loss, and saved as CSV and SVG', async () => {
  const plot = page().getByLabel(/Arrow keys read it point by point/);
  await plot.focus();
  await plot.press('End');
  await page()
    .getByText(/^Keep ratio of the layer 70 %: conv1 \d+\.\d\d %, conv2 –,/)
    .waitFor();
  await page().getByRole('radio', { name: 'Loss' }).click();
  await page().getByRole('figure', { name: 'Loss by keep ratio' }).waitFor();
  await saveChart('CSV', (file) =>
    expect(file.toString()).toMatch(
      /^layer,keep,kept,accuracy,loss,items,state\nconv1,0\.7,349,0\.\d+,0\.\d+,200,measured\n/,
    ),
  );
  await saveChart('SVG', (file) => expect(file.toString()).toMatch(/^<svg .*<\/svg>\n$/s));
  await page().getByRole('radio', { name: 'Accuracy' }).click();
});

test('the chart is saved as a PNG in which its lines are drawn', async () => {
  await saveChart('PNG', (file) => {
    expect(file.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
    const { width, height, data } = decodeImage(file, 'color', 'the chart');
    expect([width, height]).toEqual([1920, 1080]);
    // By colour, how many pixels have it: the background most, then what is drawn.
    const counts = new Map<number, number>();
    for (let i = 0; i < width * height; i++) {
      const colour = (data[i] << 16) | (data[width * height + i] << 8) | data[2 * width * height + i];
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
    expect(Math.max(...counts.values())).toBeLessThan(0.99 * width * height);
    // The text, the grid and the line of each of the four layers.
    expect([...counts.values()].filter((count) => count > 500).length).toBeGreaterThanOrEqual(7);
  });
});

test('keep ratios within a tolerance of each layer go to the pruning panel', async () => {
  const { workbench } = session;
  await page().getByLabel('points of accuracy').fill('3');
  await button('Choose Keep Ratios').click();
  const chosen = page().getByRole('status').getByRole('row').filter({ hasText: 'ip1' }).getByRole('cell');
  const keep = await chosen.innerText();
  expect(keep).toMatch(/^(30|20|15|10|5) %$/);
  await button(/Use These Keep Ratios/).click();
  await workbench.screenshot('sweep-use');
  await button('Show the Prune Panel').click();
  const row = page().getByRole('row').filter({ hasText: 'ip1' });
  expect(await row.locator('input.number').inputValue()).toBe(keep);
  await page().getByText('4 of 8 chosen').waitFor();
  await page().getByRole('tab', { name: 'Sweep' }).click();
});

test('a joint choice tells what the curves predict and what an evaluation measured', async () => {
  const { workbench } = session;
  await page().getByLabel('What is wanted').selectOption({ label: 'All together keep at most' });
  await page().getByLabel('% of the weights').fill('15');
  await button('Choose Keep Ratios').click();
  await page().getByText('Accuracy predicted').waitFor();
  const outcome = await page().locator('dl.outcome').innerText();
  const [kept, predicted, found] = [...outcome.matchAll(/([\d.]+) ?%/g)].map(([, value]) => Number(value));
  expect(kept).toBeLessThanOrEqual(15);
  expect(Math.min(predicted, found)).toBeGreaterThan(50);
  await workbench.screenshot('sweep-joint');
});

test('a sweep is cancelled, resumed, and begun anew', async () => {
  // Ten times as many as are of use, for time enough to cancel.
  const every = Array.from({ length: 999 }, (_, i) => (i + 1) / 10).join(' ');
  await keepsOf('conv1').fill(every);
  await measured('20 of 1,014');
  await button(/Resume$/).click();
  await page().getByText('100 of 200 items').or(page().getByText('0 of 200 items')).first().waitFor();
  await button(/Cancel$/).click();
  await button(/Resume$/).waitFor();
  await session.workbench.screenshot('sweep-cancelled');
  await keepsOf('conv1').fill('70 60 50 40 30 20 10');
  await measured('20 of 22');
  await button(/Resume$/).click();
  await measured('22 of 22');
  await page().getByLabel('Number of items').fill('100');
  await page().getByText('The figures below will be replaced.').waitFor();
  await button('The LeNet Tutorial’s Ratios').click();
  await button(/Start Anew$/).click();
  await measured('20 of 20');
  await page()
    .getByText(/ on 100 items\.$/)
    .waitFor();
});

test('a sweep by saliency measures it first, and leaves it for pruning', async () => {
  const { workbench, folder } = session;
  const saliency = join(folder, 'lenet.caffemodel.saliency.npz');
  expect(existsSync(saliency)).toBe(false);
  const byMagnitude = await lossesOf('ip1');
  await page().getByLabel('Ranking of weights').selectOption({ label: 'by second-order saliency' });
  await page().getByText('The figures below will be replaced.').waitFor();
  await button(/Start Anew$/).click();
  await page()
    .getByText(/saliency: \d+ of 640 items/)
    .waitFor();
  await workbench.screenshot('sweep-measures-saliency');
  await measured('20 of 20');
  await workbench.screenshot('sweep-by-saliency');
  const bySaliency = await lossesOf('ip1');
  expect(bySaliency).toHaveLength(byMagnitude.length);
  expect(bySaliency).not.toEqual(byMagnitude);
  // The figures are gone on from as they were measured.
  await page().getByLabel('Ranking of weights').selectOption({ label: 'by magnitude' });
  await page().getByText('The figures below will be replaced.').waitFor();
  await page().getByLabel('Ranking of weights').selectOption({ label: 'by second-order saliency' });
  await measured('20 of 20');

  await page().getByLabel('What is wanted').selectOption({ label: 'Each layer alone loses at most' });
  await page().getByLabel('points of accuracy').fill('3');
  await button('Choose Keep Ratios').click();
  await button(/Use These Keep Ratios/).click();
  await button('Show the Prune Panel').click();
  const rank = page().getByRole('combobox', { name: 'Rank weights by' });
  await retry(async () => expect(await rank.inputValue()).toBe('saliency'));
  await page().getByText('Measured: lenet.caffemodel.saliency.npz.').waitFor();
  expect(existsSync(saliency)).toBe(true);
  await workbench.screenshot('sweep-saliency-use');
  await page().getByRole('tab', { name: 'Sweep' }).click();
});

test('the figures are there when the model is opened again, and say when it has changed since', async () => {
  const { workbench, folder } = session;
  await workbench.tab('lenet.caffemodel').click({ button: 'middle' });
  await workbench.contextMenu('lenet.caffemodel', 'Sweep Sensitivity');
  await measured('20 of 20');
  await workbench.tab('lenet.caffemodel').click({ button: 'middle' });
  const model = join(folder, 'lenet.caffemodel');
  const bytes = readFileSync(model);
  bytes[bytes.length - 20] ^= 1;
  writeFileSync(model, bytes);
  await workbench.contextMenu('lenet.caffemodel', 'Sweep Sensitivity');
  await page().getByText('The model has changed since it was swept').waitFor();
  await points().first().waitFor();
  expect(await button(/Resume$/).count()).toBe(0);
  await workbench.screenshot('sweep-changed');
});

test('a sweep that cannot run says why', async () => {
  const { workbench, folder } = session;
  renameSync(join(folder, 'digits_test_lmdb'), join(folder, 'elsewhere'));
  await button(/Start Anew$/).click();
  await page().getByRole('alert').filter({ hasText: 'digits_test_lmdb' }).waitFor();
  await points().first().waitFor();
  await workbench.screenshot('sweep-no-data');
});

/** Saves the chart under the name that is suggested, and looks at the file. */
async function saveChart(kind: string, check: (file: Buffer) => void): Promise<void> {
  const { workbench, folder } = session;
  await button(`Save as ${kind}`).click();
  const file = join(folder, `LeNet.sweep.${kind.toLowerCase()}`);
  // VS Code asks where to, and takes a moment to suggest the model's folder.
  const asked = workbench.page.locator('.quick-input-widget .quick-input-box input');
  await retry(async () => {
    if (await asked.isVisible()) {
      expect(await asked.inputValue()).toBe(file);
      await asked.press('Enter');
      await asked.waitFor({ state: 'hidden', timeout: 5_000 });
    }
    expect(existsSync(file)).toBe(true);
  });
  await retry(async () => check(readFileSync(file)));
}

/** The losses of a layer's points, from the table. */
async function lossesOf(layer: string): Promise<string[]> {
  const rows = await points().filter({ hasText: layer }).all();
  return Promise.all(rows.map((row) => row.getByRole('gridcell').nth(5).innerText()));
}
