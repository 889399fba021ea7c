// Builds the WebAssembly kernels: `node scripts/kernels.mjs`. Needs clang and wasm-ld (LLVM 19; other versions in
// CLANG). The results are checked in, with the digest of the sources they were built from, so that nobody else needs
// the compiler; `--check` says whether they still match.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const compiler = process.env.CLANG ?? 'clang-19';

const flags = [
  '--target=wasm32',
  '-std=c17',
  '-O3',
  '-msimd128',
  '-mbulk-memory',
  // Whether to fuse is said in the sources: no compiler may change a result.
  '-ffp-contract=off',
  '-fno-math-errno',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-unused-parameter',
  '-nostdlib',
  '-Wl,--no-entry',
  '-Wl,-z,stack-size=65536',
  '-Wl,--strip-all',
];
const onThreads = [
  '-matomics',
  '-Wl,--import-memory',
  '-Wl,--shared-memory',
  '-Wl,--max-memory=4294967296',
  '-Wl,--export=__stack_pointer',
  '-Wl,--export=__heap_base',
];

/**
 * A folder of C sources, and the files built from all of them with the flags that each needs besides the common ones.
 * @typedef {{ folder: string, files: Record<string, string[]> }} KernelModule
 */

/** @type {KernelModule[]} */
export const kernelModules = [
  {
    folder: fileURLToPath(new URL('../src/tensor/kernels', import.meta.url)),
    files: { 'simd.wasm': onThreads, 'relaxed.wasm': [...onThreads, '-mrelaxed-simd'] },
  },
  { folder: fileURLToPath(new URL('../src/sparsity/kernels', import.meta.url)), files: { 'scan.wasm': [] } },
];

/**
 * Where the digest of the sources lies.
 * @param {KernelModule} module
 */
export const digestFile = ({ folder }) => join(folder, 'sources.sha256');

/**
 * Names of the sources.
 * @param {KernelModule} module
 */
const sourcesOf = ({ folder }) =>
  readdirSync(folder)
    .filter((name) => /\.[ch]$/.test(name))
    .sort();

/**
 * Digest of all that decides what the kernels are.
 * @param {KernelModule} module
 */
export function sourcesDigest(module) {
  const hash = createHash('sha256').update(JSON.stringify([flags, module.files]));
  for (const name of sourcesOf(module))
    hash.update(`\0${name}\0`).update(readFileSync(join(module.folder, name)));
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
 * @param {KernelModule} module
 * @param {string} target
 */
export function buildKernels(module, target) {
  const sources = sourcesOf(module).filter((name) => name.endsWith('.c'));
  for (const [name, own] of Object.entries(module.files)) {
    const file = join(target, name);
    execFileSync(compiler, [...flags, ...own, '-o', file, ...sources], {
      cwd: module.folder,
      stdio: 'inherit',
    });
    // The linker makes programs; git would call the file changed for that alone.
    chmodSync(file, 0o644);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const module of kernelModules) {
    if (process.argv.includes('--check')) {
      if (readFileSync(digestFile(module), 'utf8').trim() === sourcesDigest(module)) continue;
      console.error(`${module.folder}: not built from these sources: run node scripts/kernels.mjs`);
      process.exit(1);
    }
    const target = mkdtempSync(join(module.folder, '.build-'));
    try {
      buildKernels(module, target);
      for (const name of Object.keys(module.files)) renameSync(join(target, name), join(module.folder, name));
      writeFileSync(digestFile(module), `${sourcesDigest(module)}\n`);
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  }
}
