import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useWorkbench } from './project';
import { retry } from './workbench';

// One story: each test goes on from what the one before left in the folder.
const session = useWorkbench();

const page = () => session.workbench.webview();
const button = (name: string | RegExp) => page().getByRole('button', { name });
const failure = () => page().getByRole('region', { name: 'What is retrained' }).getByRole('alert');

async function type(field: string, text: string): Promise<void> {
  const input = page().getByRole('textbox', { name: field, exact: true });
  await input.fill(text);
  await input.press('Enter');
}

async function chooseSolver(name: string): Promise<void> {
  await button('Choose: Solver').click();
  await session.workbench.choose(name);
  await page().locator('.run-files').getByText(name, { exact: true }).waitFor();
}

/** Goes on from the checkpoint that the view offers, to the end. */
async function goOn(): Promise<void> {
  await button(/Go On from Iteration/).click();
  await page().getByRole('region', { name: 'Result' }).waitFor();
  expect(await failure().count()).toBe(0);
}

test('a loss that becomes NaN is told with its layer and what to do, and the run goes on at a lower rate', async () => {
  const { workbench, folder } = session;
  const solver = readFileSync(join(folder, 'solver.prototxt'), 'utf8');
  writeFileSync(
    join(folder, 'absurd.prototxt'),
    solver.replace(/base_lr: .*/, 'base_lr: 1e30').replace(/lr_policy: .*/, 'lr_policy: "fixed"'),
  );
  await workbench.contextMenu('lenet.caffemodel', 'Retrain Model');
  await page().getByText('what the net names (640 items)').waitFor();
  await chooseSolver('absurd.prototxt');
  await type('Iterations', '60');
  await button(/Retrain$/).click();
  await failure().waitFor();
  const message = await failure().innerText();
  expect(message).toMatch(/layer "\w+": The loss became NaN in iteration \d+/);
  expect(message).toMatch(
    /Lower base_lr.* resume from .*lenet\.caffemodel\.retraining_iter_\d+\.solverstate/,
  );
  await page()
    .getByText(/was interrupted after iteration \d+ of 60/)
    .waitFor();
  await workbench.screenshot('retrain-nan');
  await chooseSolver('solver.prototxt');
  await goOn();
  expect(existsSync(join(folder, 'lenet.pruned.caffemodel'))).toBe(true);
});

test.skipIf(process.platform !== 'linux')(
  'a disk that takes no checkpoint is told, and the run goes on when it does',
  async () => {
    const { workbench } = session;
    await type('Iterations', '400');
    await button(/Retrain$/).click();
    await workbench.page.getByRole('button', { name: 'Replace' }).click();
    await page()
      .getByText(/iteration ([2-9]\d|\d{3}) of 400/)
      .waitFor();
    workbench.limitFilesOfBusiestWorker(10_000);
    await failure().waitFor();
    const message = await failure().innerText();
    expect(message).toContain('the disk takes no file of this size');
    expect(message).toMatch(/resume from .*_iter_\d+\.solverstate/);
    await retry(async () => expect(await button(/Go On from Iteration/).count()).toBe(1));
    await workbench.screenshot('retrain-disk');
    workbench.limitFilesOfBusiestWorker(Infinity);
    await button(/Go On from Iteration/).click();
    await workbench.page.getByRole('button', { name: 'Replace' }).click();
    await page().getByRole('region', { name: 'Result' }).waitFor();
  },
);
