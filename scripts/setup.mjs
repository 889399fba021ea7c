// What `npm start` and `npm test` share. Runs with Node alone, before anything is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const windows = process.platform === 'win32';

/**
 * Runs a command in the repository and tells whether it succeeded.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env] added to ours
 */
export function run(command, args, env = {}) {
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    // npm and npx are scripts there.
    shell: windows && !command.includes('\\'),
    env: { ...process.env, ...env },
  });
  return status === 0;
}

/** Installs the packages of package-lock.json unless they are there. */
export function installPackages() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const changed = (/** @type {string} */ file) => statSync(file).mtimeMs;
  if (existsSync(installed) && changed(installed) >= changed(join(root, 'package-lock.json'))) return;
  console.log('== installing packages');
  if (!run('npm', ['ci', '--no-audit', '--no-fund'])) process.exit(1);
}

/**
 * The first of some programs that PATH holds, as a whole path.
 * @param {...string} names
 */
export function onPath(...names) {
  const endings = windows ? ['.exe', '.cmd'] : [''];
  return (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => names.flatMap((name) => endings.map((ending) => join(folder, name + ending))))
    .find((file) => existsSync(file));
}

/** A Chromium: the one that CHROMIUM names, one on PATH, or one in a usual place of this platform. */
export function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const found = onPath(
    ...['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'],
    ...['microsoft-edge', 'msedge'],
  );
  if (found) return found;
  const usual =
    process.platform === 'darwin'
      ? ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
          (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
        )
      : [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA].flatMap(
          (folder) =>
            folder === undefined
              ? []
              : [
                  join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'),
                  join(folder, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
                ],
        );
  return usual.find((file) => existsSync(file));
}

/** A Chromium, installed by Debian's package manager when there is none and we may. */
export function ensureChromium() {
  const found = findChromium();
  if (found || process.getuid?.() !== 0 || !onPath('apt-get')) return found;
  console.log('== installing Chromium');
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['-qq', 'update'], quiet);
  run('apt-get', ['-qq', '-y', 'install', '--no-install-recommends', 'chromium'], quiet);
  return findChromium();
}
