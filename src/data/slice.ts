import type { ItemSource } from './items';

/**
 * The items of a source from position `from` up to, not including, `to`, counted anew from 0: to hold a part of the
 * training data out. Closing it closes the source.
 */
export function slice(source: ItemSource, from: number, to: number): ItemSource {
  const { item } = source;
  return {
    name: `${source.name} [${from}, ${to})`,
    count: to - from,
    async *items(first = 0) {
      if (from + first >= to) return;
      for await (const each of source.items(from + first)) {
        if (each.index >= to) return;
        yield { ...each, index: each.index - from };
      }
    },
    ...(item && { item: async (index: number) => ({ ...(await item.call(source, from + index)), index }) }),
    close: () => source.close(),
  };
}
