import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useWorkbench } from './project';
import { retry } from './workbench';

// One story: the graph of train_val.prototxt, from opening it to a new window.
const session = useWorkbench({ size: { width: 1600, height: 900 } });
const graph = () => session.workbench.webview();
const box = (name: RegExp) => graph().getByRole('option', { name });

test('the graph has the layers of a phase', async () => {
  const { workbench } = session;
  await workbench.open('train_val.prototxt');
  await workbench.page.locator('.statusbar').getByText('10 layers').click();
  await box(/^conv1; Convolution/).waitFor();
  await graph().getByLabel('Phase', { exact: true }).selectOption('TRAIN');
  await box(/^digits; Data; output 64×1×28×28/).waitFor();
  expect(await box(/Accuracy/).count()).toBe(0);
  await graph().getByLabel('Phase', { exact: true }).selectOption('TEST');
  await box(/Accuracy/).waitFor();
});

test('the status bar stays while the graph has the focus', async () => {
  const { workbench } = session;
  await box(/^conv2; Convolution/).click();
  await graph().getByRole('listbox').press('ArrowDown');
  await graph().locator('.node.selected').filter({ hasText: 'pool2' }).waitFor();
  const status = workbench.page.locator('.statusbar');
  await status.getByText('10 layers').waitFor();
  await status.getByText('lenet.caffemodel').waitFor();
});

test('boxes are tinted by parameters and by zeros, and found', async () => {
  const { workbench } = session;
  const tint = graph().getByLabel('What the colour of a layer tells');
  await tint.selectOption('parameters');
  const strength = (name: RegExp) =>
    box(name)
      .locator('.box')
      .evaluate((rect) => getComputedStyle(rect).getPropertyValue('--strength'));
  const [conv1, ip1] = await Promise.all([strength(/^conv1;/), strength(/^ip1;/)]);
  expect(parseFloat(ip1)).toBe(100);
  expect(parseFloat(conv1)).toBeLessThan(60);
  await workbench.screenshot('graph-parameters');
  await tint.selectOption('zeros');
  await box(/^ip1; .*; 0% zeros/).waitFor();
  await graph().getByRole('textbox', { name: 'Find layers' }).fill('inner');
  await graph().getByText('2 found').waitFor();
  expect(await graph().locator('.node.found').count()).toBe(2);
  await workbench.screenshot('graph-found');
});

test('the picture is saved as SVG', async () => {
  const { workbench } = session;
  await graph().locator('vscode-button[aria-label="Save as SVG…"]').click();
  await workbench.page.locator('.quick-input-widget').filter({ hasText: 'Save Graph' }).waitFor();
  await workbench.page.keyboard.press('Enter');
  const svg = await retry(async () => readFileSync(join(session.folder, 'train_val.svg'), 'utf8'));
  expect(svg).toMatch(/^<\?xml[^>]*>\s*<svg[^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg).toContain('>conv1</text>');
  // Colours are in the file: it is shown elsewhere too.
  expect(svg).not.toMatch(/var\(|color\(/);
});

test('the graph follows the text', async () => {
  const { workbench } = session;
  const path = join(session.folder, 'train_val.prototxt');
  writeFileSync(path, readFileSync(path, 'utf8').replace('name: "pool1"', 'name: "shrink"'));
  await box(/^shrink; Pooling/).waitFor();
  await workbench.screenshot('graph-followed');
});

test('a window that is loaded again has its graph again', async () => {
  const { workbench } = session;
  await workbench.reload();
  await workbench.tab('Graph of train_val.prototxt').waitFor();
  await box(/^shrink; Pooling/).waitFor();
  // As it was left.
  expect(await graph().getByLabel('What the colour of a layer tells').inputValue()).toBe('zeros');
});
