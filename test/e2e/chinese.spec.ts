import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { useWorkbench } from './project';

const session = useWorkbench({ locale: 'zh-cn' });
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
const texts = read('l10n/bundle.l10n.zh-cn.json');
const manifest = read('package.nls.zh-cn.json');
const english = read('package.nls.json');

test('in Chinese the page and the menus speak Chinese', async () => {
  const { workbench } = session;
  await workbench.open('lenet.caffemodel');
  const page = workbench.webview();
  await page.getByRole('heading', { name: 'LeNet' }).waitFor();
  for (const text of ['Zeros', 'Parameters']) {
    expect(texts[text]).toMatch(/\p{Script=Han}/u);
    await page.getByRole('columnheader', { name: texts[text] }).waitFor();
  }
  await page.getByRole('tab', { name: texts.Prune }).waitFor();
  await workbench.screenshot('chinese');

  const key = Object.keys(english).find((name) => /^Prune Model/.test(english[name]))!;
  await workbench.contextMenu('lenet.caffemodel', manifest[key]);
  await workbench.page
    .locator('.quick-input-widget')
    .filter({ hasText: texts['Keep Ratio of Each Layer'] })
    .waitFor();
  await workbench.screenshot('chinese-prune');
});
