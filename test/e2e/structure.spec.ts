import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { goTo } from './editor';
import { useWorkbench } from './project';
import { retry } from './workbench';

// Finding one's way in a net: outline, breadcrumbs, sticky scroll, what feeds a layer, and links.
const session = useWorkbench();

test('the outline lists the layers with type and shape, and the breadcrumbs name the one at the cursor', async () => {
  const { workbench } = session;
  await goTo(session, 'deploy.prototxt', 'kernel_size');
  await workbench.run('Explorer: Focus on Outline View');
  const outline = workbench.page.locator('.outline-tree .monaco-list-row');
  await outline.filter({ hasText: 'conv1' }).filter({ hasText: 'Convolution · 1×20×24×24' }).waitFor();
  const crumbs = workbench.page.locator('.breadcrumbs-control .monaco-breadcrumb-item');
  await crumbs.filter({ hasText: 'convolution_param' }).waitFor();
  await outline.filter({ hasText: 'Input · 1×1×28×28' }).dblclick();
  await crumbs.filter({ hasText: 'data' }).waitFor();
  await workbench.screenshot('structure-outline');
});

test('what is scrolled into stays in sight: the name of the layer and its parameter', async () => {
  const { workbench } = session;
  await goTo(session, 'train_val.prototxt', 'num_output: 500');
  const sticky = workbench.page.locator('.sticky-widget .sticky-line-content');
  await retry(async () => {
    await workbench.page.keyboard.press('Control+ArrowDown');
    await sticky.filter({ hasText: 'inner_product_param {' }).waitFor({ timeout: 500 });
  });
  await sticky.filter({ hasText: 'name: "ip1"' }).waitFor();
  // What feeds this net is in a database: its first item tells the shape.
  const outline = workbench.page.locator('.outline-tree .monaco-list-row');
  await outline.filter({ hasText: 'data, label · 64×1×28×28' }).waitFor();
  await workbench.screenshot('structure-sticky');
});

test('a link to a database leads to its folder in the explorer', async () => {
  const { workbench } = session;
  await goTo(session, 'train_val.prototxt', 'source: "digits_te');
  await workbench.run('Open Link');
  await workbench.page
    .locator(
      '.explorer-folders-view .monaco-list-row.focused, .explorer-folders-view .monaco-list-row.selected',
    )
    .filter({ hasText: 'digits_test_lmdb' })
    .waitFor();
  await workbench.screenshot('structure-folder');
});

test('a link to a mean file, above the prototxt’s folder, opens it', async () => {
  const { workbench, folder } = session;
  writeFileSync(join(folder, 'mean.binaryproto'), 'the mean');
  mkdirSync(join(folder, 'nets'));
  const net = 'layer { name: "d" type: "Data" top: "x" transform_param { mean_file: "mean.binaryproto" } }\n';
  writeFileSync(join(folder, 'nets', 'mean.prototxt'), net);
  await goTo(session, 'nets/mean.prototxt', 'mean_file: "mean');
  await workbench.run('Open Link');
  await workbench.page.getByRole('tab', { name: 'mean.binaryproto', selected: true }).waitFor();
});

test('the call hierarchy shows what feeds a layer, and what reads it', async () => {
  const { workbench } = session;
  await goTo(session, 'deploy.prototxt', 'name: "pool1');
  await workbench.run('Calls: Show Call Hierarchy');
  const layer = (name: RegExp) => workbench.page.locator('.sidebar').getByRole('treeitem', { name });
  await layer(/^pool1/).waitFor();
  await layer(/^conv1/).waitFor();
  await workbench.page.getByRole('button', { name: 'Show Outgoing Calls' }).click();
  await layer(/^conv2/).waitFor();
  await layer(/^conv1/).waitFor({ state: 'hidden' });
  await workbench.screenshot('structure-calls');
});
