import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { noNumber } from '../format';
import { t } from '../l10n';
import { usePalette, useSize } from './canvas';
import { csvOfLines, type Line, lineStyles, logTicks, pngOf, svgOf, table } from './lines';
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

/** Lines over a common axis, drawn live, to be read by mouse and keyboard, with a table of their points and exports. */
export function LineChart(props: Props): JSX.Element {
  const { label, fileName, xLabel, yLabel, lines, logarithmic = false, formatX, formatY } = props;
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const [reading, setReading] = useState<number | undefined>(undefined);
  const size = useSize(frame);
  const palette = usePalette();
  const rows = useMemo(() => table(lines), [lines]);
  const names = lines.map(({ name }) => name).join('\n');
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
    return () => {
      plot.destroy();
      chart.current = undefined;
    };
  }, [size.width, size.height, palette, names, xLabel, yLabel, logarithmic]);

  useEffect(() => chart.current?.setData(data), [data]);

  const onKeyDown = (event: KeyboardEvent) => {
    const at = reading ?? -1;
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: rows.length - 1 }[event.key];
    const plot = chart.current;
    if (next === undefined || !plot || rows.length === 0) return;
    event.preventDefault();
    const index = Math.max(0, Math.min(rows.length - 1, next));
    const y = rows[index].values.find((value) => value !== undefined) ?? 0;
    plot.setCursor({ left: plot.valToPos(rows[index].x, 'x'), top: plot.valToPos(y, 'y') });
    setReading(index);
  };
  const styles = lineStyles(lines, palette);
  const row = reading === undefined ? undefined : rows[reading];
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

  return (
    <figure class="chart lines" aria-label={label}>
      <figcaption>
        <h3>{label}</h3>
        <span class="legend">
          {lines.map(({ name }, i) => (
            <span key={name}>
              <svg width="22" height="8" aria-hidden="true">
                <line
                  x1="0"
                  y1="4"
                  x2="22"
                  y2="4"
                  stroke={styles[i].color}
                  stroke-width="2"
                  stroke-dasharray={styles[i].dash.join(' ')}
                />
              </svg>
              {name}
              <b>{row?.values[i] === undefined ? '' : formatY(row.values[i])}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div
        class="plot"
        ref={frame}
        role="img"
        aria-label={t('{0}: {1} over {2}. Arrow keys read it point by point.', label, yLabel, xLabel)}
        tabIndex={0}
        onKeyDown={onKeyDown}
      />
      <p class="visually-hidden" aria-live="polite">
        {row &&
          `${xLabel} ${formatX(row.x)}: ${lines
            .map(
              ({ name }, i) => `${name} ${row.values[i] === undefined ? noNumber : formatY(row.values[i])}`,
            )
            .join(', ')}`}
      </p>
      <div class="tools">
        <details class="as-table">
          <summary>{t('As a table')}</summary>
          <table>
            <thead>
              <tr>
                <th scope="col">{xLabel}</th>
                {lines.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.slice(-500).map(({ x, values }) => (
                <tr key={x}>
                  <th scope="row">{formatX(x)}</th>
                  {lines.map(({ name }, i) => (
                    <td key={name}>{values[i] === undefined ? noNumber : formatY(values[i])}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
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
