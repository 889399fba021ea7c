// `npm run figures -- FIGURE MNIST [--threads N]`: works out one of the figures on MNIST that README tells, and writes
// its log to docs/figures. MNIST is the folder with the four files train-images-idx3-ubyte.gz and so on. Models go to
// figures/ of the repository, which git ignores; a model that a figure begins with is made when it is not there.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { openFile } from '../src/caffe/byteSource';
import { openModel } from '../src/caffe/model';
import { digestOf } from '../src/jobs/digest';
import type { Job, Progress } from '../src/jobs/job';
import { readSolverFile } from '../src/jobs/netFile';
import { retrain } from '../src/jobs/retrain';
import type { Achieved } from '../src/jobs/retrainSession';
import type { Schedule } from '../src/jobs/schedule';
import { train } from '../src/jobs/train';
import type { TrainingSource } from '../src/jobs/trainer';
import { choicesFor } from '../src/sparsity/recipe';
import { createEngine } from '../src/tensor/createEngine';
import { textOf } from '../src/phrase';

/** The last training images are never trained on: they choose the weights, and the test set chooses nothing. */
const holdOut = 5000;
const schedule: Schedule = { kind: 'gradual', interval: 100 };
const recipes = 'docs/figures';
const models = 'figures';

interface Figure {
  title: string;
  /** Folder of the recipes of its net. */
  net: 'lenet' | 'lenet-300-100';
  iterations: number;
  /** How it is pruned; a figure without is trained from scratch. */
  pruning?: {
    /** The figure whose weights it begins with, and the one that is its baseline. */
    from: string;
    baseline: string;
    measureEvery: number;
    keeps: Record<string, number>;
    /** Its solver, where it is not the one of the net's other retrainings. */
    solver?: string;
  };
}

const figures: Record<string, Figure> = {
  scratch: { title: 'LeNet-5 from scratch', net: 'lenet', iterations: 10_000 },
  tutorial: {
    title: "LeNet-5 at the tutorial's ratios",
    net: 'lenet',
    iterations: 12_000,
    pruning: {
      from: 'scratch',
      baseline: 'scratch',
      measureEvery: 1000,
      keeps: { conv1: 0.3, conv2: 0.1, ip1: 0.01, ip2: 0.2 },
    },
  },
  ahead: {
    title: 'LeNet-5 ahead of Dynamic Network Surgery',
    net: 'lenet',
    iterations: 14_000,
    pruning: {
      from: 'tutorial',
      baseline: 'scratch',
      measureEvery: 1000,
      keeps: { conv1: 0.28, conv2: 0.045, ip1: 0.0055, ip2: 0.07 },
    },
  },
  sparsest: {
    title: 'LeNet-5, sparser still',
    net: 'lenet',
    iterations: 24_000,
    pruning: {
      from: 'ahead',
      baseline: 'scratch',
      measureEvery: 1000,
      keeps: { conv1: 0.25, conv2: 0.034, ip1: 0.0034, ip2: 0.05 },
      solver: 'decay_solver.prototxt',
    },
  },
  'lenet-300-100-scratch': { title: 'LeNet-300-100 from scratch', net: 'lenet-300-100', iterations: 10_000 },
  'lenet-300-100-halfway': {
    title: 'LeNet-300-100, halfway',
    net: 'lenet-300-100',
    iterations: 20_000,
    pruning: {
      from: 'lenet-300-100-scratch',
      baseline: 'lenet-300-100-scratch',
      measureEvery: 2000,
      keeps: { ip1: 0.05, ip2: 0.08, ip3: 0.4 },
    },
  },
  'lenet-300-100': {
    title: 'LeNet-300-100, sparse',
    net: 'lenet-300-100',
    iterations: 60_000,
    pruning: {
      from: 'lenet-300-100-halfway',
      baseline: 'lenet-300-100-scratch',
      measureEvery: 2000,
      keeps: { ip1: 0.0163, ip2: 0.026, ip3: 0.17 },
    },
  },
};

const [name, mnist, ...more] = process.argv.slice(2);
if (!(name in figures) || mnist === undefined || more.length > 0) {
  console.error(`usage: npm run figures -- ${Object.keys(figures).join('|')} FOLDER_OF_MNIST`);
  process.exit(2);
}
const engine = createEngine({});
const { signal } = new AbortController();
try {
  await mkdir(models, { recursive: true });
  await make(name);
} finally {
  engine.dispose();
}

/** The weights of a figure. */
function modelOf(name: string): string {
  return figures[name].pruning ? `${models}/${name}.pruned.caffemodel` : `${models}/${name}.caffemodel`;
}

/** Works a figure out, after those that it needs. */
async function make(name: string): Promise<void> {
  const { pruning } = figures[name];
  for (const needed of pruning ? [pruning.from, pruning.baseline] : []) {
    if (!existsSync(modelOf(needed))) await make(needed);
  }
  console.log(`${name}: ${figures[name].title}`);
  const begin = performance.now();
  const lines = pruning ? await prune(name) : await scratch(name);
  const minutes = (performance.now() - begin) / 60_000;
  const log = [
    `# ${figures[name].title}`,
    '',
    `\`npm run figures -- ${name} FOLDER_OF_MNIST\``,
    '',
    `- ${minutes.toFixed(1)} minutes on ${cpus().length} threads (${cpus()[0].model.trim()}), ${engine.name}, Node.js ${process.version}`,
    `- random seed 1; the last ${holdOut} training images are held out, and they alone choose`,
    ...lines,
    `- SHA-256 of the weights: \`${await digestOf(modelOf(name), signal)}\``,
    '',
  ];
  await writeFile(`${recipes}/${name}.md`, log.join('\n'));
  console.log(`wrote ${recipes}/${name}.md after ${minutes.toFixed(1)} minutes`);
}

async function scratch(name: string): Promise<string[]> {
  const { net, iterations } = figures[name];
  const source = await sourceOf(`${recipes}/${net}/scratch_solver.prototxt`);
  const { model, test } = await run(
    train({ ...source, iterations, prefix: `${models}/${name}` }, { signal, engine }),
  );
  await copyFile(model, modelOf(name));
  return [`- ${iterations} iterations`, `- test: ${accuracy({ test }, 'test')}`];
}

async function prune(name: string): Promise<string[]> {
  const { net, iterations, pruning } = figures[name];
  const { from, baseline, keeps, measureEvery, solver = 'retrain_solver.prototxt' } = pruning!;
  const file = `${models}/${name}.caffemodel`;
  await copyFile(modelOf(from), file);
  const source = await sourceOf(`${recipes}/${net}/${solver}`);
  const { report, recipe } = await run(
    retrain(
      {
        ...source,
        file,
        iterations,
        schedule,
        measureEvery,
        baseline: modelOf(baseline),
        choices: (await weightsOf(file)).map(({ layer, blob }) => ({ layer, blob, keep: keeps[layer] })),
        encoding: 'relative',
        existing: 'replace',
      },
      { signal, engine },
    ),
  );
  const { best, last, history } = report;
  const { count, zerosAfter } = recipe.totals;
  const kept = best.layers.reduce((sum, each) => sum + each.kept, 0);
  const weights = best.layers.reduce((sum, each) => sum + each.count, 0);
  return [
    `- begins with the weights of ${from}; ${iterations} iterations, schedule ${JSON.stringify(schedule)}`,
    `- ${kept} of ${weights} weights kept (${percent(kept / weights)}, ${(weights / kept).toFixed(0)}x fewer); with biases ${count - zerosAfter} of ${count} parameters (${percent(1 - zerosAfter / count)})`,
    ...best.layers.map(
      ({ layer, kept, count }) => `  - ${layer}: ${kept} of ${count} (${percent(kept / count)})`,
    ),
    '',
    '| | validation | test |',
    '| --- | ---: | ---: |',
    ...[
      [`baseline (${baseline})`, report.baseline] as const,
      [`chosen, of iteration ${best.iteration}`, best] as const,
      [`last, of iteration ${last.iteration}`, last] as const,
    ].map(
      ([what, figures]) => `| ${what} | ${accuracy(figures, 'validation')} | ${accuracy(figures, 'test')} |`,
    ),
    '',
    '| iteration | kept | validation | test |',
    '| ---: | ---: | ---: | ---: |',
    ...history.map(
      (each) =>
        `| ${each.iteration} | ${percent(each.keep)} | ${accuracy(each, 'validation')} | ${accuracy(each, 'test')} |`,
    ),
    '',
  ];
}

async function sourceOf(solverFile: string): Promise<TrainingSource> {
  return { solverFile, solver: await readSolverFile(solverFile), holdOut, workspaceFolders: [mnist] };
}

/** The blobs with weights, without the biases. */
async function weightsOf(file: string) {
  const source = await openFile(file);
  try {
    return choicesFor(await openModel(source), { method: 'keep', keep: 1 });
  } finally {
    await source.close();
  }
}

/** Runs a job to its end and tells what it measures. */
async function run<Event extends Progress & { test?: unknown; measurement?: Achieved }, Result>(
  job: Job<Event, Result>,
): Promise<Result> {
  for (;;) {
    const next = await job.next();
    if (next.done === true) return next.value;
    const { message, test, measurement } = next.value;
    const achieved = measurement ?? (test === undefined ? undefined : ({ test } as Achieved));
    if (achieved) {
      const { validation } = achieved;
      console.log(
        `${textOf(message)}: ${validation ? `validation ${accuracy(achieved, 'validation')}, ` : ''}test ${accuracy(achieved, 'test')}`,
      );
    }
  }
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

function accuracy(figures: Achieved, on: 'validation' | 'test'): string {
  return percent(figures[on]?.accuracy ?? NaN);
}
