import { build } from 'esbuild';
import { loader } from '../../../scripts/loader.mjs';

/** Bundles the command line into one script, as the build of what ships does. */
export async function buildCli(outfile: string): Promise<void> {
  await build({
    entryPoints: ['src/cli.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    loader,
    external: ['@tensorflow/tfjs-node'],
    logLevel: 'error',
  });
}
