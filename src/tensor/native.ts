import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';
import type { Tensorflow } from './tensorflow';

/** The package that holds native TensorFlow, and the version that the engine was tested with. */
export const tensorflowPackage = { name: '@tensorflow/tfjs-node', version: '4.22.0' };

/** Whether native TensorFlow is in the `node_modules` of a folder; loading it tells whether it runs. */
export const hasTensorflow = (folder: string): boolean =>
  existsSync(join(folder, 'node_modules', tensorflowPackage.name));

const reasonOf = (error: unknown) => (error instanceof Error ? error.message.split('\n')[0] : String(error));

/**
 * Loads native TensorFlow from the `node_modules` of a folder. A process can load it once, in one thread.
 * @throws CaffeError that says whether it is missing or does not run, and what to do
 */
export function loadTensorflow(folder: string): Tensorflow {
  const require = createRequire(join(folder, 'package.json'));
  const { name } = tensorflowPackage;
  const advice = phrase`Run the command "Install Native TensorFlow Engine", or choose the portable engine in the settings`;
  try {
    require.resolve(name);
  } catch (error) {
    throw new CaffeError(phrase`Native TensorFlow is not installed in ${folder}`, { advice, cause: error });
  }
  // Node.js 23 took away what tfjs-node 4.22 still calls (tensorflow/tfjs #8609).
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value === null || value === undefined });
  try {
    return require(name) as Tensorflow;
  } catch (error) {
    throw new CaffeError(
      phrase`Native TensorFlow in ${folder} does not run on this machine (Node.js ${process.versions.node}, ${process.platform} ${process.arch}): ${reasonOf(error)}`,
      { advice, cause: error },
    );
  }
}
