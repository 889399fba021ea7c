import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Recipe } from '../../src/sparsity/recipe';
import { useWorkbench } from './project';

const session = useWorkbench();

test('the panel measures the saliency of the weights on data, and prunes by it', async () => {
  const { workbench, folder } = session;
  await workbench.open('lenet.caffemodel');
  const page = workbench.webview();
  await page.getByRole('tab', { name: 'Prune' }).click();
  // Not before the net's hints have come, which would take the place of the defaults otherwise.
  await page.getByRole('button', { name: 'Back to Defaults' }).click();
  await page.getByRole('combobox', { name: 'Rank weights by' }).selectOption('saliency');
  await page.getByText('Measure the saliency first.').waitFor();
  await page.getByRole('button', { name: 'Measure' }).click();
  await page.getByText('Measured: lenet.caffemodel.saliency.npz.').waitFor();
  // The exact figures come by saliency: 10 % of each layer stay.
  const whole = page.getByRole('table').filter({ hasText: 'The whole model' });
  await whole.getByText(/^89\.\d%$/).waitFor();
  await workbench.screenshot('saliency');
  await page.getByRole('button', { name: 'Prune', exact: true }).click();
  await page.getByText('Written beside the model').waitFor();
  const recipe = JSON.parse(readFileSync(join(folder, 'lenet.pruned.json'), 'utf8')) as Recipe;
  expect(recipe.saliency?.file).toBe(join(folder, 'lenet.caffemodel.saliency.npz'));
  expect(recipe.saliency?.sha256).toMatch(/^[0-9a-f]{64}$/);
});

test('measuring can be cancelled, and what was measured stays', async () => {
  const { workbench, folder } = session;
  const page = workbench.webview();
  const before = readFileSync(join(folder, 'lenet.caffemodel.saliency.npz'));
  await page.getByRole('button', { name: 'Measure Again' }).click();
  await page.getByText(/of 640 items/).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Measure Again' }).waitFor();
  await page.getByText('Measured: lenet.caffemodel.saliency.npz.').waitFor();
  expect(readFileSync(join(folder, 'lenet.caffemodel.saliency.npz')).equals(before)).toBe(true);
  await workbench.screenshot('saliency-cancelled');
});
