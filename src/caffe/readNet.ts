import { CaffeError } from './errors';
import type { LayerParameter, NetParameter, SolverParameter, V1LayerParameter } from './messages';
import { parsePrototxt } from './prototxt/parser';
import { lineOf, type MessageNode, type Prototxt } from './prototxt/tree';
import { readMessage, type Misfit } from './prototxt/values';
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

/** What can be read of a net, however broken. @throws CaffeError only when it mixes `layer` and `layers` */
export function readNet(prototxt: Prototxt): ReadNet {
  const misfits: Misfit[] = [];
  const places = new Map<number, MessageNode>();
  const raw = readMessage(
    prototxt.text,
    prototxt.root,
    messageType('NetParameter'),
    (misfit) => misfits.push(misfit),
    placeLayers(places),
  );
  const net = upgradeNet(completed(raw));
  return { net, nodes: withLines(prototxt, net, places), misfits };
}

function readSolver(prototxt: Prototxt): { solver: SolverParameter; misfits: Misfit[] } {
  const misfits: Misfit[] = [];
  const places = new Map<number, MessageNode>();
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

/** Notes where a layer begins; its `line` is that offset until `withLines` counts the lines. */
const placeLayers =
  (places: Map<number, MessageNode>): Parameters<typeof readMessage>[4] =>
  (value, node, type) => {
    if (type.name !== 'LayerParameter' && type.name !== 'V1LayerParameter') return;
    const start = node.field!.list ? node.start : node.field!.start;
    places.set(start, node);
    (value as Partial<LayerParameter | V1LayerParameter>).line = start;
  };

function withLines(
  prototxt: Prototxt,
  net: NetParameter,
  places: ReadonlyMap<number, MessageNode>,
): Map<LayerParameter, MessageNode> {
  const nodes = new Map<LayerParameter, MessageNode>();
  for (const layer of net.layer) {
    if (layer.line === undefined) continue;
    nodes.set(layer, places.get(layer.line)!);
    layer.line = lineOf(prototxt, layer.line) + 1;
  }
  return nodes;
}

/** Gives a net as it was read what `NetParameter` promises: lists that are always there. */
function completed(raw: object): NetParameter {
  const net = raw as Partial<NetParameter>;
  const layer = (net.layer ?? []).map((one): LayerParameter =>
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
    throw new CaffeError(error.message, { file, line, advice: error.advice });
  }
}
