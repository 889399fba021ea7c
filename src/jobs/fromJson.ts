// Checks of values that were read from JSON, which anybody may have written.

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isNumber = (value: unknown): value is number => typeof value === 'number';

/** Whether a value is a list of things that `holds` accepts; it is asked about objects and scalars, never about null. */
export const isList = <Item>(
  value: readonly Item[] | undefined,
  holds: (item: Item) => boolean,
): value is Item[] =>
  Array.isArray(value) && value.every((item: Item | null) => item !== null && holds(item));
