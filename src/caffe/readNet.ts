import { CaffeError } from './errors';
import type { LayerParameter, NetParameter, SolverParameter, V1LayerParameter } from './messages';
import { parsePrototxt } from './prototxt/parser';
import { lineOf, type MessageNode, type Prototxt, type Span } from './prototxt/tree';
import { readMessage, type Misfit, type PlainMessage, type Reading } from './prototxt/values';
import { messageType } from './schema';
import { upgradeNet, upgradeSolver } from './upgrade';

/** A net with where its layers stand in the text. */
export interface ReadNet {
  /** In the current syntax, whatever the file was written in. */
  net: NetParameter;
  /** The braces of each layer; none for the Input layer that stands for `input` fields. */
  nodes: ReadonlyMap<LayerParameter, MessageNode>;
  /** What could not be read, and is not in `net`. */
  misfits: Misfit[];
}

/**
 * Reads a net from its text, in the current syntax. Fields that nobody knows are left out: forks have many.
 * @throws CaffeError with the line when the text breaks the text format or a value does not fit its field
 */
export function parseNet(text: string, file?: string): NetParameter {
  const prototxt = parsePrototxt(text);
  refuseSyntax(prototxt, file);
  const { net, misfits } = located(prototxt, file, () => readNet(prototxt));
  refuseMisfits(prototxt, misfits, file);
  return net;
}

/** Reads a solver from its text; nets written inside it are in the current syntax. @throws CaffeError as `parseNet` */
export function parseSolver(text: string, file?: string): SolverParameter {
  const prototxt = parsePrototxt(text);
  refuseSyntax(prototxt, file);
  const { solver, misfits } = located(prototxt, file, () => readSolver(prototxt));
  refuseMisfits(prototxt, misfits, file);
  return solver;
}

/**
 * The layers of a text's last version, for reading the next: a layer whose text is the same is not read again, and is the
 * same object where it is on the same line. Belongs to one text that changes.
 */
export class LayersRead {
  private byText = new Map<string, PlainMessage>();
  private readonly layers = new WeakMap<PlainMessage, LayerParameter>();

  /** The layer with this text, for one reader only. */
  take(text: string): PlainMessage | undefined {
    const value = this.byText.get(text);
    this.byText.delete(text);
    return value;
  }

  /** Holds these layers, and no others any more. */
  keep(read: Map<string, PlainMessage>): void {
    this.byText = read;
  }

  /** What was made of a layer that was taken. */
  made(value: PlainMessage): LayerParameter | undefined {
    return this.layers.get(value);
  }

  remember(value: PlainMessage, layer: LayerParameter): void {
    this.layers.set(value, layer);
  }
}

/**
 * What can be read of a net, however broken.
 * @param former what reading the text's last version left, and this one leaves
 * @throws CaffeError only when it mixes `layer` and `layers`
 */
export function readNet(prototxt: Prototxt, former = new LayersRead()): ReadNet {
  const misfits: Misfit[] = [];
  const places: Places = new Map();
  const { enter } = placeLayers(places);
  const textOf = ({ start, end }: Span) => prototxt.text.slice(start, end);
  const read = new Map<string, PlainMessage>();
  let misfitsBefore = 0;
  const raw = readMessage(
    prototxt.text,
    prototxt.root,
    messageType('NetParameter'),
    (misfit) => misfits.push(misfit),
    {
      known(node, type) {
        if (type.name !== 'LayerParameter') return undefined;
        misfitsBefore = misfits.length;
        return former.take(textOf(node));
      },
      enter(value, node, type) {
        enter(value, node, type);
        // What does not fit must be found again in the next version.
        if (type.name === 'LayerParameter' && misfits.length === misfitsBefore) read.set(textOf(node), value);
      },
    },
  );
  former.keep(read);
  const reused = new Map<LayerParameter, MessageNode>();
  const reuse = (value: PlainMessage) => {
    const offset = value.line as number;
    const layer = former.made(value);
    if (layer?.line !== lineOf(prototxt, offset) + 1) return undefined;
    reused.set(layer, places.get(offset)!.node);
    return layer;
  };
  const net = upgradeNet(completed(raw, reuse));
  return { net, nodes: withLines(prototxt, net, places, { former, reused }), misfits };
}

function readSolver(prototxt: Prototxt): { solver: SolverParameter; misfits: Misfit[] } {
  const misfits: Misfit[] = [];
  const places: Places = new Map();
  const raw = readMessage(
    prototxt.text,
    prototxt.root,
    messageType('SolverParameter'),
    (misfit) => misfits.push(misfit),
    placeLayers(places),
  ) as SolverParameter;
  const upgraded = (net: NetParameter | undefined): NetParameter | undefined => {
    if (!net) return undefined;
    const current = upgradeNet(completed(net));
    withLines(prototxt, current, places);
    return current;
  };
  const solver = upgradeSolver(raw);
  for (const key of ['net_param', 'train_net_param'] as const)
    if (solver[key]) solver[key] = upgraded(solver[key]);
  if (solver.test_net_param) solver.test_net_param = solver.test_net_param.map((net) => upgraded(net)!);
  return { solver, misfits };
}

/** The layers by where they begin, as they were read. */
type Places = Map<number, { node: MessageNode; value: PlainMessage }>;

/** Notes where a layer begins; its `line` is that offset until `withLines` counts the lines. */
const placeLayers = (places: Places): Reading => ({
  enter(value, node, type) {
    if (type.name !== 'LayerParameter' && type.name !== 'V1LayerParameter') return;
    const start = node.field!.list ? node.start : node.field!.start;
    places.set(start, { node, value });
    (value as Partial<LayerParameter | V1LayerParameter>).line = start;
  },
});

/** Gives layers their lines; those that are `reused` have them. */
function withLines(
  prototxt: Prototxt,
  net: NetParameter,
  places: Places,
  known?: { former: LayersRead; reused: ReadonlyMap<LayerParameter, MessageNode> },
): Map<LayerParameter, MessageNode> {
  const nodes = new Map<LayerParameter, MessageNode>();
  for (const layer of net.layer) {
    if (layer.line === undefined) continue;
    const reused = known?.reused.get(layer);
    if (reused) {
      nodes.set(layer, reused);
      continue;
    }
    const { node, value } = places.get(layer.line)!;
    nodes.set(layer, node);
    layer.line = lineOf(prototxt, layer.line) + 1;
    known?.former.remember(value, layer);
  }
  return nodes;
}

/** Gives a net as it was read what `NetParameter` promises: lists that are always there. */
function completed(
  raw: object,
  reuse: (layer: PlainMessage) => LayerParameter | undefined = () => undefined,
): NetParameter {
  const net = raw as Partial<NetParameter>;
  const layer = (net.layer ?? []).map(
    (one): LayerParameter =>
      reuse(one as unknown as PlainMessage) ??
      Object.assign(
        {
          name: '',
          type: '',
          bottom: [],
          top: [],
          loss_weight: [],
          param: [],
          propagate_down: [],
          include: [],
          exclude: [],
        },
        one,
      ),
  );
  return { ...net, layer };
}

function refuseSyntax(prototxt: Prototxt, file?: string): void {
  const problem = prototxt.problems[0];
  if (problem) throw new CaffeError(problem.message, { file, line: lineOf(prototxt, problem.start) + 1 });
}

function refuseMisfits(prototxt: Prototxt, misfits: readonly Misfit[], file?: string): void {
  const misfit = misfits.find(({ kind }) => kind !== 'unknown field');
  if (misfit) throw new CaffeError(misfit.message, { file, line: lineOf(prototxt, misfit.start) + 1 });
}

/** Errors of the upgrade carry an offset for a line; this counts the lines and adds the file. */
function located<T>(prototxt: Prototxt, file: string | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CaffeError)) throw error;
    const line = error.line === undefined ? undefined : lineOf(prototxt, error.line) + 1;
    throw new CaffeError(error.what, { file, line, advice: error.advice });
  }
}
