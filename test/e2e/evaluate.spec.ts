import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Digit, digits, digitSize } from '../../src/sample/digits';
import { png } from '../png';
import { useWorkbench } from './project';

// One story: each test goes on from what the one before left in the folder.
const session = useWorkbench();
const page = () => session.workbench.webview();
const region = (name: string) => page().getByRole('region', { name });

test('a right click opens the view that evaluates, with the net found beside the model', async () => {
  const { workbench } = session;
  await workbench.contextMenu('lenet.caffemodel', 'Evaluate Model');
  await page().getByRole('tab', { name: 'Evaluate', selected: true }).waitFor();
  await page().getByText('train_val.prototxt').waitFor();
  await page().getByText('what the net names').waitFor();
  await workbench.screenshot('evaluate-empty');
});

test('evaluating gives accuracy, classes, confusion and the wrong pictures', async () => {
  const { workbench } = session;
  await evaluate();
  expect(await accuracyOf('lenet.caffemodel')).toBeGreaterThan(95);
  await page().getByRole('heading', { name: 'Confusion matrix' }).scrollIntoViewIfNeeded();
  await workbench.screenshot('evaluate-confusion');
  await page().getByRole('heading', { name: 'Wrong answers' }).scrollIntoViewIfNeeded();
  await page()
    .getByRole('listitem', { name: /^Item \d+: \d taken for \d$/ })
    .first()
    .waitFor();
  await workbench.screenshot('evaluate-wrong');
});

test('a model pruned meanwhile is evaluated beside the dense one, and its recipe keeps the figures', async () => {
  const { workbench, folder } = session;
  await workbench.contextMenu('lenet.caffemodel', 'Prune Model');
  await workbench.choose('Keep Ratio of Each Layer');
  await workbench.answer('2');
  await workbench.notification('lenet.pruned.caffemodel').waitFor();
  await workbench.contextMenu('lenet.caffemodel', 'Evaluate Model');
  await page().getByText('lenet.pruned.caffemodel', { exact: true }).first().waitFor();
  await evaluate();
  await rowOf('lenet.pruned.caffemodel').waitFor();
  expect(await accuracyOf('lenet.pruned.caffemodel')).toBeLessThan(95);
  await workbench.screenshot('evaluate-compared');
  const recipe = JSON.parse(readFileSync(join(folder, 'lenet.pruned.json'), 'utf8')) as {
    evaluations: { result: { items: number } }[];
  };
  expect(recipe.evaluations.map(({ result }) => result.items)).toEqual([200]);
});

test('the result is there when the page was hidden, and when the model is opened again', async () => {
  const { workbench } = session;
  const accuracy = await accuracyOf('lenet.caffemodel');
  await workbench.open('deploy.prototxt');
  await workbench.tab('lenet.caffemodel').click();
  await page()
    .getByText(/^Computed by/)
    .waitFor();
  expect(await accuracyOf('lenet.caffemodel')).toBe(accuracy);
  await workbench.tab('deploy.prototxt').click({ button: 'middle' });
  await workbench.tab('lenet.caffemodel').click({ button: 'middle' });
  await workbench.contextMenu('lenet.caffemodel', 'Evaluate Model');
  await page()
    .getByText(/Evaluated on .*The figures are kept in .*lenet\.evaluation\.json/)
    .waitFor();
  expect(await accuracyOf('lenet.caffemodel')).toBe(accuracy);
  await page()
    .getByRole('listitem', { name: /^Item \d+/ })
    .first()
    .waitFor();
});

test('a picture is classified that was chosen, or dropped', async () => {
  const { workbench, folder } = session;
  const [three, eight] = [3, 8].map((label) => [...digits(50, 5)].find((digit) => digit.label === label)!);
  writeFileSync(join(folder, 'three.png'), png(digitSize, digitSize, three.pixels));
  await page().getByRole('button', { name: 'Choose a picture' }).click();
  await workbench.answerDialog(join(folder, 'three.png'));
  const answer = region('Classify a picture').getByRole('table');
  await answer.getByText('three.png').waitFor();
  expect(await answer.getByRole('row').first().innerText()).toMatch(/^class 3\s/);

  const bytes = [...png(digitSize, digitSize, eight.pixels)];
  await page()
    .locator('.drop')
    .evaluate((target, content) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([Uint8Array.from(content)], 'eight.png'));
      target.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    }, bytes);
  await answer.getByText('eight.png').waitFor();
  expect(await answer.getByRole('row').first().innerText()).toMatch(/^class 8\s/);
  await region('Classify a picture').scrollIntoViewIfNeeded();
  await workbench.screenshot('evaluate-classify');
});

test('a net with a layer that is not known is named with its line before anything runs', async () => {
  const { folder, workbench } = session;
  const text = readFileSync(join(folder, 'train_val.prototxt'), 'utf8').replace(
    'type: "ReLU"',
    'type: "Sparkle"',
  );
  const layers = text.slice(0, text.indexOf('Sparkle')).lastIndexOf('layer {');
  const line = text.slice(0, layers).split('\n').length;
  writeFileSync(join(folder, 'unknown.prototxt'), text);
  await chooseNet('unknown.prototxt');
  const message = await failureOfEvaluation();
  expect(message).toContain(`unknown.prototxt, layer "relu1", line ${line}: unknown layer type "Sparkle"`);
  await workbench.screenshot('evaluate-unknown-layer');
});

test('data that are not there are named, with the places where they were looked for', async () => {
  const { folder, workbench } = session;
  const text = readFileSync(join(folder, 'train_val.prototxt'), 'utf8');
  writeFileSync(join(folder, 'no_data.prototxt'), text.replaceAll('digits_test_lmdb', 'mnist_test_lmdb'));
  await chooseNet('no_data.prototxt');
  const message = await failureOfEvaluation();
  expect(message).toContain('Cannot find the data "mnist_test_lmdb"');
  expect(message).toContain(join(folder, 'mnist_test_lmdb'));
  await workbench.screenshot('evaluate-no-data');
});

test('a deploy net is evaluated on data that are chosen by hand', async () => {
  const { folder } = session;
  const some = [...digits(300, 9)];
  writeIdx(folder, 'few', some, 1);
  writeIdx(folder, 'many', some, 300);
  await chooseNet('deploy.prototxt');
  await page().getByText('none chosen: a deploy net names no data').waitFor();
  expect(
    await page()
      .getByRole('button', { name: /Evaluate$/ })
      .isDisabled(),
  ).toBe(true);
  await chooseData('few-images-idx3-ubyte');
  await evaluate();
  expect(await accuracyOf('lenet.caffemodel')).toBeGreaterThan(95);
  expect(await rowOf('lenet.caffemodel').innerText()).toContain('300');
});

test('a running evaluation can be cancelled, and leaves nothing', async () => {
  const { folder, workbench } = session;
  await chooseData('many-images-idx3-ubyte');
  const before = filesOf(folder);
  await page()
    .getByRole('button', { name: /Evaluate$/ })
    .click();
  await page()
    .getByText(/items, .* % right/)
    .waitFor();
  await workbench.screenshot('evaluate-running');
  await page().getByRole('button', { name: 'Cancel' }).click();
  await page()
    .getByRole('button', { name: /Evaluate$/ })
    .waitFor();
  expect(filesOf(folder)).toEqual(before);
  // The process is usable: the next evaluation works.
  await chooseData('few-images-idx3-ubyte');
  await evaluate();
});

/** Presses the button and waits until its results are there. */
async function evaluate(): Promise<void> {
  await page()
    .getByRole('button', { name: /Evaluate$/ })
    .click();
  await page()
    .getByText(/^Computed by(?!.*Evaluated on)/)
    .waitFor();
}

async function failureOfEvaluation(): Promise<string> {
  await page()
    .getByRole('button', { name: /Evaluate$/ })
    .click();
  const alert = region('What is evaluated').getByRole('alert');
  await alert.waitFor();
  return alert.innerText();
}

const rowOf = (model: string) => region('Results').getByRole('row').filter({ hasText: model });

/** Top-1 of a model in the results, in percent. */
const accuracyOf = async (model: string) =>
  parseFloat(await rowOf(model).getByRole('cell').nth(1).innerText());

async function chooseNet(name: string): Promise<void> {
  await page().getByRole('button', { name: 'Choose: Net' }).click();
  await session.workbench.choose(name);
  await page().locator('.run-files').getByText(name).waitFor();
}

async function chooseData(name: string): Promise<void> {
  await page().getByRole('button', { name: 'Choose: Data' }).click();
  await session.workbench.choose('A File…');
  await session.workbench.answerDialog(join(session.folder, name));
  await page().locator('.run-files').getByText(name).waitFor();
}

/** Writes digits as MNIST's idx files, all of them `times` over. */
function writeIdx(folder: string, name: string, some: readonly Digit[], times: number): void {
  const header = (...words: number[]) => {
    const bytes = Buffer.alloc(4 * words.length);
    words.forEach((word, i) => bytes.writeUInt32BE(word, 4 * i));
    return bytes;
  };
  const repeated = (bytes: Buffer) => Array.from({ length: times }, () => bytes);
  const images = Buffer.concat(some.map(({ pixels }) => Buffer.from(pixels)));
  const labels = Buffer.from(some.map(({ label }) => label));
  const count = some.length * times;
  writeFileSync(
    join(folder, `${name}-images-idx3-ubyte`),
    Buffer.concat([header(0x803, count, digitSize, digitSize), ...repeated(images)]),
  );
  writeFileSync(
    join(folder, `${name}-labels-idx1-ubyte`),
    Buffer.concat([header(0x801, count), ...repeated(labels)]),
  );
}

/** Names of the files and when they were written. */
const filesOf = (folder: string) =>
  readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mtimeMs]);
