import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Workbench, startWorkbench } from './workbench';

let workbench: Workbench;
const folder = mkdtempSync(join(tmpdir(), 'caffe-pruner-workspace-'));

beforeAll(async () => {
  writeFileSync(join(folder, 'notes.txt'), 'a plain file\n');
  workbench = await startWorkbench({ folder, extensions: inject('extensions') });
});
afterAll(async () => {
  await workbench?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('the workbench opens a file of the workspace', async () => {
  await workbench.open('notes.txt');
  await workbench.page.getByText('a plain file').waitFor();
  await workbench.screenshot('workbench');
  expect(await workbench.tab('notes.txt').count()).toBe(1);
});
