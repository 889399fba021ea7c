import type { Net } from '../network/net';

/**
 * Where a forward pass must begin again so that a change of one layer's weights shows, when everything before is as an
 * earlier pass left it: the index of a layer in `net.layers`.
 *
 * It is the first layer that uses the weights (others may share them), or an earlier one when a layer behind it changes,
 * in place, a blob that was computed before it: run twice, it would change it twice.
 */
export function restartIndex(net: Net, layer: string): number {
  const { layers } = net;
  const weights = net.paramsOf(layer).map(({ data }) => data);
  let start = layers.findIndex(({ name }) => net.paramsOf(name).some(({ data }) => weights.includes(data)));

  // Blobs that share memory (Split, Reshape, Flatten) hold the same array.
  const madeBy = new Map<Float32Array, number>();
  for (const [i, { top, name }] of layers.entries()) {
    for (const blob of top) {
      const { data } = net.blob(blob);
      if (!madeBy.has(data)) madeBy.set(data, i);
    }
    if (start < 0 && name === layer) start = i;
  }
  const inPlace = layers.map(({ bottom, top }) =>
    top.filter((blob) => bottom.includes(blob)).map((blob) => madeBy.get(net.blob(blob).data) ?? 0),
  );
  for (let moved = true; moved;) {
    const first = Math.min(start, ...inPlace.slice(start).flat());
    moved = first < start;
    start = first;
  }
  return start;
}
