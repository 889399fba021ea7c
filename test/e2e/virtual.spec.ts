import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { makeProject } from './project';
import { startWorkbench, type Workbench } from './workbench';

/** An extension with a file system of its own, whose one file is a model. */
const provider = (model: string) => `
const { readFileSync } = require('node:fs');
const vscode = require('vscode');
const bytes = () => readFileSync(${JSON.stringify(model)});
exports.activate = () => {
  const none = () => { throw vscode.FileSystemError.NoPermissions(); };
  vscode.workspace.registerFileSystemProvider('memory', {
    onDidChangeFile: new vscode.EventEmitter().event,
    watch: () => ({ dispose() {} }),
    stat: () => ({ type: vscode.FileType.File, ctime: 0, mtime: 0, size: bytes().length }),
    readFile: bytes,
    readDirectory: () => [['lenet.caffemodel', vscode.FileType.File]],
    createDirectory: none, writeFile: none, delete: none, rename: none,
  }, { isReadonly: true });
  vscode.commands.registerCommand('memory.open', () =>
    vscode.commands.executeCommand('vscode.openWith', vscode.Uri.parse('memory:/folder/lenet.caffemodel'), 'caffePruner.model'));
};`;

let workbench: Workbench;
const extensions = mkdtempSync(join(tmpdir(), 'caffe-pruner-virtual-'));
let folder = '';

beforeAll(async () => {
  folder = await makeProject();
  cpSync(inject('extensions'), extensions, { recursive: true });
  // The list of what is installed: without it, VS Code looks what is there.
  rmSync(join(extensions, 'extensions.json'), { force: true });
  const own = join(extensions, 'test.memory-files-0.0.1');
  mkdirSync(own);
  writeFileSync(join(own, 'main.js'), provider(join(folder, 'lenet.caffemodel')));
  writeFileSync(
    join(own, 'package.json'),
    JSON.stringify({
      ...{ name: 'memory-files', publisher: 'test', version: '0.0.1', main: './main.js' },
      engines: { vscode: '^1.90.0' },
      activationEvents: ['onFileSystem:memory'],
      contributes: { commands: [{ command: 'memory.open', title: 'Open Model of Memory' }] },
    }),
  );
  workbench = await startWorkbench({ folder, extensions });
});
afterAll(async () => {
  await workbench?.stop();
  for (const each of [folder, extensions])
    rmSync(each, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

test('a model in a virtual folder is shown; what runs nets says that it has to be on a disk', async () => {
  await workbench.run('Open Model of Memory');
  const page = workbench.webview();
  await page.getByRole('heading', { name: 'LeNet' }).waitFor();
  await page.getByRole('tab', { name: 'Evaluate' }).click();
  await page.getByText('The model is in a virtual folder: copy it and its net to a disk first.').waitFor();
  expect(await page.getByRole('button', { name: /Evaluate$/ }).isDisabled()).toBe(true);
  await workbench.screenshot('virtual');
});
