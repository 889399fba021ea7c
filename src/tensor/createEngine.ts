import type { Engine } from './engine';
import { loadTensorflow } from './native';
import { PortableEngine } from './portable';
import { TensorflowEngine } from './tensorflow';

/** `portable` runs everywhere; `native` is TensorFlow's own library, which must be installed. */
export type EngineKind = 'portable' | 'native';

export interface EngineOptions {
  kind?: EngineKind;
  /** Folder whose `node_modules` hold @tensorflow/tfjs-node; needed for `native`. */
  tensorflowFolder?: string;
  /** Threads that compute; all cores when not given. TensorFlow chooses its own number. */
  threads?: number;
}

/**
 * The engine to run nets on.
 * @throws CaffeError when native TensorFlow is asked for and is missing or does not run
 */
export function createEngine({ kind = 'portable', tensorflowFolder, threads }: EngineOptions = {}): Engine {
  if (kind === 'portable') return new PortableEngine({ threads });
  if (tensorflowFolder === undefined)
    throw new Error('The native engine was chosen, but not the folder that TensorFlow is installed in.');
  return new TensorflowEngine(loadTensorflow(tensorflowFolder), { threads });
}
