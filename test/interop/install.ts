import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The last release of Debian that packages Caffe (1.0.0, for the CPU), and the package. */
const release = 'deb [arch=amd64 signed-by=KEYS] http://deb.debian.org/debian bullseye main';
const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
const wanted = 'caffe';

/** Where it is unpacked; CAFFE_PRUNER_CAFFE lets several checkouts share one. */
const folder = resolve(process.env.CAFFE_PRUNER_CAFFE ?? 'test/interop/.caffe');

/** Written last, so that an install that was cut off is done again. */
const marker = join(folder, 'installed');

/**
 * Downloads the real Caffe and what it depends on (once, about 90 MB; apt checks signatures and digests) and unpacks it
 * into a folder, from which it runs: nothing is installed, and nobody needs to be root.
 * @returns the root of what was unpacked
 * @throws Error that says why this machine cannot have it
 */
export function installCaffe(): string {
  const root = join(folder, 'root');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === release) return root;
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('it runs on Linux on x86-64');
  if (!existsSync(keys)) throw new Error(`apt needs ${keys}, of the package debian-archive-keyring`);

  console.log(`unpacking the real Caffe into ${folder} (once, about 90 MB to download)`);
  rmSync(folder, { recursive: true, force: true });
  // A system of its own for apt, on which nothing is installed yet.
  const archives = join(folder, 'var/cache/apt/archives');
  for (const path of [
    'etc/apt/preferences.d',
    'var/lib/apt/lists/partial',
    'var/cache/apt/archives/partial',
    'root',
  ])
    mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, 'etc/apt/sources.list'), release.replace('KEYS', keys));
  const status = join(folder, 'status');
  writeFileSync(status, '');
  const settings = Object.entries({
    Dir: folder,
    'Dir::State::status': status,
    'APT::Architecture': 'amd64',
    'APT::Architectures': 'amd64',
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': '',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Languages': 'none',
  }).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const run = (program: string, ...args: string[]) => {
    const { error, status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr.trim()}`);
  };
  run('apt-get', ...settings, '-q', 'update');
  run('apt-get', ...settings, '-q', '-y', '--download-only', 'install', wanted);
  for (const name of readdirSync(archives).filter((each) => each.endsWith('.deb')))
    run('dpkg', '-x', join(archives, name), root);
  rmSync(join(folder, 'var'), { recursive: true });
  writeFileSync(`${marker}.tmp`, release);
  renameSync(`${marker}.tmp`, marker);
  return root;
}
