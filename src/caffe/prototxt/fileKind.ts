import { messageType, type FieldType, type MessageType } from '../schema';
import type { MessageNode } from './tree';

/** The messages that prototxt files hold, the most common first. */
const kinds = ['NetParameter', 'SolverParameter', 'LabelMap'] as const;
export type FileKind = (typeof kinds)[number];

/**
 * The message that a file holds: the one that knows most of the fields at its top, or where two know as many, whose fields
 * are there more often; a net where they tell nothing. What only one of them knows counts, so that `name` or `type` alone
 * decide nothing.
 */
export function fileKind(root: MessageNode): FileKind {
  const types = kinds.map((kind) => messageType(kind));
  const times = new Map<string, number>();
  for (const { name } of root.fields) {
    times.set(name, (times.get(name) ?? 0) + 1);
    if (times.size > 40) break;
  }
  let best: FileKind = 'NetParameter';
  let [most, oftenest] = [0, 0];
  for (const [index, type] of types.entries()) {
    const others = types.filter((other) => other !== type);
    let [count, total] = [0, 0];
    for (const [name, often] of times)
      if (type.fields.has(name) && !others.some((other) => other.fields.has(name))) {
        count++;
        total += often;
      }
    if (count > most || (count === most && total > oftenest))
      [best, most, oftenest] = [kinds[index], count, total];
  }
  return best;
}

/** The type of a message node in a file whose top is `rootType`; undefined below a field that nobody knows. */
export function typeOfNode(node: MessageNode, rootType: MessageType): MessageType | undefined {
  const path: string[] = [];
  for (let message = node; message.field; message = message.field.parent) path.push(message.field.name);
  let type: MessageType | undefined = rootType;
  for (const name of path.reverse()) {
    const field: FieldType | undefined = type.fields.get(name);
    if (!field || typeof field.type === 'string' || field.type.kind !== 'message') return undefined;
    type = field.type;
  }
  return type;
}
