import { build } from 'esbuild';
import { loader } from '../../../scripts/loader.mjs';

/** Bundles the command line into one script, as the build of what ships does. */
export const buildCli = (outfile: string): Promise<void> => bundle('src/cli.ts', outfile);

/** The same of the background process. */
export const buildWorker = (outfile: string): Promise<void> => bundle('src/worker/main.ts', outfile);

async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entry],
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
