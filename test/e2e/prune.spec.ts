import { cpSync, existsSync, readdirSync, readFileSync, realpathSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { Random } from '../../src/caffe/random';
import { writeModel } from '../../src/caffe/writeModel';
import { useWorkbench } from './project';
import { retry } from './workbench';

// One story: each test goes on from what the one before left in the folder.
const session = useWorkbench();

const path = (name: string) => join(session.folder, name);
const outputs = ['lenet.pruned.caffemodel', 'lenet.pruned.npz', 'lenet.pruned.json'];
const appear = (name: string) =>
  retry(() =>
    existsSync(path(name)) ? Promise.resolve() : Promise.reject(new Error(`${name} is not there`)),
  );

/** Right click, "Prune Model…", keep a share of each layer. */
async function pruneByMenu(models: string | string[], percent: string): Promise<void> {
  const { workbench } = session;
  await workbench.contextMenu(models, 'Prune Model');
  await workbench.choose('Keep Ratio of Each Layer');
  await workbench.answer(percent);
}

test('a right click prunes a model and writes the three files', async () => {
  const { workbench } = session;
  const before = readFileSync(path('lenet.caffemodel'));
  await pruneByMenu('lenet.caffemodel', '10');
  const done = workbench.notification('lenet.pruned.caffemodel');
  await done.waitFor();
  await workbench.screenshot('prune-done');
  for (const name of outputs) expect(existsSync(path(name)), name).toBe(true);
  expect(readFileSync(path('lenet.caffemodel')).equals(before)).toBe(true);
  expect(statSync(path('lenet.pruned.caffemodel')).size).toBe(before.length);
  expect(statSync(path('lenet.pruned.npz')).size).toBeLessThan(before.length / 5);

  await workbench.press(done, 'Open Pruned Model');
  await workbench.tab('lenet.pruned.caffemodel').waitFor();
  await workbench.webview().getByRole('row').filter({ hasText: 'ip1' }).getByText('89.9%').first().waitFor();
  await workbench.screenshot('prune-result');
});

test('outputs that are there are not overwritten unasked', async () => {
  const { workbench } = session;
  const first = readFileSync(path('lenet.pruned.json'));
  await pruneByMenu('lenet.caffemodel', '20');
  const question = workbench.page.locator('.monaco-dialog-box').filter({ hasText: 'was pruned before' });
  await question.waitFor();
  await workbench.screenshot('prune-again');
  await question.getByRole('button', { name: 'Keep Both' }).click();
  await appear('lenet.pruned-2.json');
  expect(readFileSync(path('lenet.pruned.json')).equals(first)).toBe(true);

  await pruneByMenu('lenet.caffemodel', '20');
  await question.getByRole('button', { name: 'Cancel' }).click();
  expect(readFileSync(path('lenet.pruned.json')).equals(first)).toBe(true);

  await pruneByMenu('lenet.caffemodel', '20');
  await question.getByRole('button', { name: 'Replace' }).click();
  await retry(() =>
    readFileSync(path('lenet.pruned.json')).equals(first)
      ? Promise.reject(new Error('not replaced'))
      : Promise.resolve(),
  );
});

test('several models are pruned one after the other', async () => {
  const { workbench } = session;
  for (const name of ['first.caffemodel', 'second.caffemodel']) cpSync(path('lenet.caffemodel'), path(name));
  await pruneByMenu(['first.caffemodel', 'second.caffemodel'], '5');
  await workbench.notification('2 of 2 models pruned').waitFor();
  expect(existsSync(path('first.pruned.npz')) && existsSync(path('second.pruned.npz'))).toBe(true);
});

test('what is wrong with the result is told in sentences', async () => {
  const { workbench } = session;
  cpSync(path('lenet.caffemodel'), path('third.caffemodel'));
  await pruneByMenu('third.caffemodel', '0.1');
  await workbench.notification(/npz\. Warning: layer "conv1": [^;]+; layer "conv\d": .+\./).waitFor();
});

test('a sparse file is restored to the pruned model, to the byte', async () => {
  const { workbench } = session;
  await workbench.contextMenu('lenet.pruned.npz', 'Restore Sparse Model');
  await workbench.choose('Into a Copy of lenet.caffemodel');
  // VS Code's own dialog suggests lenet.restored.caffemodel.
  await workbench.page.locator('.quick-input-widget').filter({ hasText: 'Restore to' }).waitFor();
  await workbench.page.keyboard.press('Enter');
  await workbench.notification('Restored').waitFor();
  expect(
    readFileSync(path('lenet.restored.caffemodel')).equals(readFileSync(path('lenet.pruned.caffemodel'))),
  ).toBe(true);
});

test('the panel shows what a keep ratio does before it is done', async () => {
  const { workbench } = session;
  await workbench.open('first.caffemodel');
  const page = workbench.webview();
  await page.getByRole('tab', { name: 'Prune' }).click();
  const amount = page.getByRole('textbox', { name: 'Amount for all layers' });
  await amount.fill('25 %');
  await amount.press('Enter');
  await page.getByRole('table').filter({ hasText: 'The whole model' }).getByText('74.9%').waitFor();
  await workbench.screenshot('prune-panel');
  await page.getByRole('button', { name: 'Prune', exact: true }).click();
  await workbench.page
    .locator('.monaco-dialog-box')
    .filter({ hasText: 'was pruned before' })
    .getByRole('button', { name: 'Keep Both' })
    .click();
  await appear('first.pruned-2.npz');
});

test('a model is pruned with the keyboard alone', async () => {
  const { workbench } = session;
  await workbench.open('second.caffemodel');
  const { keyboard } = workbench.page;
  /** Enter, once what is asked has come and has the focus. */
  const enter = async (asked: string) => {
    const widget = workbench.page.locator('.quick-input-widget').filter({ hasText: asked });
    await widget.waitFor();
    await widget.locator('input:focus').waitFor();
    await workbench.page.waitForTimeout(300);
    await keyboard.press('Enter');
  };
  // Keys that are pressed while the page of the model takes the focus are lost.
  await retry(async () => {
    await keyboard.press('F1');
    await workbench.page.locator('.quick-input-widget input:focus').waitFor({ timeout: 5_000 });
  });
  await keyboard.type('Caffe: Prune Model', { delay: 20 });
  await enter('Prune Model…');
  await enter('Prune second.caffemodel');
  await enter('Share that stays');
  const question = workbench.page.locator('.monaco-dialog-box').filter({ hasText: 'was pruned before' });
  await question.waitFor();
  await question.locator(':focus').filter({ hasText: 'Replace' }).waitFor();
  await keyboard.press('Tab');
  await question.locator(':focus').filter({ hasText: 'Keep Both' }).waitFor();
  await keyboard.press('Enter');
  await appear('second.pruned-2.npz');
});

/** Ids of the extension's background processes in this test's workbench. */
function backgroundProcesses(): number[] {
  const script = realpathSync(inject('extensions'));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(join('/proc', pid, 'cmdline'), 'utf8');
        return command.includes(script) && command.includes('worker.js');
      } catch {
        return false; // It ended meanwhile.
      }
    })
    .map(Number);
}

test.runIf(process.platform === 'linux')(
  'a background process that is killed in the middle leaves no output by its name, and the next try works',
  async () => {
    const { workbench } = session;
    const random = new Random(4);
    const data = Float32Array.from({ length: 1 << 25 }, () => random.unit() - 0.5);
    await writeModel(path('large.caffemodel'), {
      name: 'large',
      layers: [{ name: 'ip', type: 'InnerProduct', blobs: [{ shape: [1 << 10, 1 << 15], data }] }],
    });
    const named = () => readdirSync(session.folder).filter((name) => name.startsWith('large.'));
    const watcher = watch(session.folder, (_event, name) => {
      if (!name?.startsWith('.large.pruned')) return;
      watcher.close();
      for (const pid of backgroundProcesses()) process.kill(pid, 'SIGKILL');
    });
    await pruneByMenu('large.caffemodel', '10');
    await workbench
      .notification('The background process ended unexpectedly (SIGKILL) during "prune"')
      .waitFor();
    await workbench.screenshot('prune-killed');
    expect(named()).toEqual(['large.caffemodel']);

    await pruneByMenu('large.caffemodel', '10');
    await workbench.notification('large.pruned.caffemodel').waitFor();
    expect(named().length).toBe(4);
    // What the killed process had begun is gone too.
    expect(readdirSync(session.folder).filter((name) => name.startsWith('.large'))).toEqual([]);
  },
);
