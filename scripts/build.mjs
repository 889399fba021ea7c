// One bundler build for all that ships: extension, worker, command line and webview page.
import * as esbuild from 'esbuild';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loader } from './loader.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const watch = process.argv.includes('--watch');
const production = process.argv.includes('--production');

/** @type {esbuild.BuildOptions} */
const shared = {
  absWorkingDir: root,
  bundle: true,
  sourcemap: production ? false : 'linked',
  minify: production,
  logLevel: 'warning',
  loader,
};

/** @type {Record<string, string>} bundle name to entry file; a room that is not built yet has no entry */
const nodeEntries = {
  extension: 'src/extension.ts',
  worker: 'src/worker/main.ts',
  cli: 'src/cli.ts',
};

/** @type {Record<string, string>} */
const pageEntries = {
  model: 'webview/model/main.tsx',
  graph: 'webview/graph/main.tsx',
};

const present = (/** @type {Record<string, string>} */ entries) =>
  Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(`${root}/${file}`)));

/** @type {esbuild.BuildOptions[]} */
const builds = [
  {
    ...shared,
    entryPoints: present(nodeEntries),
    outdir: 'dist',
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // The native engine is optional and installed apart from the extension.
    external: ['vscode', '@tensorflow/tfjs-node'],
  },
  {
    ...shared,
    entryPoints: present(pageEntries),
    outdir: 'dist/webview',
    platform: 'browser',
    format: 'iife',
    target: 'chrome128',
    jsx: 'automatic',
    jsxImportSource: 'preact',
  },
];

rmSync(`${root}/dist`, { recursive: true, force: true });
for (const options of builds) {
  if (Object.keys(options.entryPoints ?? {}).length === 0) continue;
  if (watch) await (await esbuild.context(options)).watch();
  else await esbuild.build(options);
}
