import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { goTo, quickFix, savedText } from './editor';
import { useWorkbench } from './project';

const session = useWorkbench();
const pathOf = (file: string): string => join(session.folder, file);

test('the status bar tells the net and finds its weights', async () => {
  const { workbench } = session;
  await workbench.open('deploy.prototxt');
  const status = workbench.page.locator('.statusbar');
  await status.getByText('9 layers · 431 k parameters').waitFor();
  await status.getByText('lenet.caffemodel').waitFor();
  await workbench.page.locator('.codelens-decoration').getByText('500 weights').waitFor();
  // What feeds this one is in a database: the shapes come from its first item.
  await workbench.open('train_val.prototxt');
  await status.getByText(/10 layers · 431 k parameters · \d/).waitFor();
});

test('a hover on a layer tells its shapes and draws its weights', async () => {
  const { workbench } = session;
  await goTo(session, 'deploy.prototxt', 'name: "conv2');
  await workbench.run('Show or Focus Hover');
  const hover = workbench.page.locator('.monaco-hover').filter({ hasText: 'Parameters' });
  await hover.getByText('1×50×8×8').or(hover.getByText('1 50 8 8')).first().waitFor();
  await hover.locator('img[src^="data:image/svg+xml"]').waitFor();
  await workbench.screenshot('language-hover');
});

test('completion offers the blobs that a layer may read', async () => {
  const { workbench } = session;
  await goTo(session, 'deploy.prototxt', 'bottom: "pool1');
  await workbench.run('Trigger Suggest');
  const suggestions = workbench.page.locator('.suggest-widget.visible .monaco-list-row');
  await suggestions.filter({ hasText: 'pool1' }).first().waitFor();
  await workbench.screenshot('language-completion');
  await workbench.page.keyboard.press('Escape');
});

test('a quick fix sets a misspelt value right', async () => {
  const { workbench } = session;
  writeFileSync(
    pathOf('broken.prototxt'),
    readFileSync(pathOf('deploy.prototxt'), 'utf8').replace('pool: MAX', 'pool: MAXX'),
  );
  await goTo(session, 'broken.prototxt', 'pool: MAXX');
  await workbench.page.locator('.squiggly-error').first().waitFor();
  await workbench.screenshot('language-problem');
  await quickFix(session, 'MAX');
  const text = await savedText(session, 'broken.prototxt', (now) => !now.includes('MAXX'));
  expect(text).toBe(readFileSync(pathOf('deploy.prototxt'), 'utf8'));
});

test('rename follows a blob through the file', async () => {
  const { workbench } = session;
  await goTo(session, 'broken.prototxt', 'top: "pool2');
  await workbench.run('Rename Symbol');
  const box = workbench.page.locator('.rename-box input');
  await box.fill('features');
  await workbench.page.keyboard.press('Enter');
  const text = await savedText(session, 'broken.prototxt', (now) => now.includes('"features"'));
  expect(text).toContain('top: "features"');
  expect(text).toContain('bottom: "features"');
  // The layer of that name keeps it.
  expect(text).toContain('name: "pool2"');
});

test('the graph and the text select each other’s layers', async () => {
  const { workbench } = session;
  await goTo(session, 'deploy.prototxt', 'name: "conv1');
  await workbench.run('Caffe: Show Net Graph');
  const graph = workbench.webview();
  await graph.getByRole('option', { name: /^ip1; InnerProduct, ReLU/ }).click();
  const before = readFileSync(pathOf('deploy.prototxt'), 'utf8').split('name: "ip1"')[0];
  await workbench.page
    .locator('.active-line-number')
    .getByText(String(before.split('\n').length), { exact: true })
    .waitFor();
  await workbench.screenshot('language-graph');
  await workbench.page.locator('.view-line').filter({ hasText: 'name: "pool2"' }).click();
  await graph.locator('.node.selected').filter({ hasText: 'pool2' }).waitFor();
  await graph.locator('vscode-button[aria-label="Show as a table"]').click();
  await graph.getByRole('row', { name: /conv2 Convolution pool1/ }).waitFor();
});

test('“Prune with These Hints” prunes the weights that go with a net', async () => {
  const { workbench } = session;
  await workbench.contextMenu('train_val.prototxt', 'Prune with These Hints');
  await workbench.notification('lenet.pruned.caffemodel').first().waitFor();
  await workbench.screenshot('language-pruned');
  expect(existsSync(pathOf('lenet.pruned.npz'))).toBe(true);
  const recipe = JSON.parse(readFileSync(pathOf('lenet.pruned.json'), 'utf8')) as { choices: object[] };
  expect(recipe.choices.length).toBeGreaterThan(1);
});
