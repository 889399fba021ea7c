import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  buildKernels,
  canBuild,
  digestFile,
  kernelModules,
  sourcesDigest,
} from '../../../scripts/kernels.mjs';

const named = kernelModules.map((module) => [basename(dirname(module.folder)), module] as const);
describe.each(named)('the kernels of %s that are checked in', (_, module) => {
  it('were built from these sources with these flags', () => {
    expect(readFileSync(digestFile(module), 'utf8').trim()).toBe(sourcesDigest(module));
  });

  it.skipIf(!canBuild())('are what the compiler makes of them, byte for byte', () => {
    const target = mkdtempSync(join(tmpdir(), 'kernels-'));
    try {
      buildKernels(module, target);
      for (const name of Object.keys(module.files))
        expect(readFileSync(join(target, name)).equals(readFileSync(join(module.folder, name)))).toBe(true);
    } finally {
      rmSync(target, { recursive: true });
    }
  });
});
