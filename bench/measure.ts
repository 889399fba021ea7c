import { cpus, totalmem } from 'node:os';

/** Something timed: runs it once; a number it returns is its own time in ms (of a child process, say). */
export interface Contestant {
  name: string;
  run: () => unknown;
}

export interface Comparison {
  what: string;
  baseline: Contestant;
  ours: Contestant;
  /** Timed runs of each, in turns, after one that is not counted. */
  repeats?: number;
  /**
   * Runs of a turn, for those with threads of their own: PyTorch's go on spinning for a while after each run, and whoever
   * runs meanwhile has fewer cores. A turn begins with a pause and a run that is not counted.
   */
  inARow?: number;
}

/** Median times in ms, and how many times faster ours is than the baseline: by medians, and by the fastest runs. */
export interface Outcome {
  baseline: number;
  ours: number;
  ratio: number;
  bestRatio: number;
}

/**
 * Times two ways to do the same in one run, in turns, so that a machine that slows down slows both, and prints a
 * line of a Markdown table. Ratios are what is worth reporting, milliseconds are this machine's; where others use the
 * machine too, the fastest runs tell more than the medians.
 */
export async function compare({ what, baseline, ours, repeats = 7, inARow }: Comparison): Promise<Outcome> {
  const times: [number[], number[]] = [[], []];
  if (inARow === undefined) for (const contestant of [baseline, ours]) await time(contestant);
  for (let turn = 0; turn < repeats / (inARow ?? 1); turn++) {
    for (const [who, contestant] of [baseline, ours].entries()) {
      if (inARow !== undefined) {
        await new Promise((resume) => setTimeout(resume, 500));
        await time(contestant);
      }
      for (let i = 0; i < (inARow ?? 1); i++) times[who].push(await time(contestant));
    }
  }
  const [slow, fast] = times.map(median);
  const [slowBest, fastBest] = times.map((all) => Math.min(...all));
  const ratio = slow / fast;
  const bestRatio = slowBest / fastBest;
  row(
    what,
    `${baseline.name}: ${milliseconds(slow)}, best ${milliseconds(slowBest)}`,
    `${ours.name}: ${milliseconds(fast)}, best ${milliseconds(fastBest)}`,
    `${factor(ratio)}, best ${factor(bestRatio)}`,
  );
  return { baseline: slow, ours: fast, ratio, bestRatio };
}

/** The median time in ms of some runs: the steady state of what takes little time. */
export async function medianOf(rounds: number, run: Contestant['run']): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await time({ run }));
  return median(times);
}

async function time({ run }: Pick<Contestant, 'run'>): Promise<number> {
  const start = performance.now();
  const own = await run();
  return typeof own === 'number' ? own : performance.now() - start;
}

/** The middle one, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

/** Begins a table: the machine, then the columns. */
export function heading(title: string): void {
  const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB`;
  console.log(`\n## ${title}\n\n${machine}, Node.js ${process.versions.node}, ${process.platform}\n`);
  row('what', 'baseline', 'ours', 'ratio');
  row('---', '---', '---', '---');
}

/** One line of a table. */
export function row(...cells: string[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

const significant = (value: number) => Number(value.toPrecision(3)).toLocaleString('en');
const milliseconds = (value: number) => `${significant(value)} ms`;
const factor = (value: number) => `${significant(value)}x`;
