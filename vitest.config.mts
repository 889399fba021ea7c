import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vitest/config';

/** Loads what the bundler puts into the code (scripts/build.mjs), so that tests run the sources as they are. */
const assets: Plugin = {
  name: 'assets',
  enforce: 'pre',
  load(id) {
    const file = id.split('?')[0];
    if (/\.proto(txt)?$/.test(file)) return `export default ${JSON.stringify(readFileSync(file, 'utf8'))}`;
    if (/\.(wasm|caffemodel)$/.test(file))
      return `export default new Uint8Array(Buffer.from(${JSON.stringify(readFileSync(file).toString('base64'))}, 'base64'))`;
    return null;
  },
};

/** Unit tests need the repository alone; the reference suite needs ../shared; e2e needs a Chromium; interop the real Caffe. */
export default defineConfig({
  plugins: [assets],
  test: {
    pool: 'forks',
    maxWorkers: 2,
    // To end what hangs, not to measure: a machine may have other work, and its disk too.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], setupFiles: ['test/support/seed.ts'] },
      },
      { extends: true, test: { name: 'reference', include: ['test/reference/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.spec.ts'],
          globalSetup: ['test/e2e/setup.ts'],
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'interop',
          include: ['test/interop/**/*.test.ts'],
          globalSetup: ['test/interop/setup.ts'],
        },
      },
    ],
  },
});
