import { currentLanguage, t } from './l10n';

const formatters = new Map<string, Intl.NumberFormat>();
function formatter(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = currentLanguage() + JSON.stringify(options);
  let known = formatters.get(key);
  if (!known) formatters.set(key, (known = new Intl.NumberFormat(currentLanguage(), options)));
  return known;
}

/** What stands for a number that there is not. */
export const noNumber = '–';

/** A whole number with its digits grouped: 431,080. */
export const formatCount = (count: number): string =>
  Number.isFinite(count) ? formatter({ maximumFractionDigits: 0 }).format(count) : noNumber;

/** A count in few characters: 138M. */
export const formatShortCount = (count: number): string =>
  Number.isFinite(count)
    ? formatter({ notation: 'compact', maximumSignificantDigits: 3 }).format(count)
    : noNumber;

/** A share 0..1 as a percentage that says 0 % and 100 % only when it is exactly that. */
export function formatShare(share: number): string {
  if (!Number.isFinite(share)) return noNumber;
  const percent = (digits: number, value = share) =>
    formatter({ style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
      value,
    );
  if (share === 0 || share === 1) return percent(0);
  if (share > 0 && share < 0.0005) return `< ${percent(1, 0.001)}`;
  if (share > 0.9995 && share < 1) return `> ${percent(1, 0.999)}`;
  return percent(1);
}

/** A share 0..1 as a percentage of three significant digits, as it can be typed too: 0.55 %. */
export const formatPercent = (share: number): string => `${formatValue(100 * share, 3)} %`;

/** Layers, counted. */
export const layersText = (count: number): string =>
  count === 1 ? t('1 layer') : t('{0} layers', formatCount(count));

/** Bytes in binary units, three significant digits: 1.64 MB. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return noNumber;
  const units = [t('bytes'), 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (Math.abs(bytes) >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  const digits = unit === 0 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 };
  return `${formatter(digits).format(bytes)} ${units[unit]}`;
}

/** A weight or another real number with six significant digits, in scientific notation where that is shorter. */
export function formatValue(value: number, digits = 6): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e7)) {
    return value
      .toExponential(digits - 1)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e');
  }
  return String(Number(value.toPrecision(digits)));
}

/** A shape as people write it: 50×20×5×5. */
export const formatShape = (shape: readonly number[]): string =>
  shape.length === 0 ? t('scalar') : shape.join('×');

/** Factor by which something got smaller: 12.4×. */
export const formatFactor = (factor: number): string =>
  Number.isFinite(factor) ? `${formatter({ maximumSignificantDigits: 3 }).format(factor)}×` : noNumber;

/** A moment, in milliseconds since 1970, as a date with the time of day. */
export const formatDate = (at: number): string =>
  new Intl.DateTimeFormat(currentLanguage(), { dateStyle: 'medium', timeStyle: 'short' }).format(at);
