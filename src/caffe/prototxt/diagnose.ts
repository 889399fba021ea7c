import { phrase, type Phrase } from '../../phrase';
import { CaffeError } from '../errors';
import { layerKinds } from '../layerCatalogue';
import type { LayerParameter, NetParameter, SolverParameter } from '../messages';
import { sameShape } from '../pairing';
import { readNet, type ReadNet } from '../readNet';
import { messageType, type MessageType } from '../schema';
import { checkFields, type CheckedLayers } from './checkFields';
import { checkNet, placeOf } from './checkNet';
import { checkSolver } from './checkSolver';
import { conversionFix } from './convert';
import { replaceWith, type Diagnostic, type Report } from './diagnostic';
import { fileKind } from './fileKind';
import { findHints, layerName } from './hints';
import { netsOf, wire, type NetText, type Wiring } from './netText';
import type { MessageNode, Prototxt } from './tree';
import { readMessage } from './values';

/** The blob shapes of a model by layer name, and what to call the model. */
export interface PairedModel {
  file: string;
  layers: ReadonlyMap<string, readonly (readonly number[])[]>;
}

/** What the text alone does not tell. */
export interface Knowledge {
  /** The net, where it has been read already. */
  read?: ReadNet;
  /** What diagnosing the text's last version left, and this one leaves: layers without a problem are not checked again. */
  checked?: CheckedLayers;
  /** Shapes of a net in a phase: what Caffe would refuse, and the shapes of each layer's learnable blobs. */
  inferShapes?: (
    net: NetParameter,
    phase: 'TRAIN' | 'TEST',
  ) => {
    errors: readonly CaffeError[];
    layers: readonly {
      layer: LayerParameter;
      /** Undefined for a type that shape inference does not know. */
      type?: unknown;
      bottoms: readonly unknown[];
      params: readonly (readonly number[])[];
    }[];
  };
  /** The model that the net is paired with. */
  model?: PairedModel;
  /** Whether a path that the file names exists; undefined when that is not known yet. */
  exists?: (path: string) => boolean | undefined;
}

/** Everything that is wrong with a prototxt, or could be better, in the order of the text. Never throws. */
export function diagnose(prototxt: Prototxt, knowledge: Knowledge = {}): Diagnostic[] {
  const found: Diagnostic[] = [];
  const report: Report = (code, severity, { start, end }, message, { fixes = [], ...more } = {}) => {
    found.push({ code, severity, start, end, message, fixes, ...more });
  };
  for (const { message, fix, ...span } of prototxt.problems)
    report('syntax', 'error', span, message, { fixes: fix ? [fix] : [] });
  const kind = fileKind(prototxt.root);
  checkFields(prototxt, prototxt.root, messageType(kind), report, knowledge.checked);
  const nets = netsOf(prototxt).map((net) => ({ net, wiring: wire(net) }));
  for (const { net, wiring } of nets) checkNet(prototxt, net, wiring, report);
  if (kind === 'SolverParameter') {
    const solver = readMessage(prototxt.text, prototxt.root, messageType(kind), () => undefined);
    checkSolver(prototxt, prototxt.root, solver as SolverParameter, report, knowledge.exists);
  }
  checkHints(prototxt, nets, report, knowledge.model);
  if (kind === 'NetParameter') {
    const own = nets.find(({ net }) => net.node === prototxt.root);
    reportOldSyntax(prototxt, own?.net, report);
    checkInputs(prototxt, report);
    if (own && prototxt.problems.length === 0) checkShapes(prototxt, own, knowledge, found, report);
  }
  return found.sort((a, b) => a.start - b.start || a.end - b.end);
}

function reportOldSyntax(prototxt: Prototxt, net: NetText | undefined, report: Report): void {
  const old = prototxt.root.fields.filter(({ name }) => name === 'layers' || name === 'input');
  if (old.length === 0 || !net) return;
  const fix = prototxt.problems.length === 0 ? conversionFix(prototxt, net) : undefined;
  const layers = old.find(({ name }) => name === 'layers');
  report(
    'deprecated',
    layers ? 'information' : 'hint',
    (layers ?? old[0]).nameSpan,
    layers
      ? phrase`\`layers\` is the syntax of 2014 and before; write \`layer\` with a type in quotes`
      : phrase`\`input\` is deprecated; write a layer of type Input`,
    { tag: 'deprecated', fixes: fix ? [fix] : [] },
  );
}

/** The shapes of `input` fields: one for each, or four sizes. */
function checkInputs({ root }: Prototxt, report: Report): void {
  const count = (name: string) =>
    root.fields.reduce((sum, field) => sum + (field.name === name ? field.values.length : 0), 0);
  const place = (name: string) => root.fields.find((field) => field.name === name)!.nameSpan;
  const [inputs, shapes, dims] = ['input', 'input_shape', 'input_dim'].map(count);
  if (inputs === 0) return;
  if (shapes > 0 && dims > 0)
    report(
      'shape',
      'error',
      place('input_dim'),
      phrase`Sizes stand in either input_shape or input_dim, not both`,
    );
  else if (dims > 0 && dims !== 4 * inputs)
    report(
      'shape',
      'error',
      place('input_dim'),
      phrase`There must be 4 input_dim for each of the ${inputs} inputs, not ${dims} in all; a shape of other than 4 axes takes input_shape`,
    );
  else if (shapes > 0 && shapes !== inputs)
    report(
      'shape',
      'error',
      place('input_shape'),
      phrase`There must be one input_shape for each of the ${inputs} inputs, not ${shapes}`,
    );
}

function checkHints(
  prototxt: Prototxt,
  nets: readonly { net: NetText }[],
  report: Report,
  model: PairedModel | undefined,
): void {
  const layers = new Map(nets.flatMap(({ net }) => net.layers.map((layer) => [layer.node, layer] as const)));
  for (const { body, hint, layer, problems, span } of findHints(prototxt)) {
    for (const { message, replacement, start, end } of problems)
      report('hint', 'warning', { start, end }, message, {
        fixes: replacement === undefined ? [] : [replaceWith({ start, end }, replacement)],
      });
    const text = layer && layers.get(layer);
    if (!text || hint.skip) continue;
    const kind = layerKinds.get(text.type);
    const name = layerName(prototxt, layer);
    const remove = {
      title: phrase`Remove the hint`,
      edits: [{ start: span.start, end: span.end, text: '' }],
    };
    if (kind && !kind.weights)
      report('hint', 'warning', body, phrase`"${name}" is a ${kind.type}: it has no weights to prune`, {
        fixes: [remove],
      });
    else if (model && name !== '' && !model.layers.get(name)?.length)
      report('hint', 'warning', body, phrase`${model.file} has no weights for "${name}"`);
  }
}

/** Adds what shape inference refuses, unless the layer has an error already, and weights that do not fit. */
function checkShapes(
  prototxt: Prototxt,
  { net, wiring }: { net: NetText; wiring: Wiring },
  { inferShapes, model, ...knowledge }: Knowledge,
  found: readonly Diagnostic[],
  report: Report,
): void {
  if (!inferShapes) return;
  const texts = new Map(net.layers.map((layer) => [layer.node, layer]));
  const faulty = (node: MessageNode) =>
    found.some(
      ({ severity, start, end }) => severity === 'error' && start >= node.field!.start && end <= node.end,
    );
  const said = new Set<string>();
  try {
    const read = knowledge.read ?? readNet(prototxt);
    /** What an error tells of its layer; a line may hold several. */
    const placed = (line: number | undefined, name: string | undefined) => `${line} ${name}`;
    const byPlace = new Map([...read.nodes].map(([{ line, name }, node]) => [placed(line, name), node]));
    for (const phase of wiring.phases) {
      const { errors, layers } = inferShapes(read.net, phase);
      // Of a layer that inference does not know, or whose bottoms nobody makes, the other checks speak.
      const silent = new Set(
        layers
          .filter(({ type, bottoms }) => type === undefined || bottoms.includes(undefined))
          .map(({ layer: { line, name } }) => placed(line, name)),
      );
      for (const error of errors) {
        const place = placed(error.line, error.layer);
        if (silent.has(place)) continue;
        const node = byPlace.get(place);
        const text = node && texts.get(node);
        if (!text || said.has(`${place} ${error.message}`) || faulty(node)) continue;
        said.add(`${place} ${error.message}`);
        report('shape', usesFork(node) ? 'warning' : 'error', placeOf(text), error.what);
      }
      if (model)
        for (const { layer, params } of layers) {
          const place = placed(layer.line, layer.name);
          const text = texts.get(byPlace.get(place)!);
          const problem = misfitOf(layer.name, params, model);
          if (!text || !problem || said.has(`${place} weights`)) continue;
          said.add(`${place} weights`);
          report('weights', 'warning', placeOf(text), problem);
        }
    }
  } catch (error) {
    // A net that mixes `layer` and `layers` cannot be read; that is reported already.
    if (!(error instanceof CaffeError)) throw error;
  }
}

/** A layer says something that only a fork knows: there the rules may be others. */
function usesFork(node: MessageNode, type: MessageType = messageType('LayerParameter')): boolean {
  return node.fields.some((field) => {
    const fieldType = type.fields.get(field.name);
    if (!fieldType) return true;
    if (/\((?:NVCaffe|Intel Caffe|SSD|SSL forks|DeepLab)\)/.test(fieldType.doc)) return true;
    const { type: inner } = fieldType;
    if (typeof inner === 'string' || inner.kind !== 'message') return false;
    return field.values.some((value) => value.kind === 'message' && usesFork(value, inner));
  });
}

/** Why the weights of a model do not fit a layer, or undefined where they do. */
function misfitOf(
  name: string,
  params: readonly (readonly number[])[],
  { file, layers }: PairedModel,
): Phrase | undefined {
  const blobs = layers.get(name);
  if (!blobs || blobs.length === 0) return undefined;
  for (const [index, shape] of params.entries()) {
    const blob = blobs[index];
    if (!blob)
      return phrase`${file} has ${blobs.length} blob(s) for "${name}", but the layer has ${params.length}`;
    if (!sameShape(shape, blob))
      return phrase`Blob ${index} of "${name}" is ${shape.map((size) => (Number.isNaN(size) ? '?' : size)).join('×')} here, but ${blob.join('×')} in ${file}`;
  }
  return undefined;
}
