// `npm start`: on a fresh clone with Node alone installs, builds, makes the sample project and opens the extension on
// it: in the user's own VS Code when `code` is on PATH, otherwise in a workbench in the browser.
//   npm start -- [FOLDER] [--workbench] [--port N] [--no-open]
// FOLDER instead of the sample; --workbench even where `code` is; --no-open prints the address and opens no browser.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages, onPath, root, run } from './setup.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workbench: { type: 'boolean', default: false },
    port: { type: 'string' },
    'no-open': { type: 'boolean', default: false },
  },
});

/** @param {boolean} done */
const orExit = (done) => done || process.exit(1);

installPackages();
orExit(run('npm', ['run', '-s', 'build']));
const sample = join(root, 'sample');
const folder = resolve(positionals[0] ?? sample);
if (folder === sample && !existsSync(join(sample, 'digits_train_lmdb', 'data.mdb'))) {
  console.log('== making the sample project');
  orExit(run('npm', ['run', '-s', 'sample']));
}

const code = onPath('code', 'code-insiders', 'codium');
if (code && !values.workbench) {
  console.log(`== opening ${folder} in ${code}`);
  orExit(run(code, [`--extensionDevelopmentPath=${root}`, '--new-window', folder]));
} else {
  const server = spawn(
    process.execPath,
    ['scripts/run.mjs', 'scripts/serve.ts', folder, ...(values.port ? [values.port] : [])],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let opened = values['no-open'];
  server.stdout.on('data', (chunk) => {
    process.stdout.write(chunk);
    const address = /http:\S+/.exec(chunk.toString());
    if (address && !opened) openBrowser(address[0]);
    opened ||= address !== null;
  });
  server.on('exit', (status) => process.exit(status ?? 0));
  process.on('SIGINT', () => server.kill('SIGINT'));
  process.on('SIGTERM', () => server.kill('SIGTERM'));
}

/**
 * Opens an address in the user's browser where this platform has a way to; the address is printed anyhow.
 * @param {string} address
 */
function openBrowser(address) {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', address]
      : process.platform === 'win32'
        ? ['explorer', address]
        : ['xdg-open', address];
  spawn(command, args, { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}
