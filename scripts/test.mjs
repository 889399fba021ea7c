// `npm test`: installs what it needs, then runs every check and test and closes with one line of counts.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const run = (command, args) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' }).status === 0;

if (!existsSync(`${root}/node_modules/.bin/tsc`) && !run(npm, ['ci'])) process.exit(1);

let passed = 0;
let failed = 0;
const step = (name, args) => {
  console.log(`\n== ${name}`);
  if (run(npm, args)) passed++;
  else failed++;
};
step('format', ['run', '-s', 'format:check']);
step('lint', ['run', '-s', 'lint']);
step('types', ['run', '-s', 'typecheck']);
step('build', ['run', '-s', 'build']);

const suite = (name) => {
  const report = `${root}/node_modules/.cache/${name}.json`;
  rmSync(report, { force: true });
  console.log(`\n== ${name} tests`);
  const ok = run('npx', [
    'vitest',
    'run',
    '--project',
    name,
    '--passWithNoTests',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  const counts = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : { numPassedTests: 0, numFailedTests: 0 };
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  if (!ok && counts.numFailedTests === 0) failed++;
};
suite('unit');
if (existsSync(`${root}/../shared/golden`)) suite('reference');
else console.log('\n== reference tests skipped: ../shared is not there');

console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
