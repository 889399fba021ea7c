import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePrototxt } from '../../src/caffe/prototxt/parser';
import type { MessageNode } from '../../src/caffe/prototxt/tree';

/** Real models and golden cases beside the repository. */
export const shared = new URL('../../../shared', import.meta.url).pathname;

/** Every prototxt below a folder, sorted, with its text. */
export function prototxtsBelow(folder: string): { path: string; text: string }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.prototxt'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** The message that a file of the references holds, told by what stands at its top. */
export function rootTypeOf(root: MessageNode): 'NetParameter' | 'SolverParameter' {
  return root.fields.some(({ name }) => /^(base_lr|lr_policy|train_net|net|net_param|max_iter)$/.test(name))
    ? 'SolverParameter'
    : 'NetParameter';
}

export const rootTypeOfText = (text: string) => rootTypeOf(parsePrototxt(text).root);
