import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useWorkbench } from './project';

// One story: each test goes on from what the one before left in the folder.
const session = useWorkbench();

test('a right click opens the view that evaluates, with the net found beside the model', async () => {
  const { workbench } = session;
  await workbench.contextMenu('lenet.caffemodel', 'Evaluate Model');
  const page = workbench.webview();
  await page.getByRole('tab', { name: 'Evaluate', selected: true }).waitFor();
  await page.getByText('train_val.prototxt').waitFor();
  await page.getByText('what the net names').waitFor();
  await workbench.screenshot('evaluate-empty');
});

test('evaluating gives accuracy, classes, confusion and the wrong pictures', async () => {
  const { workbench } = session;
  const page = workbench.webview();
  await evaluate();
  const results = page.getByRole('region', { name: 'Results' });
  const row = results.getByRole('row').filter({ hasText: 'lenet.caffemodel' });
  expect(parseFloat(await row.getByRole('cell').nth(1).innerText())).toBeGreaterThan(95);
  await page.getByRole('heading', { name: 'Confusion matrix' }).scrollIntoViewIfNeeded();
  await workbench.screenshot('evaluate-confusion');
  await page.getByRole('heading', { name: 'Wrong answers' }).scrollIntoViewIfNeeded();
  await page
    .getByRole('listitem', { name: /^Item \d+: \d taken for \d$/ })
    .first()
    .waitFor();
  await workbench.screenshot('evaluate-wrong');
});

test('a pruned model is evaluated beside the dense one, and its recipe keeps the figures', async () => {
  const { workbench, folder } = session;
  await workbench.contextMenu('lenet.caffemodel', 'Prune Model');
  await workbench.choose('Keep Ratio of Each Layer');
  await workbench.answer('2');
  await workbench.notification('lenet.pruned.caffemodel').waitFor();
  await workbench.contextMenu('lenet.caffemodel', 'Evaluate Model');
  const page = workbench.webview();
  await page.getByText('lenet.pruned.caffemodel', { exact: true }).first().waitFor();
  await evaluate();
  const pruned = page
    .getByRole('region', { name: 'Results' })
    .getByRole('row')
    .filter({ hasText: 'lenet.pruned.caffemodel' });
  await pruned.waitFor();
  expect(parseFloat(await pruned.getByRole('cell').nth(1).innerText())).toBeLessThan(95);
  await workbench.screenshot('evaluate-compared');
  const recipe = JSON.parse(readFileSync(join(folder, 'lenet.pruned.json'), 'utf8')) as {
    evaluations: { result: { items: number } }[];
  };
  expect(recipe.evaluations.map(({ result }) => result.items)).toEqual([200]);
});

/** Presses the button and waits until its results are there. */
async function evaluate(): Promise<void> {
  const { workbench } = session;
  const page = workbench.webview();
  await page.getByRole('button', { name: /Evaluate$/ }).click();
  await page.getByText(/^Computed by/).waitFor();
}
