import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { atomicWrite } from '../caffe/atomicWrite';
import { serializeRecipe, type Recipe } from '../sparsity/recipe';
import type { Evaluation, EvaluateResult } from './evaluate';

/** What a recipe keeps of an evaluation; the confusion matrix and the wrong items are left out. */
export type RecordedEvaluation = Pick<EvaluateResult, 'net' | 'data' | 'engine'> & {
  result: Figures;
  /** The model that it was compared with: the first of the run. */
  baseline?: Figures;
};

type Figures = Pick<Evaluation, 'model' | 'items' | 'loss' | 'outputs' | 'top1' | 'top5' | 'classes'>;

/**
 * Adds an evaluation to the recipes of the models in it, under `evaluations`; one of the same net and data gives way.
 * Models without a recipe beside them are passed over.
 *
 * @returns the recipes that were written
 */
export async function recordEvaluations(result: EvaluateResult): Promise<string[]> {
  const { net, data, engine, evaluations } = result;
  const written: string[] = [];
  for (const evaluation of evaluations) {
    const found = await recipeOf(evaluation.model);
    if (found === undefined) continue;
    const { file, recipe } = found;
    const earlier = (recipe.evaluations ?? []) as RecordedEvaluation[];
    const entry: RecordedEvaluation = {
      net,
      data,
      engine,
      result: figuresOf(evaluation),
      ...(evaluation === evaluations[0] ? {} : { baseline: figuresOf(evaluations[0]) }),
    };
    recipe.evaluations = [...earlier.filter((other) => other.net !== net || other.data !== data), entry];
    await atomicWrite(file, (output) => output.write(new TextEncoder().encode(serializeRecipe(recipe))), {
      replace: true,
    });
    written.push(file);
  }
  return written;
}

const figuresOf = ({ model, items, loss, outputs, top1, top5, classes }: Evaluation): Figures => ({
  model,
  items,
  loss,
  outputs,
  top1,
  top5,
  classes,
});

/** The recipe that made a model, when it lies beside it. */
async function recipeOf(model: string): Promise<{ file: string; recipe: Recipe } | undefined> {
  const file = join(dirname(model), basename(model).replace(/(\.caffemodel(\.h5)?|\.npz)$/i, '') + '.json');
  try {
    const recipe = JSON.parse(await readFile(file, 'utf8')) as Partial<Recipe> | null;
    const { dense, sparse } = recipe?.outputs ?? {};
    if (recipe?.format !== 'caffe-pruner recipe') return undefined;
    if (![dense, sparse].some((output) => output !== undefined && basename(output) === basename(model)))
      return undefined;
    return { file, recipe: recipe as Recipe };
  } catch {
    // No recipe there, or a file of someone else's.
    return undefined;
  }
}
