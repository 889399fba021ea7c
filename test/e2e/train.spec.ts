import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useWorkbench } from './project';

const session = useWorkbench();

/** The sample's solver with other numbers. */
function writeSolver(name: string, iterations: number): void {
  const { folder } = session;
  const text = readFileSync(join(folder, 'solver.prototxt'), 'utf8')
    .replace(/max_iter: \d+/, `max_iter: ${iterations}`)
    .replace(/test_iter: \d+/, 'test_iter: 2')
    .replace('snapshot_prefix: "lenet"', `snapshot_prefix: "${name}"`);
  writeFileSync(join(folder, `${name}_solver.prototxt`), text);
}

test('a net is trained from its solver, with progress, and its model offered', async () => {
  const { workbench } = session;
  writeSolver('short', 30);
  await workbench.contextMenu('short_solver.prototxt', 'Train Net from Solver');
  const done = workbench.notification(/short_iter_30\.caffemodel: 30 iterations, [\d.]+ % right/);
  await done.waitFor();
  await workbench.screenshot('train-done');
  await workbench.press(done, 'Open Model');
  await workbench.tab('short_iter_30.caffemodel').waitFor();
  await workbench.webview().getByRole('heading', { name: 'LeNet' }).waitFor();
});

test('a training that is cancelled leaves a snapshot, and goes on from it when it is asked to', async () => {
  const { workbench, folder } = session;
  writeSolver('long', 1_000_000);
  /** The snapshots that are there: their iterations. */
  const snapshots = () =>
    readdirSync(folder)
      .map((name) => Number(/^long_iter_(\d+)\.solverstate$/.exec(name)?.[1] ?? 0))
      .filter((iteration) => iteration > 0)
      .sort((a, b) => a - b);
  const cancel = () => workbench.press(workbench.notification('Training long_solver.prototxt'), 'Cancel');

  await workbench.contextMenu('long_solver.prototxt', 'Train Net from Solver');
  await workbench.notification(/iteration [1-9]\d* of 1000000, loss/).waitFor();
  await workbench.screenshot('train-running');
  await cancel();
  await workbench.notification(/long_iter_\d+\.caffemodel: \d+ iterations.*go on from long_iter/).waitFor();
  const [first, ...others] = snapshots();
  expect(others).toEqual([]);
  expect(readdirSync(folder)).toContain(`long_iter_${first}.caffemodel`);

  await workbench.contextMenu('long_solver.prototxt', 'Train Net from Solver');
  await workbench.page.getByText('Train from Scratch').waitFor();
  await workbench.screenshot('train-resume');
  await workbench.choose(`Go On from Iteration ${first}`);
  await workbench.notification(/iteration \d+ of 1000000, loss/).waitFor();
  await cancel();
  await expect.poll(() => snapshots().length, { timeout: 60_000 }).toBe(2);
  expect(snapshots()[1]).toBeGreaterThan(first);
});
