import { Graph, layout } from '@dagrejs/dagre';
import type { GraphEdge, GraphNet, GraphNode } from '../../src/protocol';

export interface PlacedNode {
  node: GraphNode;
  /** Upper left corner, in pixels of the drawing. */
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PlacedEdge {
  edge: GraphEdge;
  points: readonly { x: number; y: number }[];
}

export interface Drawing {
  width: number;
  height: number;
  nodes: PlacedNode[];
  edges: PlacedEdge[];
}

export const rowHeight = 20;
export const headHeight = 40;
const margin = 24;
/** Mean width of a character of the font that boxes are written in; names are cut to what fits. */
const characterWidth = 7;
const mostCharacters = 28;

export const clip = (text: string): string =>
  text.length > mostCharacters ? `${text.slice(0, mostCharacters - 1)}…` : text;

/** Boxes that are placed together, at the least; more where the net has no place to be cut. */
const leastTogether = 12;
/** An edge from a data layer that leads past so many boxes, such as a label's, is led beside the net. */
const farAway = 8;
const gutter = 18;

/**
 * Places the boxes in layers from top to bottom, with as few crossings as the library finds. Its time grows with the square
 * of what it places, so that a net is cut at boxes that no edge leads past, and its pieces are put below each other.
 */
export function place({ nodes, edges }: GraphNet): Drawing {
  const boxes = nodes.map(sized);
  const isFar = ({ from, to }: GraphEdge) => to - from > farAway && nodes[from].layers[0].family === 'data';
  const reached = new Set(edges.filter((edge) => !isFar(edge)).map(({ to }) => to));
  const inside = edges.filter((edge) => !isFar(edge) || !reached.has(edge.to));
  const pieces = new Pieces(boxes, inside);
  const points = new Map<GraphEdge, Point[]>();
  const cuts = cutsOf(nodes.length, inside);
  let start = 0;
  for (let next = 0; start < nodes.length - 1 || next === 0;) {
    // Up to the first cut that leaves enough together.
    while (next < cuts.length - 1 && cuts[next] - start < leastTogether) next++;
    let piece = pieces.place(start, cuts[next] ?? 0);
    // What hangs below the last box would lie over the next piece.
    while (next < cuts.length - 1 && piece.hangsBelow) piece = pieces.place(start, cuts[++next]);
    const first = piece.places.get(start)!;
    const [dx, dy] = start === 0 ? [0, 0] : [boxes[start].x - first.x, boxes[start].y - first.y];
    for (const [id, { x, y }] of piece.places) Object.assign(boxes[id], { x: x + dx, y: y + dy });
    for (const [edge, line] of piece.points)
      points.set(
        edge,
        line.map(({ x, y }) => ({ x: x + dx, y: y + dy })),
      );
    start = cuts[next++] ?? nodes.length;
  }
  return framed(boxes, edges, points);
}

interface Point {
  x: number;
  y: number;
}

function sized(node: GraphNode): PlacedNode {
  const longest = Math.max(
    ...node.layers.map(({ name, type }) => Math.max(clip(name).length, clip(type).length + 2)),
  );
  return {
    node,
    x: 0,
    y: 0,
    // In steps, so that boxes side by side and pieces of a net look alike.
    width: Math.max(96, Math.ceil((longest * characterWidth + 28) / 16) * 16),
    height: headHeight + rowHeight * (node.layers.length - 1),
  };
}

/** The boxes that no edge leads past, in order, and the last box. Edges lead from earlier boxes to later ones. */
function cutsOf(count: number, edges: readonly GraphEdge[]): number[] {
  /** How far the edges of a box lead. */
  const reach = new Array<number>(count).fill(0);
  for (const { from, to } of edges) reach[from] = Math.max(reach[from], to);
  const cuts: number[] = [];
  let farthest = 0;
  for (let id = 0; id < count; id++) {
    // A box that nothing leads to would let others hang in the air.
    if (id > 0 && (farthest === id || id === count - 1)) cuts.push(id);
    farthest = Math.max(farthest, reach[id]);
  }
  return cuts;
}

/** Where the library puts boxes, and the lines of edges between them. */
interface Arrangement {
  places: Point[];
  lines: Point[][];
}

/** Arranges boxes of some sizes in layers from top to bottom; `edges` are pairs of positions among them. */
function arrange(
  sizes: readonly (readonly [width: number, height: number])[],
  edges: readonly (readonly [from: number, to: number])[],
): Arrangement {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 28, ranksep: 34, edgesep: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  sizes.forEach(([width, height], id) => graph.setNode(String(id), { width, height }));
  edges.forEach(([from, to], index) => graph.setEdge(String(from), String(to), {}, String(index)));
  layout(graph);
  return {
    places: sizes.map(([width, height], id) => {
      const { x, y } = graph.node(String(id));
      return { x: x - width / 2, y: y - height / 2 };
    }),
    lines: edges.map(
      ([from, to], index) =>
        (graph.edge(String(from), String(to), String(index)) as { points: Point[] }).points,
    ),
  };
}

/** Places pieces of a net; nets repeat themselves, and a piece that looks like another is not arranged again. */
class Pieces {
  private readonly known = new Map<string, Arrangement>();

  constructor(
    private readonly boxes: readonly PlacedNode[],
    private readonly edges: readonly GraphEdge[],
  ) {}

  /** The boxes `start`..`end` and the edges between them. */
  place(
    start: number,
    end: number,
  ): { places: Map<number, Point>; points: Map<GraphEdge, Point[]>; hangsBelow: boolean } {
    const boxes = this.boxes.slice(start, end + 1);
    const within = this.edges.filter(({ from, to }) => from >= start && to <= end);
    const sizes = boxes.map(({ width, height }) => [width, height] as const);
    const pairs = within.map(({ from, to }) => [from - start, to - start] as const);
    const key = JSON.stringify([sizes, pairs]);
    let arrangement = this.known.get(key);
    if (!arrangement) this.known.set(key, (arrangement = arrange(sizes, pairs)));
    const { places, lines } = arrangement;
    const last = places[end - start];
    return {
      places: new Map(places.map((point, index) => [start + index, point])),
      points: new Map(within.map((edge, index) => [edge, lines[index]])),
      hangsBelow: places.some(({ y }, index) => index < end - start && y + sizes[index][1] > last.y),
    };
  }
}

/** The drawing with a margin around it, and beside it the edges that have no line yet. */
function framed(
  boxes: readonly PlacedNode[],
  edges: readonly GraphEdge[],
  lines: ReadonlyMap<GraphEdge, Point[]>,
): Drawing {
  const all = [...boxes, ...[...lines.values()].flat()];
  const left = all.reduce((least, { x }) => Math.min(least, x), Infinity) - margin;
  const top = all.reduce((least, { y }) => Math.min(least, y), Infinity) - margin;
  const right = (one: Point & { width?: number }) => one.x + (one.width ?? 0);
  let width = all.reduce((most, one) => Math.max(most, right(one)), -Infinity) - left + margin;
  const nodes = boxes.map((box) => ({ ...box, x: box.x - left, y: box.y - top }));
  const placed = edges.map((edge): PlacedEdge => {
    const line = lines.get(edge);
    if (line) return { edge, points: line.map(({ x, y }) => ({ x: x - left, y: y - top })) };
    const [from, to] = [nodes[edge.from], nodes[edge.to]];
    const x = width;
    width += gutter;
    const [out, into] = [from.y + from.height / 2, to.y + to.height / 2];
    const points = [
      { x: from.x + from.width, y: out },
      { x: x - gutter, y: out },
      { x, y: out + gutter },
      { x, y: (out + into) / 2 },
      { x, y: into - gutter },
      { x: x - gutter, y: into },
      { x: to.x + to.width, y: into },
    ];
    return { edge, points };
  });
  const bottom = nodes.reduce((most, { y, height }) => Math.max(most, y + height), 0);
  return {
    width: width + (placed.length > lines.size ? margin : 0),
    height: bottom + margin,
    nodes,
    edges: placed,
  };
}

/** A smooth line through points: quadratic curves between the middles of its pieces. */
export function pathThrough(points: PlacedEdge['points']): string {
  const [first, ...others] = points;
  const last = others.at(-1);
  if (!last) return '';
  const at = ({ x, y }: { x: number; y: number }) => `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
  const parts = [`M${at(first)}`];
  for (const [index, point] of others.slice(0, -1).entries()) {
    const next = others[index + 1];
    parts.push(`Q${at(point)} ${at({ x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}`);
  }
  return `${parts.join('')}L${at(last)}`;
}
