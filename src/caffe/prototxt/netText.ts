import { v0LayerType, v1LayerTypeByName } from '../layerTypes';
import type { NetState, NetStateRule } from '../messages';
import { takesPart } from '../netState';
import { messageType } from '../schema';
import { messagesOf, scalarOf, type MessageNode, type Prototxt, type ScalarNode, type Span } from './tree';
import { readMessage, stringValue } from './values';

/** A blob's name where a layer reads or makes it, or where the net takes it as `input`. */
export interface BlobUse {
  blob: string;
  role: 'bottom' | 'top' | 'input';
  /** The name alone, inside the quotes. */
  span: Span;
  /** Undefined for an input of the net. */
  layer?: LayerText;
  /** Position among the layer's bottoms, or tops. */
  index: number;
}

/** The name of a parameter blob that layers may share. */
export interface ParamUse {
  name: string;
  span: Span;
  layer: LayerText;
  index: number;
}

/** A layer as the text has it, whatever year's syntax it is in. */
export interface LayerText {
  node: MessageNode;
  /** Where the fields `name` and `type` are: `node`, but one brace deeper in a layer of 2013. */
  description: MessageNode;
  name: string;
  nameSpan?: Span;
  /** Today's name of the type; empty where there is none. */
  type: string;
  typeSpan?: Span;
  bottoms: BlobUse[];
  tops: BlobUse[];
  params: ParamUse[];
  include: NetStateRule[];
  exclude: NetStateRule[];
  /** It counts in the objective: by its type, or because it sets loss_weight. */
  loss: boolean;
}

export interface NetText {
  node: MessageNode;
  state: NetState;
  inputs: BlobUse[];
  layers: LayerText[];
}

const known = new WeakMap<Prototxt, NetText[]>();

/** The nets that stand in a file: the file itself, and those inside a solver. Asking again costs nothing. */
export function netsOf(prototxt: Prototxt): NetText[] {
  let nets = known.get(prototxt);
  if (!nets) known.set(prototxt, (nets = readNets(prototxt)));
  return nets;
}

function readNets(prototxt: Prototxt): NetText[] {
  const nets = [netOf(prototxt, prototxt.root)];
  for (const name of ['net_param', 'train_net_param', 'test_net_param'])
    for (const node of messagesOf(prototxt.root, name)) nets.push(netOf(prototxt, node));
  return nets.filter((net) => net.layers.length > 0 || net.inputs.length > 0);
}

function netOf(prototxt: Prototxt, node: MessageNode): NetText {
  const { text } = prototxt;
  const layers: LayerText[] = [];
  const inputs: BlobUse[] = [];
  const state: NetState = {};
  for (const field of node.fields) {
    if (field.name === 'layer' || field.name === 'layers') {
      for (const value of field.values) if (value.kind === 'message') layers.push(layerOf(text, value));
    } else if (field.name === 'input') {
      for (const value of field.values)
        if (value.kind === 'string') inputs.push(useOf(text, value, 'input', inputs.length));
    } else if (field.name === 'state') {
      for (const value of field.values)
        if (value.kind === 'message') Object.assign(state, readState(text, value, 'NetState'));
    }
  }
  return { node, state, inputs, layers };
}

function layerOf(text: string, node: MessageNode): LayerText {
  const layer: LayerText = {
    node,
    description: node,
    name: '',
    type: '',
    bottoms: [],
    tops: [],
    params: [],
    include: [],
    exclude: [],
    loss: false,
  };
  let name: ScalarNode | undefined;
  let type: ScalarNode | undefined;
  let params = 0;
  for (const field of node.fields)
    for (const value of field.values) {
      const scalar = value.kind === 'message' ? undefined : value;
      switch (field.name) {
        case 'name':
          name ??= scalar;
          break;
        case 'type':
          type ??= scalar;
          break;
        case 'layer':
          if (value.kind === 'message') layer.description = value;
          break;
        case 'bottom':
        case 'top': {
          if (scalar?.kind !== 'string') break;
          const uses = field.name === 'bottom' ? layer.bottoms : layer.tops;
          uses.push(useOf(text, scalar, field.name, uses.length, layer));
          break;
        }
        case 'param': {
          const shared = value.kind === 'message' ? scalarOf(value, 'name') : value;
          if (shared?.kind === 'string') {
            const shares = stringValue(text, shared);
            if (shares !== '')
              layer.params.push({ name: shares, span: insideQuotes(text, shared), layer, index: params });
          }
          params++;
          break;
        }
        case 'include':
        case 'exclude':
          if (value.kind === 'message') layer[field.name].push(readState(text, value, 'NetStateRule'));
          break;
        case 'loss_weight':
          layer.loss = true;
      }
    }
  if (layer.description !== node) {
    name = scalarOf(layer.description, 'name');
    type = scalarOf(layer.description, 'type');
  }
  if (name?.kind === 'string') {
    layer.name = stringValue(text, name);
    layer.nameSpan = insideQuotes(text, name);
  }
  if (type) {
    const quoted = type.kind === 'string';
    layer.typeSpan = quoted ? insideQuotes(text, type) : { start: type.start, end: type.end };
    const written = quoted ? stringValue(text, type) : text.slice(type.start, type.end);
    if (layer.description !== node) layer.type = v0LayerType(written);
    else layer.type = quoted ? written : (v1LayerTypeByName(written) ?? written);
  }
  layer.loss ||= layer.type.includes('Loss');
  return layer;
}

const useOf = (
  text: string,
  node: Span,
  role: BlobUse['role'],
  index: number,
  layer?: LayerText,
): BlobUse => ({ blob: stringValue(text, node), role, span: insideQuotes(text, node), index, layer });

/** The text between the first quote of a string and its last, that of its last part; up to its end where that is missing. */
export function insideQuotes(text: string, node: Span): Span {
  const start = node.start + 1;
  const closed = node.end > start && text[node.end - 1] === text[node.start];
  return { start, end: closed ? node.end - 1 : Math.max(start, node.end) };
}

const readState = (text: string, node: MessageNode, type: 'NetState' | 'NetStateRule'): NetStateRule =>
  readMessage(text, node, messageType(type), () => undefined);

/** How the layers of a net hang together, over all the states that the net distinguishes. */
export interface Wiring {
  /** For each bottom the tops (or inputs) that it may read; each comes right before it in some state. */
  producers: ReadonlyMap<BlobUse, BlobUse[]>;
  /** For each top and input the bottoms that read it. */
  consumers: ReadonlyMap<BlobUse, BlobUse[]>;
  /** Bottoms that nothing above makes, with the phases in which that is so. */
  missing: { use: BlobUse; phases: ('TRAIN' | 'TEST')[] }[];
  /** Tops that an earlier layer makes already, and that are not in place. */
  doubled: { use: BlobUse; earlier: BlobUse }[];
  /** Layers with the name of an earlier one that takes part beside them. */
  namesakes: { layer: LayerText; earlier: LayerText }[];
  /** The phases that the net is meant for. */
  phases: ('TRAIN' | 'TEST')[];
}

/**
 * Wires a net as Caffe does: a bottom reads the last top above it with its name among the layers that take part; a top
 * with the name of the bottom at its position works in place. The states are both phases with no stage, each stage that
 * a rule names, and each level that one bounds. A phase that the net is
 * not meant for is left out: nothing feeds it, or it would train nothing. A bottom is missing, and a top made twice, only when it is so in all the states of a phase.
 */
export function wire(net: NetText): Wiring {
  let wiring = wirings.get(net);
  if (!wiring) wirings.set(net, (wiring = wireAll(net)));
  return wiring;
}

const wirings = new WeakMap<NetText, Wiring>();

function wireAll(net: NetText): Wiring {
  const producers = new Map<BlobUse, BlobUse[]>();
  const consumers = new Map<BlobUse, BlobUse[]>();
  const doubled = new Map<BlobUse, BlobUse>();
  const missing = new Map<BlobUse, Set<'TRAIN' | 'TEST'>>();
  const namesakes = new Map<LayerText, LayerText>();
  const phases = phasesOf(net);
  for (const phase of phases) {
    const found = new Set<BlobUse>();
    const lost = new Set<BlobUse>();
    const single = new Set<BlobUse>();
    const twice = new Map<BlobUse, BlobUse>();
    const alone = new Set<LayerText>();
    const beside = new Map<LayerText, LayerText>();
    for (const state of statesOf(net, phase)) {
      const layers = net.layers.filter((layer) => takesPart(state, layer));
      const fed = isFed(net, layers);
      const latest = new Map<string, BlobUse>(net.inputs.map((use) => [use.blob, use]));
      const names = new Map<string, LayerText>();
      for (const layer of layers) {
        const earlier = layer.name === '' ? undefined : names.get(layer.name);
        if (earlier) beside.set(layer, earlier);
        else alone.add(layer);
        names.set(layer.name, layer);
        for (const use of layer.bottoms) {
          const producer = latest.get(use.blob);
          if (producer) {
            found.add(use);
            link(producers, use, producer);
            link(consumers, producer, use);
          } else if (fed) lost.add(use);
        }
        for (const use of layer.tops) {
          const earlier = latest.get(use.blob);
          if (earlier && !isInPlace(use)) twice.set(use, earlier);
          else single.add(use);
          latest.set(use.blob, use);
        }
      }
    }
    for (const [layer, earlier] of beside) if (!alone.has(layer)) namesakes.set(layer, earlier);
    for (const [use, earlier] of twice) if (!single.has(use)) doubled.set(use, earlier);
    for (const use of lost) if (!found.has(use)) missing.set(use, (missing.get(use) ?? new Set()).add(phase));
  }
  return {
    producers,
    consumers,
    missing: [...missing].map(([use, phases]) => ({ use, phases: [...phases] })),
    doubled: [...doubled].map(([use, earlier]) => ({ use, earlier })),
    namesakes: [...namesakes].map(([layer, earlier]) => ({ layer, earlier })),
    phases,
  };
}

const isFed = (net: NetText, layers: readonly LayerText[]): boolean =>
  net.inputs.length > 0 || layers.some(({ bottoms, tops }) => bottoms.length === 0 && tops.length > 0);

/**
 * The phases that a net is meant for: those that some layer or input feeds. Where nothing is a loss and there is
 * something to test, the net is not for training.
 */
function phasesOf(net: NetText): ('TRAIN' | 'TEST')[] {
  const layersIn = (phase: 'TRAIN' | 'TEST') => {
    const states = statesOf(net, phase);
    return net.layers.filter((layer) => states.some((state) => takesPart(state, layer)));
  };
  const [train, test] = [layersIn('TRAIN'), layersIn('TEST')];
  const tests = isFed(net, test);
  const trains = isFed(net, train) && (!tests || train.some(({ loss }) => loss));
  return [...(trains ? (['TRAIN'] as const) : []), ...(tests ? (['TEST'] as const) : [])];
}

/** A top that overwrites the bottom at the same position. */
export const isInPlace = (use: BlobUse): boolean =>
  use.role === 'top' && use.layer?.bottoms[use.index]?.blob === use.blob;

function link(links: Map<BlobUse, BlobUse[]>, from: BlobUse, to: BlobUse): void {
  const known = links.get(from);
  if (!known) links.set(from, [to]);
  else if (!known.includes(to)) known.push(to);
}

/** No more states than this are looked at: each costs a pass over the net. */
const mostStates = 24;

function statesOf(net: NetText, phase: 'TRAIN' | 'TEST'): NetState[] {
  const stages = new Set<string>();
  const levels = new Set<number>([net.state.level ?? 0]);
  for (const { include, exclude } of net.layers)
    for (const rule of [...include, ...exclude]) {
      for (const stage of [...(rule.stage ?? []), ...(rule.not_stage ?? [])]) stages.add(stage);
      for (const level of [rule.min_level, rule.max_level]) if (level !== undefined) levels.add(level);
    }
  const always = net.state.stage ?? [];
  const choices = [always, ...[...stages].map((stage) => [...always, stage])];
  return [...levels]
    .flatMap((level) => choices.map((stage) => ({ phase, level, stage })))
    .slice(0, mostStates);
}
