import { csvOf } from '../../src/csv';
import type { Palette } from './canvas';

/** A line of a chart. */
export interface Line {
  name: string;
  /** In ascending x. */
  points: readonly { x: number; y: number }[];
  /** A level to compare with, such as a baseline; drawn dotted. */
  level?: boolean;
}

export interface LineStyle {
  color: string;
  dash: number[];
}

/**
 * Colours and dashes by which lines are told apart, also where colours are not: each colour comes with each dash. Levels are
 * dotted in the colour of the text.
 */
export function lineStyles(lines: readonly Line[], { series, text }: Palette): LineStyle[] {
  const dashes = [[], [8, 4], [2, 3], [10, 4, 2, 4], [16, 5], [8, 3, 2, 3, 2, 3]];
  return lines.map(({ level }, i) =>
    level
      ? { color: text, dash: [2, 4] }
      : {
          color: series[i % series.length],
          dash: dashes[Math.floor(i / series.length) % dashes.length],
        },
  );
}

/** The line that a key chooses, after that which is chosen: -1 is none; undefined for other keys. */
export function nextLine(key: string, chosen: number, count: number): number | undefined {
  const least = Math.min(0, count - 1);
  switch (key) {
    case 'ArrowDown':
    case 'ArrowRight':
      return Math.min(count - 1, chosen + 1);
    case 'ArrowUp':
    case 'ArrowLeft':
      return Math.max(least, chosen - 1);
    case 'Home':
      return least;
    case 'End':
      return count - 1;
    case 'Escape':
      return -1;
    default:
      return undefined;
  }
}

/** What a line has at `x`, between its points straight on the drawn scale; undefined before the first and after the last. */
export function valueAt(
  { points }: Line,
  x: number,
  scale: (x: number) => number = (value) => value,
): number | undefined {
  const next = points.findIndex((point) => point.x >= x);
  if (next < 0) return undefined;
  const to = points[next];
  if (to.x === x) return to.y;
  if (next === 0) return undefined;
  const from = points[next - 1];
  const part = (scale(x) - scale(from.x)) / (scale(to.x) - scale(from.x));
  return from.y + part * (to.y - from.y);
}

/** Ticks of a logarithmic axis: 1 to 9 times each power of ten, and which of them there is room to label. */
export function logTicks(min: number, max: number): { all: number[]; labelled: number[] } {
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power++) {
    for (let digit = 1; digit < 10; digit++) {
      const tick = Number(`${digit}e${power}`);
      if (tick >= min && tick <= max) all.push(tick);
    }
  }
  const round = all.filter((tick) => /^[125]e/.test(tick.toExponential()));
  return { all, labelled: round.length > 1 ? round : all };
}

/** One row for each x that any line has, in ascending x. */
export function table(lines: readonly Line[]): { x: number; values: (number | undefined)[] }[] {
  const rows = new Map<number, (number | undefined)[]>();
  for (const [i, { points }] of lines.entries()) {
    for (const { x, y } of points) {
      let values = rows.get(x);
      if (!values) rows.set(x, (values = lines.map(() => undefined)));
      values[i] = y;
    }
  }
  return [...rows].map(([x, values]) => ({ x, values })).sort((a, b) => a.x - b.x);
}

/** Names of the lines and a line for each x, in full precision. */
export const csvOfLines = (xLabel: string, lines: readonly Line[]): string =>
  csvOf([[xLabel, ...lines.map(({ name }) => name)], ...table(lines).map(({ x, values }) => [x, ...values])]);

export interface Drawing {
  label: string;
  xLabel: string;
  yLabel: string;
  lines: readonly Line[];
  logarithmic: boolean;
  formatX: (x: number) => string;
  formatY: (y: number) => string;
}

/** Of a picture with one column of names. */
const size = { width: 960, height: 540 };
const margin = { left: 76, right: 190, top: 44, bottom: 52 };
/** Names in a column beside the drawing. */
const namesInColumn = 23;
/** Letters of a name that there is room for. */
const mostLetters = 21;

/** How large the picture is: for many lines wider, with their names in columns. */
const sizeFor = (lines: readonly Line[]) => ({
  ...size,
  width: size.width + margin.right * Math.max(0, Math.ceil(lines.length / namesInColumn) - 1),
});

/** The chart as a picture that stands for itself, in the theme's colours. */
export function svgOf(drawing: Drawing, palette: Palette): string {
  const { label, xLabel, yLabel, lines, logarithmic, formatX, formatY } = drawing;
  const points = lines.flatMap((line) => line.points);
  const scale = (value: number) => (logarithmic ? Math.log10(value) : value);
  const range = (values: number[]) => {
    const [min, max] = [Math.min(...values), Math.max(...values)];
    return min < max ? { min, max } : { min: min - 0.5, max: max + 0.5 };
  };
  const xs = range(points.map(({ x }) => scale(x)));
  const ys = range(points.map(({ y }) => y));
  const right = size.width - margin.right;
  const bottom = size.height - margin.bottom;
  const toX = (x: number) => margin.left + ((scale(x) - xs.min) / (xs.max - xs.min)) * (right - margin.left);
  const toY = (y: number) => bottom - ((y - ys.min) / (ys.max - ys.min)) * (bottom - margin.top);
  const fifths = Array.from({ length: 6 }, (_, i) => i / 5);
  const xTicks = logarithmic
    ? logTicks(10 ** xs.min, 10 ** xs.max).labelled
    : fifths.map((part) => xs.min + part * (xs.max - xs.min));
  const styles = lineStyles(lines, palette);
  const text = (x: number, y: number, content: string, anchor = 'start', more = '') =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${more}>${escapeText(content)}</text>`;
  const parts = [
    `<rect width="100%" height="100%" fill="${palette.background}"/>`,
    `<g fill="${palette.text}" font-family="sans-serif" font-size="12">`,
    text(margin.left, 24, label, 'start', ' font-size="15" font-weight="bold"'),
    text((margin.left + right) / 2, size.height - 12, xLabel, 'middle'),
    text(margin.left - 8, margin.top - 8, yLabel, 'end'),
  ];
  for (const part of fifths) {
    const y = ys.min + part * (ys.max - ys.min);
    parts.push(
      `<path d="M${margin.left} ${toY(y).toFixed(1)}H${right}" stroke="${palette.grid}"/>`,
      text(margin.left - 8, toY(y) + 4, formatY(y), 'end'),
    );
  }
  for (const x of xTicks) parts.push(text(toX(x), bottom + 18, formatX(x), 'middle'));
  for (const [i, { name, points: ofLine }] of lines.entries()) {
    const { color, dash } = styles[i];
    const stroke = `stroke="${color}" stroke-width="2" stroke-dasharray="${dash.join(' ')}" fill="none"`;
    const path = ofLine.map(({ x, y }) => `${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`).join('L');
    if (path !== '') parts.push(`<path d="M${path}" ${stroke}/>`);
    const x = right + 16 + margin.right * Math.floor(i / namesInColumn);
    const y = margin.top + 16 + (i % namesInColumn) * 20;
    const shown = text(x + 34, y, shortened(name));
    parts.push(
      `<path d="M${x} ${y - 4}h26" ${stroke}/>`,
      shown.replace('</text>', `<title>${escapeText(name)}</title></text>`),
    );
  }
  const { width, height } = sizeFor(lines);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">\n${parts.join('\n')}\n</g></svg>\n`;
}

/** A name with its middle left out where it is long: `inception_4a…3x3_reduce`. */
function shortened(name: string): string {
  if (name.length <= mostLetters) return name;
  const half = (mostLetters - 1) / 2;
  return `${name.slice(0, half)}…${name.slice(-half)}`;
}

const escapeText = (text: string) => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);

/** The same as a PNG at twice the size, in base64. */
export async function pngOf(drawing: Drawing, palette: Palette): Promise<string> {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svgOf(drawing, palette))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  const { width, height } = sizeFor(drawing.lines);
  [canvas.width, canvas.height] = [2 * width, 2 * height];
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/png').split(',')[1];
}
