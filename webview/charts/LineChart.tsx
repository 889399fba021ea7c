import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { noNumber } from '../format';
import { t } from '../l10n';
import { usePalette, useSize } from './canvas';
import { Legend, manyLines } from './Legend';
import { csvOfLines, type Line, lineStyles, logTicks, nextLine, pngOf, svgOf, table, valueAt } from './lines';
import { Button } from '../controls';
import { host } from '../host';

interface Props {
  /** What is shown, for screen readers and as the heading of the exports. */
  label: string;
  /** Beginning of the names of files it is saved to. */
  fileName: string;
  xLabel: string;
  yLabel: string;
  lines: readonly Line[];
  /** x on a logarithmic scale. */
  logarithmic?: boolean;
  formatX: (x: number) => string;
  formatY: (y: number) => string;
  /** What is saved as CSV, where that is more than the lines. */
  csv?: () => string;
}

/** The mouse lights up a line that is no farther from it than this many pixels. */
const nearPixels = 12;
/** Rows of the table: the last ones. */
const mostRows = 500;

/**
 * Lines over a common axis, drawn live, to be read by mouse and keyboard, with a table of their points and exports. One of
 * them can be lit up: then it alone is read and in the table.
 */
export function LineChart(props: Props): JSX.Element {
  const { label, fileName, xLabel, yLabel, lines, logarithmic = false, formatX, formatY } = props;
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const [reading, setReading] = useState<number | undefined>(undefined);
  const [chosenName, setChosenName] = useState<string | undefined>(undefined);
  const [hovered, setHovered] = useState(-1);
  const chosen = lines.findIndex(({ name }) => name === chosenName);
  const lit = hovered >= 0 && hovered < lines.length ? hovered : chosen;
  const choose = (index: number) => setChosenName(lines[index]?.name);
  const size = useSize(frame);
  const palette = usePalette();
  const rows = useMemo(() => table(lines), [lines]);
  const names = lines.map(({ name }) => name).join('\n');
  /** What is drawn, for listeners that outlive a rendering. */
  const current = useRef({ lines, logarithmic });
  current.current = { lines, logarithmic };
  const data = useMemo(
    (): uPlot.AlignedData => [
      rows.map(({ x }) => x),
      ...lines.map((_, i) => rows.map(({ values }) => values[i] ?? null)),
    ],
    [rows],
  );

  useEffect(() => {
    if (!frame.current || size.width === 0) return undefined;
    const styles = lineStyles(lines, palette);
    const font = `11px ${getComputedStyle(frame.current).fontFamily}`;
    const axis: uPlot.Axis = {
      ...{ stroke: palette.text, font, labelFont: font, labelGap: 0, labelSize: 18 },
      ...{ grid: { stroke: palette.grid, width: 1 }, ticks: { show: false } },
    };
    const options: uPlot.Options = {
      width: size.width,
      height: size.height,
      legend: { show: false },
      focus: { alpha: 0.15 },
      scales: {
        // Not up to the next power of ten, as is the default: half of the width would be empty.
        x: logarithmic
          ? { time: false, distr: 3, range: (_, min, max) => [min / 1.05, max * 1.05] }
          : { time: false },
      },
      axes: [
        {
          ...axis,
          label: xLabel,
          size: 26,
          ...(logarithmic && {
            splits: (_plot: uPlot, _axis: number, min: number, max: number) => logTicks(min, max).all,
            filter: (_plot: uPlot, ticks: number[]) => {
              const { labelled } = logTicks(ticks[0], ticks[ticks.length - 1]);
              return ticks.map((tick) => (labelled.includes(tick) ? tick : null));
            },
          }),
          values: (_, ticks) => ticks.map((x) => formatTick(x, formatX)),
        },
        { ...axis, size: 62, values: (_, ticks) => ticks.map((y) => formatTick(y, formatY)) },
      ],
      series: [
        {},
        ...lines.map(({ name, level }, i) => ({
          label: name,
          stroke: styles[i].color,
          dash: styles[i].dash,
          width: 2,
          spanGaps: true,
          points: level ? { show: false } : { size: 6, fill: palette.background },
        })),
      ],
      hooks: { setCursor: [(plot) => setReading(plot.cursor.idx ?? undefined)] },
      cursor: { drag: { x: true, y: false } },
    };
    const plot = new uPlot(options, data, frame.current);
    chart.current = plot;
    plot.over.addEventListener('mousemove', (event) => setHovered(lineAt(plot, current.current, event)));
    plot.over.addEventListener('mouseleave', () => setHovered(-1));
    return () => {
      plot.destroy();
      chart.current = undefined;
    };
  }, [size.width, size.height, palette, names, xLabel, yLabel, logarithmic]);

  useEffect(() => chart.current?.setData(data), [data]);
  useEffect(
    () => chart.current?.setSeries(lit < 0 ? null : lit + 1, { focus: true }),
    // Also of a chart that was made anew.
    [lit, size.width, size.height, palette, names, xLabel, yLabel, logarithmic],
  );

  const onKeyDown = (event: KeyboardEvent) => {
    const plot = chart.current;
    if (!plot || rows.length === 0) return;
    if (['ArrowUp', 'ArrowDown', 'Escape'].includes(event.key)) {
      event.preventDefault();
      choose(nextLine(event.key, chosen, lines.length)!);
      return;
    }
    // Of a line that is lit up, from point to point; else from each x that any line has to the next.
    const stops = rows.flatMap(({ values }, i) => (lit < 0 || values[lit] !== undefined ? [i] : []));
    const at = reading ?? -1;
    const next = {
      ArrowLeft: stops.findLast((i) => i < at) ?? stops[0],
      ArrowRight: stops.find((i) => i > at) ?? stops.at(-1),
      Home: stops[0],
      End: stops.at(-1),
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const { x, values } = rows[next];
    const y = (lit < 0 ? values.find((value) => value !== undefined) : values[lit]) ?? 0;
    plot.setCursor({ left: plot.valToPos(x, 'x'), top: plot.valToPos(y, 'y') });
    setReading(next);
  };
  const styles = lineStyles(lines, palette);
  const row = reading === undefined ? undefined : rows[reading];
  const values = lines.map((_, i) => (row?.values[i] === undefined ? undefined : formatY(row.values[i])));
  /** Indices of the lines that are read out: where there are many, those that have something to say. */
  const read = lines.flatMap((_, i) =>
    lit >= 0 ? (i === lit ? [i] : []) : lines.length < manyLines || values[i] !== undefined ? [i] : [],
  );
  const listed = chosen < 0 ? lines.map((_, i) => i) : [chosen];
  const listedRows = rows
    .filter(({ values: ofRow }) => chosen < 0 || ofRow[chosen] !== undefined)
    .slice(-mostRows);
  const save = {
    csv: () =>
      void host.run('saveText', {
        name: `${fileName}.csv`,
        text: props.csv?.() ?? csvOfLines(xLabel, lines),
      }),
    svg: () =>
      void host.run('saveText', { name: `${fileName}.svg`, text: svgOf({ ...props, logarithmic }, palette) }),
    png: async () => {
      const base64 = await pngOf({ ...props, logarithmic }, palette);
      await host.run('saveBytes', { name: `${fileName}.png`, base64 });
    },
  };
  const legend = (
    <Legend
      lines={lines}
      styles={styles}
      lit={lit}
      chosen={chosen}
      values={values}
      onChoose={choose}
      onHover={setHovered}
    />
  );

  return (
    <figure class="chart lines" aria-label={label}>
      <figcaption>
        <h3>{label}</h3>
        {lines.length < manyLines && legend}
      </figcaption>
      <div class="drawn">
        <div
          class="plot"
          ref={frame}
          role="img"
          aria-label={t(
            '{0}: {1} over {2}. Arrow keys read it point by point, up and down light up a line.',
            label,
            yLabel,
            xLabel,
          )}
          tabIndex={0}
          onKeyDown={onKeyDown}
        />
        {lines.length >= manyLines && legend}
      </div>
      <p class="visually-hidden" aria-live="polite">
        {row
          ? `${xLabel} ${formatX(row.x)}: ${read.map((i) => `${lines[i].name} ${values[i] ?? noNumber}`).join(', ')}`
          : lines[chosen]?.name}
      </p>
      <div class="tools">
        <details class="as-table">
          <summary>{t('As a table')}</summary>
          <div class="scroll" tabIndex={0}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{xLabel}</th>
                  {listed.map((i) => (
                    <th key={lines[i].name} scope="col">
                      {lines[i].name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {listedRows.map(({ x, values: ofRow }) => (
                  <tr key={x}>
                    <th scope="row">{formatX(x)}</th>
                    {listed.map((i) => (
                      <td key={lines[i].name}>{ofRow[i] === undefined ? noNumber : formatY(ofRow[i])}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
        <span class="spacer" />
        <Button appearance="icon" icon="table" label={t('Save as CSV')} onClick={save.csv} />
        <Button appearance="icon" icon="save" label={t('Save as SVG')} onClick={save.svg} />
        <Button
          appearance="icon"
          icon="device-camera"
          label={t('Save as PNG')}
          onClick={() => void save.png()}
        />
      </div>
    </figure>
  );
}

/** uPlot leaves ticks out, of a logarithmic scale, by making them null. */
const formatTick = (value: number | null, format: (value: number) => string): string =>
  value === null ? '' : format(value);

/** Index of the line that the mouse is on, or -1. */
function lineAt(
  plot: uPlot,
  { lines, logarithmic }: { lines: readonly Line[]; logarithmic: boolean },
  { offsetX, offsetY }: MouseEvent,
): number {
  const x = plot.posToVal(offsetX, 'x');
  let nearest = -1;
  let least = nearPixels;
  for (const [i, line] of lines.entries()) {
    const y = valueAt(line, x, logarithmic ? Math.log : undefined);
    const distance = y === undefined ? Infinity : Math.abs(plot.valToPos(y, 'y') - offsetY);
    if (distance > least) continue;
    nearest = i;
    least = distance;
  }
  return nearest;
}
