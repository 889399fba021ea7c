// `npm run package`: makes caffe-pruner.vsix and checks what is in it.
import { createVSIX } from '@vscode/vsce';
import { unzipSync } from 'fflate';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const file = join(root, 'caffe-pruner.vsix');
await createVSIX({
  cwd: root,
  packagePath: file,
  // All that runs is in the bundles of dist/; pictures of the README are in media/.
  dependencies: false,
  rewriteRelativeLinks: false,
  allowMissingRepository: true,
});

/** What may be inside: no source, test, source map, dependency or native module. */
const allowed = [
  /^(\[Content_Types\]\.xml|extension\.vsixmanifest)$/,
  /^extension\/(package\.json|package\.nls(\.[a-z-]+)?\.json|readme\.md|changelog\.md|LICENSE\.txt)$/i,
  /^extension\/dist\/[a-z-]+\.js$/,
  /^extension\/dist\/webview\/[a-z-]+\.(js|css|ttf)$/,
  /^extension\/media\/[\w./-]+\.(svg|png|json|md)$/,
  /^extension\/l10n\/bundle\.l10n(\.[a-z-]+)?\.json$/,
];
const needed = [
  'extension/package.json',
  'extension/readme.md',
  'extension/changelog.md',
  'extension/LICENSE.txt',
  'extension/dist/extension.js',
];
const megabytes = 8;

const packed = readFileSync(file);
const names = Object.keys(unzipSync(packed)).filter((name) => !name.endsWith('/'));
const problems = [
  ...names
    .filter((name) => !allowed.some((pattern) => pattern.test(name)))
    .map((name) => `unexpected: ${name}`),
  ...needed.filter((name) => !names.includes(name)).map((name) => `missing: ${name}`),
  ...(packed.length > megabytes * 1e6 ? [`larger than ${megabytes} MB`] : []),
];
console.log(`caffe-pruner.vsix: ${names.length} files, ${(packed.length / 1e6).toFixed(2)} MB`);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
