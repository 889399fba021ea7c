import { phrase } from '../../phrase';
import { insertionBefore, removeFix, type Report } from './diagnostic';
import { fieldOf, scalarOf, type MessageNode, type Prototxt } from './tree';
import { stringValue } from './values';

/** The fields of a filler that each type reads. */
const readBy: Readonly<Record<string, readonly string[]>> = {
  constant: ['value'],
  uniform: ['min', 'max'],
  gaussian: ['mean', 'std', 'sparse'],
  xavier: ['variance_norm'],
  msra: ['variance_norm'],
  positive_unitball: [],
  bilinear: [],
};

/** Tells of fields that a filler's type does not read; without a type it is constant, mostly 0, which is seldom meant. */
export function checkFiller(prototxt: Prototxt, node: MessageNode, report: Report): void {
  const written = scalarOf(node, 'type');
  const type = written?.kind === 'string' ? stringValue(prototxt.text, written) : 'constant';
  const reads = readBy[type];
  if (!reads || (fieldOf(node, 'type') && written?.kind !== 'string')) return;
  for (const field of node.fields) {
    const other = Object.keys(readBy).find((one) => readBy[one].includes(field.name));
    if (!other || reads.includes(field.name)) continue;
    if (written)
      report('useless-field', 'hint', field, phrase`The filler "${type}" does not read ${field.name}`, {
        tag: 'unnecessary',
        fixes: [removeFix(prototxt, field)],
      });
    else {
      const line = `type: "${other}"`;
      report(
        'useless-field',
        'warning',
        field.nameSpan,
        phrase`The filler has no type, so it is "constant" and does not read ${field.name}`,
        {
          fixes: [
            {
              title: phrase`Add ${line}`,
              edits: [insertionBefore(prototxt, node.fields[0], line)],
              preferred: true,
            },
          ],
        },
      );
    }
  }
}
