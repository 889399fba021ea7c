import { expect, test } from 'vitest';
import { useWorkbench } from './project';

const session = useWorkbench({ settings: { 'caffePruner.engine': 'native' } });

test('the native engine that is chosen but not installed is refused, with the command that installs it', async () => {
  const { workbench } = session;
  await workbench.open('lenet.caffemodel');
  const page = workbench.webview();
  await page.getByRole('tab', { name: 'Evaluate' }).click();
  await page.getByText('native TensorFlow, which is not installed').waitFor();
  await page.getByRole('button', { name: /Evaluate$/ }).click();
  const message = page.getByRole('alert').filter({ hasText: 'Native TensorFlow is not installed in' });
  await message.waitFor();
  expect(await message.innerText()).toContain('Run the command "Install Native TensorFlow Engine"');
  await workbench.screenshot('engine-not-installed');
});
