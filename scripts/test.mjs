// `npm test`: installs what it needs, runs every check and test, says what it skipped, and closes with one line of
// counts. `npm test -- --strict` fails when anything was skipped.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureChromium, installPackages, root, run } from './setup.mjs';

const strict = process.argv.includes('--strict');
const total = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const remarks = [];

const title = (/** @type {string} */ name) => console.log(`\n== ${name}`);

/** A check that passes or fails as a whole. */
const check = (/** @type {string} */ name, /** @type {string} */ script) => {
  title(name);
  const passed = run('npm', ['run', '-s', script]);
  if (passed) total.passed++;
  else {
    total.failed++;
    remarks.push(`failed: ${name}`);
  }
  return passed;
};

const skip = (/** @type {string} */ name, /** @type {string} */ why) => {
  title(name);
  total.skipped++;
  remarks.push(`skipped: ${name}: ${why}`);
};

/** One run of a project of vitest.config.mts, of all its files or of some: whether it went well, and each file's tests. */
const vitest = (
  /** @type {string} */ name,
  /** @type {NodeJS.ProcessEnv} */ env,
  /** @type {string[]} */ files = [],
) => {
  const report = join(root, 'node_modules', '.cache', `${name}.json`);
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const ran = run('npx', ['vitest', 'run', '--project', name, ...reporters, ...files], env);
  /** @type {{ name: string; status: string; assertionResults: { status: string; fullName: string; failureMessages: string[] }[] }[]} */
  const results = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : [];
  return { ran, results };
};

/**
 * A project of vitest.config.mts; its tests are counted one by one.
 * @param again files that fail run once more, from their first test on; what passes then counts as passed and is named
 *   as unsteady. For tests that drive a browser beside whatever else the machine does.
 */
const suite = (/** @type {string} */ name, /** @type {NodeJS.ProcessEnv} */ env = {}, again = false) => {
  title(`${name} tests`);
  let { ran, results } = vitest(name, env);
  const failed = results.filter(({ status }) => status === 'failed');
  if (again && failed.length > 0) {
    title(`${name} tests once more: ${failed.length} of ${results.length} files failed`);
    const second = vitest(
      name,
      env,
      failed.map(({ name }) => name),
    );
    for (const { assertionResults } of failed)
      for (const { status, fullName } of assertionResults)
        if (status === 'failed') remarks.push(`unsteady: ${name}: failed in the first run: ${fullName}`);
    ran = second.ran;
    results = [...results.filter((file) => !failed.includes(file)), ...second.results];
  }
  let failures = 0;
  for (const file of results)
    for (const { status, fullName, failureMessages } of file.assertionResults)
      if (status === 'passed') total.passed++;
      else if (status === 'failed') {
        failures++;
        // Said again at the end, since it is the end of a long output that is kept.
        remarks.push(`failed: ${name}: ${fullName}: ${failureMessages[0]?.split('\n')[0]}`);
      } else {
        total.skipped++;
        remarks.push(`skipped: ${name}: ${fullName}`);
      }
  // A file that cannot even be loaded has no test that fails.
  total.failed += failures || (ran ? 0 : 1);
  if (!ran) remarks.push(`failed: ${name} tests`);
};

installPackages();
check('format', 'format:check');
check('lint', 'lint');
check('types', 'typecheck');
check('build', 'build');
suite('unit');
if (existsSync(join(root, '..', 'shared', 'golden'))) suite('reference');
else skip('reference tests', '../shared, which holds the reference data, is not there');
const packed = check('package', 'package');
if (!packed) skip('e2e tests', 'there is no VSIX to install');
else if (!ensureChromium()) skip('e2e tests', 'no Chromium found; install one, or name it in CHROMIUM');
else suite('e2e', { VSIX: 'caffe-pruner.vsix' }, true);

console.log(remarks.length > 0 ? `\n${remarks.join('\n')}` : '');
if (strict && total.skipped > 0) console.log('Nothing may be skipped here (--strict): that is a failure.');
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(total.failed > 0 || (strict && total.skipped > 0) ? 1 : 0);
