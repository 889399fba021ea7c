import { describe, expect, test } from 'vitest';
import type { Palette } from '../../../webview/charts/canvas';
import {
  csvOfLines,
  type Drawing,
  type Line,
  lineStyles,
  logTicks,
  nextLine,
  svgOf,
  table,
  valueAt,
} from '../../../webview/charts/lines';

const lines: Line[] = [
  {
    name: 'conv1',
    points: [
      { x: 0.1, y: 0.5 },
      { x: 1, y: 0.99 },
    ],
  },
  {
    name: 'ip "1", all',
    points: [
      { x: 0.01, y: 0.25 },
      { x: 1, y: 0.98 },
    ],
  },
];
const palette = {
  background: '#000',
  text: '#fff',
  grid: '#333',
  series: ['#f00', '#0f0'],
} as Partial<Palette> as Palette;
const drawing: Drawing = {
  label: 'Accuracy & loss <by layer>',
  xLabel: 'keep',
  yLabel: 'accuracy',
  lines,
  logarithmic: true,
  formatX: (x) => x.toPrecision(2),
  formatY: (y) => y.toFixed(2),
};

test('a table has a row for each x that any line has, in order', () => {
  expect(table(lines)).toEqual([
    { x: 0.01, values: [undefined, 0.25] },
    { x: 0.1, values: [0.5, undefined] },
    { x: 1, values: [0.99, 0.98] },
  ]);
  expect(table([])).toEqual([]);
});

test('CSV leaves cells empty where a line has no value, and quotes names', () => {
  expect(csvOfLines('keep', lines)).toBe('keep,conv1,"ip ""1"", all"\n0.01,,0.25\n0.1,0.5,\n1,0.99,0.98\n');
});

test('lines are told apart by dashes too: no two of many have the same style; levels are dotted', () => {
  const many = Array.from({ length: 12 }, (_, i): Line => ({ name: `ip${i}`, points: [] }));
  const styles = lineStyles(many, palette).map((style) => JSON.stringify(style));
  expect(new Set(styles).size).toBe(12);
  expect(lineStyles([{ ...many[0], level: true }], palette)).toEqual([{ color: '#fff', dash: [2, 4] }]);
});

test.each([
  [0.045, 0.21, [0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.2], [0.05, 0.1, 0.2]],
  [0.7, 3, [0.7, 0.8, 0.9, 1, 2, 3], [1, 2]],
  [0.3, 0.4, [0.3, 0.4], [0.3, 0.4]],
  [0.31, 0.39, [], []],
])('ticks of a logarithmic axis from %d to %d', (min, max, all, labelled) => {
  expect(logTicks(min, max)).toEqual({ all, labelled });
});

describe('the chart as SVG', () => {
  const svg = svgOf(drawing, palette);
  const coordinates = [
    ...svg.matchAll(/<path d="M([\d. L]+)" stroke="#(?:f00|0f0)"[^>]*fill="none"\/>/g),
  ].map(([, path]) => path.split('L').map((point) => point.split(' ').map(Number)));

  test('puts the least and the greatest at the edges, decades at equal distances', () => {
    const [[a, b], [c, d]] = coordinates;
    expect(c[0]).toBe(76);
    expect(b[0]).toBe(960 - 190);
    expect(d[0]).toBe(b[0]);
    expect(a[0]).toBeCloseTo((c[0] + b[0]) / 2, 1);
    expect(b[1]).toBe(44);
    expect(c[1]).toBe(540 - 52);
  });

  test('escapes what texts hold', () => {
    expect(svg).toContain('Accuracy &#38; loss &#60;by layer&#62;');
  });

  test('of many lines is wider, with their names in columns and long names shortened', () => {
    const many = Array.from({ length: 60 }, (_, i): Line => ({ name: `res${i}`, points: lines[0].points }));
    const picture = svgOf(
      { ...drawing, lines: [...many, { name: 'inception_4a/3x3_reduce/bn', points: [] }] },
      palette,
    );
    const [, width, height] = /width="(\d+)" height="(\d+)" viewBox/.exec(picture)!.map(Number);
    expect([width, height]).toEqual([960 + 2 * 190, 540]);
    const names = [...picture.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<title>([^<]*)</g)];
    expect(names.map(([, , , , name]) => name)).toEqual([
      ...many.map(({ name }) => name),
      'inception_4a/3x3_reduce/bn',
    ]);
    expect(names.at(-1)![3]).toBe('inception_…_reduce/bn');
    const places = names.map(([, x, y]) => `${x} ${y}`);
    expect(new Set(places).size).toBe(61);
    for (const [, x, y] of names) {
      expect(Number(x)).toBeLessThan(width - 130);
      expect(Number(y)).toBeLessThan(height);
    }
  });

  test('of one point has finite numbers', () => {
    const one = svgOf({ ...drawing, lines: [{ name: 'a', points: [{ x: 1, y: 1 }] }] }, palette);
    expect(one).not.toMatch(/NaN|Infinity/);
  });
});

test.each([
  [0.1, 0.5],
  [1, 0.99],
  // In the middle of a logarithmic scale.
  [Math.sqrt(0.1), (0.5 + 0.99) / 2],
  [0.09, undefined],
  [1.1, undefined],
])('at %d a line has %d', (x, expected) => {
  const y = valueAt(lines[0], x, Math.log);
  if (expected === undefined) expect(y).toBeUndefined();
  else expect(y).toBeCloseTo(expected, 10);
});

test('between two points a line is straight on a linear scale', () => {
  expect(valueAt(lines[0], 0.55)).toBeCloseTo((0.5 + 0.99) / 2, 10);
});

test('keys choose one line after the other, and none', () => {
  const keys = (...pressed: string[]) =>
    pressed.reduce((chosen, key) => nextLine(key, chosen, 3) ?? chosen, -1);
  expect(keys('ArrowDown')).toBe(0);
  expect(keys('ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown')).toBe(2);
  expect(keys('End', 'ArrowUp')).toBe(1);
  expect(keys('ArrowDown', 'ArrowUp')).toBe(0);
  expect(keys('End', 'Home')).toBe(0);
  expect(keys('End', 'Escape')).toBe(-1);
  expect(nextLine('a', 1, 3)).toBeUndefined();
  expect(nextLine('ArrowDown', -1, 0)).toBe(-1);
});
