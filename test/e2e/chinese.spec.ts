import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { goTo, quickFix, savedText } from './editor';
import { useWorkbench } from './project';

const session = useWorkbench({ locale: 'zh-cn', size: { width: 1280, height: 1500 } });
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
const texts = read('l10n/bundle.l10n.zh-cn.json');
const manifest = read('package.nls.zh-cn.json');
const english = read('package.nls.json');
const pathOf = (file: string): string => join(session.folder, file);
const page = () => session.workbench.webview();
const button = (text: string) => page().getByRole('button', { name: texts[text] });
/** An item of a menu by its English title. */
const menuItem = (title: RegExp) => manifest[Object.keys(english).find((key) => title.test(english[key]))!];
/** Where English words stand in a row. What computed is told as it is in the files that keep the figures. */
const englishWords = async () =>
  (await page().locator('body').innerText())
    .replace('WASM relaxed SIMD', '')
    .match(/[A-Za-z’]{2,}(?: [A-Za-z’]{2,})+/g) ?? [];

test('in Chinese the page and the menus speak Chinese', async () => {
  const { workbench } = session;
  await workbench.open('lenet.caffemodel');
  await page().getByRole('heading', { name: 'LeNet', exact: true }).waitFor();
  for (const text of ['Zeros', 'Parameters']) {
    expect(texts[text]).toMatch(/\p{Script=Han}/u);
    await page().getByRole('columnheader', { name: texts[text] }).waitFor();
  }
  expect(await englishWords()).toEqual([]);
  await workbench.screenshot('chinese');
  await page().getByRole('tab', { name: texts.Prune }).click();
  await button('Prune').waitFor();
  expect(await englishWords()).toEqual([]);
  await workbench.screenshot('chinese-prune-view');

  await workbench.contextMenu('lenet.caffemodel', menuItem(/^Prune Model/));
  const picker = workbench.page
    .locator('.quick-input-widget')
    .filter({ hasText: texts['Keep Ratio of Each Layer'] });
  await picker.waitFor();
  await workbench.screenshot('chinese-prune');
  await workbench.page.keyboard.press('Escape');
});

test('a diagnostic and its quick fix are Chinese', async () => {
  const { workbench } = session;
  const deploy = readFileSync(pathOf('deploy.prototxt'), 'utf8');
  writeFileSync(pathOf('broken.prototxt'), deploy.replace('pool: MAX', 'pool: MAXX'));
  await goTo(session, 'broken.prototxt', 'pool: MAXX');
  await workbench.page.locator('.squiggly-error').first().waitFor();
  await workbench.run('Show or Focus Hover');
  await workbench.page
    .locator('.monaco-hover')
    .getByText('“pool”必须是以下之一：MAX, AVE, STOCHASTIC；您是否想写 MAX？')
    .first()
    .waitFor();
  await workbench.screenshot('chinese-problem');
  await quickFix(session, '改为 MAX');
  expect(await savedText(session, 'broken.prototxt', (now) => !now.includes('MAXX'))).toBe(deploy);
});

test('an error of a job is Chinese', async () => {
  const { workbench } = session;
  writeFileSync(pathOf('text.caffemodel'), readFileSync(pathOf('deploy.prototxt')));
  await workbench.open('text.caffemodel');
  await page()
    .getByText('这是网络的文本（prototxt），不是带权重的模型。请将其重命名为 .prototxt。')
    .waitFor();

  renameSync(pathOf('digits_test_lmdb'), pathOf('elsewhere'));
  await workbench.contextMenu('lenet.caffemodel', menuItem(/^Evaluate Model/));
  await page().getByText('train_val.prototxt', { exact: true }).first().waitFor();
  await button('Evaluate').click();
  await page()
    .getByText(/找不到数据“.*digits_test_lmdb”。已尝试 .*。请更正路径，或指明其位置。/)
    .waitFor();
  await workbench.screenshot('chinese-error');
  renameSync(pathOf('elsewhere'), pathOf('digits_test_lmdb'));
  await button('Evaluate').click();
  await page().getByRole('heading', { name: texts['Confusion matrix'] }).waitFor();
  expect(await englishWords()).toEqual([]);
  await workbench.screenshot('chinese-evaluated');
});

test('a sweep is Chinese', async () => {
  const { workbench } = session;
  await workbench.contextMenu('lenet.caffemodel', menuItem(/^Sweep Sensitivity/));
  await page().getByText('train_val.prototxt', { exact: true }).first().waitFor();
  await button('The LeNet Tutorial’s Ratios').click();
  await page().getByLabel(texts['Only the first']).check();
  await page().getByLabel(texts['Number of items']).fill('200');
  await button('Sweep').click();
  await page()
    .getByText(texts['{0} of {1} keep ratios are measured.'].replace('{0}', '20').replace('{1}', '20'))
    .waitFor();
  expect(await englishWords()).toEqual([]);
  await workbench.screenshot('chinese-sweep');
});

test('a retraining is Chinese', async () => {
  const { workbench } = session;
  await workbench.contextMenu('lenet.caffemodel', menuItem(/^Retrain Model/));
  await page().getByText('solver.prototxt', { exact: true }).first().waitFor();
  await page().getByRole('textbox', { name: texts.Iterations, exact: true }).fill('40');
  await workbench.screenshot('chinese-retrain');
  await button('Retrain').click();
  await button('Open Result').waitFor();
  expect(await englishWords()).toEqual([]);
  await workbench.screenshot('chinese-retrained');
});
