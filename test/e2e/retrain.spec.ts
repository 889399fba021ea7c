import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import type { RetrainReport } from '../../src/jobs/retrain';
import type { Recipe } from '../../src/sparsity/recipe';
import { useWorkbench } from './project';
import { retry } from './workbench';

// One story: each test goes on from what the one before left in the folder.
const session = useWorkbench();
const pruned = 'lenet.pruned.caffemodel';
const result = 'lenet.pruned-2.caffemodel';

const page = () => session.workbench.webview();
const button = (name: string | RegExp) => page().getByRole('button', { name });
const checkpoints = () =>
  readdirSync(session.folder).filter((name) => /retraining_iter_\d+\.solverstate$/.test(name));

/** The points of a chart, from its table. */
async function points(chart: string): Promise<string[][]> {
  const figure = page().getByRole('figure', { name: chart });
  const table = figure.locator('table');
  if (!(await table.isVisible())) await figure.getByText('As a table').click();
  const rows = await table.locator('tbody tr').all();
  return Promise.all(rows.map((row) => row.locator('th, td').allInnerTexts()));
}

/** Test accuracies by iteration, in percent. */
const accuracies = async () =>
  (await points('Accuracy')).flatMap(([iteration, , test]) =>
    test.includes('%') ? [[Number(iteration.replace(/,/g, '')), parseFloat(test)]] : [],
  );

async function type(field: string, text: string): Promise<void> {
  const input = page().getByRole('textbox', { name: field });
  await input.fill(text);
  await input.press('Enter');
}

/** The iteration that the progress line tells of. */
async function iteration(): Promise<number> {
  const text = await page()
    .getByText(/iteration [\d,]+ of/)
    .innerText();
  return Number(/iteration ([\d,]+)/.exec(text)![1].replace(/,/g, ''));
}

const until = (condition: () => Promise<boolean> | boolean) =>
  retry(async () => {
    if (!(await condition())) throw new Error('not yet');
  });

/** Of several layers that hold the same text, that which is in sight. */
const first = (locator: Locator) => locator.first();

test('a right click opens the view that retrains, with what the model is retrained with', async () => {
  const { workbench } = session;
  await workbench.contextMenu('lenet.caffemodel', 'Prune Model');
  await workbench.choose('Keep Ratio of Each Layer');
  await workbench.answer('2');
  await workbench.notification(pruned).waitFor();
  await workbench.contextMenu(pruned, 'Retrain Model');
  await page().getByRole('tab', { name: 'Retrain', selected: true }).waitFor();
  await page().getByText('train_val.prototxt').waitFor();
  await page().getByText('solver.prototxt').waitFor();
  // What pruning left is what is to stay.
  const row = first(page().getByRole('row').filter({ hasText: 'ip1' }));
  await until(async () => parseFloat(await row.getByRole('textbox').inputValue()) < 3);
  await workbench.screenshot('retrain-empty');
});

test('the accuracy comes back; the run pauses and goes on', async () => {
  const { workbench } = session;
  // Enough that it still runs when it is to be stopped.
  await type('Iterations', '1000');
  await button(/Retrain$/).click();
  await button('Pause').waitFor();
  await until(async () => (await iteration()) > 20);
  await button('Pause').click();
  await page()
    .getByText(/· paused/)
    .waitFor();
  await workbench.screenshot('retrain-paused');
  const before = await page().getByText('· paused').innerText();
  await workbench.page.waitForTimeout(2000);
  expect(await page().getByText('· paused').innerText()).toBe(before);
  await button('Resume').click();
  await until(async () => (await accuracies()).length >= 6);
  await workbench.screenshot('retrain-running');
  const [[start, least], ...later] = await accuracies();
  expect(start).toBe(0);
  expect(Math.max(...later.map(([, accuracy]) => accuracy))).toBeGreaterThan(least + 10);
});

test('a run that is stopped writes its best, and the result opens', async () => {
  const { workbench } = session;
  await button('Stop and Keep the Best').click();
  await page().getByRole('region', { name: 'Result' }).waitFor();
  await workbench.screenshot('retrain-result');
  expect(existsSync(join(session.folder, result))).toBe(true);
  expect(checkpoints()).toEqual([]);
  await button('Open Result').click();
  await workbench.tab(result).waitFor();
  await first(page().getByRole('row').filter({ hasText: 'ip1' }))
    .getByText(/9[78]\.\d%/)
    .first()
    .waitFor();
});

test('a worker that is killed loses nothing but the iterations since the checkpoint', async () => {
  const { workbench } = session;
  await workbench.tab(pruned).first().click();
  await page().getByRole('tab', { name: 'Retrain' }).click();
  await type('Iterations', '2000');
  await button(/Retrain$/).click();
  await workbench.page.getByRole('button', { name: 'Replace' }).click();
  await until(async () => (await accuracies()).length >= 2);
  const known = await accuracies();
  workbench.killBusiestWorker();
  await page()
    .getByText(/ended unexpectedly/)
    .waitFor();
  const goOn = button(/Go On from Iteration/);
  await goOn.waitFor();
  const interrupted = await page()
    .getByText(/was interrupted after iteration/)
    .innerText();
  // There may be one more checkpoint than was shown.
  const [, last] = /iteration ([\d,]+)/.exec(interrupted)!;
  expect(Number(last.replace(/,/g, ''))).toBeGreaterThanOrEqual(known.at(-1)![0]);
  await workbench.screenshot('retrain-killed');
  await goOn.click();
  await workbench.page.getByRole('button', { name: 'Replace' }).click();
  await until(async () => (await accuracies()).length > known.length);
  expect((await accuracies()).slice(0, known.length)).toEqual(known);
});

test('closing the editor leaves a checkpoint that the view offers to go on from', async () => {
  const { workbench } = session;
  await workbench.tab(pruned).first().click({ button: 'middle' });
  await workbench.contextMenu(pruned, 'Retrain Model');
  await button(/Go On from Iteration/).waitFor();
  await workbench.screenshot('retrain-interrupted');
  await button(/Go On from Iteration/).click();
  await workbench.page.getByRole('button', { name: 'Keep Both' }).click();
  await until(async () => (await accuracies()).length > 2);
  // The page is a new one: what it knows of the beginning, the training loss too, comes from the checkpoint.
  const trained = (await points('Loss')).filter(([, training]) => training !== '–');
  expect(trained[0][0]).toBe('10');
  await workbench.screenshot('retrain-resumed');
  await button('Stop and Keep the Best').click();
  await page().getByText('lenet.pruned-3.caffemodel').waitFor();
  expect(checkpoints()).toEqual([]);
});

test('data that are not there are named, and others are chosen in their place', async () => {
  const { workbench, folder } = session;
  renameSync(join(folder, 'digits_train_lmdb'), join(folder, 'moved'));
  await button(/Retrain$/).click();
  await workbench.page.getByRole('button', { name: 'Keep Both' }).click();
  await page().getByRole('alert').filter({ hasText: 'digits_train_lmdb' }).waitFor();
  // The form names them too, and lets others be chosen.
  await page().getByText('“digits_train_lmdb” cannot be found: choose it').waitFor();
  await workbench.screenshot('retrain-no-data');
  // The dialog may take the folder that it showed before the one that is typed: then the user chooses again.
  await retry(async () => {
    await button('Choose: Training data').click();
    await workbench.choose('A Folder…');
    await workbench.answerDialog(join(folder, 'moved'));
    await page().getByText('moved (640 items)').waitFor({ timeout: 10_000 });
  });
  await type('Iterations', '20');
  await button(/Retrain$/).click();
  await workbench.page.getByRole('button', { name: 'Keep Both' }).click();
  await page().getByText('lenet.pruned-4.caffemodel').waitFor();
  const { retraining } = JSON.parse(readFileSync(join(folder, 'lenet.pruned-4.json'), 'utf8')) as Recipe & {
    retraining: RetrainReport;
  };
  expect(retraining.trainData).toBe(join(folder, 'moved'));
  await workbench.screenshot('retrain-chosen-data');
  renameSync(join(folder, 'moved'), join(folder, 'digits_train_lmdb'));
});

test('a dense model gets as sparse as its accuracy allows, without a ratio being typed', async () => {
  const { workbench } = session;
  await workbench.contextMenu('lenet.caffemodel', 'Retrain Model');
  await workbench.tab('lenet.caffemodel').waitFor();
  await page().getByRole('combobox', { name: 'Schedule' }).selectOption('auto');
  await type('Iterations at most', '60');
  await type('Iterations per round', '10');
  // A tenth of the 640 digits is held out.
  const warning = page().getByText('The weights are judged on 64 items.');
  await warning.waitFor();
  await workbench.screenshot('retrain-too-fine');
  await type('Accuracy that may be lost', '5');
  await warning.waitFor({ state: 'hidden' });
  await button(/Retrain$/).click();
  await workbench.page.getByRole('button', { name: 'Keep Both' }).click();
  const outcome = page().getByRole('region', { name: 'Result' });
  await outcome.waitFor();
  const best = outcome.getByRole('row').filter({ hasText: 'Best, which is written' });
  const [, kept, accuracy] = await best.getByRole('cell').allInnerTexts();
  expect(parseFloat(kept)).toBeLessThan(60);
  expect(parseFloat(accuracy)).toBeGreaterThan(93);
  await workbench.screenshot('retrain-auto');
});
