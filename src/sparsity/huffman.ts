/**
 * The lengths, in bits, of a Huffman code for symbols that occur `counts` times (Huffman, A Method for the
 * Construction of Minimum-Redundancy Codes, 1952): 0 for symbols that do not occur, and 1 where only one does.
 */
export function codeLengths(counts: ArrayLike<number>): Uint8Array {
  const lengths = new Uint8Array(counts.length);
  const present = Array.from(counts, (count, symbol) => ({ count, symbol }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.count - b.count || a.symbol - b.symbol);
  if (present.length === 1) lengths[present[0].symbol] = 1;
  if (present.length < 2) return lengths;
  // Two queues (van Leeuwen 1976): the leaves, and the inner nodes, which come in ascending order by themselves.
  // Nodes are numbered in that order: the leaves first.
  const leaves = present.length;
  const weight = new Float64Array(2 * leaves - 1);
  const parent = new Int32Array(2 * leaves - 1);
  present.forEach(({ count }, i) => (weight[i] = count));
  let leaf = 0;
  let inner = leaves;
  for (let made = leaves; made < weight.length; made++) {
    for (let child = 0; child < 2; child++) {
      const takesLeaf = leaf < leaves && (inner >= made || weight[leaf] <= weight[inner]);
      const node = takesLeaf ? leaf++ : inner++;
      parent[node] = made;
      weight[made] += weight[node];
    }
  }
  const depth = new Uint8Array(weight.length);
  for (let node = weight.length - 2; node >= 0; node--) depth[node] = depth[parent[node]] + 1;
  present.forEach(({ symbol }, i) => (lengths[symbol] = depth[i]));
  return lengths;
}

/**
 * Bytes of the symbols in a canonical Huffman code, which is told by the lengths alone: a byte for each symbol up to
 * the last that occurs, and the codes without space between.
 */
export function huffmanBytes(counts: ArrayLike<number>): number {
  const lengths = codeLengths(counts);
  let bits = 0;
  for (let symbol = 0; symbol < lengths.length; symbol++) bits += lengths[symbol] * counts[symbol];
  return lengths.findLastIndex((length) => length > 0) + 1 + Math.ceil(bits / 8);
}
