import { readFile, stat } from 'node:fs/promises';
import { atomicWrite } from '../caffe/atomicWrite';
import type { Evaluation, EvaluateResult } from './evaluate';
import { isList, isNumber, isText } from './fromJson';

/** An evaluation of earlier, as it was kept beside the model. */
export interface KeptEvaluation extends EvaluateResult {
  kept: {
    /** When it was written, in milliseconds since 1970. */
    at: number;
    /** Models that changed or went away since. */
    changed: string[];
  };
}

const format = 'caffe-pruner evaluation';

/** Writes the whole of an evaluation, confusion matrix and wrong items included, in place of an earlier one. */
export async function keepEvaluation(file: string, result: EvaluateResult): Promise<void> {
  const text = `${JSON.stringify({ format, version: 1, ...result })}\n`;
  await atomicWrite(file, (output) => output.write(new TextEncoder().encode(text)), { replace: true });
}

/** Reads what {@link keepEvaluation} wrote; undefined where there is no such file, or it is someone else's. */
export async function readKeptEvaluation(file: string): Promise<KeptEvaluation | undefined> {
  let value: (Partial<EvaluateResult> & { format?: string; version?: number }) | null;
  let at: number;
  try {
    value = JSON.parse(await readFile(file, 'utf8')) as typeof value;
    at = (await stat(file)).mtimeMs;
  } catch {
    return undefined;
  }
  if (value?.format !== format || value.version !== 1) return undefined;
  const { format: _format, version: _version, ...result } = value;
  const { net, netData, data, engine, evaluations, keptIn } = result;
  const texts = [net, data, engine, ...(netData === undefined ? [] : [netData])];
  if (!texts.every(isText) || !isList(keptIn, isText)) return undefined;
  if (!isList(evaluations, isEvaluation) || evaluations.length === 0) return undefined;
  const changed: string[] = [];
  for (const { model } of evaluations) {
    const modified = await stat(model).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity,
    );
    if (modified > at) changed.push(model);
  }
  return { ...(result as EvaluateResult), kept: { at, changed } };
}

/** Whether a value from a file, which anybody may have written, is what the page can show. */
function isEvaluation(value: Partial<Evaluation>): boolean {
  const { model, items, loss, outputs, top1, top5, classes, confusion, wrong, missing, seconds } = value;
  return (
    isText(model) &&
    [items, seconds].every(isNumber) &&
    [loss, top1, top5].every((figure) => figure === undefined || isNumber(figure)) &&
    typeof outputs === 'object' &&
    Object.values(outputs ?? {}).every(isNumber) &&
    (classes === undefined || isList(classes, (each) => isNumber(each.items) && isNumber(each.right))) &&
    (confusion === undefined || isList(confusion, (row) => isList(row, isNumber))) &&
    isList(wrong, (each) => isNumber(each.item) && isNumber(each.label) && isNumber(each.predicted)) &&
    isList(missing, isText)
  );
}
