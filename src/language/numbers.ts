/** A count as people say it: `430 k`, `1.2 M`; exact below a thousand. */
export function compact(count: number): string {
  if (!Number.isFinite(count)) return '?';
  for (const [size, unit] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const)
    if (count >= size * 0.9995) return `${Number((count / size).toPrecision(3))} ${unit}`;
  return `${count}`;
}

/** Bytes in powers of 1024: `1.7 MB`. */
export function bytes(count: number): string {
  if (!Number.isFinite(count)) return '?';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = count;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit]}`;
}

/** A share as a percentage: `8 %`, `0.4 %`. */
export const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;
