import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cursorAt, goTo, quickFix, savedText } from './editor';
import { useWorkbench } from './project';
import { retry } from './workbench';

const session = useWorkbench();
const read = (file: string): string => readFileSync(join(session.folder, file), 'utf8');
const write = (file: string, text: string): void => writeFileSync(join(session.folder, file), text);
const lineOf = (file: string, text: string): number => read(file).split(text)[0].split('\n').length;

test('from a bottom to the layer that makes it, and to all that read a top', async () => {
  const { workbench } = session;
  await goTo(session, 'deploy.prototxt', 'bottom: "pool');
  const maker = lineOf('deploy.prototxt', 'top: "pool1"');
  await retry(async () => {
    // Until the extension answers, nothing happens.
    await workbench.page.keyboard.press('F12');
    await cursorAt(session, maker, '  top: "'.length + 1);
  });
  // One layer reads it: its bottom is where the cursor was.
  await workbench.page.keyboard.press('Shift+F12');
  await cursorAt(session, lineOf('deploy.prototxt', 'bottom: "pool1"'), '  bottom: "'.length + 1);
  // Several read and write what is changed in place.
  await goTo(session, 'deploy.prototxt', 'top: "ip');
  await workbench.page.keyboard.press('Shift+F12');
  await retry(async () => {
    const found = await workbench.page.locator('.peekview-widget .referenceMatch').count();
    if (found < 3) throw new Error(`${found} references of ip1`);
  });
  await workbench.screenshot('editing-references');
  await workbench.page.keyboard.press('Escape');
});

test('a link leads from the solver to its net', async () => {
  const { workbench } = session;
  await goTo(session, 'solver.prototxt', 'net: "train');
  await workbench.run('Open Link');
  await workbench.tab('train_val.prototxt').waitFor();
});

test('what is typed is laid out', async () => {
  const { workbench } = session;
  write('typed.prototxt', '');
  await goTo(session, 'typed.prototxt', '');
  // As fingers do: brackets and quotes close themselves, and are typed over.
  await workbench.page.keyboard.type('layer {\nname: "a"\ntype :"ReLU"\n', { delay: 60 });
  await workbench.page.keyboard.press('End');
  const text = await savedText(session, 'typed.prototxt', (now) => now.includes('type: "ReLU"'));
  expect(text).toContain('  name: "a"\n  type: "ReLU"\n');
});

const v1 = `input: "data"
input_dim: 1
input_dim: 3
input_dim: 8
input_dim: 8
# Filters.
layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv" blobs_lr: 1 convolution_param { num_output: 2 kernel_size: 3 } }
`;

test('the syntax of 2014 is converted', async () => {
  write('old.prototxt', v1);
  await goTo(session, 'old.prototxt', '# Filters.\nlay');
  await quickFix(session, 'current syntax');
  const text = await savedText(session, 'old.prototxt', (now) => now.includes('type: "Convolution"'));
  expect(text).toContain('# Filters.');
  expect(text).toContain('param { lr_mult: 1 }');
  expect(text).not.toMatch(/layers|input_dim|blobs_lr/);
});

test('a loss gets the bottom that it lacks', async () => {
  const { workbench } = session;
  write(
    'lacking.prototxt',
    read('train_val.prototxt').replace(/(type: "SoftmaxWithLoss"[^}]*)\n *bottom: "label"/, '$1'),
  );
  await goTo(session, 'lacking.prototxt', 'name: "lo');
  await workbench.page.locator('.squiggly-error').first().waitFor();
  await quickFix(session, 'Add bottom: "label"');
  const text = await savedText(session, 'lacking.prototxt', (now) =>
    /SoftmaxWithLoss"[^}]*bottom: "label"/.test(now),
  );
  expect(text.match(/bottom: "label"/g)).toHaveLength(2);
});

test('a field that a layer does not read is removed', async () => {
  write(
    'useless.prototxt',
    read('deploy.prototxt').replace('pooling_param {', 'lrn_param { local_size: 5 }\n  pooling_param {'),
  );
  await goTo(session, 'useless.prototxt', 'lrn_par');
  await quickFix(session, 'Remove');
  const text = await savedText(session, 'useless.prototxt', (now) => !now.includes('lrn_param'));
  expect(text).toBe(read('deploy.prototxt'));
});

test('the model is chosen by hand, its misfits are told, and it is remembered', async () => {
  const { workbench } = session;
  const status = workbench.page.locator('.statusbar');
  copyFileSync(join(session.folder, 'lenet.caffemodel'), join(session.folder, 'other.caffemodel'));
  write('wide.prototxt', read('deploy.prototxt').replace('num_output: 500', 'num_output: 400'));
  await goTo(session, 'wide.prototxt', 'name: "ip1');
  await status.getByText(/caffemodel|No weights/).click();
  await workbench.choose('other.caffemodel');
  await status.getByText('other.caffemodel').waitFor();
  await workbench.run('View: Toggle Problems');
  const problem = workbench.page
    .locator('.markers-panel')
    .getByText('Blob 0 of "ip1" is 400×800 here, but 500×800 in other.caffemodel');
  await problem.waitFor();
  await workbench.screenshot('editing-misfit');
  await workbench.reload();
  await status.getByText('other.caffemodel').waitFor();
});

test('layers fold together under the comment that heads them', async () => {
  const { workbench } = session;
  await goTo(session, 'deploy.prototxt', '# 800 -> 500');
  await workbench.page.keyboard.press('Control+Shift+BracketLeft');
  const line = workbench.page.locator('.editor-instance .view-line');
  await line.filter({ hasText: '# 800 -> 500' }).waitFor();
  await retry(async () => {
    if ((await line.filter({ hasText: 'name: "ip1"' }).count()) > 0) throw new Error('not folded');
  });
});
