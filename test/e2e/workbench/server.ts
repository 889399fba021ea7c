import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { workbenchEntry, workbenchNode } from './install';

/**
 * An extensions folder that holds this extension: from the packed VSIX, or (`vsix` not given) linked to the built
 * checkout, which is faster and follows each build.
 */
export function extensionsFolder(vsix?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'caffe-pruner-extensions-'));
  if (vsix !== undefined) {
    const data = mkdtempSync(join(tmpdir(), 'caffe-pruner-data-'));
    execFileSync(
      workbenchNode,
      [
        workbenchEntry,
        '--install-extension',
        resolve(vsix),
        '--extensions-dir',
        folder,
        '--user-data-dir',
        data,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    rmSync(data, { recursive: true, force: true });
    return folder;
  }
  const { publisher, name, version } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
    string,
    string
  >;
  // The whole folder: VS Code tells extensions apart by the real paths of their files, and would give files behind a
  // link of their own neither translations nor settings.
  symlinkSync(resolve('.'), join(folder, `${publisher}.${name}-${version}`), 'junction');
  return folder;
}

export interface ServerOptions {
  /** Folder opened as the workspace. */
  folder: string;
  /** See {@link extensionsFolder}. */
  extensions: string;
  /** VS Code settings on top of those that keep the workbench quiet. */
  settings?: Record<string, unknown>;
  /** Language of VS Code, such as `zh-cn`. */
  locale?: string;
  /** 0 or missing: any free port. */
  port?: number;
}

export interface Server {
  /** Opens the workspace. */
  url: string;
  /** Where the workbench keeps this run's settings and state. */
  userData: string;
  /** What the server printed. */
  output(): string;
  /** Kills, of the extension's background processes in this workbench, the one that has worked most. */
  killBusiestWorker(): void;
  /** The disk takes no more than so many bytes of a file of that process. */
  limitFilesOfBusiestWorker(bytes: number): void;
  stop(): Promise<void>;
}

const quiet = {
  'workbench.startupEditor': 'none',
  'telemetry.telemetryLevel': 'off',
  'window.restoreWindows': 'none',
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.tips.enabled': false,
  'extensions.ignoreRecommendations': true,
  'update.mode': 'none',
  'git.enabled': false,
};

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}

/** Starts a workbench server with state of its own and waits until it answers. */
export async function startServer({
  folder,
  extensions,
  settings,
  locale,
  port,
}: ServerOptions): Promise<Server> {
  const userData = mkdtempSync(join(tmpdir(), 'caffe-pruner-user-'));
  // Settings of scope "machine" come from the machine that the server runs on.
  for (const scope of ['User', 'Machine']) {
    mkdirSync(join(userData, scope), { recursive: true });
    writeFileSync(join(userData, scope, 'settings.json'), JSON.stringify({ ...quiet, ...settings }));
  }
  if (locale) addLanguage(userData, locale);
  const chosen = port || (await freePort());
  const child = spawn(
    workbenchNode,
    [
      workbenchEntry,
      ...['--auth', 'none', '--bind-addr', `127.0.0.1:${chosen}`, '--user-data-dir', userData],
      ...['--extensions-dir', extensions, '--config', join(userData, 'config.yaml')],
      ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'],
      ...(locale ? ['--locale', locale] : []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], detached: process.platform !== 'win32', env: environment() },
  );
  let printed = '';
  const keep = (chunk: Buffer) => (printed = (printed + chunk.toString()).slice(-100_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const stop = async () => {
    await end(child);
    rmSync(userData, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  const address = `http://127.0.0.1:${chosen}`;
  const deadline = Date.now() + 120_000;
  for (;;) {
    if (
      await fetch(`${address}/healthz`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      break;
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`The workbench did not start on ${address}:\n${printed}`);
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  return {
    url: `${address}/?folder=${encodeURI(resolve(folder))}`,
    userData,
    output: () => printed,
    killBusiestWorker: () => process.kill(busiestWorker(child.pid!), 'SIGKILL'),
    limitFilesOfBusiestWorker(bytes) {
      const limit = `--fsize=${bytes === Infinity ? 'unlimited' : bytes}:unlimited`;
      execFileSync('prlimit', ['--pid', String(busiestWorker(child.pid!)), limit]);
    },
    stop,
  };
}

/**
 * Makes VS Code speak a language without its language pack: the workbench stays English, extensions get their own
 * translations.
 */
function addLanguage(userData: string, locale: string): void {
  const translation = join(userData, 'translation.json');
  writeFileSync(translation, JSON.stringify({ version: '1.0.0', contents: {} }));
  const extensions = [{ extensionIdentifier: { id: 'test.language-pack' }, version: '1.0.0' }];
  const pack = { hash: 'none', label: locale, extensions, translations: { vscode: translation } };
  writeFileSync(join(userData, 'languagepacks.json'), JSON.stringify({ [locale]: pack }));
}

/** The workbench is a VS Code of its own: nothing of one that we may be running in must reach it. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(VSCODE_|ELECTRON_|NODE_OPTIONS$|VITEST|npm_)/i.test(name),
    ),
  );
}

/** Of the processes that a server started, all of which are in its group. */
function busiestWorker(group: number): number {
  const seconds = (time: string) =>
    time
      .split(/[-:]/)
      .reduce((sum, part, i, { length }) => sum + Number(part) * [1, 60, 3600, 86400][length - 1 - i], 0);
  const workers = execFileSync('ps', ['-A', '-o', 'pid=,pgid=,time=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, ofGroup, , ...args]) => Number(ofGroup) === group && /dist.worker\.js/.test(args.join(' ')))
    .map(([pid, , time]) => ({ pid: Number(pid), time: seconds(time) }))
    .sort((a, b) => b.time - a.time);
  if (workers.length === 0) throw new Error('No background process of the extension runs');
  return workers[0].pid;
}

/** Ends the server and the extension hosts it started. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const ended = new Promise((done) => child.once('exit', done));
  const signal = (name: NodeJS.Signals) => {
    try {
      if (process.platform === 'win32') child.kill(name);
      else process.kill(-child.pid!, name);
    } catch {
      // Gone in between.
    }
  };
  signal('SIGTERM');
  const forced = setTimeout(signal, 5_000, 'SIGKILL');
  await ended;
  clearTimeout(forced);
}
