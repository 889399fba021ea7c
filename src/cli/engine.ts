import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';
import { createEngine, type EngineOptions } from '../tensor/createEngine';
import type { Engine } from '../tensor/engine';
import { tensorflowPackage } from '../tensor/native';
import { type Arguments, text, UsageError, whole, word } from './command';

/** The options that say what computes. */
export const engineOptions = {
  threads: { type: 'string' },
  engine: { type: 'string' },
  tensorflow: { type: 'string' },
} as const;

export const engineHelp = `  --threads N          threads that compute (all cores)
  --engine E           portable (default), or native: TensorFlow's own library
  --tensorflow FOLDER  for native: where "npm install ${tensorflowPackage.name}@${tensorflowPackage.version}" was run
                       (default: $CAFFE_PRUNER_TENSORFLOW)`;

/** Runs `use` with the engine that the options choose, and gives the engine back. */
export async function withEngine<Result>(
  args: Arguments,
  use: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  const engine = open({
    kind: word(args, 'engine', ['portable', 'native'] as const),
    tensorflowFolder: text(args, 'tensorflow') ?? process.env.CAFFE_PRUNER_TENSORFLOW,
    threads: whole(args, 'threads', 1),
  });
  try {
    return await use(engine);
  } finally {
    engine.dispose();
  }
}

function open(options: EngineOptions): Engine {
  if (options.kind === 'native' && options.tensorflowFolder === undefined) {
    throw new UsageError('--engine native needs --tensorflow FOLDER or $CAFFE_PRUNER_TENSORFLOW');
  }
  try {
    return createEngine(options);
  } catch (cause) {
    if (cause instanceof CaffeError || !(cause instanceof Error)) throw cause;
    throw new CaffeError(phrase`the engine cannot be started: ${cause.message}`, { cause });
  }
}
