// Builds the kernels of the portable engine: `node scripts/kernels.mjs`. Needs clang and wasm-ld (LLVM 19; other
// versions in CLANG). The results are checked in, with the digest of the sources they were built from, so that
// nobody else needs the compiler; `--check` says whether they still match.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../src/tensor/kernels', import.meta.url));
const digestFile = join(folder, 'sources.sha256');
const compiler = process.env.CLANG ?? 'clang-19';

/** File to the flags that make it different from the others. */
const variants = { 'simd.wasm': [], 'relaxed.wasm': ['-mrelaxed-simd'] };

const flags = [
  '--target=wasm32',
  '-std=c17',
  '-O3',
  '-msimd128',
  '-mbulk-memory',
  '-matomics',
  // Whether to fuse is said in the sources (madd): no compiler may change a result.
  '-ffp-contract=off',
  '-fno-math-errno',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-unused-parameter',
  '-nostdlib',
  '-Wl,--no-entry',
  '-Wl,--import-memory',
  '-Wl,--shared-memory',
  '-Wl,--max-memory=4294967296',
  '-Wl,--export=__stack_pointer',
  '-Wl,--export=__heap_base',
  '-Wl,-z,stack-size=65536',
  '-Wl,--strip-all',
];

const sources = readdirSync(folder)
  .filter((name) => /\.[ch]$/.test(name))
  .sort();

/** Digest of all that decides what the kernels are. */
export function sourcesDigest() {
  const hash = createHash('sha256').update(JSON.stringify([flags, variants]));
  for (const name of sources) hash.update(`\0${name}\0`).update(readFileSync(join(folder, name)));
  return hash.digest('hex');
}

/** Whether there is a compiler to build with. */
export function canBuild() {
  try {
    execFileSync(compiler, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * Compiles into a folder.
 * @param {string} target
 */
export function buildKernels(target) {
  const files = sources.filter((name) => name.endsWith('.c'));
  for (const [name, own] of Object.entries(variants))
    execFileSync(compiler, [...flags, ...own, '-o', join(target, name), ...files], {
      cwd: folder,
      stdio: 'inherit',
    });
}

/** Names of the built files, and where they and the digest of their sources lie. */
export const built = { folder, names: Object.keys(variants), digestFile };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    if (readFileSync(digestFile, 'utf8').trim() !== sourcesDigest()) {
      console.error('The kernels were not built from these sources: run node scripts/kernels.mjs');
      process.exit(1);
    }
  } else {
    const target = mkdtempSync(join(folder, '.build-'));
    try {
      buildKernels(target);
      for (const name of built.names) renameSync(join(target, name), join(folder, name));
      writeFileSync(digestFile, `${sourcesDigest()}\n`);
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  }
}
