import { basename } from 'node:path';
import { CaffeError } from '../caffe/errors';
import { phrase, type Phrase } from '../phrase';
import type { ComputeContext, Job, Progress } from './job';
import { loadWeights } from './loadWeights';
import { keepEvaluation } from './keptEvaluation';
import { recordEvaluations } from './recordEvaluation';
import { addBatch, accuracyOf, lossOf, noSums } from './tally';
import { TestNet, type TestSource } from './testNet';

export interface EvaluateParams extends TestSource {
  /**
   * The models to compare, evaluated one after the other: the dense one first, then those made from it. Sparse weights
   * (.npz) are models too. The figures go into the recipes beside them.
   */
  models: string[];
  /** Items to evaluate on; all by default. */
  limit?: number;
  /** A file that keeps the whole result, in place of an earlier one. */
  results?: string;
}

/** An item that the net gets wrong. */
export interface WrongItem {
  /** Position in the data. */
  item: number;
  label: number;
  /** The class with the highest score. */
  predicted: number;
}

/** How well the net does on one class. */
export interface ClassFigures {
  items: number;
  right: number;
}

/** What a model achieves on its data. */
export interface Evaluation {
  model: string;
  /** Number of items it was measured on. */
  items: number;
  /** The net's loss, each of its losses by its weight: the mean over the items. Only of a net that has one. */
  loss?: number;
  /** The mean over the items of each output of the net that is a single number, by the name of its blob. */
  outputs: Record<string, number>;
  /** Fraction of items whose class has the highest score. */
  top1?: number;
  /** Fraction of items whose class is among the five highest, where there are more than five. */
  top5?: number;
  /** By label; only of a net that classifies. */
  classes?: ClassFigures[];
  /** `confusion[label][predicted]`: number of items; only of up to {@link MAX_CONFUSION_CLASSES} classes. */
  confusion?: number[][];
  /** The first {@link MAX_WRONG} items that are wrong. */
  wrong: WrongItem[];
  /** Layers of the net that the model has no weights for: they ran with what their fillers gave. */
  missing: string[];
  seconds: number;
}

export interface EvaluateResult {
  net: string;
  /** The data as the user knows them. */
  data: string;
  /** Data that were chosen instead of the net's own: a path. */
  netData?: string;
  engine: string;
  evaluations: Evaluation[];
  /** The files that now hold the figures: recipes, and `results`. */
  keptIn: string[];
  /** Why they could not be kept, when they could not. */
  notKept?: Phrase;
}

/** More wrong items than these are counted, but not listed. */
export const MAX_WRONG = 10_000;
export const MAX_CONFUSION_CLASSES = 200;

const TELL_EVERY_MS = 250;

/**
 * Runs a net in the TEST phase over its data, each item once, for one model after the other.
 *
 * @throws CaffeError when the net, a model or the data cannot be used, or a value becomes NaN: with its layer
 */
export async function* evaluate(
  params: EvaluateParams,
  context: ComputeContext,
): Job<Progress, EvaluateResult> {
  const { models } = params;
  const { signal, engine } = context;
  const begin = performance.now();
  const evaluations: Evaluation[] = [];
  let data = '';
  for (const [i, model] of models.entries()) {
    const test = await TestNet.open(params, { engine });
    data = test.name;
    try {
      for await (const step of evaluateModel(test, model, params.limit, signal)) {
        if ('evaluation' in step) {
          evaluations.push(step.evaluation);
          continue;
        }
        const fraction = (i + step.fraction) / models.length;
        const seconds = (performance.now() - begin) / 1000;
        const secondsLeft = step.fraction > 0 ? (seconds / fraction) * (1 - fraction) : undefined;
        yield { fraction, message: phrase`${basename(model)}: ${step.message}`, secondsLeft };
      }
    } finally {
      await test.dispose();
    }
  }
  const netData = typeof params.data === 'string' ? { netData: params.data } : {};
  const result = { net: params.netFile, data, ...netData, engine: engine.name, evaluations, keptIn: [] };
  try {
    const recipes = await recordEvaluations(result);
    if (params.results === undefined) return { ...result, keptIn: recipes };
    const kept = { ...result, keptIn: [...recipes, params.results] };
    await keepEvaluation(params.results, kept);
    return kept;
  } catch (error) {
    // What was measured is not lost with a disk that does not take it.
    if (!(error instanceof CaffeError)) throw error;
    return { ...result, notKept: error.description() };
  }
}

/** Evaluates one model; the last value it yields is the evaluation. */
async function* evaluateModel(
  test: TestNet,
  model: string,
  limit: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<Progress | { evaluation: Evaluation }, void> {
  const { net, scores } = test;
  const missing = await loadWeights(test.net, model, signal);
  const sums = noSums();
  const outputs = new Map<string, number>();
  const classes: ClassFigures[] = [];
  const confusion =
    scores !== undefined && scores.classes <= MAX_CONFUSION_CLASSES
      ? Array.from({ length: scores.classes }, () => new Array<number>(scores.classes).fill(0))
      : undefined;
  const wrong: WrongItem[] = [];
  const judge = (item: number, label: number, predicted: number) => {
    const figures = (classes[label] ??= { items: 0, right: 0 });
    figures.items++;
    if (predicted === label) figures.right++;
    else if (wrong.length < MAX_WRONG) wrong.push({ item, label, predicted });
    if (confusion?.[label] !== undefined) confusion[label][predicted]++;
  };

  const total = Math.min(test.count ?? Infinity, limit ?? Infinity);
  const begin = performance.now();
  let told = 0;
  for await (const batch of test.batches(signal, 0, limit)) {
    const loss = net.forward();
    if (!addBatch(sums, net, scores, batch, loss, judge)) throw test.notFinite();
    for (const name of net.outputs) {
      const { data } = net.blob(name);
      if (data.length === 1) outputs.set(name, (outputs.get(name) ?? 0) + data[0] * batch.items.length);
    }
    const now = performance.now();
    if (now - told < TELL_EVERY_MS) continue;
    told = now;
    const known = Number.isFinite(total);
    const accuracy = accuracyOf(sums);
    const items = known ? phrase`${sums.items} of ${total} items` : phrase`${sums.items} items`;
    yield {
      fraction: known ? sums.items / total : 0,
      message: accuracy === undefined ? items : phrase`${items}, ${(100 * accuracy).toFixed(2)} % right`,
    };
  }

  const hasLoss = net.layers.some(
    ({ type, loss_weight }) => type.endsWith('Loss') || loss_weight.some((w) => w !== 0),
  );
  yield {
    evaluation: {
      model,
      items: sums.items,
      ...(hasLoss ? { loss: lossOf(sums) } : {}),
      outputs: Object.fromEntries([...outputs].map(([name, sum]) => [name, sum / sums.items])),
      ...(sums.judged > 0
        ? {
            top1: accuracyOf(sums),
            ...(scores!.classes > 5 ? { top5: sums.top5 / sums.judged } : {}),
            classes: Array.from(
              { length: scores!.classes },
              (_, label) => classes[label] ?? { items: 0, right: 0 },
            ),
            confusion,
          }
        : {}),
      wrong,
      missing,
      seconds: (performance.now() - begin) / 1000,
    },
  };
}
