// How long a user waits for a model: from the double click in the explorer of a real workbench to the first layers and
// their totals, beside a text file of one line in the same workbench.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { type Workbench, startWorkbench } from '../test/e2e/workbench';
import { installWorkbench } from '../test/e2e/workbench/install';
import { compare, heading } from './measure';
import { benchModel } from './models';

installWorkbench();
execFileSync(process.execPath, ['scripts/build.mjs', '--production']);
heading('Opening a model in VS Code, double click to first layers');
for (const [net, layer] of [
  ['lenet', 'ip1'],
  ['vgg16', 'conv1_1'],
] as const) {
  const folder = mkdtempSync(join(tmpdir(), 'caffe-pruner-bench-'));
  const file = await benchModel(net);
  const model = basename(file);
  symlinkSync(resolve(file), join(folder, model));
  writeFileSync(join(folder, 'a.txt'), 'One line.\n');
  const workbench = await startWorkbench({ folder });
  const openModel = () =>
    open(workbench, model, () =>
      workbench.webview().getByRole('gridcell', { name: layer }).first().waitFor(),
    );
  const openText = () =>
    open(workbench, 'a.txt', () => workbench.page.getByText('One line.').first().waitFor());
  try {
    // Opened twice, since before VS Code knows the extension it opens as text.
    await workbench.open(model);
    await workbench.tab(model).click({ button: 'middle' });
    await compare({
      what: net,
      baseline: { name: 'a text file of one line', run: openText },
      ours: { name: 'the model', run: openModel },
      repeats: 9,
    });
  } finally {
    await workbench.stop();
    rmSync(folder, { recursive: true });
  }
}

/** The ms from the double click until `shown`; the tab is closed again. */
async function open(workbench: Workbench, file: string, shown: () => Promise<void>): Promise<number> {
  const row = await workbench.inExplorer(file);
  await row.hover();
  const start = performance.now();
  await row.dblclick();
  await shown();
  const time = performance.now() - start;
  await workbench.tab(file).click({ button: 'middle' });
  await workbench.tab(file).waitFor({ state: 'detached' });
  // Closing goes on for a moment: the background process ends.
  await workbench.page.waitForTimeout(1_500);
  return time;
}
