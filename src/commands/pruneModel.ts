import { basename } from 'node:path';
import * as vscode from 'vscode';
import { askExisting, offerResult, openModel } from '../editor/pruning';
import { runJob, showError } from '../editor/runJob';
import { sparseEncoding } from '../editor/settings';
import type { WorkerJobs } from '../protocol';
import { type BlobRule, parsePlan } from '../sparsity/recipe';
import { chosenFiles, type CommandContext, isOnDisk } from './context';

/** What the user chose for all models: a rule, or a recipe to do again. */
type Choice = { rule: BlobRule } | { recipe: vscode.Uri };

const memoryKey = 'pruneModel.rule';
const seed = 1;

/** Prunes models without opening them: asks for a rule, suggesting the one used last. */
export async function pruneModel(
  context: CommandContext,
  uri?: vscode.Uri,
  selected?: readonly vscode.Uri[],
): Promise<void> {
  const title = vscode.l10n.t('Choose models to prune');
  const models = (await chosenFiles(uri, selected, ['caffemodel', 'caffemodel.h5'], title)).filter(isOnDisk);
  if (models.length === 0) return;
  const choice = await askChoice(context, models);
  if (!choice) return;
  const results: WorkerJobs['prune']['result'][] = [];
  for (const [index, model] of models.entries()) {
    try {
      const result = await pruneOne(context, model, choice, index, models.length);
      // Cancelled, or failed with a message: what is left is not begun.
      if (!result) break;
      results.push(result);
    } catch (error) {
      await showError(error, context.log);
      break;
    }
  }
  if (models.length > 1 && results.length > 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('{0} of {1} models pruned.', results.length, models.length),
    );
  } else if (results.length === 1) {
    await offerResult(results[0]);
  }
}

async function pruneOne(
  { worker, log }: CommandContext,
  model: vscode.Uri,
  choice: Choice,
  index: number,
  of: number,
): Promise<WorkerJobs['prune']['result'] | undefined> {
  const file = model.fsPath;
  const plan = 'recipe' in choice ? await planOf(choice.recipe, file) : undefined;
  const existing = await askExisting(worker, file);
  if (!existing) return undefined;
  const name = of > 1 ? `${basename(file)} (${index + 1}/${of})` : basename(file);
  return runJob(vscode.l10n.t('Pruning {0}', name), log, async function* (signal) {
    const choices =
      'rule' in choice ? await worker.run('choices', { path: file, rule: choice.rule }, { signal }) : [];
    const params = plan ?? { encoding: sparseEncoding(), seed, choices };
    return yield* worker.start('prune', { file, existing, ...params }, signal);
  });
}

/** The plan of a recipe; for the recipe's own model, its digest too. */
async function planOf(recipe: vscode.Uri, file: string) {
  const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(recipe));
  const { input, ...plan } = parsePlan(text, recipe.fsPath);
  return { ...plan, sha256: input?.file === basename(file) ? input.sha256 : undefined };
}

interface RuleItem extends vscode.QuickPickItem {
  method?: BlobRule['method'];
  other?: 'recipe' | 'editor';
}

async function askChoice(
  { memory }: CommandContext,
  models: readonly vscode.Uri[],
): Promise<Choice | undefined> {
  const last = memory.get<BlobRule>(memoryKey, { method: 'keep', keep: 0.1 });
  const items: RuleItem[] = [
    {
      method: 'keep',
      label: vscode.l10n.t('Keep Ratio of Each Layer'),
      detail: vscode.l10n.t('The largest weights of each layer stay'),
    },
    {
      method: 'global',
      label: vscode.l10n.t('Keep Ratio of the Whole Model'),
      detail: vscode.l10n.t('One threshold over all layers: the largest weights of the model stay'),
    },
    {
      method: 'std',
      label: vscode.l10n.t('Factor of Standard Deviation'),
      detail: vscode.l10n.t('Weights within so many standard deviations of their layer go'),
    },
    {
      method: 'threshold',
      label: vscode.l10n.t('Absolute Threshold'),
      detail: vscode.l10n.t('Weights of at most this magnitude go'),
    },
    {
      method: 'n:m',
      label: vscode.l10n.t('N of Every M Inputs'),
      detail: vscode.l10n.t('Such as 2:4, which sparse tensor cores take'),
    },
    {
      method: 'filters',
      label: vscode.l10n.t('Whole Filters'),
      detail: vscode.l10n.t('The filters with the largest L1 norm stay'),
    },
    {
      method: 'random',
      label: vscode.l10n.t('Keep Ratio, Random Below the Threshold'),
      detail: vscode.l10n.t('A weight below the threshold survives with probability |w| / threshold'),
    },
  ];
  // The one used last comes first, and Enter takes it.
  items.sort((a, b) => Number(b.method === last.method) - Number(a.method === last.method));
  items[0].description = vscode.l10n.t('last used');
  items.push({ label: '', kind: vscode.QuickPickItemKind.Separator });
  items.push({ other: 'recipe', label: vscode.l10n.t('Do a Recipe Again…') });
  if (models.length === 1)
    items.push({ other: 'editor', label: vscode.l10n.t('Choose Layer by Layer in the Editor') });
  const picked = await vscode.window.showQuickPick(items, {
    title:
      models.length === 1
        ? vscode.l10n.t('Prune {0}', basename(models[0].path))
        : vscode.l10n.t('Prune {0} Models', models.length),
    placeHolder: vscode.l10n.t('Biases, BatchNorm and Scale are left alone'),
    matchOnDetail: true,
  });
  if (!picked) return undefined;
  if (picked.other === 'editor') {
    await openModel(models[0]);
    return undefined;
  }
  if (picked.other === 'recipe') {
    const [recipe] =
      (await vscode.window.showOpenDialog({
        title: vscode.l10n.t('Choose a recipe'),
        filters: { JSON: ['json'] },
        defaultUri: vscode.Uri.joinPath(models[0], '..'),
      })) ?? [];
    return recipe && { recipe };
  }
  const rule = await askAmount(picked.method!, last);
  if (!rule) return undefined;
  await memory.update(memoryKey, rule);
  return { rule };
}

async function askAmount(method: BlobRule['method'], last: BlobRule): Promise<BlobRule | undefined> {
  const ask = async <Rule>(
    prompt: string,
    value: string,
    parse: (text: string) => Rule | undefined,
    wrong: string,
  ) => {
    const text = await vscode.window.showInputBox({
      prompt,
      value,
      validateInput: (input) => (parse(input) === undefined ? wrong : undefined),
    });
    return text === undefined ? undefined : parse(text);
  };
  const number = (text: string) => (text.trim() === '' ? NaN : Number(text.trim().replace(',', '.')));
  switch (method) {
    case 'threshold':
      return ask(
        vscode.l10n.t('Largest |w| that goes'),
        String(last.method === method ? last.threshold : 0.01),
        (text): BlobRule | undefined => (number(text) >= 0 ? { method, threshold: number(text) } : undefined),
        vscode.l10n.t('Type a number of 0 or more'),
      );
    case 'std':
      return ask(
        vscode.l10n.t('Standard deviations within which weights go'),
        String(last.method === method ? last.factor : 1),
        (text): BlobRule | undefined => (number(text) >= 0 ? { method, factor: number(text) } : undefined),
        vscode.l10n.t('Type a number of 0 or more'),
      );
    case 'n:m':
      return ask(
        vscode.l10n.t('Weights that stay of how many'),
        last.method === method ? `${last.n}:${last.m}` : '2:4',
        (text): BlobRule | undefined => {
          const [, n, m] = /^\s*(\d+)\s*:\s*(\d+)\s*$/.exec(text)?.map(Number) ?? [];
          return m >= 1 && n <= m ? { method, n, m } : undefined;
        },
        vscode.l10n.t('Type two whole numbers such as 2:4'),
      );
    default:
      return ask(
        vscode.l10n.t('Share that stays, in percent'),
        String(
          last.method === method ? Number((last.keep * 100).toPrecision(6)) : method === 'filters' ? 70 : 10,
        ),
        (text): BlobRule | undefined => {
          const keep = number(text.replace('%', '')) / 100;
          return keep >= 0 && keep <= 1 ? { method, keep } : undefined;
        },
        vscode.l10n.t('Type a number from 0 to 100'),
      );
  }
}
