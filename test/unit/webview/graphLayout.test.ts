import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GraphEdge, GraphNet, GraphNode } from '../../../src/protocol';
import { pathThrough, place, type PlacedNode } from '../../../webview/graph/layout';

const node = (
  id: number,
  inPlace = 0,
  family: GraphNode['layers'][number]['family'] = 'other',
): GraphNode => ({
  id,
  layers: Array.from({ length: 1 + inPlace }, (_, index) => ({
    id: id * 10 + index,
    name: `layer${id}`,
    type: 'ReLU',
    family,
    tops: [],
    parameters: 0,
    macs: 0,
  })),
});
const net = (nodes: GraphNode[], pairs: [number, number][]): GraphNet => ({
  name: 'net',
  phase: 'TEST',
  nodes,
  edges: pairs.map(([from, to]): GraphEdge => ({ from, to, blob: `${from}` })),
});

const overlaps = (a: PlacedNode, b: PlacedNode) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** What must hold of every drawing. */
function check(drawn: GraphNet): void {
  const { nodes, edges, width, height } = place(drawn);
  expect(nodes.map((one) => one.node)).toEqual(drawn.nodes);
  expect(edges.map(({ edge }) => edge)).toEqual(drawn.edges);
  nodes.forEach((one, index) => {
    expect(one.x >= 0 && one.y >= 0 && one.x + one.width <= width && one.y + one.height <= height).toBe(true);
    for (const other of nodes.slice(index + 1))
      expect(overlaps(one, other), `${one.node.id} over ${other.node.id}`).toBe(false);
  });
  for (const { edge, points } of edges) {
    expect(nodes[edge.from].y).toBeLessThan(nodes[edge.to].y);
    expect(points.every(({ x, y }) => x >= 0 && x <= width && y >= 0 && y <= height)).toBe(true);
  }
}

describe('no box lies over another, and edges lead down', () => {
  test('of any net', () => {
    const any = fc
      .integer({ min: 1, max: 45 })
      .chain((count) =>
        fc
          .array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1), fc.boolean()), { maxLength: 70 })
          .chain((pairs) =>
            fc.array(fc.nat(2), { minLength: count, maxLength: count }).map((rows) => ({ pairs, rows })),
          ),
      );
    fc.assert(
      fc.property(any, ({ pairs, rows }) => {
        // Mostly to the next boxes, as in real nets.
        const ends = pairs.map(([a, b, near]) => [a, near ? Math.min(rows.length - 1, a + 1 + (b % 4)) : b]);
        const edges = ends.flatMap(([a, b]): [number, number][] =>
          a === b ? [] : [[Math.min(a, b), Math.max(a, b)]],
        );
        check(
          net(
            rows.map((inPlace, id) => node(id, inPlace, id === 0 ? 'data' : 'other')),
            edges,
          ),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('of blocks with branches, one behind the other', () => {
    const pairs: [number, number][] = [];
    for (let block = 0; block < 12; block++) {
      const at = 4 * block;
      pairs.push([at, at + 1], [at + 1, at + 2], [at + 2, at + 3], [at, at + 4], [at + 3, at + 4]);
    }
    check(
      net(
        Array.from({ length: 49 }, (_, id) => node(id, id % 2)),
        pairs,
      ),
    );
  });

  test('of a net without layers that are joined, and of one that is a single box', () => {
    check(net([node(0), node(1), node(2)], []));
    check(net([node(0)], []));
  });

  test('of a branch that ends deeper than the box where the net could be cut', () => {
    const pairs: [number, number][] = [];
    for (let id = 1; id < 20; id++) pairs.push([id - 1, id]);
    // From box 5 the net goes on past the branch 6..19.
    for (let id = 20; id < 40; id++) pairs.push([id === 20 ? 5 : id - 1, id]);
    check(
      net(
        Array.from({ length: 40 }, (_, id) => node(id)),
        pairs,
      ),
    );
  });
});

test('what a data layer gives to the end of the net is led beside it', () => {
  const chain = Array.from({ length: 30 }, (_, id): [number, number] => [id, id + 1]);
  const drawn = net(
    Array.from({ length: 31 }, (_, id) => node(id, 0, id === 0 ? 'data' : 'other')),
    [...chain, [0, 30]],
  );
  const { nodes, edges } = place(drawn);
  const right = Math.max(...nodes.map(({ x, width }) => x + width));
  expect(Math.max(...edges.at(-1)!.points.map(({ x }) => x))).toBeGreaterThan(right);
  // The net stays a straight line.
  expect(new Set(nodes.map(({ x, width }) => Math.round(x + width / 2))).size).toBe(1);
});

test.each([
  [[], ''],
  [
    [
      { x: 1, y: 2 },
      { x: 3, y: 4 },
    ],
    'M1 2L3 4',
  ],
  [
    [
      { x: 0, y: 0 },
      { x: 0, y: 10 },
      { x: 10, y: 10 },
    ],
    'M0 0Q0 10 5 10L10 10',
  ],
])('pathThrough(%j) is %s', (points, path) => expect(pathThrough(points)).toBe(path));
