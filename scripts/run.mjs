// Runs a TypeScript file of this repository: `node scripts/run.mjs FILE.ts [arguments…]`. Bundled by esbuild with
// the loaders of the build, so that it sees the sources as the extension does; packages stay outside.
import * as esbuild from 'esbuild';
import { mkdirSync, rmSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { loader } from './loader.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [file, ...rest] = process.argv.slice(2);
if (!file) {
  console.error('usage: node scripts/run.mjs FILE.ts [arguments…]');
  process.exit(2);
}
const entry = resolve(file);
const cache = `${root}/node_modules/.cache/run`;
const outfile = `${cache}/${basename(entry, '.ts')}-${process.pid}.mjs`;
mkdirSync(cache, { recursive: true });
await esbuild.build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  loader,
  logLevel: 'warning',
});
process.argv = [process.argv[0], entry, ...rest];
process.on('exit', () => rmSync(outfile, { force: true }));
await import(pathToFileURL(outfile).href);
