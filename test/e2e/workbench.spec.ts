import { expect, test } from 'vitest';
import { useWorkbench } from './project';

const session = useWorkbench();

test('the workbench shows the project and opens a file of it', async () => {
  const { workbench } = session;
  await workbench.open('deploy.prototxt');
  await workbench.page.getByText('LeNet as a device runs it').first().waitFor();
  await workbench.screenshot('workbench');
  expect(await workbench.tab('deploy.prototxt').count()).toBe(1);
});
