import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useWorkbench } from './project';
import { retry } from './workbench';

// One story: the panel starts from the hints, and writes them back.
const session = useWorkbench({ size: { width: 1600, height: 900 } });
const text = () => readFileSync(join(session.folder, 'train_val.prototxt'), 'utf8');
const amountOfIp1 = () =>
  session.workbench.webview().getByRole('row').filter({ hasText: 'ip1' }).locator('input.number');

test('the pruning panel starts from the hints of the net', async () => {
  const { workbench } = session;
  await workbench.open('lenet.caffemodel');
  const page = workbench.webview();
  await page.getByRole('tab', { name: 'Prune' }).click();
  await page.getByText('As the hints of train_val.prototxt say').waitFor();
  expect(await amountOfIp1().inputValue()).toBe('4 %');
  await workbench.screenshot('hints-panel');
});

test('“Write Hints to Prototxt” is one edit that can be undone', async () => {
  const { workbench } = session;
  const page = workbench.webview();
  const before = text();
  await amountOfIp1().fill('12 %');
  await amountOfIp1().press('Enter');
  await page.getByText('train_val.prototxt has other pruning hints').waitFor();
  await page.getByText('Write Hints to Prototxt').click();
  await page.getByText('The hints were written to train_val.prototxt, for you to save.').waitFor();
  await page.getByText('As the hints of train_val.prototxt say').waitFor();
  await workbench.tab('train_val.prototxt').waitFor();
  await workbench.screenshot('hints-written');
  await workbench.run('File: Save All Files');
  await retry(async () => expect(text()).toBe(before.replace('keep=4% index=5', 'keep=12% index=5')));
  await workbench.page.locator('.view-line').filter({ hasText: 'keep=12% index=5' }).click();
  await workbench.page.keyboard.press('Control+z');
  await workbench.run('File: Save All Files');
  await retry(async () => expect(text()).toBe(before));
});

test('the panel goes back to the defaults and to the hints', async () => {
  const { workbench } = session;
  const page = workbench.webview();
  // After the undo the text differs from what the panel decided.
  await page.getByText('Take the Hints').click();
  await retry(async () => expect(await amountOfIp1().inputValue()).toBe('4 %'));
  expect(await page.getByText('for you to save').count()).toBe(0);
  await page.getByText('Back to Defaults').click();
  await retry(async () => expect(await amountOfIp1().inputValue()).toBe('10 %'));
});

test('the lenses above a layer open its weights, its pruning and its sweep', async () => {
  const { workbench } = session;
  const lens = workbench.page
    .locator('.codelens-decoration')
    .filter({ hasText: '400 k weights · keep 4 % → 16 k' })
    .first();
  await workbench.page.getByText('→ 16 k of 400 k weights').waitFor();
  await lens.getByText('Sweep…').click();
  const page = workbench.webview();
  await page.getByRole('tab', { name: 'Sweep', selected: true }).waitFor();
  await lens.getByText('Prune…').click();
  await page.getByRole('tab', { name: 'Prune', selected: true }).waitFor();
  await page.getByRole('row', { selected: true }).filter({ hasText: 'ip1' }).waitFor();
});
