import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { createSample } from '../../src/jobs/sample';
import { type Workbench, type WorkbenchOptions, startWorkbench } from './workbench';

/** Models of others, which users do not have. */
const shared = join(process.cwd(), '..', 'shared', 'models');
export const hasSharedModels = existsSync(shared);

/** A workspace of a test's own: the sample project with few digits, and copies of real models where they are there. */
export async function makeProject(...models: string[]): Promise<string> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'caffe-pruner-project-')));
  const job = createSample({ folder, train: 640, test: 200 }, { signal: new AbortController().signal });
  while (!(await job.next()).done);
  if (hasSharedModels)
    for (const model of models)
      cpSync(join(shared, model), join(folder, basename(model)), { recursive: true });
  return folder;
}

/**
 * One workbench for the tests of a file, on a project of its own; a test that fails leaves a picture of the window.
 * @param models files and folders of ../shared/models to copy into the project, where they are there
 */
export function useWorkbench(
  options: Omit<WorkbenchOptions, 'folder'> = {},
  models: string[] = [],
): { readonly workbench: Workbench; readonly folder: string } {
  let workbench: Workbench | undefined;
  let folder = '';
  beforeAll(async () => {
    folder = await makeProject(...models);
    workbench = await startWorkbench({ ...options, folder, extensions: inject('extensions') });
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail')
      await workbench?.screenshot(`failed-${task.name.replace(/\W+/g, '-')}`);
  });
  afterAll(async () => {
    await workbench?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  });
  return {
    get workbench() {
      return workbench!;
    },
    get folder() {
      return folder;
    },
  };
}
