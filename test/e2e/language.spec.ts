import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useWorkbench } from './project';
import { retry } from './workbench';

const session = useWorkbench();
const pathOf = (file: string): string => join(session.folder, file);

/** Opens a file and puts the cursor behind the first `text` in it, as it is on disk. */
async function goTo(file: string, text: string): Promise<void> {
  const { workbench } = session;
  const contents = readFileSync(pathOf(file), 'utf8');
  const at = contents.indexOf(text);
  if (at < 0) throw new Error(`${file} holds no ${text}`);
  const lines = contents.slice(0, at + text.length).split('\n');
  await workbench.open(file);
  await workbench.page
    .locator('.monaco-editor textarea, .monaco-editor .native-edit-context')
    .first()
    .focus();
  await workbench.page.keyboard.press('Control+g');
  const input = workbench.page.locator('.quick-input-widget input[type=text]');
  await input.fill(`:${lines.length}:${lines.at(-1)!.length + 1}`);
  await workbench.page.keyboard.press('Enter');
  await workbench.page
    .locator('.statusbar')
    .getByText(`Ln ${lines.length}, Col ${lines.at(-1)!.length + 1}`)
    .waitFor();
}

/** Saves the file that is open until what is on disk is as it should be. */
async function savedText(file: string, isRight: (text: string) => boolean): Promise<string> {
  return retry(async () => {
    await session.workbench.page.keyboard.press('Control+s');
    const text = readFileSync(pathOf(file), 'utf8');
    if (!isRight(text)) throw new Error(`${file} is not as it should be: ${text}`);
    return text;
  });
}

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
  await goTo('deploy.prototxt', 'name: "conv2');
  await workbench.run('Show or Focus Hover');
  const hover = workbench.page.locator('.monaco-hover').filter({ hasText: 'Parameters' });
  await hover.getByText('1×50×8×8').or(hover.getByText('1 50 8 8')).first().waitFor();
  await hover.locator('img[src^="data:image/svg+xml"]').waitFor();
  await workbench.screenshot('language-hover');
});

test('completion offers the blobs that a layer may read', async () => {
  const { workbench } = session;
  await goTo('deploy.prototxt', 'bottom: "pool1');
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
  await goTo('broken.prototxt', 'pool: MAXX');
  await workbench.page.locator('.squiggly-error').first().waitFor();
  await workbench.screenshot('language-problem');
  await workbench.run('Quick Fix...');
  const fix = workbench.page.locator('.action-widget .action').filter({ hasText: 'MAX' }).first();
  await fix.click();
  const text = await savedText('broken.prototxt', (now) => !now.includes('MAXX'));
  expect(text).toBe(readFileSync(pathOf('deploy.prototxt'), 'utf8'));
});

test('rename follows a blob through the file', async () => {
  const { workbench } = session;
  await goTo('broken.prototxt', 'top: "pool2');
  await workbench.run('Rename Symbol');
  const box = workbench.page.locator('.rename-box input');
  await box.fill('features');
  await workbench.page.keyboard.press('Enter');
  const text = await savedText('broken.prototxt', (now) => now.includes('"features"'));
  expect(text).toContain('top: "features"');
  expect(text).toContain('bottom: "features"');
  // The layer of that name keeps it.
  expect(text).toContain('name: "pool2"');
});

test('the graph and the text select each other’s layers', async () => {
  const { workbench } = session;
  await goTo('deploy.prototxt', 'name: "conv1');
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
