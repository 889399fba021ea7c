import { expect, test } from 'vitest';
import { useWorkbench } from './project';

const session = useWorkbench({ trusted: false });

test('in a workspace that is not trusted models are shown but neither pruned nor evaluated', async () => {
  const { workbench } = session;
  await workbench.open('lenet.caffemodel');
  const page = workbench.webview();
  await page.getByRole('heading', { name: 'LeNet' }).waitFor();
  await page.getByRole('tab', { name: 'Prune' }).click();
  await page.getByText('until you trust this workspace').waitFor();
  await workbench.screenshot('restricted');
  await page.getByRole('tab', { name: 'Evaluate' }).click();
  await page.getByText('trust the workspace first').waitFor();
  expect(await page.getByRole('button', { name: /Evaluate$/ }).isDisabled()).toBe(true);
  await workbench.screenshot('restricted-evaluate');
  await (await workbench.inExplorer('lenet.caffemodel')).click({ button: 'right' });
  const item = workbench.page.locator('.monaco-menu .action-item').filter({ hasText: 'Prune Model' });
  await workbench.page.locator('.monaco-menu').waitFor();
  const offered = (await item.count()) > 0 && !(await item.getAttribute('class'))!.includes('disabled');
  expect(offered).toBe(false);
});
