import { phrase } from '../../phrase';
import { v1LayerTypeByName } from '../layerTypes';
import { nearest } from '../nearest';
import { layerKinds } from '../layerCatalogue';
import { isMessage, messageType, type FieldType, type MessageType } from '../schema';
import { fatalWords, otherNames } from '../vocabulary';
import { checkFiller } from './checkFiller';
import { perBlobFix } from './convert';
import { removalOf, removeFix, replaceWith, type Report, withGuess } from './diagnostic';
import { insideQuotes } from './netText';
import {
  fieldOf,
  scalarOf,
  type FieldNode,
  type Fix,
  type MessageNode,
  type Prototxt,
  type ScalarNode,
} from './tree';
import { readScalar, stringValue, typeInWords } from './values';

/** The texts of layers without a problem, for checking the next version of a file. */
export class CheckedLayers {
  private former: ReadonlySet<string> = new Set();
  private present = new Set<string>();

  /** Begins with another version: what has gone is forgotten. */
  next(): void {
    this.former = this.present;
    this.present = new Set();
  }

  /** Whether the layer had no problem before; otherwise `check` tells whether it has none. */
  isFine(text: string, check: () => boolean): void {
    if (this.former.has(text) || check()) this.present.add(text);
  }
}

/**
 * Checks every field of a message against its type: known, of the right type, not set twice, none missing.
 * @param checked the layers that need no check
 */
export function checkFields(
  prototxt: Prototxt,
  node: MessageNode,
  type: MessageType,
  report: Report,
  checked?: CheckedLayers,
): void {
  checked?.next();
  let seen: Map<FieldType, FieldNode> | undefined;
  for (const field of node.fields) {
    const fieldType = type.fields.get(field.name);
    if (!fieldType) {
      reportUnknown(prototxt, field, type, report);
      continue;
    }
    if (!fieldType.repeated) {
      const before = seen?.get(fieldType);
      if (before || field.values.length > 1)
        report(
          'repeated',
          'error',
          field.nameSpan,
          phrase`"${field.name}" can be set only once in ${type.name}`,
          {
            fixes: before ? [removeFix(prototxt, field)] : [],
            ...(before ? { related: { ...before.nameSpan, message: phrase`It is set here already` } } : {}),
          },
        );
      (seen ??= new Map()).set(fieldType, field);
    }
    for (const value of field.values) {
      if (value.kind !== 'message') checkScalar(prototxt, value, field, fieldType, type, report);
      else if (isMessage(fieldType.type)) {
        const inner = fieldType.type;
        if (checked && inner.name === 'LayerParameter')
          checked.isFine(prototxt.text.slice(value.start, value.end), () =>
            isFine(prototxt, value, inner, report),
          );
        else checkFields(prototxt, value, inner, report);
      } else
        report(
          'wrong-type',
          'error',
          { start: value.start, end: value.start + 1 },
          phrase`"${field.name}" must be ${typeInWords(fieldType.type)}, not a message in braces`,
        );
    }
  }
  if (type.name === 'FillerParameter') checkFiller(prototxt, node, report);
  for (const required of type.required)
    if (!node.fields.some(({ name }) => name === required.name))
      report(
        'missing-field',
        'error',
        node.field?.nameSpan ?? { start: 0, end: 0 },
        phrase`${type.name} needs "${required.name}"`,
      );
}

/** Checks a message; whether nothing was found. */
function isFine(prototxt: Prototxt, node: MessageNode, type: MessageType, report: Report): boolean {
  let fine = true;
  checkFields(prototxt, node, type, (...problem) => {
    fine = false;
    report(...problem);
  });
  return fine;
}

/**
 * A name that is near one we know is a slip. Any other may be a fork's: Caffe itself refuses it, but a remark on a
 * layer's parameters and a warning elsewhere are all that we can say for sure.
 */
function reportUnknown(prototxt: Prototxt, field: FieldNode, type: MessageType, report: Report): void {
  const layer = type.name === 'LayerParameter';
  if (layer && reportMisplaced(prototxt, field, report)) return;
  const forks = layer && field.name.endsWith('_param');
  const guess = forks
    ? nearestParam(field.name, type)
    : (nameElsewhere(field.name, type) ?? nearest(field.name, type.fields.keys()));
  const message = phrase`${type.name} has no field "${field.name}"`;
  if (guess !== undefined)
    report('unknown-field', 'error', field.nameSpan, withGuess(message, guess), {
      fixes: [replaceWith(field.nameSpan, guess)],
    });
  // Of a name that is still being typed it is enough to say that it has no value.
  else if (field.values.length > 0)
    report(
      'unknown-field',
      forks ? 'hint' : 'warning',
      field.nameSpan,
      phrase`${message}, neither in BVLC Caffe nor in the forks we know`,
    );
}

/** The field that has this name in other frameworks. */
function nameElsewhere(name: string, type: MessageType): string | undefined {
  const here = otherNames.get(name);
  return here !== undefined && type.fields.has(here) ? here : undefined;
}

/** Tells of what a layer says in the syntax of 2014, or outside of its message; whether it does. */
function reportMisplaced(prototxt: Prototxt, field: FieldNode, report: Report): boolean {
  const { name, nameSpan } = field;
  if (name === 'blobs_lr' || name === 'weight_decay' || name === 'blob_share_mode') {
    const fix = perBlobFix(prototxt, field.parent);
    report(
      'unknown-field',
      'error',
      nameSpan,
      phrase`"${name}" is the syntax of 2014 and before: a \`layer\` has one \`param\` for each blob`,
      { fixes: fix ? [fix] : [] },
    );
    return true;
  }
  const place = placeInLayer(prototxt, field);
  if (place === undefined) return false;
  report('unknown-field', 'error', nameSpan, phrase`"${name}" stands in \`${place}\``, {
    fixes: [moveInto(prototxt, field, place)],
  });
  return true;
}

/** The message of a layer that a field which stands in the layer itself belongs to. */
function placeInLayer({ text }: Prototxt, { name, parent }: FieldNode): string | undefined {
  const type = scalarOf(parent, 'type');
  const kind = type?.kind === 'string' ? layerKinds.get(stringValue(text, type)) : undefined;
  const layer = messageType('LayerParameter');
  return [...(kind?.params ?? []), 'param'].find((place) => {
    const inner = layer.fields.get(place)?.type;
    return isMessage(inner) && inner.fields.has(name);
  });
}

/** Moves a field of a layer into a message of it, which is made where there is none. */
function moveInto(prototxt: Prototxt, field: FieldNode, place: string): Fix {
  const title = phrase`Move to ${place}`;
  const written = prototxt.text.slice(field.start, field.values.at(-1)?.end ?? field.nameSpan.end);
  const target = fieldOf(field.parent, place)?.values[0];
  if (target?.kind !== 'message' || place === 'param')
    return { ...replaceWith(field, `${place} { ${written} }`), title };
  const { start } = target.inner;
  return {
    title,
    edits: [{ start, end: start, text: ` ${written}` }, removalOf(prototxt, field)],
    preferred: true,
  };
}

/** All parameters end alike, so only what is before counts. */
function nearestParam(name: string, type: MessageType): string | undefined {
  const stems = [...type.fields.keys()]
    .filter((known) => known.endsWith('_param'))
    .map((known) => known.slice(0, -6));
  const guess = nearest(name.slice(0, -6), stems);
  return guess === undefined ? undefined : `${guess}_param`;
}

function checkScalar(
  prototxt: Prototxt,
  value: ScalarNode,
  field: FieldNode,
  fieldType: FieldType,
  owner: MessageType,
  report: Report,
): void {
  const { type } = fieldType;
  const { text } = prototxt;
  if (isMessage(type)) {
    const wrapped = wrappedIn(type, text, value);
    const fixes = wrapped && !field.list ? [replaceWith(field, `${field.name} { ${wrapped} }`)] : [];
    report('wrong-type', 'error', value, phrase`"${field.name}" must be ${typeInWords(type)}`, { fixes });
    return;
  }
  if (readScalar(text, value, type) !== undefined) {
    const words = type === 'string' ? fatalWords.get(`${owner.name}.${field.name}`) : undefined;
    if (words) checkWord(text, value, field, words, report);
    return;
  }
  const raw = value.kind === 'string' ? stringValue(text, value) : text.slice(value.start, value.end);
  const fixes: Fix[] = [];
  let message = phrase`"${field.name}" must be ${typeInWords(type)}`;
  if (typeof type !== 'string') {
    const guess = type.values.has(raw) ? raw : nearest(raw, type.values.keys());
    if (guess !== undefined) {
      fixes.push(replaceWith(value, guess));
      message =
        value.kind === 'string'
          ? phrase`${message}; enums stand without quotes`
          : phrase`${message}; did you mean ${guess}?`;
    }
  } else if (type === 'string' && value.kind !== 'string') {
    const current =
      owner.name === 'LayerParameter' && field.name === 'type' ? v1LayerTypeByName(raw) : undefined;
    fixes.push(replaceWith(value, JSON.stringify(current ?? raw)));
  } else if (
    value.kind === 'string' &&
    readScalar(raw, { kind: kindOf(raw), start: 0, end: raw.length }, type) !== undefined
  ) {
    fixes.push(replaceWith(value, raw));
  } else {
    const plain = type === 'bool' ? plainBool(raw) : type.includes('int') ? plainInteger(raw) : undefined;
    if (plain !== undefined) fixes.push(replaceWith(value, plain));
  }
  report('wrong-type', 'error', value, message, { fixes });
}

/** `true` or `false` as other languages write it. */
const plainBool = (raw: string): string | undefined =>
  /^(?:true|yes|on)$/i.test(raw) ? 'true' : /^(?:false|no|off)$/i.test(raw) ? 'false' : undefined;

/** `3.0` and `1e5` as an integer. */
const plainInteger = (raw: string): string | undefined =>
  /^\d+(?:\.0*)?(?:e\d)?$/i.test(raw) ? String(Number(raw)) : undefined;

/** A scalar in the place of a message is most likely what the message is mainly for: a phase, a type, a name. */
function wrappedIn(type: MessageType, text: string, value: ScalarNode): string | undefined {
  for (const name of ['phase', 'type', 'name']) {
    const inner = type.fields.get(name)?.type;
    if (!inner || isMessage(inner)) continue;
    if (readScalar(text, value, inner) !== undefined) return `${name}: ${text.slice(value.start, value.end)}`;
  }
  return undefined;
}

function checkWord(
  text: string,
  value: ScalarNode,
  field: FieldNode,
  words: readonly string[],
  report: Report,
): void {
  const word = stringValue(text, value);
  if (words.includes(word)) return;
  const guess = nearest(word, words);
  const span = insideQuotes(text, value);
  const message = phrase`Unknown ${field.name} "${word}"`;
  if (guess === undefined)
    report('wrong-type', 'hint', span, phrase`${message}, neither in BVLC Caffe nor in the forks we know`);
  else report('wrong-type', 'error', span, withGuess(message, guess), { fixes: [replaceWith(span, guess)] });
}

const kindOf = (raw: string): ScalarNode['kind'] => (/^[a-z_]/i.test(raw) ? 'identifier' : 'number');
