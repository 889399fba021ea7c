import type { GraphNet, GraphNode } from '../../src/protocol';

/** What the colour of a box tells. */
export type Tint = 'type' | 'parameters' | 'zeros';

/** Share of zeros by layer name. */
export type Zeros = ReadonlyMap<string, number>;

export const parametersOf = ({ layers }: GraphNode): number =>
  layers.reduce((sum, { parameters }) => sum + parameters, 0);

/** How strongly each box is tinted, 0 to 1, by its id; undefined where there is nothing to tell. */
export function strengths(net: GraphNet, tint: Tint, zeros: Zeros): Map<number, number | undefined> {
  if (tint === 'zeros')
    return new Map(
      net.nodes.map(({ id, layers }) => [
        id,
        layers.map(({ name }) => zeros.get(name)).find((one) => one !== undefined),
      ]),
    );
  const most = Math.max(1, ...net.nodes.map(parametersOf).filter(Number.isFinite));
  return new Map(
    net.nodes.map((node) => {
      const parameters = parametersOf(node);
      // By the logarithm: the largest layer has a hundred times the weights of most others.
      return [node.id, parameters > 0 ? Math.log1p(parameters) / Math.log1p(most) : undefined];
    }),
  );
}
