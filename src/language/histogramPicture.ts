import type { Histogram } from '../sparsity/histogram';

/** Colours that read on dark and light hovers alike. */
const bar = '#3794ff';
const axis = '#888888';

const width = 280;
const height = 66;
const plot = { top: 4, bottom: 50 };
const baseline = 63;

/**
 * A histogram of weights as SVG: bars with logarithmic heights, so that tails show beside a peak at zero, and the range
 * below. Zeros are in the bin that holds 0.
 */
export function histogramSvg({ min, max, counts }: Histogram): string {
  const columns = Math.min(counts.length, 70);
  const sums = new Float64Array(columns);
  counts.forEach((count, bin) => (sums[Math.floor((bin * columns) / counts.length)] += count));
  const most = Math.log1p(Math.max(1, ...sums));
  const step = width / columns;
  const rects = [...sums].flatMap((sum, column) => {
    const size = (Math.log1p(sum) / most) * (plot.bottom - plot.top);
    return sum === 0
      ? []
      : [
          `<rect x="${round(column * step)}" y="${round(plot.bottom - size)}" width="${round(step - 0.5)}" height="${round(size)}"/>`,
        ];
  });
  const zero = min < 0 && max > 0 ? round((-min / (max - min)) * width) : undefined;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<g fill="${bar}">${rects.join('')}</g>`,
    `<path d="M0 ${plot.bottom}H${width}${zero === undefined ? '' : `M${zero} ${plot.bottom}v4`}" stroke="${axis}" fill="none"/>`,
    `<g fill="${axis}" font-family="sans-serif" font-size="11">`,
    `<text x="0" y="${baseline}">${short(min)}</text>`,
    zero === undefined || zero < 50 || zero > width - 50
      ? ''
      : `<text x="${zero}" y="${baseline}" text-anchor="middle">0</text>`,
    `<text x="${width}" y="${baseline}" text-anchor="end">${short(max)}</text>`,
    '</g></svg>',
  ].join('');
}

export const svgUri = (svg: string): string =>
  `data:image/svg+xml;base64,${Buffer.from(svg, 'utf8').toString('base64')}`;

const round = (value: number): number => Math.round(value * 10) / 10;
const short = (value: number): string => `${Number(value.toPrecision(3))}`;
