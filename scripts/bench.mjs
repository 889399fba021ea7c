// `npm run bench [-- WORD…]`: runs bench/*.bench.ts, those whose names hold a WORD if any is given, one after the other,
// each in a process of its own.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, root, run } from './setup.mjs';

installPackages();
const words = process.argv.slice(2);
const benches = readdirSync(join(root, 'bench'))
  .filter((name) => name.endsWith('.bench.ts'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
const failed = benches.filter((name) => !run(process.execPath, ['scripts/run.mjs', `bench/${name}`]));
if (failed.length > 0) console.error(`failed: ${failed.join(', ')}`);
process.exit(failed.length > 0 ? 1 : 0);
