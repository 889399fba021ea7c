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

/** Places the boxes in layers from top to bottom, with as few crossings as the library finds. */
export function place({ nodes, edges }: GraphNet): Drawing {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 28, ranksep: 34, edgesep: 12, marginx: margin, marginy: margin });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, layers } of nodes) {
    const longest = Math.max(
      ...layers.map(({ name, type }) => Math.max(clip(name).length, clip(type).length + 2)),
    );
    graph.setNode(String(id), {
      width: Math.max(96, longest * characterWidth + 28),
      height: headHeight + rowHeight * (layers.length - 1),
    });
  }
  edges.forEach(({ from, to }, index) => graph.setEdge(String(from), String(to), {}, String(index)));
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    nodes: nodes.map((node) => {
      const { x, y, width, height } = graph.node(String(node.id));
      return { node, x: x - width / 2, y: y - height / 2, width, height };
    }),
    edges: edges.map((edge, index) => ({
      edge,
      points: (
        graph.edge(String(edge.from), String(edge.to), String(index)) as {
          points: { x: number; y: number }[];
        }
      ).points,
    })),
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
