/** How far chance moves a share, such as an accuracy, that is measured on so many items: its standard error. */
export const standardError = (share: number, items: number): number =>
  Math.sqrt((share * (1 - share)) / items);

/** On how many items a share is measured to within an error; Infinity for an error of zero. */
export const itemsFor = (share: number, error: number): number =>
  Math.ceil((share * (1 - share)) / error ** 2);

/**
 * The share to reckon with where one was measured: as if one more item had been right and one more wrong, since 100 % of a few
 * items is no certainty.
 */
export const likelyShare = (measured: number, items: number): number => (measured * items + 1) / (items + 2);

/**
 * What a tolerance of a share is finer than, if it is: `error` is how far chance moves the share when it is measured on
 * the items, and `enough` how many items would do.
 */
export function finerThanChance(
  tolerance: number,
  share: number,
  items: number,
): { error: number; enough: number } | undefined {
  const error = standardError(share, items);
  return tolerance < error ? { error, enough: itemsFor(share, tolerance) } : undefined;
}
