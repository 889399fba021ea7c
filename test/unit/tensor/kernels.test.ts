import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildKernels, built, canBuild, sourcesDigest } from '../../../scripts/kernels.mjs';

describe('the kernels that are checked in', () => {
  it('were built from these sources with these flags', () => {
    expect(readFileSync(built.digestFile, 'utf8').trim()).toBe(sourcesDigest());
  });

  it.skipIf(!canBuild())('are what the compiler makes of them, byte for byte', () => {
    const target = mkdtempSync(join(tmpdir(), 'kernels-'));
    try {
      buildKernels(target);
      for (const name of built.names)
        expect(readFileSync(join(target, name)).equals(readFileSync(join(built.folder, name)))).toBe(true);
    } finally {
      rmSync(target, { recursive: true });
    }
  });
});
